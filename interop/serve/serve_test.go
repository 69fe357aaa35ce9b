//go:build interop

// Package serve_test judges `longcord serve` as operators meet it: what it refuses, what it keeps when it
// is killed, how it ends, and what rubbish on its ports does to it.
package serve_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// run runs a command of the program on the gateway's host and returns what it prints and its exit code.
func run(t *testing.T, o *office.Office, input string, args ...string) (out string, code int) {
	t.Helper()
	out, err := o.Longcord(input, args...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return out, exit.ExitCode()
	}
	return out, 0
}

// copyOf copies the office's set-up to a folder of its own, which ends with the test.
func copyOf(t *testing.T, o *office.Office) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "office")
	must(t, os.CopyFS(dir, os.DirFS(o.Path(""))))
	must(t, os.Chmod(filepath.Join(dir, "state"), 0o700))
	must(t, os.Chmod(filepath.Join(dir, "state/master.key"), 0o600))
	return dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
