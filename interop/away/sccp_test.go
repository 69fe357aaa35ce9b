//go:build interop

package away_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// A phone with an SCCP load at home, in the tunnel that such phones have, restarts when it is told; of a change it
// is told without that, and says afterwards that it runs the new file.
func TestSCCPPhoneIsTold(t *testing.T) {
	t.Parallel()
	const name = "SEP0011223344AA"
	h := newHome(t, "192.168.1.0/24", "--legacy-phones")
	h.serve()
	run := func(input string, args ...string) string {
		t.Helper()
		out, err := h.command(input, args...)
		if err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
		return out
	}
	run("", "phones", "add", name, "--model", "CP-7945G", "--protocol", "SCCP", "--line", "1003", "--name", "Carol")
	run(password+"\n", "users", "add", "carol", "--device", name, "--password-stdin")
	args := []string{"phone", name, "--tftp", office.Inside, "--state", t.TempDir(), "--model", "CP-7945G", "--json"}
	inside := h.Start(h.Inside, os.Getenv("LONGCORD"), args...)
	inside.Wait(`"step":"register","ok":true`)
	inside.Kill()

	p := h.StartWith(h.phone, password+"\n", os.Getenv("LONGCORD"), append(args, "--vpn", "on", "--user", "carol", "--password-stdin")...)
	registered := p.Wait(`"event":"registered"`)
	if !strings.Contains(registered, "1003 at "+office.Inside+":2000 over SCCP") {
		t.Errorf("it registers with %s", registered)
	}
	mark := p.Mark()
	if out := run("", "phones", "restart", name); !strings.Contains(out, "it has unregistered") {
		t.Errorf("phones restart says\n%s", out)
	}
	p.WaitAfter(mark, `"event":"registered"`)

	file := filepath.Join(t.TempDir(), "device.yaml")
	device := strings.TrimRight(run("", "get", "Device", name), "\n") + "\nload: SCCP45.9-4-2SR3-1S\n"
	must(t, os.WriteFile(file, []byte(device), 0o600))
	mark = p.Mark()
	if out := run("", "apply", "-f", file); !strings.Contains(out, "1 phone has a new file: 1 told now") {
		t.Errorf("apply says\n%s", out)
	}
	stamp := stampIn(p.WaitAfter(mark, `"event":"registered"`))
	shown := run("", "phones", "show", name, "--json")
	if stamp == "" || stamp == stampIn(registered) || !strings.Contains(shown, `"runs": "`+stamp+`"`) || !strings.Contains(shown, `"should_run": "`+stamp+`"`) {
		t.Errorf("before the change it ran %s, now %s, and the office says\n%s", stampIn(registered), stamp, shown)
	}
	if strings.Count(p.Output(), `"step":"tunnel","ok":true`) != 1 {
		t.Errorf("its tunnel did not stay up:\n%s", p.Output())
	}
}

// stampIn returns the version stamp in an event of the phone.
func stampIn(event string) string {
	_, stamp, _ := strings.Cut(event, `"version_stamp":"`)
	stamp, _, _ = strings.Cut(stamp, `"`)
	return stamp
}
