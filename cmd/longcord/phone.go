package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage/detect"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/tun/netstack"
)

// phoneFlags are the command's flags as they are typed.
type phoneFlags struct {
	config        phone.Config
	vpn, detect   string
	model         string
	cert, key     string
	authString    string
	web           string
	passwordStdin bool
	netstack      bool
	json, verbose bool
}

func (p *program) phoneCommand() *cobra.Command {
	f := phoneFlags{config: phone.Config{OpenTUN: tun.Open}}
	c := &cobra.Command{
		Use:   "phone SEP…",
		Short: "Be a phone",
		Long: `Behaves like a Cisco IP phone: it fetches its file, finds out whether it is inside,
connects to its gateway when it is not, registers, and calls or is called. What it
keeps in its state folder survives a power cut, as on the phone.

It runs until it is told to end, or with --call until that call is over; it hangs up
itself when the file of --play is over. Exit code 1: a step failed, or the call did
not come about.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return p.phone(ctx, args[0], f)
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.config.Servers, "tftp", nil, "the phone's TFTP servers, `ADDR[,ADDR]` (required)")
	flags.BoolVar(&f.config.ByDHCP, "tftp-by-dhcp", false, "DHCP has named the TFTP servers, and nobody has set Alternate TFTP, as the phone's web page says then")
	flags.StringVar(&f.config.StateDir, "state", "", "`DIR` of what survives a power cut (default ./SEP…)")
	flags.StringVar(&f.vpn, "vpn", "auto", "use the tunnel: `WHEN` is auto, on or off")
	flags.BoolVar(&f.config.PSK, "psk", false, "offer the gateway DTLS with a pre-shared key, as openconnect does, instead of a phone's suites")
	flags.StringVar(&f.detect, "detect", "proof", "what counts as inside: `MODE` is proof (the server has this phone's file) or ping-only (it answers pings, as on the phone)")
	flags.StringVar(&f.config.User, "user", "", "`USER` of the VPN (default the device name)")
	flags.BoolVar(&f.passwordStdin, "password-stdin", false, "read the VPN password from standard input")
	flags.StringVar(&f.cert, "cert", "", "`FILE` of the phone's certificate, PEM (default certificate.pem in --state)")
	flags.StringVar(&f.key, "key", "", "`FILE` of its key (default certificate.key in --state)")
	flags.StringVar(&f.authString, "auth-string", "", "the `DIGITS` that somebody types on the phone to have it enrol (certs enroll names them)")
	flags.StringVar(&f.config.Call, "call", "", "call `NUMBER` once registered")
	flags.BoolVar(&f.config.Answer, "answer", false, "answer calls")
	flags.StringVar(&f.config.Play, "play", "", "WAV `FILE` that the other side hears")
	flags.StringVar(&f.config.Record, "record", "", "WAV `FILE` for what is heard")
	flags.StringVar(&f.web, "web", "", "`ADDR` of the phone's own web pages, such as :80 (default none)")
	flags.StringVar(&f.model, "model", "CP-8861", "`MODEL` that the phone is")
	flags.StringVar(&f.config.TUN, "tun", "", "`NAME` of the tunnel's interface")
	flags.BoolVar(&f.netstack, "netstack", false, "end the tunnel in this program, which needs no rights, instead of an interface")
	c.MarkFlagsMutuallyExclusive("tun", "netstack")
	flags.BoolVar(&f.verbose, "verbose", false, "log each decision")
	flags.BoolVar(&f.json, "json", false, "print one event a line, as JSON")
	return c
}

var deviceName = regexp.MustCompile(`^SEP[0-9A-F]{12}$`)

func (p *program) phone(ctx context.Context, name string, f phoneFlags) error {
	config, err := p.phoneConfig(name, f)
	if err != nil {
		return err
	}
	keyLog, err := openKeyLog()
	if err != nil {
		return usage(err)
	}
	if keyLog != nil {
		defer keyLog.Close()
		config.KeyLog = keyLog
	}
	handset, err := phone.New(config)
	if err != nil {
		return usage(err)
	}
	err = handset.Run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (p *program) phoneConfig(name string, f phoneFlags) (phone.Config, error) {
	config := f.config
	config.Name = name
	config.AuthString = secret.New(f.authString)
	if f.netstack {
		config.OpenTUN = netstack.Open
	}
	if !deviceName.MatchString(name) {
		return config, usage(fmt.Errorf("%q is not a device name", name), "SEP and the twelve hex digits of the MAC address, in capitals")
	}
	if len(config.Servers) == 0 {
		return config, usage(errors.New("--tftp is missing"), "give the address of the office's file server")
	}
	if config.StateDir == "" {
		config.StateDir = filepath.Join(".", name)
	}
	switch config.VPN = phone.VPN(f.vpn); config.VPN {
	case phone.VPNAuto, phone.VPNOn, phone.VPNOff:
	default:
		return config, usage(fmt.Errorf("--vpn %s: auto, on or off", f.vpn))
	}
	switch f.detect {
	case "proof":
	case "ping-only":
		config.Detect = detect.PingOnly
	default:
		return config, usage(fmt.Errorf("--detect %s: proof or ping-only", f.detect))
	}
	model, ok := inventory.ModelByName(f.model)
	if !ok {
		return config, usage(fmt.Errorf("--model %s: no such model is known", f.model), "write it as Cisco does, such as CP-8861")
	}
	config.Model = phone.Model{Name: model.Name, Number: model.Number, Old: model.Legacy}
	if f.web != "" {
		where := f.web
		if strings.HasPrefix(where, ":") {
			where = "0.0.0.0" + where
		}
		address, err := netip.ParseAddrPort(where)
		if err != nil {
			return config, usage(fmt.Errorf("--web %s: not an address and port", f.web), "write 10.20.0.9:80, or :80 for every address")
		}
		config.Web = address
	}
	if f.passwordStdin {
		password, err := readPassword(p.in)
		if err != nil {
			return config, err
		}
		config.Password = password
	}
	certificate, err := f.certificate()
	if err != nil {
		return config, err
	}
	config.Certificate = certificate
	level := slog.LevelWarn
	if f.verbose {
		level = slog.LevelDebug
	}
	config.Log = slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: level}))
	config.Events = p.printEvent
	if f.json {
		config.Events = p.printEventJSON
	}
	return config, nil
}

// certificate reads the phone's certificate, if flags name one.
func (f phoneFlags) certificate() (tls.Certificate, error) {
	if f.cert == "" && f.key == "" {
		return tls.Certificate{}, nil
	}
	if f.cert == "" || f.key == "" {
		return tls.Certificate{}, usage(errors.New("--cert and --key belong together"), "give both")
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return pair, usage(fmt.Errorf("--cert %s, --key %s: %w", f.cert, f.key, err), "both are PEM files, the key without a password")
	}
	return pair, nil
}

// readPassword reads a password that ends with its line.
func readPassword(in io.Reader) (secret.String, error) {
	const most = 4096
	text, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil {
		return secret.String{}, fmt.Errorf("password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return secret.String{}, usage(errors.New("no password on standard input"), "echo the password into the command")
	}
	return secret.New(line), nil
}

func (p *program) printEventJSON(e phone.Event) {
	line, err := json.Marshal(e)
	if err != nil {
		fmt.Fprintln(os.Stderr, "longcord:", err) // an event of ours always encodes
		return
	}
	fmt.Fprintf(p.out, "%s\n", line)
}

// printEvent prints an event as people read it.
func (p *program) printEvent(e phone.Event) {
	at := e.Time.Format("15:04:05.000")
	switch {
	case e.Event == "step" && !e.OK:
		fmt.Fprintf(p.out, "%s %-9s failed: %s\n", at, e.Step, e.Detail)
	case e.Event == "step":
		fmt.Fprintf(p.out, "%s %-9s %s (%d ms)\n", at, e.Step, e.Detail, e.DurationMS)
	case e.Load != nil && !e.OK:
		fmt.Fprintf(p.out, "%s %-9s %s not taken: %s: %s\n", at, "load", e.Load.Name, e.Detail, e.Load.Missed)
	case e.Load != nil:
		fmt.Fprintf(p.out, "%s %-9s %s, %d files\n", at, "load", e.Load.Name, len(e.Load.Parts))
	case e.Session != nil:
		fmt.Fprintf(p.out, "%s %-9s %s by %s %s %s\n", at, "session", e.Session.InnerAddress, e.Session.Transport, e.Session.DTLSVersion, e.Session.Cipher)
	case e.Call != nil:
		fmt.Fprintf(p.out, "%s %-9s %s %s %s\n", at, "call", e.Call.Peer, e.Call.State, e.Call.Cause)
	case e.Media != nil:
		fmt.Fprintf(p.out, "%s %-9s sent %d, received %d, lost %d, jitter %.1f ms, MOS %.1f\n", at, "media",
			e.Media.Sent, e.Media.Received, e.Media.Lost, e.Media.JitterMS, e.Media.MOS)
	case e.Finding != nil:
		certainty := ""
		if e.Finding.Certainty != finding.Certain {
			certainty = ", " + string(e.Finding.Certainty)
		}
		fmt.Fprintf(p.out, "%s %-9s %s%s: %s\n", at, "finding", e.Finding.Code, certainty, e.Finding.Says)
		for _, fix := range e.Finding.Fix {
			fmt.Fprintf(p.out, "%s %-9s   %s\n", at, "", fix)
		}
	case e.Detail != "":
		fmt.Fprintf(p.out, "%s %-9s %s\n", at, e.Event, e.Detail)
	}
}
