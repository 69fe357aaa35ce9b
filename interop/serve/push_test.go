//go:build interop

package serve_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// addOwner makes the user of the phone at home, whose tunnel alone may fetch that phone's file.
func addOwner(t *testing.T, o *office.Office) {
	t.Helper()
	if out, code := run(t, o, password+"\n", "users", "add", user, "--password-stdin", "--device", home, "-c", o.Path("longcord.yaml")); code != 0 {
		t.Fatalf("users add: %s", out)
	}
}

// fileOf returns what the system says about the file of a phone.
func fileOf(t *testing.T, o *office.Office, phone string) (runs, should string) {
	t.Helper()
	out, code := run(t, o, "", "phones", "show", phone, "--json", "-c", o.Path("longcord.yaml"))
	var answer struct {
		Phone struct {
			Runs   string `json:"runs"`
			Should string `json:"should_run"`
		} `json:"phone"`
	}
	if err := json.Unmarshal([]byte(out), &answer); code != 0 || err != nil {
		t.Fatalf("phones show ends with %d (%v):\n%s", code, err, out)
	}
	return answer.Phone.Runs, answer.Phone.Should
}

// A change of the inventory reaches a phone at home: it is told through its tunnel, fetches its file through
// the tunnel, and registers with it. The tunnel stays up. A phone in a call is told after the call.
func TestChangeReachesPhoneAtHome(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	addOwner(t, o)
	h := newHousehold(t, o)
	out := h.stay(t)
	runs, should := fileOf(t, o, home)
	if runs == "" || runs != should {
		t.Fatalf("at first the phone at home runs %q and should run %q", runs, should)
	}

	change := filepath.Join(t.TempDir(), "change.yaml")
	must(t, os.WriteFile(change, []byte("kind: Line\nname: \""+homeNumber+"\"\ndisplayName: Renamed\n"), 0o600))
	mark := out.Mark()
	said, code := run(t, o, "", "apply", "-f", change, "-c", o.Path("longcord.yaml"))
	if code != 0 || !strings.Contains(said, "1 phone has a new file: 1 told now") {
		t.Errorf("apply ends with %d and says:\n%s", code, said)
	}
	out.WaitAfter(mark, `"event":"order"`)
	out.WaitAfter(mark, `"event":"registered"`)
	_, wants := fileOf(t, o, home)
	if wants == should {
		t.Fatalf("the change keeps the stamp %s", should)
	}
	if registered := out.WaitAfter(mark, `"event":"registered"`); !strings.Contains(registered, `"version_stamp":"`+wants+`"`) {
		t.Errorf("it registers with %s, want the file %s", registered, wants)
	}
	if runs, _ := fileOf(t, o, home); runs != wants {
		t.Errorf("the phone is held to run %q, it should run %q", runs, wants)
	}
	if after := strings.Join(strings.Split(out.Output(), "\n")[mark:], "\n"); strings.Contains(after, `"step":"tunnel"`) || strings.Contains(after, `"step":"connect"`) {
		t.Errorf("the change cost the tunnel:\n%s", after)
	}

	// Not pushed: nothing happens until somebody says so.
	must(t, os.WriteFile(change, []byte("kind: Line\nname: \""+homeNumber+"\"\ndisplayName: Again\n"), 0o600))
	mark = out.Mark()
	said, code = run(t, o, "", "apply", "--no-push", "-f", change, "-c", o.Path("longcord.yaml"))
	if code != 0 || !strings.Contains(said, "1 phone has a new file, not told") {
		t.Errorf("apply --no-push ends with %d and says:\n%s", code, said)
	}
	if said, _ := run(t, o, "", "phones", "list", "-c", o.Path("longcord.yaml")); !strings.Contains(said, "behind") {
		t.Errorf("nobody is behind:\n%s", said)
	}
	said, code = run(t, o, "", "phones", "restart", home, "-c", o.Path("longcord.yaml"))
	if code != 0 || !strings.Contains(said, "does it: 200 OK") {
		t.Errorf("phones restart ends with %d and says:\n%s", code, said)
	}
	out.WaitAfter(mark, `"event":"registered"`)
	if runs, should := fileOf(t, o, home); runs != should {
		t.Errorf("after the restart it runs %q and should run %q", runs, should)
	}

	// Booting ends the tunnel and makes it anew; without --yes nobody does it here.
	mark = out.Mark()
	if said, code = run(t, o, "", "phones", "reset", home, "-c", o.Path("longcord.yaml")); code != 2 {
		t.Errorf("phones reset without an answer ends with %d and says:\n%s", code, said)
	}
	if said, code = run(t, o, "", "phones", "reset", home, "--yes", "-c", o.Path("longcord.yaml")); code != 0 {
		t.Errorf("phones reset ends with %d and says:\n%s", code, said)
	}
	out.WaitAfter(mark, `"step":"tunnel","ok":true`)
	out.WaitAfter(mark, `"event":"registered"`)
}

// A phone that is away when its file changes is told when it comes back.
func TestChangeWaitsForPhone(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	addOwner(t, o)
	h := newHousehold(t, o)
	change := filepath.Join(t.TempDir(), "change.yaml")
	must(t, os.WriteFile(change, []byte("kind: Line\nname: \""+homeNumber+"\"\ndisplayName: Renamed\n"), 0o600))
	said, code := run(t, o, "", "apply", "-f", change, "-c", o.Path("longcord.yaml"))
	if code != 0 || !strings.Contains(said, "1 not reached, told when it registers") {
		t.Errorf("apply ends with %d and says:\n%s", code, said)
	}
	if said, code = run(t, o, "", "phones", "restart", home, "-c", o.Path("longcord.yaml")); code != 1 || !strings.Contains(said, "cannot be reached") {
		t.Errorf("phones restart of a phone that is away ends with %d and says:\n%s", code, said)
	}
	h.stay(t)
	if runs, should := fileOf(t, o, home); runs != should {
		t.Errorf("back again it runs %q and should run %q", runs, should)
	}
}
