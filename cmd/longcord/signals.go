package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
)

// Signals beside those that end the program: SIGHUP takes up the inventory file, as apply does; SIGUSR1
// drains the gateway, and the program ends when nobody is left to be cut off.

// listenForSignals returns what obey reads. From here on the signals do not end the program.
func listenForSignals() chan os.Signal {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1)
	return signals
}

// obey does what signals ask for until ctx ends or the system is drained.
func (s *system) obey(ctx context.Context, signals chan os.Signal) error {
	defer signal.Stop(signals)
	defer s.tell(daemon.SdNotifyStopping)
	var drained chan struct{} // nil: nobody has asked
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-drained:
			return nil
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP:
				s.reload(ctx)
			case drained == nil:
				drained = make(chan struct{})
				s.tell("STATUS=Draining")
				go func() {
					defer close(drained)
					s.drain(ctx)
				}()
			}
		}
	}
}

// reload takes up the inventory file. What is wrong with it changes nothing.
func (s *system) reload(ctx context.Context) {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // it is always there
	s.tell(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
	defer s.tell(daemon.SdNotifyReady)
	declared, err := file.Read(s.settings.Inventory)
	var changes catalog.Changes
	if err == nil {
		changes, err = s.catalog.Apply(ctx, declared.Objects, catalog.Options{})
	}
	if err != nil {
		s.log.Error("inventory file not taken up; what was before stays in force", "file", s.settings.Inventory, logging.Err, err)
		return
	}
	s.log.Info("inventory file taken up", "file", s.settings.Inventory, "created", len(changes.Created), "changed", len(changes.Changed))
}

// drain returns when no tunnel is left and, where calls are connected here, no call.
func (s *system) drain(ctx context.Context) {
	if s.gateway != nil {
		select {
		case <-s.gateway.Drain():
		case <-ctx.Done():
			return
		}
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for s.callmanager != nil && len(s.callmanager.Calls()) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	s.log.Info("drained")
}

// inCall tells whether a phone is in a call that is connected here.
func (s *system) inCall(device string) bool {
	if s.callmanager == nil || device == "" {
		return false
	}
	for _, c := range s.callmanager.Calls() {
		if c.CallerPhone == device || c.CalledPhone == device {
			return true
		}
	}
	return false
}

// tell tells systemd, where that started us.
func (s *system) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd not told", "state", state, logging.Err, err)
	}
}

// socketName is what a socket unit's FileDescriptorName must say.
const socketName = "gateway"

// passedSockets are those that systemd opened for us.
func passedSockets() ([]*os.File, error) {
	files := activation.Files(true)
	for _, f := range files {
		if f.Name() != socketName {
			return nil, usage(fmt.Errorf("a socket named %q was passed", f.Name()), "write FileDescriptorName="+socketName+" in the socket unit")
		}
	}
	return files, nil
}
