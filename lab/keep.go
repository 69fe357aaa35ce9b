package lab

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/longcord/longcord/internal/testnet"
)

// keep leaves everything running until ctx ends, with the phone at home logged in again, and says how
// to look around.
func (s *story) keep(ctx context.Context) error {
	var err error
	args := append(s.homePhoneArgs(), s.credentials()...)
	if s.home, err = s.launcher.start(s.world.phone, "kept home phone", s.password+"\n", args...); err != nil {
		return err
	}
	s.guide()
	<-ctx.Done()
	return nil
}

// guide prints a command for each host that opens a shell inside it.
func (s *story) guide() {
	s.say("Everything stays up until you press Ctrl-C. To look around, in another terminal:")
	w := s.world
	for _, h := range []*testnet.Host{w.gateway, w.desk, w.phone, w.router, w.internet} {
		s.say("  %-9s %s", h.Name(), shell(h, s.serve.cmd.Process.Pid))
	}
	s.say("Inside, %s holds the office's set-up, the phones' files, the recordings and the logs, for example", testnet.DiskPath)
	s.say("  longcord -c %s sessions list", path(configFile))
	s.say("  tail -f %s", path(s.serve.logName()))
}

// say prints to where people read: standard error when standard output is for the document.
func (s *story) say(format string, args ...any) {
	out := s.config.Stdout
	if s.config.JSON {
		out = s.config.Stderr
	}
	fmt.Fprintf(out, format+"\n", args...)
}

// shell returns a command that enters a host with its files. The files are those of any program that
// runs in the world.
func shell(h *testnet.Host, pid int) string {
	users := ""
	if inUserNamespace() {
		users = " --user --preserve-credentials"
	}
	return fmt.Sprintf("nsenter --target %d --mount%s --net=%s", pid, users, h.Namespace())
}

// inUserNamespace reports whether this process is root only inside a user namespace of its own.
func inUserNamespace() bool {
	ids, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(ids)), " ") != "0 0 4294967295"
}
