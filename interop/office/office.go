// Package office is what the tests in interop need again and again: a system set up by `longcord init`
// and run by `longcord serve` on one host, a client host outside and a host inside, each in a network
// namespace. The program under test is the binary that LONGCORD names.
package office

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
)

// Addresses of the office.
const (
	Outside  = "203.0.113.2" // the gateway's
	Inside   = "10.20.0.1"   // the provisioner's and call manager's
	Desk     = "10.20.0.9"   // the host inside
	Pool     = "10.20.0.128/26"
	Network  = "10.20.0.0/24"
	URL      = "https://203.0.113.2/phone"
	Patience = 60 * time.Second // for whatever should happen at once, on a slow machine
)

// Office is a running office.
type Office struct {
	t       testing.TB
	program string
	dir     string
	serve   *Program

	Gateway, Client, Inside *testnet.Host
}

// Main runs the tests of a package in a network of their own, and returns the exit code. So packages can run
// beside each other.
func Main(m *testing.M) int {
	code, done, err := testnet.Alone(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if !done {
		code = m.Run()
	}
	return code
}

// Root reports whether this is root of the whole machine, and not only of a user namespace.
func Root() bool {
	ids, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && os.Getuid() == 0 && strings.Join(strings.Fields(string(ids)), " ") == "0 0 4294967295"
}

var ports atomic.Uint32

// Port returns a port that is free on every address of the network that Main made: each is given out once, and the
// kernel gives out none so low by itself.
func Port() int { return 10000 + int(ports.Add(1)) }

// Peer returns the path of a program that is not ours. Without it the test is skipped, but fails where
// nothing may be skipped.
func Peer(t testing.TB, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	Absent(t, "%s is not installed", name)
	return ""
}

// Absent ends a test that lacks what it needs: it is skipped, but fails where nothing may be skipped.
func Absent(t testing.TB, format string, why ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, why...)
	}
	t.Skipf(format, why...)
}

// New sets an office up with `longcord init` and further flags, and starts it. It ends with the test.
func New(t testing.TB, flags ...string) *Office {
	t.Helper()
	program := os.Getenv("LONGCORD")
	if program == "" {
		t.Fatal("LONGCORD does not name the program to test; use make interop")
	}
	o := &Office{t: t, program: program, dir: filepath.Join(t.TempDir(), "office")}
	o.Gateway, o.Client, o.Inside = o.host("gateway"), o.host("client"), o.host("inside")
	o.must(testnet.Connect(o.Client, "eth0", netip.MustParsePrefix("203.0.113.9/24"), o.Gateway, "outside", netip.MustParsePrefix(Outside+"/24")))
	o.must(testnet.Connect(o.Inside, "eth0", netip.MustParsePrefix(Desk+"/24"), o.Gateway, "inside", netip.MustParsePrefix(Inside+"/24")))
	args := append([]string{"init", o.dir, "--url", URL, "--outside", Outside, "--inside", Inside, "--pool", Pool}, flags...)
	if out, err := o.Longcord("", args...); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	return o
}

func (o *Office) host(name string) *testnet.Host {
	o.t.Helper()
	h, err := testnet.NewHost(name, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { o.must(h.Close()) })
	return h
}

func (o *Office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// Program returns the path of the program under test.
func (o *Office) Program() string { return o.program }

// Path returns the path of a file of the set-up.
func (o *Office) Path(name string) string { return filepath.Join(o.dir, name) }

// Serve starts `longcord serve` and waits until it is ready.
func (o *Office) Serve() *Program {
	o.t.Helper()
	o.serve = o.Start(o.Gateway, o.program, "serve", "-c", o.Path("longcord.yaml"))
	o.serve.Wait("ready")
	return o.serve
}

// AddUser makes a VPN user.
func (o *Office) AddUser(name, password string) {
	o.t.Helper()
	if out, err := o.Longcord(password+"\n", "-c", o.Path("longcord.yaml"), "users", "add", name, "--password-stdin"); err != nil {
		o.t.Fatalf("users add: %v\n%s", err, out)
	}
}

// Longcord runs a command of the program on the gateway's host.
func (o *Office) Longcord(input string, args ...string) (string, error) {
	return o.Run(o.Gateway, input, o.program, args...)
}

// Run runs a program on a host to its end and returns all that it printed.
func (o *Office) Run(h *testnet.Host, input, program string, args ...string) (string, error) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Start(cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return out.String(), err
}

// Program is a program that runs beside the test.
type Program struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	done chan struct{}

	mu      sync.Mutex
	lines   []string
	changed chan struct{}
}

// Start starts a program on a host. It is killed at the end of the test, and what it printed is shown if
// the test fails.
func (o *Office) Start(h *testnet.Host, program string, args ...string) *Program {
	return o.StartWith(h, "", program, args...)
}

// StartWith is Start with something to read.
func (o *Office) StartWith(h *testnet.Host, input, program string, args ...string) *Program {
	o.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(input)
	return o.StartCommand(h, cmd)
}

// StartCommand is Start for a command that has more to it than arguments.
func (o *Office) StartCommand(h *testnet.Host, cmd *exec.Cmd) *Program {
	o.t.Helper()
	return launch(o.t, cmd, h.Start)
}

// Launch starts a program that needs no office.
func Launch(t testing.TB, program string, args ...string) *Program {
	t.Helper()
	return LaunchCommand(t, exec.Command(program, args...))
}

// LaunchCommand is Launch for a command that has more to it than arguments.
func LaunchCommand(t testing.TB, cmd *exec.Cmd) *Program {
	t.Helper()
	return launch(t, cmd, (*exec.Cmd).Start)
}

// LaunchOn is LaunchCommand on a host.
func LaunchOn(t testing.TB, h *testnet.Host, cmd *exec.Cmd) *Program {
	t.Helper()
	return launch(t, cmd, h.Start)
}

func launch(t testing.TB, cmd *exec.Cmd, start func(*exec.Cmd) error) *Program {
	t.Helper()
	p := &Program{t: t, name: filepath.Base(cmd.Path), cmd: cmd, done: make(chan struct{}), changed: make(chan struct{})}
	read, write := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = write, write
	if err := start(p.cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(read); lines.Scan(); {
			p.said(lines.Text())
		}
		_, _ = io.Copy(io.Discard, read) // a line too long to scan; the rest is not kept
	}()
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		_ = write.Close()
		close(p.done)
	}()
	t.Cleanup(p.finish)
	return p
}

func (p *Program) finish() {
	p.Kill()
	if p.t.Failed() {
		p.t.Logf("%s said:\n%s", p.name, p.Output())
	}
}

func (p *Program) said(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
	close(p.changed)
	p.changed = make(chan struct{})
}

// Output returns all that it printed so far.
func (p *Program) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// Mark returns a place in the output; Wait with it looks only at what comes after.
func (p *Program) Mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines)
}

// Wait waits for a line that contains text and returns it.
func (p *Program) Wait(text string) string {
	p.t.Helper()
	return p.WaitAfter(0, text)
}

// WaitAfter is Wait for lines behind a Mark.
func (p *Program) WaitAfter(mark int, text string) string {
	p.t.Helper()
	return p.WaitWithin(Patience, mark, text)
}

// WaitWithin is WaitAfter for what takes its time.
func (p *Program) WaitWithin(patience time.Duration, mark int, text string) string {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		for _, line := range p.lines[mark:] {
			if strings.Contains(line, text) {
				p.mu.Unlock()
				return line
			}
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-p.done:
			if !strings.Contains(p.Output(), text) {
				p.t.Fatalf("%s ended (%v) without saying %q:\n%s", p.name, p.cmd.ProcessState, text, p.Output())
			}
		case <-deadline:
			p.t.Fatalf("%s does not say %q:\n%s", p.name, text, p.Output())
		}
	}
}

// PID returns the number of its process.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal.
func (p *Program) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// Ended waits until the program has ended and returns its exit code.
func (p *Program) Ended() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(Patience):
		p.t.Fatalf("%s does not end:\n%s", p.name, p.Output())
		return -1
	}
}

// Kill ends the program as a crash would.
func (p *Program) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}
