//go:build interop

package lab_test

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// person is who runs the program.
type person struct {
	name       string
	credential *syscall.Credential // nil: whoever runs this test
}

// nobody is the user and group that own nothing.
const nobody = 65534

// people are the present user and, when that is root of the whole machine, an ordinary one.
func people() []person {
	all := []person{{name: "root"}}
	if office.Root() {
		all = append(all, person{"nobody", &syscall.Credential{Uid: nobody, Gid: nobody}})
	}
	return all
}

// machine is a host without a cable and with a disk of its own, on which anything that is left behind can
// be seen.
type machine struct {
	host    *testnet.Host
	disk    *testnet.Disk
	program os.FileInfo // the program's copy on the disk
	mounts  string
}

const (
	programFile = "longcord"
	captureFile = "lab.pcapng"
)

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{}
	var err error
	if m.disk, err = testnet.NewDisk(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.disk.Close() })
	if m.host, err = testnet.NewHost("machine", m.disk); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.host.Close() })
	m.install(t)
	m.mounts = m.mounted(t)
	return m
}

// install copies the program to the disk, so that its processes can be told from all others, and lets
// everybody write there.
func (m *machine) install(t *testing.T) {
	t.Helper()
	name := os.Getenv("LONGCORD")
	if name == "" {
		t.Fatal("LONGCORD does not name the program to test; use make interop")
	}
	program, err := os.ReadFile(name)
	if err == nil {
		err = m.disk.Files.WriteFile(programFile, program, 0o755)
	}
	if err == nil {
		err = m.disk.Files.Chmod(".", 0o1777)
	}
	if err == nil {
		m.program, err = m.disk.Files.Stat(programFile)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// command returns a command that runs the program as a person.
func (m *machine) command(ctx context.Context, who person, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(testnet.DiskPath, programFile), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who.credential}
	return cmd
}

// run runs the program to its end.
func (m *machine) run(t *testing.T, who person, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*most)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := m.command(ctx, who, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := m.host.Start(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // how it ended is in ProcessState
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// output is the standard output of a program that runs.
type output struct{ lines *bufio.Scanner }

func (m *machine) start(t *testing.T, cmd *exec.Cmd) output {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = m.host.Start(cmd)
	}
	if err != nil {
		t.Fatal(err)
	}
	return output{bufio.NewScanner(out)}
}

// until waits for a line that begins with prefix.
func (o output) until(t *testing.T, prefix string) {
	t.Helper()
	for o.lines.Scan() {
		if strings.HasPrefix(o.lines.Text(), prefix) {
			return
		}
	}
	t.Fatalf("the program ends without a line that begins with %q", prefix)
}

// rest waits for the end of the output.
func (o output) rest() {
	for o.lines.Scan() {
	}
}

// leavesNothing looks for what the program has left behind, apart from files it was asked for.
func (m *machine) leavesNothing(t *testing.T, asked ...string) {
	t.Helper()
	if left := m.processes(t); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
	if got := m.mounted(t); got != m.mounts {
		t.Errorf("mounts are\n%s, and were\n%s", got, m.mounts)
	}
	if got := m.interfaces(t); !slices.Equal(got, []string{"lo"}) {
		t.Errorf("interfaces are %q, want lo alone", got)
	}
	want := append([]string{programFile}, asked...)
	slices.Sort(want)
	if got := m.files(t); !slices.Equal(got, want) {
		t.Errorf("files in /tmp are %q, want %q", got, want)
	}
}

// processes lists what still runs the program. A process that was killed may take a moment to go.
func (m *machine) processes(t *testing.T) (left []string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if left = m.running(); len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}

func (m *machine) running() (found []string) {
	paths, _ := filepath.Glob("/proc/[0-9]*/exe") // fails for bad patterns only
	for _, exe := range paths {
		info, err := os.Stat(exe)
		if err != nil || !os.SameFile(info, m.program) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(exe), "cmdline")) // it may have ended just now
		found = append(found, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
	}
	return found
}

func (m *machine) mounted(t *testing.T) (text string) {
	t.Helper()
	m.inside(t, func() error {
		all, err := os.ReadFile("/proc/thread-self/mountinfo")
		text = string(all)
		return err
	})
	return text
}

func (m *machine) interfaces(t *testing.T) (names []string) {
	t.Helper()
	m.inside(t, func() error {
		all, err := net.Interfaces()
		for _, i := range all {
			names = append(names, i.Name)
		}
		return err
	})
	return names
}

func (m *machine) files(t *testing.T) (names []string) {
	t.Helper()
	m.inside(t, func() error {
		all, err := os.ReadDir(testnet.DiskPath)
		for _, f := range all {
			names = append(names, f.Name())
		}
		return err
	})
	return names
}

func (m *machine) inside(t *testing.T, f func() error) {
	t.Helper()
	if err := m.host.Do(f); err != nil {
		t.Fatal(err)
	}
}
