package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/internal/portholder"
	"github.com/longcord/longcord/provisioner/door"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/tftp"
)

type carryFlags struct {
	address        string
	port, httpPort uint16
	wait           time.Duration
	noWait         bool
}

func (p *program) carryCommand() *cobra.Command {
	var f carryFlags
	c := &cobra.Command{
		Use:   "carry LINK",
		Short: "Bring a phone beside this machine its first file, by an invitation",
		Long: `Fetches the first file of a phone that was never in the office, over TLS and with the
link that "longcord phones invite" printed, and gives it to that one phone on the
network here. It ends when the phone has come through its tunnel.

The link works once. The gateway is known by the hashes behind the link's #, so take
all of the link, in quotation marks. This machine needs no configuration file.`,
		Example: `  sudo longcord carry 'https://vpn.example.net/.longcord/ABCDEFGHIJKLMNOPQRSTUVWXYZ#n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return p.carry(ctx, args[0], f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.address, "address", "", "this machine's `ADDRESS` on the phone's network (default the one toward the gateway)")
	flags.Uint16Var(&f.port, "port", tftp.Port, "`PORT` for TFTP; phones know no other than 69")
	flags.Uint16Var(&f.httpPort, "http-port", provision.HTTPPort, "`PORT` for HTTP; phones know no other than 6970")
	flags.DurationVar(&f.wait, "for", 30*time.Minute, "how long to wait for the phone, `TIME` such as 30m")
	flags.BoolVar(&f.noWait, "no-wait", false, "end when the phone has the file, without waiting for its tunnel")
	return c
}

func (p *program) carry(ctx context.Context, text string, f carryFlags) error {
	link, err := door.ParseLink(text)
	if err != nil {
		return usage(err, "give the whole link as `longcord phones invite` printed it, in quotation marks")
	}
	carrier := door.NewCarrier(link, slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelInfo})))
	address, err := f.on(ctx, carrier)
	if err != nil {
		return err
	}
	// The ports are taken first: a link that is used up for a port that is not there would be lost.
	stall, err := carrier.Spread(ctx, netip.AddrPortFrom(address, f.port), netip.AddrPortFrom(address, f.httpPort))
	if err != nil {
		return notSpread(err)
	}
	defer func() { _ = stall.Close() }() // sockets whose last answer was given
	carried, err := carrier.Fetch(ctx)
	if err != nil {
		return notFetched(err)
	}
	stall.Offer(carried)
	p.printCarried(carried, address)
	return p.beside(ctx, carrier, stall, carried, f)
}

func (f carryFlags) on(ctx context.Context, carrier *door.Carrier) (netip.Addr, error) {
	if f.address == "" {
		address, err := carrier.LocalAddress(ctx)
		if err != nil {
			return address, notWell(err, "connect this machine to the Internet, or name its address beside the phone with --address")
		}
		return address, nil
	}
	address, err := netip.ParseAddr(f.address)
	if err != nil || !address.Is4() {
		return address, usage(fmt.Errorf("--address: %q is no IPv4 address", f.address))
	}
	return address, nil
}

// notSpread says what to do about a port that cannot be had.
func notSpread(err error) error {
	if address, holder, ok := portholder.Of(err); ok {
		return notWell(fmt.Errorf("%s is already in use by %s", address, holder), "stop it for the time being: phones know no other port. The link is still good")
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return notWell(err, "ports below 1024 are root's: run this with sudo. The link is still good")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return usage(err, "--address must be an address of this machine: the one on the phone's network")
	}
	return err
}

func notFetched(err error) error {
	switch {
	case errors.Is(err, door.ErrSpent):
		return notWell(err, "a link works once and for a limited time: have a new one made with `longcord phones invite`")
	case errors.Is(err, door.ErrStranger):
		return notWell(err, "somebody stands between, or the gateway has a new certificate since the link was made: have a new one made, and do not go on here if that fails, too")
	}
	return cannotTell(err, "look whether this machine reaches the gateway; the link is still good unless the office says that it was used")
}

func (p *program) printCarried(c door.Carried, address netip.Addr) {
	fmt.Fprintf(p.out, `The first file of %s (%s) is here. On the phone:
  1. TFTP Server 1: %s
`, c.Device, c.Model, address)
	p.printKeys("     ", c.Keys.AlternateTFTP)
	fmt.Fprintf(p.out, `  2. When this says that the phone has it, once more, TFTP Server 1 and TFTP Server 2: %s
  3. The phone finds that it is outside and asks for user and password. If it does not, switch the VPN on.
`, c.Inside)
	p.printKeys("     ", c.Keys.VPNMenu)
	fmt.Fprintf(p.out, `Instead of 1, where the DHCP server here is yours: option 150, or 66, with %s.
`, address)
}

// beside waits for the phone: until it has the file, and until it has come through its tunnel.
func (p *program) beside(ctx context.Context, carrier *door.Carrier, stall *door.Stall, carried door.Carried, f carryFlags) error {
	patience := time.NewTimer(f.wait)
	defer patience.Stop()
	select {
	case d := <-stall.Delivered():
		fmt.Fprintf(p.out, "%s at %s has it, by %s.\n", carried.Device, d.Phone.Addr(), d.Transport)
	case <-patience.C:
		return notWell(fmt.Errorf("%s did not fetch its file in %s", carried.Device, f.wait),
			"look whether phone and machine are on one network, and whether a firewall here lets UDP 69 and TCP 6970 in",
			"a phone of another system takes no file before its trust list is erased: "+carried.Keys.EraseTrustList)
	case <-ctx.Done():
		return notWell(errors.New("ended before the phone had its file"), "the link is used up: have a new one made with `longcord phones invite`")
	}
	if f.noWait {
		return nil
	}
	again := time.NewTicker(askAgain)
	defer again.Stop()
	for {
		connected, err := carrier.Connected(ctx)
		if err == nil && connected {
			fmt.Fprintf(p.out, "%s has come through its tunnel. The rest happens there.\n", carried.Device)
			return nil
		}
		select {
		case <-again.C:
		case <-patience.C:
			return notWell(fmt.Errorf("%s has its file and did not come through a tunnel in %s", carried.Device, f.wait),
				fmt.Sprintf("look whether TFTP Server 1 and 2 are %s on it, and whether somebody has logged in", carried.Inside))
		case <-ctx.Done():
			return notWell(errors.New("ended before the phone came through its tunnel"))
		}
	}
}

// askAgain is how often the office is asked whether the phone is there.
const askAgain = 2 * time.Second
