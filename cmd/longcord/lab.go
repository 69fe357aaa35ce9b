package main

import (
	"fmt"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/lab"
)

func (p *program) labCommand() *cobra.Command {
	config := lab.Config{Stdout: p.out, Stderr: p.err, Version: version()}
	c := &cobra.Command{
		Use:   "lab",
		Short: "Show the whole story on this machine: a phone is carried home and calls the office",
		Long: `Builds an office, the Internet and a home behind NAT out of network namespaces, and
lives a phone's story in them with real packets: it fetches its file in the office,
is carried home, finds out that it is outside, connects to the gateway, checks it and
logs in, brings up its tunnel, registers and calls the desk phone. A different sound
is played in each direction and must be heard at the other end.

With --break it brings about the cause of a finding first, shows where the story stops,
and has the doctor say why: he lives the phone's steps from where it is, asks the office,
and reads what both said. "longcord lab --break list" lists what can be broken.

It works as root and, where user namespaces are allowed, as anybody, and leaves
nothing behind. Exit codes: 0 both sides heard each other; 1 the story stops at a
step; 3 this machine does not allow it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for flag, value := range map[string]string{"vpn": config.VPN, "signalling": config.Signalling, "auth": config.Auth} {
				if value == "" {
					return usage(fmt.Errorf("--%s is empty", flag), c.CommandPath()+" --help")
				}
			}
			if config.Break == "list" {
				for _, b := range lab.Breaks() {
					fmt.Fprintf(p.out, "%-30s %s\n", b.Code, b.Does)
				}
				return nil
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if code := lab.Main(ctx, config); code != exitGood {
				return &failure{code: code, err: errQuiet}
			}
			return nil
		},
	}
	c.Flags().StringVar(&config.VPN, "vpn", "dtls12", "`TUNNEL`: dtls12, psk, dtls09 or tls")
	c.Flags().StringVar(&config.Signalling, "signalling", "sip", "`PROTOCOL` of calls: sip; sccp comes later")
	c.Flags().StringVar(&config.Auth, "auth", "password", "`HOW` the phone logs in: password or certificate")
	c.Flags().StringVar(&config.Break, "break", "", "break what leads to the finding `CODE` first; list lists them")
	c.Flags().BoolVar(&config.Keep, "keep", false, "stay up afterwards and print how to look around")
	c.Flags().StringVar(&config.PCAP, "pcap", "", "write everything to `FILE` as pcapng, with the keys embedded")
	jsonFlag(c, &config.JSON)
	return c
}
