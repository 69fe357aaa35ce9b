//go:build interop

package serve_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// What is wrong around the files is refused in one or two lines, in words.
func TestSurroundings(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string)
		code   int
		says   []string
	}{
		{"no configuration", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, configuration))) },
			2, []string{configuration, "no such file", "hint: "}},
		{"no inventory", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, inventory))) },
			2, []string{inventory, "no such file"}},
		{"no master.key", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "state/master.key"))) },
			2, []string{"master.key", "no such file", "hint: "}},
		{"short master.key", func(t *testing.T, dir string) { must(t, os.Truncate(filepath.Join(dir, "state/master.key"), 31)) },
			2, []string{"master.key", "31 bytes"}},
		{"master.key for all", func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, "state/master.key"), 0o644)) },
			2, []string{"master.key", "0644", "chmod 600"}},
		{"master.key is a folder", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "state/master.key")))
			must(t, os.Mkdir(filepath.Join(dir, "state/master.key"), 0o700))
		}, 2, []string{"master.key"}},
		{"rubbish for a store", func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "state/longcord.db"), []byte(strings.Repeat("rubbish ", 1000)), 0o600))
		}, 1, []string{"longcord.db", "not a database"}},
		{"state is a file", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "state")))
			must(t, os.WriteFile(filepath.Join(dir, "state"), nil, 0o600))
		}, 2, []string{"state"}},
		{"no folder for the socket", func(t *testing.T, dir string) {
			appendTo(t, filepath.Join(dir, configuration), "socket: gone/longcord.sock\n")
		}, 2, []string{"gone/longcord.sock", "hint: socket"}},
		{"a file in the socket's place", func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "longcord.sock"), []byte("precious"), 0o600))
		}, 2, []string{"longcord.sock", "no socket"}},
		{"an address that is not here", func(t *testing.T, dir string) {
			replaceIn(t, filepath.Join(dir, configuration), "inside: "+office.Inside, "inside: 10.77.0.1")
		}, 2, []string{"10.77.0.1", "hint: ", office.Inside}},
		{"an outside address that is not here", func(t *testing.T, dir string) {
			replaceIn(t, filepath.Join(dir, configuration), "outside: "+office.Outside, "outside: 203.0.113.77")
		}, 2, []string{"203.0.113.77", "hint: ", office.Outside}},
		{"no folder for files", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "files"))) },
			2, []string{"files", "hint: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copyOf(t, o)
			c.change(t, dir)
			out, code := run(t, o, "", "-c", filepath.Join(dir, configuration), "serve")
			judgeRefusal(t, out, code, c.code, c.says...)
		})
	}
}

// judgeRefusal holds a refusal against its exit code and words.
func judgeRefusal(t *testing.T, out string, code, want int, says ...string) {
	t.Helper()
	if code != want {
		t.Errorf("exit code %d, want %d", code, want)
	}
	for _, text := range says {
		if !strings.Contains(out, text) {
			t.Errorf("no word of %q", text)
		}
	}
	for _, text := range []string{"panic", "goroutine", "0x", "\nready"} {
		if strings.Contains(out, text) {
			t.Errorf("holds %q", text)
		}
	}
	if lines := strings.Count(out, "\n"); lines > 6 {
		t.Errorf("%d lines", lines)
	}
	if t.Failed() {
		t.Log(out)
	}
}

// A port that is taken is named, and so is the program that holds it.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	me := strings.TrimSpace(read(t, "/proc/self/comm"))
	for _, port := range []string{
		"udp " + office.Inside + ":69", "tcp " + office.Inside + ":6970",
		"tcp " + office.Outside + ":443", "udp " + office.Outside + ":443",
		"udp " + office.Inside + ":5060", "tcp " + office.Inside + ":5060",
		"tcp 0.0.0.0:6970", "udp 0.0.0.0:443",
	} {
		t.Run(port, func(t *testing.T) {
			network, address, _ := strings.Cut(port, " ")
			occupy(t, o, network, address)
			out, code := run(t, o, "", "-c", o.Path(configuration), "serve")
			_, number, err := net.SplitHostPort(address)
			must(t, err)
			judgeRefusal(t, out, code, 1, "port-taken", ":"+number, fmt.Sprintf("%s (pid %d)", me, os.Getpid()), "hint: ")
		})
	}
}

// occupy takes a port on the gateway's host until the end of the test.
func occupy(t *testing.T, o *office.Office, network, address string) {
	t.Helper()
	must(t, o.Gateway.Do(func() error {
		var held interface{ Close() error }
		var err error
		if network == "tcp" {
			held, err = net.Listen("tcp4", address)
		} else {
			held, err = net.ListenPacket("udp4", address)
		}
		if err == nil {
			t.Cleanup(func() { must(t, held.Close()) })
		}
		return err
	}))
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(read(t, path)+text), 0o600))
}

func replaceIn(t *testing.T, path, before, after string) {
	t.Helper()
	text := read(t, path)
	if !strings.Contains(text, before) {
		t.Fatalf("%s does not hold %q", path, before)
	}
	must(t, os.WriteFile(path, []byte(strings.Replace(text, before, after, 1)), 0o600))
}
