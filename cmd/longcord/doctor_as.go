package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/walk"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/tun/netstack"
)

// asFlags are the flags of a walk as they are typed.
type asFlags struct {
	options       walk.Options
	file          string
	model         string
	place         string
	cert, key     string
	passwordStdin bool
	takeOver      bool
	dryRun        bool
}

// doctorAs is the way that lives a phone's steps from where this machine stands.
func (p *program) doctorAs(c *cobra.Command, files *doctorFiles) way {
	f := &asFlags{options: walk.Options{OpenTUN: netstack.Open}}
	flags := c.Flags()
	flags.StringVar(&f.options.Device, "as", "", "be the phone `SEP…` and live its steps from here, against anybody's servers; nothing needs root")
	flags.StringSliceVar(&f.options.Servers, "tftp", nil, "with --as: the phone's TFTP servers, `ADDR[,ADDR]`")
	flags.StringVar(&f.file, "file", "", "with --as: `SEP….cnf.xml` that the phone keeps, where no TFTP server is in reach")
	flags.StringVar(&f.model, "model", "CP-8861", "with --as: `MODEL` that the phone is; it decides what TLS it has")
	flags.StringVar(&f.options.Load, "load", "", "with --as: its firmware `LOAD`, such as sip88xx.12-8-1-0001-455")
	flags.StringVar(&f.options.User, "user", "", "with --as: `USER` of the VPN (default the device name)")
	flags.BoolVar(&f.passwordStdin, "password-stdin", false, "with --as: read the VPN password from standard input; it is tried once")
	flags.StringVar(&f.cert, "cert", "", "with --as: `FILE` of the phone's certificate, PEM")
	flags.StringVar(&f.key, "key", "", "with --as: `FILE` of its key")
	flags.StringVar(&f.options.Call, "call", "", "with --as: call `NUMBER`, which rings somebody, and listen")
	flags.StringVar(&f.place, "place", "auto", "with --as: where this is, `PLACE` inside or outside; auto looks as the phone does")
	flags.BoolVar(&f.takeOver, "take-over", false, "with --as: log in and register even where our own system has a session or registration of that phone, or the call manager a registration")
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --as: say what would be touched, and end")
	return way{
		asked: func() bool { return f.options.Device != "" },
		collect: func(ctx context.Context, to *fact.Collector, args []string) error {
			f.options.URLs = files.urls
			return p.walk(ctx, f, to, func() error { return p.readAll(ctx, to, args, files, false) })
		},
	}
}

func (p *program) walk(ctx context.Context, f *asFlags, to *fact.Collector, readFiles func() error) error {
	o, err := p.walkOptions(f)
	if err != nil {
		return err
	}
	if o.TakeOver = f.takeOver; !o.TakeOver {
		o.NoLogin = p.occupied(ctx, o)
	}
	out := p.err
	if f.dryRun {
		out = p.out
	}
	fmt.Fprintf(out, "as %s, a %s, this touches:\n", o.Device, o.Model.Name)
	for _, each := range walk.Plan(o) {
		fmt.Fprintf(out, "- %s\n", each)
	}
	if f.dryRun {
		return &failure{code: exitGood, err: errQuiet}
	}
	keyLog, err := openKeyLog()
	if err != nil {
		return usage(err)
	}
	if keyLog != nil {
		defer keyLog.Close()
		o.KeyLog = keyLog
	}
	o.Say = func(text string) { fmt.Fprintf(p.err, "%s %s\n", time.Now().Format("15:04:05"), text) }
	o.Log = slog.New(slog.DiscardHandler)
	to.About(o.Device)
	if err := readFiles(); err != nil {
		return err
	}
	return walk.Run(ctx, o, to)
}

// maxPhoneFile bounds a phone's file, in bytes; real ones have some 20 KB.
const maxPhoneFile = 1 << 20

func (p *program) walkOptions(f *asFlags) (walk.Options, error) {
	o := f.options
	if !deviceName.MatchString(o.Device) {
		return o, usage(fmt.Errorf("--as %s is not a device name", o.Device), "SEP and the twelve hex digits of the MAC address, in capitals")
	}
	if len(o.Servers) == 0 && f.file == "" && len(o.URLs) == 0 {
		return o, usage(errors.New("--as needs something that the phone knows"),
			"inside: --tftp with the address of its TFTP server",
			"outside: --file with the "+provision.ConfigFile(o.Device)+" that it keeps: curl http://TFTP:6970/"+provision.ConfigFile(o.Device),
			"or --url with the gateway alone")
	}
	if len(o.Servers) > 2 {
		return o, usage(fmt.Errorf("--tftp names %d servers; a phone has one or two", len(o.Servers)))
	}
	model, ok := inventory.ModelByName(f.model)
	if !ok {
		return o, usage(fmt.Errorf("--model %s: no such model is known", f.model), "write it as Cisco does, such as CP-8861")
	}
	o.Model = model
	switch o.At = walk.At(f.place); o.At {
	case walk.Auto, walk.Inside, walk.Outside:
	default:
		return o, usage(fmt.Errorf("--place %s: auto, inside or outside", f.place))
	}
	if f.file != "" {
		content, err := readPhoneFile(f.file)
		if err != nil {
			return o, usage(err)
		}
		o.File, o.FileName = content, f.file
	}
	if f.passwordStdin {
		password, err := readPassword(p.in)
		if err != nil {
			return o, err
		}
		o.Password = password
	}
	certificate, err := phoneFlags{cert: f.cert, key: f.key}.certificate()
	o.Certificate = certificate
	return o, err
}

func readPhoneFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPhoneFile {
		return nil, fmt.Errorf("--file %s is no phone's file: it is no file, or larger than %d bytes", filepath.Base(name), maxPhoneFile)
	}
	return os.ReadFile(name)
}

// occupied says whether our own system, if one runs here, has a session or registration of that phone.
func (p *program) occupied(ctx context.Context, o walk.Options) string {
	client, err := p.client()
	if err != nil {
		return "" // this machine has no system of ours
	}
	device, err := client.Phone(ctx, o.Device)
	if err != nil {
		return ""
	}
	const anyway = "; log in all the same with --take-over"
	if s := device.Session; s != nil {
		return fmt.Sprintf("%s has a session as %s here%s", o.Device, s.User, anyway)
	}
	if len(device.Registrations) > 0 {
		return fmt.Sprintf("%s is registered here%s", o.Device, anyway)
	}
	return p.userOccupied(ctx, client, o.User, anyway)
}

func (p *program) userOccupied(ctx context.Context, client *control.Client, user, anyway string) string {
	sessions, err := client.Sessions(ctx)
	if err != nil || user == "" {
		return ""
	}
	for _, s := range sessions {
		if s.User == user {
			return fmt.Sprintf("%s has a session here, of %s%s", user, s.Phone, anyway)
		}
	}
	return ""
}
