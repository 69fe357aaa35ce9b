//go:build interop

package lab_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// together is how many labs run at a time: they wait more than they work, a second and a half of their twenty.
const together = 12

// besides are findings that are true in every lab, or follow from what is broken, and that the doctor may name too.
var besides = map[string][]string{
	"":                          {"files-in-plain"}, // the lab's office gives files in plain, and is told so
	"config-invalid":            {"unknown-phone"},
	"foreign-trust-list":        {"vpn-not-configured", "registration-refused"}, // it lives by the other office's file
	"tls-cipher":                {"no-spare-certificate"},
	"login-banned":              {"login-refused"}, // those that came before
	"load-too-old":              {"load-missing", "legacy-in-use"},
	"certificate-expired":       {"no-spare-certificate"},
	"certificate-not-yet-valid": {"no-spare-certificate"},
	"pool-overlaps":             {"no-route-to-pool"},
}

// TestBreaks breaks everything that can be broken, and reads what the doctor says: the one finding, certain or likely, and
// no other.
func TestBreaks(t *testing.T) {
	m := newMachine(t)
	list, stderr, code := m.run(t, people()[0], "lab", "--break", "list")
	if code != 0 {
		t.Fatalf("lab --break list ends with %d\n%s", code, stderr)
	}
	var codes []string
	for line := range strings.Lines(list) {
		codes = append(codes, strings.Fields(line)[0])
	}
	if len(codes) < 25 {
		t.Fatalf("only %q can be broken", codes)
	}
	slots := make(chan struct{}, together)
	for _, code := range codes {
		t.Run(code, func(t *testing.T) {
			said := make(chan string, 1)
			go func() {
				defer close(said)
				slots <- struct{}{}
				defer func() { <-slots }()
				said <- judgeBreak(t, m, code)
			}()
			t.Parallel() // from here on when all have begun
			if why := <-said; why != "" {
				t.Error(why)
			}
		})
	}
}

// judgeBreak says what is wrong with the lab's document for a break; nothing when all is well.
func judgeBreak(t *testing.T, m *machine, code string) string {
	out, stderr, exit := m.run(t, people()[0], "lab", "--break", code, "--json")
	if exit != 1 {
		return fmt.Sprintf("exit code %d, want 1\n%s%s", exit, out, stderr)
	}
	var document struct {
		OK       bool
		Findings []struct{ Code, Severity, Certainty, Says string }
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil {
		return fmt.Sprintf("%v\n%s", err, out)
	}
	if document.OK {
		return "the story is called good\n" + out
	}
	found := false
	for _, f := range document.Findings {
		certain := f.Certainty == "certain" || f.Certainty == "likely"
		switch {
		case f.Code == code && certain && !found:
			found = true
		case certain && f.Severity != "note" && !slices.Contains(besides[""], f.Code) && !slices.Contains(besides[code], f.Code):
			return fmt.Sprintf("the doctor says, too, %s (%s, %s)\n%s", f.Says, f.Code, f.Certainty, out)
		}
	}
	if !found {
		return "the doctor does not say it\n" + out + stderr
	}
	return ""
}

// TestBreakForPeople breaks something that lets the story go on, or ends it after the phone has gone. What is found is a
// warning, and a doctor who has it must not say that he cannot tell.
func TestBreakForPeople(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, code := range []string{"no-spare-certificate", "dtls-disabled"} {
		out, stderr, exit := m.run(t, people()[0], "lab", "--break", code)
		if exit != 1 || !strings.Contains(out, "OK: No fault is in what was given") || !strings.Contains(out, "["+code+"]") {
			t.Errorf("lab --break %s ends with %d and says\n%s%s", code, exit, out, stderr)
		}
	}
}
