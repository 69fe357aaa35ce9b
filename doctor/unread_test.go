package doctor_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/judge"
)

// TestUnreadFailure: a log that speaks of a failure in words that nobody knows is not taken for healthy; the first such
// line is named. What people write around it, other programs' lines and counts of failures are none.
func TestUnreadFailure(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/net/healthy.oc.log")
	if err != nil {
		t.Fatal(err)
	}
	healthy := string(b)
	const known = "Established DTLS connection"
	begin, end, ok := strings.Cut(healthy, known)
	if !ok {
		t.Fatal("the sample has changed")
	}
	rest, after, _ := strings.Cut(end, "\n")
	with := func(lines string) string { return begin + known + rest + "\n" + lines + "\n" + after }
	at := strings.Count(begin, "\n") + 2
	const syslog = "Nov 26 10:00:00 gw "
	for name, c := range map[string]struct {
		text string
		line int // that is asked about; 0: none, and all is well
	}{
		"healthy":                  {healthy, 0},
		"right behind":             {with("The frobnicator failed to start"), at},
		"the first of two":         {with("The frobnicator was refused\nand denied"), at},
		"by a log's form":          {with("so far\n[12:00:01] frobnicator: request timed out"), at + 1},
		"by its process":           {with("so far\nfrobd[12]: clock unsynchronised"), at + 1},
		"by how it begins":         {with("so far\nFailed to frobnicate the link"), at + 1},
		"by an error's word":       {with("so far\nError frobnicating the link"), at + 1},
		"invalid, by its process":  {with("so far\nfrobd[12]: invalid frob"), at + 1},
		"people's words":           {"Hello,\nour phone fails to connect, and refuses to say why:\n\n" + healthy + "\nIt is denied.\n", 0},
		"nothing failed":           {with("frobnicated without errors"), 0},
		"counts":                   {with("Frobnications failed: 0, errors 12, 3 rejected, 0 timed out"), 0},
		"settings":                 {with("frobnication timeout 30"), 0},
		"issuers":                  {with("verify error:num=20:unable to get local issuer certificate"), 0},
		"another program of many":  {"Nov 26 10:00:00 gw frobd[7]: delivery failed\n" + prefixed(healthy, syslog+"openconnect[9]: "), 0},
		"the same program of many": {prefixed(healthy, syslog+"openconnect[9]: ") + syslog + "openconnect[9]: the frobnicator failed\n", strings.Count(healthy, "\n") + 1},
	} {
		r := judgedTogether(t, "oc.log", c.text)
		switch asked := strings.Join(r.Needs, " "); {
		case c.line == 0 && (r.Verdict != judge.OK || asked != ""):
			t.Errorf("%s: %s, asking %q", name, r.Verdict, asked)
		case c.line != 0 && (r.Verdict != judge.Insufficient || !strings.HasPrefix(asked, "line "+strconv.Itoa(c.line)+" of oc.log speaks of a failure")):
			t.Errorf("%s: %s, asking %q, want line %d", name, r.Verdict, asked, c.line)
		}
	}
	b, err = os.ReadFile("testdata/net/path404.oc.log")
	if err != nil {
		t.Fatal(err)
	}
	fault := judgedTogether(t, "oc.log", with("The frobnicator failed to start"), "other.log", string(b))
	if fault.Verdict != judge.Fault || strings.Contains(strings.Join(fault.Needs, " "), "frobnicator") {
		t.Errorf("beside a fault: %s, asking %q", fault.Verdict, fault.Needs)
	}
}

// prefixed has a syslog daemon write every line.
func prefixed(text, with string) string {
	return with + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+with) + "\n"
}
