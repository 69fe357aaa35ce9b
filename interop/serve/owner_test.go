//go:build interop

package serve_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// A tunnel whose user has no phone gets no files. The hint says what to type; typed as it stands, it lets the same
// tunnel have that phone's file, and the user's password stays.
func TestHintOfRefusedFiles(t *testing.T) {
	t.Parallel()
	curl := office.Peer(t, "curl")
	o := office.New(t)
	o.Serve()
	o.AddUser(user, password)
	tunnel := openconnect(t, o, office.URL, user, password)
	file := "http://" + office.Inside + ":6970/" + home + ".cnf.xml"
	status := func() string {
		t.Helper()
		out, err := o.Run(o.Client, "", curl, "-sS", "-o", "/dev/null", "-w", "%{http_code}", file)
		if err != nil {
			t.Fatalf("curl: %v\n%s", err, out)
		}
		return out
	}
	if got := status(); got != "403" {
		t.Fatalf("the file is answered %s, want 403", got)
	}
	said, _ := run(t, o, "", "show", "findings", "-c", o.Path(configuration))
	hint := regexp.MustCompile("`longcord (users set [^`]+)`").FindStringSubmatch(said)
	if hint == nil {
		t.Fatalf("no hint says what to type:\n%s", said)
	}
	if said, code := run(t, o, "", append(strings.Fields(hint[1]), "-c", o.Path(configuration))...); code != 0 {
		t.Fatalf("%s ends with %d and says:\n%s", hint[0], code, said)
	}
	if got := status(); got != "200" {
		t.Errorf("after %s the file is answered %s", hint[0], got)
	}

	set := func(want int, words ...string) {
		t.Helper()
		if said, code := run(t, o, "", append([]string{"users", "set", "-c", o.Path(configuration)}, words...)...); code != want {
			t.Errorf("users set %q ends with %d, want %d:\n%s", words, code, want, said)
		}
	}
	set(0, user, "--device", desk, "--no-device", home)
	if got := status(); got != "403" {
		t.Errorf("the file of a phone that is the user's no more is answered %s", got)
	}
	tunnel.Kill()
	openconnect(t, o, office.URL, user, password) // by the same password
	set(2, user)
	set(2, "nobody", "--device", home)
	set(2, user, "--device", "SEP000000000000")
	set(2, user, "--no-device", home)
}
