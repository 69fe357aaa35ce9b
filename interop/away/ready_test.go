//go:build interop

package away_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// readiness runs `phones ready --json` and returns its exit code and the state and finding of each check.
func (h *home) readiness() (exit int, states, codes map[string]string) {
	h.t.Helper()
	out, err := h.command("", "phones", "ready", phone, "--json")
	if failed, ok := err.(*exec.ExitError); ok {
		exit = failed.ExitCode()
	} else if err != nil {
		h.t.Fatal(err)
	}
	var answer struct {
		Phones []struct {
			Checks []struct {
				Check, State string
				Finding      struct{ Code string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Phones) != 1 {
		h.t.Fatalf("phones ready: %v\n%s", err, out)
	}
	states, codes = map[string]string{}, map[string]string{}
	for _, c := range answer.Phones[0].Checks {
		states[c.Check], codes[c.Check] = c.State, c.Finding.Code
	}
	return exit, states, codes
}

// What a phone's own page says of its TFTP fields is believed: one field is not enough.
func TestReadyReadsThePhonesPage(t *testing.T) {
	t.Parallel()
	h := newHome(t, "192.168.1.0/24")
	h.serve()
	for _, c := range []struct {
		tftp, state, code string
		exit              int
	}{
		{office.Inside, "unfit", "alternate-tftp-not-set", 1},
		{office.Inside + "," + office.Inside, "fit", "", 0},
	} {
		p := h.StartWith(h.Inside, "", os.Getenv("LONGCORD"), "phone", phone, "--tftp", c.tftp, "--state", t.TempDir(), "--web", ":80", "--json")
		p.Wait(`"step":"register","ok":true`)
		exit, states, codes := h.readiness()
		if exit != c.exit || states["alternate-tftp"] != c.state || codes["alternate-tftp"] != c.code {
			t.Errorf("with %s: exit %d, alternate-tftp %s %s, want %d, %s %s; all: %v", c.tftp, exit, states["alternate-tftp"], codes["alternate-tftp"], c.exit, c.state, c.code, states)
		}
		p.Kill()
	}
}

// Before it was ever in the office a phone is not fit; afterwards it is, as far as can be told from here.
func TestReady(t *testing.T) {
	t.Parallel()
	h := newHome(t, "192.168.1.0/24")
	h.serve()
	exit, _, codes := h.readiness()
	if exit != 1 || codes["file"] != "file-not-fetched" || codes["registered"] != "not-registered" {
		t.Errorf("before it boots: exit %d, findings %v", exit, codes)
	}
	out, err := h.command("", "phones", "ready", phone)
	if err == nil || !strings.Contains(out, phone+" is not fit to go home\n") || !strings.Contains(out, "TFTP Server 1 and TFTP Server 2 both "+office.Inside) ||
		!strings.Contains(out, "hint: start the phone in the office once") {
		t.Errorf("phones ready says, %v:\n%s", err, out)
	}
	h.StartWith(h.Inside, password+"\n", os.Getenv("LONGCORD"), "phone", phone, "--tftp", office.Inside, "--state", t.TempDir(), "--json").
		Wait(`"step":"register","ok":true`)
	exit, states, codes := h.readiness()
	for check, state := range states {
		if want := map[bool]string{true: "unknown", false: "fit"}[check == "alternate-tftp"]; state != want {
			t.Errorf("check %s: %s (%s), want %s", check, state, codes[check], want)
		}
	}
	if exit != 3 || len(states) != 11 {
		t.Errorf("exit %d with %d checks, want 3 for the fields that only the phone knows", exit, len(states))
	}
}
