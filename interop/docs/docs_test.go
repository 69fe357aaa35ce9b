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

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// pages are run one after the other, each in an office of its own. A page that is added here says in
// comments before its blocks what is not plain: see blockOf.
var pages = []string{
	"operate/first-setup.md", "operate/certificates.md", "operate/away.md", "operate/import.md", "operate/change.md",
	"operate/gateway-alone.md", "stages/1-provision.md",
}

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
	config string // longcord.yaml
	phones map[string]*office.Program
	stands []string // what pages say, and what is said for it here, by turns
}

// The phones of the office; the others that a page speaks of are not there.
var desks = []string{"SEP020000001001", "SEP020000001002"}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{t: t, folder: t.TempDir(), phones: map[string]*office.Program{}}
	r.stands = []string{
		"https://vpn.example.net/phones", office.URL,
		"DNS:vpn.example.net", "IP:" + office.Outside, "vpn.example.net", office.Outside,
		"10.1.0.5", office.Inside, "192.0.2.10", office.Outside,
		"/etc/", filepath.Join(r.folder, "etc") + "/", "/tftpboot", filepath.Join(r.folder, "tftpboot"),
		"sudo ", "", // the reader is root
	}
	r.enterOffice()
	return r
}

// enterOffice goes to an office that runs as `init` leaves it, with its phones at their desks.
func (r *reader) enterOffice() {
	r.t.Helper()
	r.enterMachine()
	r.config = r.Path("longcord.yaml")
	inventory, err := os.ReadFile(r.Path("inventory.yaml"))
	must(r.t, err)
	must(r.t, os.WriteFile(filepath.Join(r.folder, "inventory.yaml"), inventory, 0o600))
	must(r.t, os.RemoveAll(filepath.Join(r.folder, "certificates")))
	must(r.t, os.CopyFS(filepath.Join(r.folder, "certificates"), os.DirFS(r.Path("certificates"))))
	r.Serve()
	r.startPhones()
}

// enterMachine goes to a machine on which nothing is set up.
func (r *reader) enterMachine() {
	r.t.Helper()
	for name, p := range r.phones {
		p.Kill()
		delete(r.phones, name)
	}
	must(r.t, os.RemoveAll(filepath.Join(r.folder, "state")))
	r.Office = office.New(r.t)
	r.config = filepath.Join(r.folder, "etc", "longcord", "longcord.yaml")
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

// here says it in the words of this office.
func (r *reader) here(text string) string { return strings.NewReplacer(r.stands...).Replace(text) }

// follow does a block and returns how many commands it ran.
func (r *reader) follow(page string, b block) int {
	r.t.Helper()
	r.prepare(b)
	if b.file != "" {
		r.write(b.file, r.here(strings.Join(b.lines, "\n"))+"\n")
		if !b.apply {
			return 0
		}
		b.lines = []string{"longcord apply -f " + b.file}
	}
	host := r.Gateway
	if b.home {
		host = r.Client
	}
	ends := b.lines
	if b.until != "" {
		ends = b.lines[:len(b.lines)-1]
	}
	said := ""
	for _, line := range ends {
		line = r.here(line)
		out, code := r.typed(host, line)
		said += out
		if code != b.exit {
			r.t.Fatalf("%s:%d: exit code %d, want %d\n$ %s\n%s", page, b.line, code, b.exit, line, out)
		}
	}
	if b.until != "" {
		last := r.Start(host, "sh", r.script("exec "+r.here(b.lines[len(b.lines)-1]))...)
		last.Wait(r.here(b.until))
		said += last.Output()
	}
	for _, want := range b.prints {
		if !strings.Contains(said, r.here(want)) {
			r.t.Errorf("%s:%d: no word of %q:\n%s", page, b.line, want, said)
		}
	}
	return len(b.lines)
}

// prepare brings about what a block begins with.
func (r *reader) prepare(b block) {
	r.t.Helper()
	switch b.where {
	case "office":
		r.enterOffice()
	case "machine":
		r.enterMachine()
	}
	for _, what := range b.given {
		r.give(what)
	}
	if p := r.phones[b.away]; p != nil {
		p.Kill()
		delete(r.phones, b.away)
	}
	if b.phones {
		r.startPhones()
	}
}

// typed runs one line in a shell to its end.
func (r *reader) typed(h *testnet.Host, line string) (out string, code int) {
	r.t.Helper()
	out, err := r.Run(h, "", "sh", r.script(line)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, exit.ExitCode()
	}
	must(r.t, err)
	return out, 0
}

// script is the arguments of a shell that runs a line where the reader sits.
func (r *reader) script(line string) []string {
	const script = `cd "$1" && HOME="$1" PATH="$2:$PATH" LONGCORD_CONFIG="$3" && export HOME PATH LONGCORD_CONFIG && eval "$4"`
	return []string{"-c", script, "sh", r.folder, filepath.Dir(os.Getenv("LONGCORD")), r.config, line}
}

// does runs a line that has to end well, and returns what it prints.
func (r *reader) does(line string) string {
	r.t.Helper()
	out, code := r.typed(r.Gateway, line)
	if code != 0 {
		r.t.Fatalf("exit code %d\n$ %s\n%s", code, line, out)
	}
	return out
}

// write writes a file in the reader's folder.
func (r *reader) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.folder, name)
	must(r.t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(r.t, os.WriteFile(path, []byte(text), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
