package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Cores.
const (
	ownCore     = 0
	gatewayCore = 1
)

const (
	firstInLine = -20 // nice value
	inFrontMark = "LONGCORD_BENCH=in front"
)

// errInFront says that this process is where it measures.
var errInFront = errors.New("in front")

// inFront runs this program again on its own core, in a session of its own that goes before everything
// else on the machine, the gateways with it. It returns errInFront in the second one.
func inFront(ctx context.Context) error {
	if os.Getenv("LONGCORD_BENCH") != "" {
		return errInFront
	}
	if os.Geteuid() != 0 {
		return errors.New("must be root: namespaces, TUN devices and a gateway of others need it")
	}
	var all, own unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return fmt.Errorf("cores: %w", err)
	}
	if !all.IsSet(ownCore) || !all.IsSet(gatewayCore) {
		return fmt.Errorf("cores %d and %d are needed", ownCore, gatewayCore)
	}
	own.Set(ownCore)
	runtime.LockOSThread() // what follows is the thread's, and passes on to what it starts
	if err := unix.SchedSetaffinity(0, &own); err != nil {
		return fmt.Errorf("cores: %w", err)
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	// One core, but more than one thread of Go: the packet thread never lets go of its.
	cmd.Env = append(os.Environ(), inFrontMark, "GOMAXPROCS=4")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = patience
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := goFirst(cmd.Process.Pid); err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	return cmd.Wait()
}

// goFirst puts a process before the others: among the sessions, where the kernel shares time out by
// them, and in its own.
func goFirst(pid int) error {
	name := fmt.Sprintf("/proc/%d/autogroup", pid)
	err := os.WriteFile(name, []byte(fmt.Sprint(firstInLine)), 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("priority: %w", err)
	}
	if err := unix.Setpriority(unix.PRIO_PGRP, pid, firstInLine); err != nil {
		return fmt.Errorf("priority: %w", err)
	}
	return nil
}
