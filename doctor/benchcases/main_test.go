package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
)

func all(t *testing.T) []*testCase {
	t.Helper()
	cases, err := load("../testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestCases makes sure that each case is well formed and that the doctor gets through it. Whether it is right there is
// what `make bench-doctor` counts.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, c := range all(t) {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			report, err := c.judge(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				if f.Says == "" || len(f.Fix) == 0 || len(f.Evidence) == 0 {
					t.Errorf("%s comes without sentence, remedy or evidence: %+v", f.Code, f)
				}
			}
			if report.Verdict == judge.Insufficient && len(report.Needs) == 0 {
				t.Error("the doctor cannot tell, and does not say what to send")
			}
		})
	}
}

// TestHealthy demands silence where nothing is wrong: a doctor that cries wolf is not asked twice.
func TestHealthy(t *testing.T) {
	t.Parallel()
	for _, c := range all(t) {
		if c.category != "healthy" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			report, err := c.judge(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				if f.Severity != finding.Note {
					t.Errorf("nothing is wrong, and the doctor says: %s (%s, %s)", f.Says, f.Code, f.Certainty)
				}
			}
			if report.Verdict == judge.Fault {
				t.Error("nothing is wrong, and the verdict is fault")
			}
		})
	}
}

// TestBalance makes sure that silence is asked for often enough: a doctor that always finds something is worthless.
func TestBalance(t *testing.T) {
	t.Parallel()
	cases, silent := all(t), 0
	for _, c := range cases {
		if len(c.Findings) == 0 {
			silent++
		}
	}
	if silent*10 < len(cases)*3 {
		t.Errorf("%d of %d cases ask for no finding; at least three in ten should", silent, len(cases))
	}
}

// TestHugeLine reads five megabytes without a line end, which no case file need hold.
func TestHugeLine(t *testing.T) {
	t.Parallel()
	collector := fact.NewCollector("test", "files")
	line := io.LimitReader(endless("VPNC: leaf hash, no end in sight; "), 5<<20)
	if err := read.Input(t.Context(), collector, "huge.log", line, read.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	if report := judge.Facts(collector.File(), "test"); len(report.Findings) > 0 {
		t.Errorf("a line of 5 MB leads to %v", report.Findings)
	}
}

type endless string

func (e endless) Read(p []byte) (int, error) { return copy(p, e), nil }

func TestWeigh(t *testing.T) {
	t.Parallel()
	c := &testCase{
		Verdict:  []judge.Verdict{judge.Fault},
		Findings: []expected{{"tls-version", finding.Likely}, {"dtls-blocked", finding.Certain}, {"mtu", finding.Possible}},
		Allowed:  []string{"tls-cipher"},
		category: "capture", name: "one",
	}
	made := func(d finding.Declaration, c finding.Certainty) finding.Finding {
		return finding.Finding{Code: d.Code, Severity: d.Severity, Certainty: c}
	}
	o := weigh(c, &judge.Report{Verdict: judge.OK, Findings: []finding.Finding{
		made(finding.TLSVersion, finding.Certain), made(finding.DTLSBlocked, finding.Likely), made(finding.TLSCipher, finding.Certain),
		made(finding.LegacyInUse, finding.Certain), made(finding.HostIDMismatch, finding.Possible),
	}})
	if !slices.Equal(o.hits, []string{"tls-version"}) {
		t.Errorf("hits are %v, want tls-version, which is stronger than asked for", o.hits)
	}
	const want = "capture/one: misses mtu; is too weak on dtls-blocked (likely, not certain); alarms falsely host-id-mismatch (possible); verdict ok, not fault"
	if got := o.line(); got != want {
		t.Errorf("the case reads\n%s\nwant\n%s", got, want)
	}
	var text strings.Builder
	if err := write(&text, []*outcome{o}); err != nil {
		t.Fatal(err)
	}
	if row := strings.Fields(strings.Split(text.String(), "\n")[1]); !slices.Equal(row, []string{"capture", "1", "66", "%", "33", "%", "0", "%", "1", "1", "1", "1"}) {
		t.Errorf("the table's row is %v, want two thirds precise and a third found", row)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*testCase{
		"no finding is called":   {Allowed: []string{"no-such-code"}},
		"no certainty is called": {Findings: []expected{{"mtu", "perhaps"}}},
		"no verdict is called":   {Verdict: []judge.Verdict{"good"}},
		"are needed":             {Source: "-"},
	} {
		if c.Source == "" {
			c.Source, c.Remark, c.Inputs, c.dir = "x", "x", []string{"x"}, t.TempDir()
			if c.Verdict == nil {
				c.Verdict = []judge.Verdict{judge.OK}
			}
		}
		if err := c.check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the case %+v leads to %v, want an error with %q", c, err, name)
		}
	}
	if _, err := load(t.TempDir()); err == nil {
		t.Error("an empty folder is no set of cases")
	}
}
