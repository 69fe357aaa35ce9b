package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/gateway"
	"github.com/longcord/longcord/inventory/setup"
)

func (p *program) initCommand() *cobra.Command {
	var flags initFlags
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Write a complete small set-up and say what to do next",
		Long: `Writes configuration, inventory, keys and certificates into DIR, which must be empty
or not be there yet: a certificate for the gateway with a finished spare, a tunnel
group and policy for phones, and the phones named (or two software phones).`,
		Example: `  longcord init office --url https://vpn.example.net/phones --outside 192.0.2.10 \
    --inside 10.1.0.5 --pool 10.99.0.0/24 --phone SEP001122334455=CP-8861:1001:Alice`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("pbx") && flags.pbx == "" {
				return usage(errors.New("--pbx: is empty"), "write HOST or HOST:PORT, or leave it out to connect calls here")
			}
			return p.initialise(args[0], flags)
		},
	}
	f := c.Flags()
	f.StringVar(&flags.url, "url", "", "what phones call, `https://HOST[:PORT]/PATH`; goes into their files byte for byte")
	f.StringVar(&flags.outside, "outside", "", "`ADDRESS` the gateway listens on: TCP on the URL's port, UDP on 443")
	f.StringVar(&flags.inside, "inside", "", "`ADDRESS` phones fetch files from and register at")
	f.StringVar(&flags.files, "provisioner", "", "a second `ADDRESS` for phones' files that no home uses, such as 10.47.11.5")
	f.StringVar(&flags.pool, "pool", "", "`NETWORK` for phones inside their tunnels, such as 10.99.0.0/24")
	f.StringArrayVar(&flags.phones, "phone", nil, "a phone, `SEP…=MODEL:LINE[:NAME]`; may be given again")
	f.StringVar(&flags.pbx, "pbx", "", "leave calls to the PBX at `HOST[:PORT]`")
	f.BoolVar(&flags.legacy, "legacy-phones", false, "let phones with TLS 1.0 and DTLS 0.9 in, fenced (set by itself when a phone needs it)")
	f.StringVar(&flags.auth, "auth", "password", "how phones log in: `HOW` is password or certificate")
	for _, required := range []string{"url", "outside", "inside", "pool"} {
		_ = c.MarkFlagRequired(required) // fails for unknown flags only
	}
	return c
}

type initFlags struct {
	url, outside, inside, files, pool, pbx, auth string
	phones                                       []string
	legacy                                       bool
}

func (p *program) initialise(dir string, flags initFlags) error {
	options, err := flags.options()
	if err != nil {
		return refused(err)
	}
	options.Dir = dir
	made, err := setup.Make(options)
	if err != nil {
		return refused(err)
	}
	err = setup.Write(dir, made.Files)
	if errors.Is(err, fs.ErrPermission) {
		return usage(err, "run this as root, or name a folder that you may write to")
	}
	if err != nil {
		return usage(err, "name a folder that is empty or not there yet")
	}
	fmt.Fprintf(p.out, "Wrote %s.\n\n%s", dir, made.Message)
	for _, warning := range made.Warnings {
		fmt.Fprintf(p.err, "warning: %s\n", warning)
	}
	return nil
}

// refused is err with the hints of every refusal in it.
func refused(err error) error {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	var hints []string
	for _, e := range all {
		var refusal setup.Refusal
		if errors.As(e, &refusal) && refusal.Hint != "" {
			hints = append(hints, refusal.Option+": "+refusal.Hint)
		}
	}
	return usage(err, hints...)
}

func (f initFlags) options() (setup.Options, error) {
	o := setup.Options{URL: f.url, PBX: f.pbx, Legacy: f.legacy, Now: time.Now()}
	var problems []error
	address := func(option, text string) netip.Addr {
		a, err := netip.ParseAddr(text)
		if err != nil {
			problems = append(problems, setup.Refusal{Option: option, Says: fmt.Sprintf("%q is no address", text), Hint: "write an address of this machine, such as 10.1.0.5"})
		}
		return a
	}
	o.Outside, o.Inside = address("--outside", f.outside), address("--inside", f.inside)
	if f.files != "" {
		o.Files = address("--provisioner", f.files)
	}
	pool, err := netip.ParsePrefix(f.pool)
	if err != nil {
		problems = append(problems, setup.Refusal{Option: "--pool", Says: fmt.Sprintf("%q is no network", f.pool), Hint: "write a network such as 10.99.0.0/24"})
	}
	o.Pool = pool
	for _, text := range f.phones {
		phone, err := setup.ParsePhone(text)
		problems = append(problems, err)
		o.Phones = append(o.Phones, phone)
	}
	switch f.auth {
	case "password":
	case "certificate":
		o.ByCertificate = true
	default:
		problems = append(problems, setup.Refusal{Option: "--auth", Says: fmt.Sprintf("%q is no way to log in", f.auth), Hint: "write password or certificate"})
	}
	if err := errors.Join(problems...); err != nil {
		return o, err
	}
	o.InsideNetwork = networkOf(o.Inside)
	o.Routes = gateway.RouteLines(o.Pool, o.Inside)
	if o.Files.IsValid() {
		o.FileRoutes = gateway.RouteLines(netip.PrefixFrom(o.Files, o.Files.BitLen()), o.Inside)
	}
	return o, nil
}

// networkOf returns the network that an address of this machine stands in, or none.
func networkOf(address netip.Addr) netip.Prefix {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Prefix{}
	}
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr() == address {
			return prefix.Masked()
		}
	}
	return netip.Prefix{}
}
