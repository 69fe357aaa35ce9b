//go:build interop

package serve_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// behind is who has not fetched the trust list as it is now.
func behind(t *testing.T, o *office.Office) []string {
	t.Helper()
	out, code := run(t, o, "", "trust", "show", "--json", "-c", o.Path("longcord.yaml"))
	var answer struct {
		Trust struct {
			Behind []string `json:"behind"`
		} `json:"trust"`
	}
	if err := json.Unmarshal([]byte(out), &answer); code != 0 || err != nil {
		t.Fatalf("trust show ends with %d (%v):\n%s", code, err, out)
	}
	return answer.Trust.Behind
}

// A new key reaches a phone at home by itself: it is told to restart, fetches the list that names the key through
// its tunnel, which stays up, and lags behind no more. With --no-push it does when somebody tells it.
func TestNewKeyReachesPhoneAtHome(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	addOwner(t, o)
	h := newHousehold(t, o)
	h.desk.Kill()
	change := filepath.Join(t.TempDir(), "change.yaml")
	must(t, os.WriteFile(change, []byte("kind: CommonPhoneProfile\nname: home\nvpnGroup: phones\nvpnProfile: home\nsecurityByDefault: enabled\n"), 0o600))
	if said, code := run(t, o, "", "apply", "-f", change, "--no-push", "-c", o.Path("longcord.yaml")); code != 0 {
		t.Fatalf("apply ends with %d:\n%s", code, said)
	}
	away := h.stay(t)
	away.Wait(`"detail":"ITL installed"`)
	began := away.Mark()
	step := func(says string, args ...string) int {
		t.Helper()
		mark := away.Mark()
		out, code := run(t, o, "", append(append([]string{"trust"}, args...), "--yes", "-c", o.Path("longcord.yaml"))...)
		if told := strings.Contains(out, "1 phones are told to restart"); code != 0 || told != (says == "told") {
			t.Fatalf("trust %s ends with %d and says:\n%s", strings.Join(args, " "), code, out)
		}
		return mark
	}
	arrives := func(mark int) {
		t.Helper()
		away.WaitAfter(mark, `"event":"order"`)
		away.WaitAfter(mark, `"detail":"Trust List updated"`)
		away.WaitAfter(mark, `"step":"register","ok":true`)
		if got := behind(t, o); len(got) > 0 {
			t.Errorf("behind are %q", got)
		}
	}
	arrives(step("told", "replace", "files"))
	arrives(step("told", "replace", "signer-2"))
	arrives(step("told", "promote"))
	mark := step("not told", "replace", "tvs", "--no-push")
	if got := behind(t, o); !slices.Contains(got, home) {
		t.Errorf("behind are %q", got)
	}
	if out, code := run(t, o, "", "phones", "restart", home, "-c", o.Path("longcord.yaml")); code != 0 {
		t.Fatalf("restart ends with %d:\n%s", code, out)
	}
	arrives(mark)
	if after := strings.Join(strings.Split(away.Output(), "\n")[began:], "\n"); strings.Contains(after, `"step":"tunnel"`) {
		t.Errorf("the tunnel did not stay up:\n%s", after)
	}
}

// A phone that holds the list of the way back believes no CAPF: enrolling waits, and the status says why and what to do.
// It does when signing is on again.
func TestEnrolAfterSigningWasTurnedOff(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	const phone = "SEP020000001001"
	state := filepath.Join(t.TempDir(), phone)
	command := func(code int, args ...string) string {
		t.Helper()
		out, got := run(t, o, "", append(args, "-c", o.Path("longcord.yaml"))...)
		if got != code {
			t.Fatalf("longcord %s ends with %d:\n%s", strings.Join(args, " "), got, out)
		}
		return out
	}
	begin := func() *office.Program {
		t.Helper()
		p := o.Start(o.Inside, program(), "phone", phone, "--tftp", office.Inside, "--state", state, "--vpn", "off", "--json")
		p.Wait(`"step":"register","ok":true`)
		return p
	}
	command(0, "trust", "enable", "home", "--force", "--yes")
	begin().Kill()
	command(0, "trust", "disable", "home", "--yes")
	begin().Kill()
	command(0, "trust", "disable", "home", "--yes", "--force") // the other phone never had a list
	command(0, "certs", "enroll", "start", phone, "--auth", "null", "--no-push")
	p := begin()
	p.Wait("CAPF: ")
	status := command(0, "certs", "enroll", "status", phone)
	if !strings.Contains(status, "names no CAPF") || !strings.Contains(status, "longcord trust enable home") || !strings.Contains(status, " ordered ") {
		t.Errorf("certs enroll status:\n%s", status)
	}
	p.Kill()
	command(0, "trust", "enable", "home", "--force", "--yes")
	begin().Wait("CAPF: ")
	if status := command(0, "certs", "enroll", "status", phone); strings.Contains(status, "names no CAPF") || strings.Contains(status, " ordered ") {
		t.Errorf("signing is on again, and certs enroll status says:\n%s", status)
	}
}
