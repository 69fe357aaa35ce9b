package testnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// again marks the program that Enter has started inside a user namespace.
const again = "LONGCORD_TESTNET=inside"

// Forbidden says that this machine lets the present user make no networks, and why.
type Forbidden struct {
	Setting string // what forbids it, with its value; empty when no known setting does
	Fix     string // what would allow it
	cause   error
}

func (f *Forbidden) Error() string {
	if f.Setting == "" {
		return fmt.Sprintf("testnet: making network namespaces is forbidden: %v", f.cause)
	}
	return fmt.Sprintf("testnet: %s forbids making network namespaces: %v", f.Setting, f.cause)
}

func (f *Forbidden) Unwrap() error { return f.cause }

// Enter sees to it that hosts can be made. Where the process may make them it returns at once, with
// done false. Otherwise it runs this program again, with the same arguments, as root of a user
// namespace; when that has ended, done is true and code is what it exited with, for the caller to exit
// with too. Ending ctx asks the second program to end. The error is a *Forbidden when nothing helps.
//
// Call it before any other work is done: that work would be done twice.
func Enter(ctx context.Context) (code int, done bool, err error) {
	cause := probe()
	if cause == nil {
		return 0, false, nil
	}
	if os.Getenv("LONGCORD_TESTNET") != "" {
		return 0, false, forbidden(os.ReadFile, cause)
	}
	code, err = reenter(ctx)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EINVAL) {
		return 0, false, forbidden(os.ReadFile, err)
	}
	return code, err == nil, err
}

// probe tries what the package needs, and leaves nothing.
func probe() error {
	disk, err := NewDisk()
	if err != nil {
		return err
	}
	host, err := NewHost("probe", disk)
	if err != nil {
		return errors.Join(err, disk.Close())
	}
	return errors.Join(host.Close(), disk.Close())
}

func reenter(ctx context.Context) (code int, err error) {
	// The program inside dies with the thread that started it, so this thread must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = os.Args
	cmd.Env = append(os.Environ(), again)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   unix.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("testnet: start in a user namespace: %w", err)
	}
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("testnet: inside the user namespace: %w", err)
	}
	return 0, nil
}

// settings are the kernel settings known to keep ordinary users from making networks, with the value
// that does.
var settings = []struct{ name, forbids, allow string }{
	{"kernel.unprivileged_userns_clone", "0", "1"},
	{"kernel.apparmor_restrict_unprivileged_userns", "1", "0"},
	{"user.max_user_namespaces", "0", "10000"},
	{"user.max_net_namespaces", "0", "10000"},
	{"user.max_mnt_namespaces", "0", "10000"},
}

// forbidden finds the setting behind cause.
func forbidden(read func(path string) ([]byte, error), cause error) *Forbidden {
	for _, s := range settings {
		value, err := read("/proc/sys/" + strings.ReplaceAll(s.name, ".", "/"))
		if err == nil && strings.TrimSpace(string(value)) == s.forbids {
			return &Forbidden{
				Setting: s.name + " = " + s.forbids,
				Fix:     fmt.Sprintf("run `sysctl -w %s=%s` as root, or run this command as root", s.name, s.allow),
				cause:   cause,
			}
		}
	}
	return &Forbidden{
		Fix:   "run this command as root; in a container, give it CAP_SYS_ADMIN and CAP_NET_ADMIN and a profile that lets it mount",
		cause: cause,
	}
}
