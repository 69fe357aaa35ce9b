//go:build interop && linux

package openconnect_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/interop/office"
)

// smallDisk puts a folder, with what is in it, onto a disk of its own of so many bytes.
func smallDisk(t *testing.T, dir, size string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700,size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 16; size > 0; {
		_, err := file.Write(make([]byte, size))
		switch {
		case errors.Is(err, unix.ENOSPC):
			size /= 2
		case err != nil:
			t.Fatal(err)
		}
	}
}

// phoneLogin logs a phone in by curl and returns the status of the answer.
func phoneLogin(t *testing.T, o *office.Office, user string) string {
	t.Helper()
	out, err := o.Run(o.Client, "", office.Peer(t, "curl"), "--silent", "--show-error", "--insecure", "--output", os.DevNull, "--write-out", "%{http_code}",
		"--user-agent", "Cisco SVC IPPhone Client v1.0", "--data-urlencode", "username="+user, "--data-urlencode", "password="+password, office.URL)
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	return out
}

// TestFullDisk: sessions that exist live on, new logins are put off, the operator reads why, and when there is
// room again nobody has to restart anything.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	smallDisk(t, o.Path("state"), "8m")
	o.Serve()
	o.AddUser("anna", password)
	o.AddUser("boris", password)
	connect(t, o, password)
	filler := o.Path("state/" + rand.Text())
	fill(t, filler)
	until(t, "a login is put off", func() bool { // what the journal has room for is stored still
		status := phoneLogin(t, o, "boris")
		if status != "200" && status != "503" {
			t.Fatalf("a login is answered %s", status)
		}
		return status == "503"
	})
	findings := func() string {
		out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "show", "findings")
		if err != nil && out == "" {
			t.Fatalf("show findings: %v", err)
		}
		return out
	}
	if got := findings(); !strings.Contains(got, "store-write-failed") {
		t.Errorf("findings:\n%s", got)
	}
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "3", "-i", "0.2", "-W", "10", office.Desk); err != nil {
		t.Errorf("the tunnel of before: %v\n%s", err, out)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	until(t, "a login succeeds", func() bool { return phoneLogin(t, o, "boris") == "200" })
	until(t, "the finding is cleared", func() bool { return !strings.Contains(findings(), "store-write-failed") })
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * office.Patience); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}
