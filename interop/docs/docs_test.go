//go:build interop

// Package docs runs the commands of the pages for operators, as they stand there, in an office that runs.
package docs

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// pages are run one after the other, each in an office of its own. A page that is added here says in
// comments before its blocks what is not plain: see directive.
var pages = []string{"operate/certificates.md", "stages/1-provision.md", "operate/away.md"}

// stands are what pages say for what is somewhere else here.
var stands = strings.NewReplacer(
	"https://vpn.example.net/phones", office.URL,
	"DNS:vpn.example.net", "IP:"+gateway, "vpn.example.net", gateway,
	"10.1.0.5", office.Inside, "192.0.2.10", office.Outside,
)

const gateway = "203.0.113.2"

func TestPages(t *testing.T) {
	for _, page := range pages {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("../../docs", page))
			must(t, err)
			all, err := blocks(string(text))
			must(t, err)
			r := newReader(t)
			ran := 0
			for _, b := range all {
				ran += r.follow(page, b)
			}
			if ran == 0 {
				t.Errorf("%s: no command was run", page)
			}
		})
	}
}

// reader does what a page says.
type reader struct {
	*office.Office
	t      *testing.T
	folder string // where the reader sits and types
	phones map[string]*office.Program
}

// The phones of the office; the others that a page speaks of are not there.
var desks = []string{"SEP020000001001", "SEP020000001002"}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{Office: office.New(t), t: t, folder: t.TempDir(), phones: map[string]*office.Program{}}
	inventory, err := os.ReadFile(r.Path("inventory.yaml"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(r.folder, "inventory.yaml"), inventory, 0o600))
	must(t, os.CopyFS(filepath.Join(r.folder, "certificates"), os.DirFS(r.Path("certificates"))))
	r.Serve()
	r.startPhones()
	return r
}

// startPhones has every phone of the office start anew.
func (r *reader) startPhones() {
	r.t.Helper()
	for _, name := range desks {
		if p := r.phones[name]; p != nil {
			p.Kill()
		}
		p := r.Start(r.Inside, os.Getenv("LONGCORD"), "phone", name, "--tftp", office.Inside, "--state", filepath.Join(r.folder, "state", name), "--vpn", "off", "--json")
		p.Wait(`"step":"register","ok":true`)
		r.phones[name] = p
	}
}

// follow does a block and returns how many commands it ran.
func (r *reader) follow(page string, b block) int {
	r.t.Helper()
	if b.skip != "" {
		r.t.Logf("%s:%d: not run: %s", page, b.line, b.skip)
		return 0
	}
	if b.file != "" {
		must(r.t, os.WriteFile(filepath.Join(r.folder, b.file), []byte(stands.Replace(strings.Join(b.lines, "\n"))+"\n"), 0o600))
		if !b.apply {
			return 0
		}
		b.lines = []string{"longcord apply -f " + b.file}
	}
	if p := r.phones[b.away]; p != nil {
		p.Kill()
		delete(r.phones, b.away)
	}
	if b.phones {
		r.startPhones()
	}
	said := ""
	for _, line := range b.lines {
		line = stands.Replace(line)
		out, code := r.typed(line)
		said += out
		if code != b.exit {
			r.t.Fatalf("%s:%d: exit code %d, want %d\n$ %s\n%s", page, b.line, code, b.exit, line, out)
		}
	}
	for _, want := range b.prints {
		if !strings.Contains(said, stands.Replace(want)) {
			r.t.Errorf("%s:%d: no word of %q:\n%s", page, b.line, want, said)
		}
	}
	return len(b.lines)
}

// typed runs one line in a shell, where the gateway is.
func (r *reader) typed(line string) (out string, code int) {
	r.t.Helper()
	script := `cd "$1" && PATH="$2:$PATH" LONGCORD_CONFIG="$3" && export PATH LONGCORD_CONFIG && eval "$4"`
	out, err := r.Run(r.Gateway, "", "sh", "-c", script, "sh", r.folder, filepath.Dir(os.Getenv("LONGCORD")), r.Path("longcord.yaml"), line)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, exit.ExitCode()
	}
	must(r.t, err)
	return out, 0
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
