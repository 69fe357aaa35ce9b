package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/portholder"
)

// The parts that serve can run, by their names in --only.
const (
	partProvisioner = "provisioner"
	partGateway     = "gateway"
	partCallManager = "callmanager"
)

var allParts = []string{partProvisioner, partGateway, partCallManager}

func (p *program) serveCommand() *cobra.Command {
	var only []string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the provisioner, the gateway and the call manager",
		Long: `Runs the provisioner, the gateway and the call manager in one process, until it is
told to end. Commands about the running system reach it from the start; when every
port is open it prints one line that begins with "ready".

The first start fills the empty store from the inventory file. Later the file is
only compared: "longcord apply" changes what runs, and so does SIGHUP, which takes up
the inventory file. SIGTERM ends it; phones in tunnels come back to the next start
without a login. SIGUSR1 drains it: no new logins, nobody is cut off in a call, and
when the last tunnel is gone it ends by itself.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, part := range only {
				if !slices.Contains(allParts, part) {
					return usage(fmt.Errorf("--only %s: there is no such part", part), "choose among "+strings.Join(allParts, ", "))
				}
			}
			if len(only) == 0 {
				only = allParts
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return p.serve(ctx, only)
		},
	}
	c.Flags().StringSliceVar(&only, "only", nil, "run only these `PARTS`: "+strings.Join(allParts, ","))
	return c
}

// serve runs the parts until ctx ends.
func (p *program) serve(ctx context.Context, parts []string) (err error) {
	settings, err := p.config()
	if err != nil {
		return err
	}
	s, err := openSystem(ctx, settings, parts, p.err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if slices.Contains(parts, partGateway) {
		// Go runs as many threads at a time as there are cores, and lets each finish its 10 ms. The packet
		// thread must not stand in that line while logins are hashed: the kernel decides for it.
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
	return s.run(ctx, func() error {
		for _, f := range s.atStart(ctx) {
			s.findings.Raise(f)
			printFinding(p, f)
		}
		if _, err := fmt.Fprintf(p.out, "ready: %s\n", strings.Join(s.status().Listening, ", ")); err != nil {
			return err
		}
		_, err := daemon.SdNotify(false, daemon.SdNotifyReady)
		return err
	})
}

func printFinding(p *program, f finding.Finding) {
	fmt.Fprintf(p.err, "%s, %s: %s (%s)\n", f.Severity, f.Certainty, f.Says, f.Code)
	for _, e := range f.Evidence {
		fmt.Fprintf(p.err, "  because: %s\n", e.Text)
	}
	for _, fix := range f.Fix {
		fmt.Fprintf(p.err, "  hint: %s\n", fix)
	}
}

// notOpened adds to the error of a part that could not open what to do about it: who holds the port, or
// what to write instead.
func notOpened(err error) error {
	if address, holder, ok := portholder.Of(err); ok {
		f := finding.PortTaken.With(address, holder)
		return notWell(fmt.Errorf("%s (%s)", f.Says, f.Code), f.Fix...)
	}
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return usage(err, "inside and outside in "+config.DefaultName+" must be addresses of this machine: "+strings.Join(ownAddresses(), ", "))
	case errors.Is(err, fs.ErrNotExist):
		return usage(err, "make the folder, or name another in "+config.DefaultName)
	case errors.Is(err, fs.ErrPermission):
		return notWell(err, "run it as root, or with CAP_NET_BIND_SERVICE, CAP_NET_ADMIN and CAP_NET_RAW")
	}
	return err
}

// ownAddresses are the addresses of this machine that others can reach.
func ownAddresses() (addresses []string) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().IsGlobalUnicast() {
			addresses = append(addresses, prefix.Addr().String())
		}
	}
	return addresses
}
