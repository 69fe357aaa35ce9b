package testnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// marker is the variable that tells a program who has started it again: entered or alone.
const (
	marker  = "LONGCORD_TESTNET"
	entered = "entered"
	alone   = "alone"
)

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
	if os.Getenv(marker) == entered {
		return 0, false, forbidden(os.ReadFile, cause)
	}
	return again(ctx, entered, unix.CLONE_NEWUSER)
}

// Alone is Enter for programs that use the network outside of hosts, too: it runs the program again in any
// case, in a network that is only its own and has a loopback and nothing else, so that its ports, interfaces
// and addresses meet nobody else's. What it mounts is only its own, too.
func Alone(ctx context.Context) (code int, done bool, err error) {
	if os.Getenv(marker) != alone {
		namespaces := uintptr(unix.CLONE_NEWNET | unix.CLONE_NEWNS)
		if probe() != nil {
			namespaces |= unix.CLONE_NEWUSER
		}
		return again(ctx, alone, namespaces)
	}
	if cause := probe(); cause != nil {
		return 0, false, forbidden(os.ReadFile, cause)
	}
	// What this program starts is outside for itself.
	if err := os.Unsetenv(marker); err != nil {
		return 0, false, fmt.Errorf("testnet: %w", err)
	}
	if err := privateMounts(); err != nil {
		return 0, false, fmt.Errorf("testnet: own mounts: %w", err)
	}
	if err := loopback(); err != nil {
		return 0, false, fmt.Errorf("testnet: own network: %w", err)
	}
	return 0, false, nil
}

// loopback brings up the loopback of this program's network, with a second address: the C library's resolver, asked
// for families that the machine has (AI_ADDRCONFIG), does not count 127.0.0.1.
func loopback() error {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer handle.Close()
	if err := up(handle, "lo"); err != nil {
		return err
	}
	lo, err := handle.LinkByName("lo")
	if err != nil {
		return err
	}
	return handle.AddrAdd(lo, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("127.0.0.2/8")), Scope: unix.RT_SCOPE_HOST})
}

// again runs this program again in new namespaces.
func again(ctx context.Context, mark string, namespaces uintptr) (code int, done bool, err error) {
	code, err = reenter(ctx, mark, namespaces)
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

func reenter(ctx context.Context, mark string, namespaces uintptr) (code int, err error) {
	// The program inside dies with the thread that started it, so this thread must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = os.Args
	cmd.Env = append(os.Environ(), marker+"="+mark)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: unix.SIGKILL}
	if namespaces&unix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("testnet: start in a namespace: %w", err)
	}
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("testnet: inside the namespace: %w", err)
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
