package doctor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor"
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

// TestReport compares reports with testdata/report; UPDATE=1 writes them anew.
func TestReport(t *testing.T) {
	t.Parallel()
	hostile := "a\x1b]0;owned\x07b\x1b[2J\u202ec\r\nd"
	url := finding.GroupURLMismatch.With("https://vpn.example.com/phones").As(finding.Likely).Because("console.log", 12, "VPNC: 'webvpn=' not found in cookie")
	banned := finding.LoginRefused.With("anna").As(finding.Likely).Because("asa.log", 3, "login refused")
	many := finding.DTLSDisabled.With("asa1")
	for n := range 20 {
		many = many.Because("asa.txt", n+1, "line")
	}
	sources := []fact.Source{
		{Name: "console.log", Formats: []string{"console log of a 79xx phone"}, Lines: 412, Known: 37},
		{Name: "photo.png", Problem: "this is a picture (PNG); type the words in it into a file and give that"},
		{Name: "empty"}, {Name: hostile, Lines: 3},
	}
	for range 10 {
		sources = append(sources, fact.Source{Name: "core", Lines: 1})
	}
	tests := map[string]struct {
		report judge.Report
		style  doctor.Style
	}{
		"fault":        {judge.Report{Verdict: judge.Fault, Findings: []finding.Finding{url, many}, NotJudged: []judge.NotJudged{{Step: stage.Register, Because: stage.Verify}, {Step: stage.Call, Because: stage.Verify}}}, doctor.Style{}},
		"alternatives": {judge.Report{Verdict: judge.Fault, Findings: []finding.Finding{url, banned}, Needs: []string{"send the log of the gateway"}}, doctor.Style{Width: 80}},
		"narrow":       {judge.Report{Verdict: judge.Fault, Findings: []finding.Finding{url}}, doctor.Style{Width: 40}},
		"insufficient": {judge.Report{Verdict: judge.Insufficient, Findings: []finding.Finding{url.As(finding.Possible)}, Needs: []string{"send the log of the gateway"}}, doctor.Style{}},
		"ok":           {judge.Report{Verdict: judge.OK}, doctor.Style{}},
		"warning":      {judge.Report{Verdict: judge.OK, Findings: []finding.Finding{finding.DTLSDisabled.With("asa1")}}, doctor.Style{Colour: true, Width: 80}},
		"hostile":      {judge.Report{Verdict: judge.Fault, Findings: []finding.Finding{finding.GroupURLMismatch.With(hostile).Because(hostile, 1, hostile)}}, doctor.Style{Colour: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			doctor.Print(&b, &fact.File{Sources: sources}, &test.report, test.style)
			golden(t, filepath.Join("testdata", "report", name+".golden"), b.String())
			if name == "hostile" && (strings.Contains(b.String(), "\x1b]") || strings.Contains(b.String(), "\u202e") || strings.Contains(b.String(), "\x1b[2J")) {
				t.Errorf("what somebody else wrote steers the terminal: %q", b.String())
			}
			for line := range strings.Lines(b.String()) {
				if w := test.style.Width; w > 0 && !test.style.Colour && len([]rune(line)) > w+1 {
					t.Errorf("wider than %d columns: %q", w, line)
				}
			}
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another; if that is meant: UPDATE=1 go test ./doctor\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// TestExplain finds every page, and names the nearest code.
func TestExplain(t *testing.T) {
	t.Parallel()
	for _, d := range finding.All() {
		page, err := doctor.Explain(d.Code)
		if err != nil || !strings.HasPrefix(page, "# "+d.Code+"\n") || strings.Contains(page, "<!--") {
			t.Errorf("%s: %v, page %.60q", d.Code, err, page)
		}
	}
	for asked, near := range map[string]string{"group-url": "group-url-mismatch", "dead-pear": "dead-peer", "xyzzy": "", "docs/errors/../../x": ""} {
		_, err := doctor.Explain(asked)
		unknown, ok := err.(*doctor.UnknownCodeError)
		if !ok || near == "" && len(unknown.Near) > 0 || near != "" && (len(unknown.Near) == 0 || unknown.Near[0] != near) {
			t.Errorf("%s: got %+v, want %q as the nearest", asked, err, near)
		}
	}
}

// TestAsk keeps words out of what is pasted.
func TestAsk(t *testing.T) {
	t.Parallel()
	for _, topic := range []string{"asa", "cucm", "ocserv", "asterisk", "phone"} {
		q, ok := doctor.Ask(topic)
		if !ok || len(q.Paste) == 0 || len(q.Before) == 0 || !strings.Contains(strings.Join(q.After, "\n"), "longcord doctor "+topic) {
			t.Errorf("%s asks %+v", topic, q)
		}
		for _, line := range q.Paste {
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") || strings.HasSuffix(line, ".") && !strings.HasSuffix(line, " .") {
				t.Errorf("%s: %q is no command", topic, line)
			}
		}
	}
}
