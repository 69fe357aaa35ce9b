package doctor_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor"
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
)

// healthyFile is a phone's file with nothing wrong in it, in one line.
const healthyFile = "<device><deviceProtocol>SIP</deviceProtocol><vpnGroup><mtu>1290</mtu><addresses><url1>https://vpn.example.com/phones</url1></addresses>" +
	"<credentials><hashAlg>0</hashAlg><certHash1>PFjxhxeeHh3iQAS/bi2NO6STsrE=</certHash1></credentials></vpnGroup></device>"

// TestPartlyRead does not call healthy what was not read to its end, and says where it ended.
func TestPartlyRead(t *testing.T) {
	t.Parallel()
	if r := diagnose(t, healthyFile); r.Verdict != judge.OK {
		t.Fatalf("the whole file: %s, want ok: %v", r.Verdict, r.Needs)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for i := range 2500 {
		text := "x\n"
		if i == 0 {
			text = healthyFile
		}
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("f%d", i), Mode: 0o600, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(healthyFile)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, says string }{
		"a phone's file that was cut": {healthyFile[:len(healthyFile)/2], "</device> is missing"},
		"a line without end":          {strings.Replace(healthyFile, "<vpnGroup>", "<!--"+strings.Repeat("x", 70_000)+"--><vpnGroup>", 1), "line 1 is longer than 64 KB"},
		"more files than are read":    {archive.String(), "more than 2000 files"},
		"a packed file that was cut":  {packed.String()[:packed.Len()-20], "unexpected EOF"},
	} {
		r := diagnose(t, test.text)
		if r.Verdict != judge.Insufficient || !strings.Contains(strings.Join(r.Needs, "\n"), test.says) {
			t.Errorf("%s: %s, needs %q, want insufficient and %q", name, r.Verdict, r.Needs, test.says)
		}
	}
	// What explains itself needs no more.
	if r := diagnose(t, healthyFile[:len(healthyFile)/2], "VPNC: 'webvpn=' not found in cookie\n"); r.Verdict != judge.Fault || len(r.Needs) != 0 {
		t.Errorf("beside a fault: %s, needs %q, want the fault alone", r.Verdict, r.Needs)
	}
}

// TestBrokenXML says of a file that is no XML nothing of what it lacks: no phone has taken it up.
func TestBrokenXML(t *testing.T) {
	t.Parallel()
	if r := diagnose(t, "<device><phoneLabel>Tom & Jerry</phoneLabel><deviceProtocol>SIP</deviceProtocol></device>"); !slices.Equal(codes(r), []string{"config-invalid"}) {
		t.Errorf("got %v, want config-invalid alone", codes(r))
	}
}

// TestPartlyReadIsListed keeps what was not read to its end in sight, however many other inputs told nothing.
func TestPartlyReadIsListed(t *testing.T) {
	t.Parallel()
	f := &fact.File{}
	for range 20 {
		f.Sources = append(f.Sources, fact.Source{Name: "core", Lines: 1})
	}
	f.Sources = append(f.Sources, fact.Source{Name: "all.tar", Problem: "the rest was not read", Partly: true})
	var b strings.Builder
	doctor.Print(&b, f, &judge.Report{Verdict: judge.Insufficient}, doctor.Style{})
	if !strings.Contains(b.String(), "all.tar: the rest was not read") || !strings.Contains(b.String(), "15 other inputs") {
		t.Errorf("got %s", b.String())
	}
}
