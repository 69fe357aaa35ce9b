package main

import (
	"context"
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
