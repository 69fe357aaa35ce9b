package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDoctorEnds gives a pipe that nobody writes to. Who gives up waiting must get the program's end.
func TestDoctorEnds(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs strings.Builder
	if code := run(ctx, []string{"doctor", pipe}, strings.NewReader(""), &out, &errs); code != exitUsage || !strings.Contains(errs.String(), errEnded.Error()) {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}

// TestDoctorUnread gives a folder with a log beside a file and a folder that nobody can open, because their paths are longer
// than a path may be. The log is judged, and the others are named.
func TestDoctorUnread(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "console.log"), []byte("VPNC: 'webvpn=' not found in cookie\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	const longest = 4096 // PATH_MAX
	name := strings.Repeat("d", 250)
	for length := len(folder); length+1+len(name) < longest; length += 1 + len(name) {
		if err := root.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		inner, err := root.OpenRoot(name)
		if err := errors.Join(err, root.Close()); err != nil {
			t.Fatal(err)
		}
		root = inner
	}
	if err := errors.Join(root.Mkdir(name, 0o700), root.WriteFile("f"+name[1:], []byte("x"), 0o600), root.Close()); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	code := run(t.Context(), []string{"doctor", "--json", folder}, strings.NewReader(""), &out, &errs)
	if code != exitNotWell || !strings.Contains(out.String(), "group-url-mismatch") {
		t.Errorf("exit code %d, %s", code, out.String())
	}
	if strings.Count(errs.String(), "left out: ") != 2 {
		t.Errorf("the two that cannot be read are not named: %.300q", errs.String())
	}
}
