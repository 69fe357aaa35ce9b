//go:build interop

// Package ocpasswd_test takes over a file of users that ocserv's ocpasswd wrote.
package ocpasswd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/login"
)

func ocpasswd(t *testing.T, stdin string, args ...string) {
	t.Helper()
	path := office.Peer(t, "ocpasswd")
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ocpasswd %q: %v\n%s", args, err, out)
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ocpasswd")
	ocpasswd(t, "first secret\nfirst secret\n", "-c", file, "anna")
	ocpasswd(t, "second\nsecond\n", "-c", file, "-g", "phones,staff", "SEP001122334455")
	users := parse(t, file)
	if len(users) != 2 || users[0].User.Name != "anna" || users[0].Groups != nil ||
		users[1].User.Name != "SEP001122334455" || !slices.Equal(users[1].Groups, []string{"phones", "staff"}) {
		t.Fatalf("got %+v", users)
	}
	for i, password := range []string{"first secret", "second"} {
		if !login.VerifyPassword(users[i].User.PasswordHash, secret.New(password)) {
			t.Errorf("the password of %s is not verified", users[i].User.Name)
		}
		if login.VerifyPassword(users[i].User.PasswordHash, secret.New("third")) {
			t.Errorf("another password of %s is verified", users[i].User.Name)
		}
	}

	ocpasswd(t, "", "-c", file, "-l", "anna")
	if _, err := login.ParseUsersFile(open(t, file)); err == nil || !strings.Contains(err.Error(), `user "anna" is locked`) {
		t.Errorf("locked user: got %v", err)
	}
	ocpasswd(t, "", "-c", file, "-u", "anna")
	parse(t, file)
}

func open(t *testing.T, file string) *os.File {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func parse(t *testing.T, file string) []login.ImportedUser {
	t.Helper()
	users, err := login.ParseUsersFile(open(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return users
}
