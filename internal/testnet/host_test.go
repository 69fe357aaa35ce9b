package testnet_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
)

func TestProgramsDieWithTheirHost(t *testing.T) {
	t.Parallel()
	allowed(t)
	host, err := testnet.NewHost("short", nil)
	must(t, err)
	cmd := copyOfTest("wait")
	in, err := cmd.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, host.Start(cmd))
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "here\n" {
		t.Fatalf("program says %q, %v", line, err)
	}
	must(t, host.Close())
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("program ended with %v, want killed", err)
	}
	if err := host.Do(func() error { return nil }); err == nil {
		t.Error("a closed host still works")
	}
}

func TestProgramsDieWithAMakerThatIsKilled(t *testing.T) {
	t.Parallel()
	allowed(t)
	cmd := copyOfTest("make")
	in, err := cmd.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "here\n" {
		t.Fatalf("program says %q, %v", line, err)
	}
	must(t, cmd.Process.Kill())
	// The pipe ends only when the program in the host, which holds it too, is gone.
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("program says %q, %v, want nothing more", rest, err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Errorf("maker ended with %v, want killed", err)
	}
}

func TestHostsShareADiskThatNobodyElseSees(t *testing.T) {
	t.Parallel()
	allowed(t)
	disk, err := testnet.NewDisk()
	must(t, err)
	t.Cleanup(func() { must(t, disk.Close()) })
	must(t, disk.Files.WriteFile("note", []byte("hello"), 0o600))
	for _, name := range []string{"one", "two"} {
		cmd := copyOfTest("read")
		var out strings.Builder
		cmd.Stdout = &out
		must(t, newHost(t, name, disk).Start(cmd))
		if err := cmd.Wait(); err != nil || out.String() != "hello" {
			t.Errorf("host %s reads %q, %v", name, out.String(), err)
		}
	}
	if _, err := os.Stat(testnet.DiskPath + "/note"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("outside, the file: %v, want none", err)
	}
}

func TestOrdinaryUserEnters(t *testing.T) {
	t.Parallel()
	allowed(t)
	cmd := copyOfTest("enter")
	cmd.Dir = "/"
	if hasRoot() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 5 || string(out) != "uid 0, made a host: <nil>\n" {
		t.Errorf("program says %q and ends with %v, want uid 0 inside and exit code 5", out, err)
	}
}

// A program that is alone has a loopback, whose ports are free, and its exit code comes out.
func TestAlone(t *testing.T) {
	t.Parallel()
	allowed(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	users := map[string]*syscall.Credential{"present user": nil}
	if hasRoot() {
		users["ordinary user"] = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	for name, user := range users {
		cmd := copyOfTest("alone")
		cmd.Env = append(cmd.Env, takenPort+"="+listener.Addr().String())
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: user}
		out, err := cmd.Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 5 || string(out) != "lo true\nlistens: <nil>\n" {
			t.Errorf("%s: program says %q and ends with %v, want loopback, a free port and exit code 5", name, out, err)
		}
	}
}

// hasRoot reports whether this is the machine's root, who can become another user. Inside a user
// namespace there is nobody else to become.
func hasRoot() bool {
	uids, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && os.Getuid() == 0 && strings.Join(strings.Fields(string(uids)), " ") == "0 0 4294967295"
}
