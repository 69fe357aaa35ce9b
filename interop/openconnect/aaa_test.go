//go:build interop

package openconnect_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// groups are two tunnel groups for people who have one-time codes.
const groups = `
kind: TunnelGroup
name: field
groupURLs: [https://203.0.113.2/field]
secondaryAuthentication: field
addressPools: [phones]
---
kind: TunnelGroup
name: form
groupURLs: [https://203.0.113.2/form]
secondaryAuthentication: form
addressPools: [phones]
`

// apply applies a piece of inventory.
func apply(t *testing.T, o *office.Office, text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "more.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "apply", "-f", path); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
}

// authenticate runs openconnect on the client's host until it has, or has not, a cookie.
func authenticate(t *testing.T, o *office.Office, user, password, path string, flags ...string) (output string, ok bool) {
	t.Helper()
	args := append([]string{"--authenticate", "--user", user, "--passwd-on-stdin", "--servercert", pin(t, o)}, flags...)
	out, err := o.Run(o.Client, password+"\n", office.Peer(t, "openconnect"), append(args, "https://"+office.Outside+path)...)
	return out, err == nil && strings.Contains(out, "COOKIE=")
}

// TestOneTimeCodes has openconnect make the codes, of keys that the command line printed.
func TestOneTimeCodes(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	apply(t, o, groups)
	for _, path := range []string{"/field", "/form"} {
		for _, flags := range [][]string{nil, {"--no-xmlpost"}} {
			user := strings.Trim(fmt.Sprint(path[1:], len(flags)), " ")
			out, err := o.Longcord("secret\n", "-c", o.Path("longcord.yaml"), "users", "add", user, "--password-stdin", "--totp")
			if err != nil {
				t.Fatalf("users add: %v\n%s", err, out)
			}
			_, after, _ := strings.Cut(out, "key: ")
			key := "--token-secret=base32:" + strings.Fields(after)[0]
			if said, ok := authenticate(t, o, user, "secret", path, append(flags, "--token-mode=totp", key)...); !ok {
				t.Errorf("%s %v: openconnect has no cookie:\n%s", path, flags, said)
			}
			if said, ok := authenticate(t, o, user, "secret", path, append(flags, "--token-mode=totp", "--token-secret=base32:GEZDGNBVGY3TQOJQGEZDGNBVGY")...); ok {
				t.Errorf("%s %v: another key's code is taken:\n%s", path, flags, said)
			}
		}
	}
}

// TestTooManyFailures: who guesses is put off and learns nothing by it, and a neighbour is spared. A new
// password lets in at once.
func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	serve := o.Serve()
	o.AddUser("anna", "secret")
	o.AddUser("bert", "secret")
	const path = "/phone"
	for i := range 10 {
		if out, ok := authenticate(t, o, "anna", fmt.Sprint("guess ", i), path); ok {
			t.Fatalf("a guess was right:\n%s", out)
		}
	}
	serve.Wait("finding=login-banned")
	right, ok := authenticate(t, o, "anna", "secret", path)
	if wrong, _ := authenticate(t, o, "anna", "wrong", path); ok || right != wrong || !strings.Contains(right, "503") {
		t.Errorf("the right password gives\n%s\na wrong one\n%s\nwant 503 for both", right, wrong)
	}
	out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "show", "findings")
	if err != nil || !strings.Contains(out, "logins of anna from 203.0.113.9 are put off") {
		t.Errorf("show findings: %v\n%s", err, out)
	}
	if out, ok := authenticate(t, o, "bert", "secret", path); !ok {
		t.Errorf("a neighbour is not let in:\n%s", out)
	}
	if out, err := o.Longcord("new secret\n", "-c", o.Path("longcord.yaml"), "users", "passwd", "anna", "--password-stdin"); err != nil {
		t.Fatalf("users passwd: %v\n%s", err, out)
	}
	if out, ok := authenticate(t, o, "anna", "new secret", path); !ok {
		t.Errorf("a new password does not let in:\n%s", out)
	}
}
