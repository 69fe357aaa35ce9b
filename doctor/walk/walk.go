// Package walk lives a phone's steps where the phone stands, with the phone's own code, and makes facts of what it
// sees. It stops at the first step that does not come out: what comes after depends on it.
//
// It is polite. Plan says what a walk will touch; user name and password are said once, and to one gateway; whoever is
// logged in or registered by it logs off again; nobody is rung unless a number is given.
package walk

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cnf"
)

// At is where the phone is taken to stand.
type At string

// The places. Auto looks, as a phone does; who gives a URL or a login wants the way from outside.
const (
	Auto    At = "auto"
	Inside  At = "inside"
	Outside At = "outside"
)

// Options say as which phone to walk, and how far. Device, Model and OpenTUN are required, and one of Servers, File and
// URLs.
type Options struct {
	Device  string
	Model   inventory.Model
	Load    string   // its firmware; empty: not known
	Servers []string // TFTP 1 and 2, host or address
	// File is the phone's own, which it keeps since it was inside, and FileName how people call it.
	File     []byte
	FileName string
	URLs     []string // gateways to try instead of those in the file

	User        string // empty: the device name
	Password    secret.String
	Certificate tls.Certificate
	NoLogin     string // why nobody is to be logged in and registered, whatever is given; empty: it may be
	TakeOver    bool   // registers also where the call manager says that the line is registered

	Call string // number of the test call; empty: none
	At   At     // empty: Auto

	OpenTUN func(tun.Settings) (tun.Device, error)
	KeyLog  *os.File     // nil: none
	Log     *slog.Logger // nil discards
	Say     func(string) // told each thing as it is seen; nil: nobody asks
}

// errStop ends the walk at a step that did not come out. All has been said.
var errStop = errors.New("walk: a step did not come out")

type walker struct {
	o       Options
	c       *fact.Collector
	steps   *phone.Steps
	sources map[string]*fact.Input
	said    map[string]bool // requests for files

	stored *cnf.Device // the file that the phone lives by; nil: it has none
	group  *cnf.VPNGroup
	// unpinned: nothing says which certificate is the right one, because the URLs come without a phone's file.
	unpinned  bool
	computers string // where computers can log in; empty: nowhere that is known
}

// Run walks and adds what it sees to c. An error means that it could not: nothing is said of the phone then.
func Run(ctx context.Context, o Options, c *fact.Collector) error {
	folder, err := os.MkdirTemp("", "longcord-doctor-")
	if err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	err = run(ctx, o, c, folder)
	return errors.Join(err, os.RemoveAll(folder))
}

func run(ctx context.Context, o Options, c *fact.Collector, folder string) error {
	if o.At == "" {
		o.At = Auto
	}
	w := &walker{o: o, c: c, sources: map[string]*fact.Input{}, said: map[string]bool{}}
	cfg := phone.Config{
		Name: o.Device, Servers: o.Servers, StateDir: folder,
		Model: phone.Model{Name: o.Model.Name, Number: o.Model.Number, Old: o.Model.Legacy},
		User:  o.User, Password: o.Password, Certificate: o.Certificate,
		OpenTUN: o.OpenTUN, Log: o.Log,
	}
	if o.KeyLog != nil {
		cfg.KeyLog = o.KeyLog
	}
	steps, err := phone.NewSteps(cfg)
	if err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	w.steps = steps
	c.At(time.Now())
	device := []string{"device", o.Device, "model", o.Model.Name}
	if o.Load != "" {
		device = append(device, "load", o.Load)
	}
	w.note(w.o.Device, fact.Device, "a "+o.Model.Name+" as "+o.Device, device...)
	w.ownCertificate()
	err = w.live(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// ownCertificate notes the certificate that the phone was given.
func (w *walker) ownCertificate() {
	if w.o.Certificate.Certificate == nil {
		return
	}
	values, err := read.CertificateValues(w.o.Certificate.Certificate[0])
	if err != nil {
		return // it was read with its key
	}
	w.note(w.o.Device, fact.PhoneCertificate, fmt.Sprintf("the phone's certificate: %s of %s, until %s",
		value(values, "subject"), value(values, "issuer"), value(values, "not-after")), append(values, "device", w.o.Device)...)
}

// live is the order of the steps.
func (w *walker) live(ctx context.Context) error {
	if err := w.provision(ctx); err != nil {
		return err
	}
	inside, err := w.detect(ctx)
	if err != nil {
		return err
	}
	if inside {
		return w.inOffice(ctx, w.steps.Here(), "here", w.stored)
	}
	gateways, err := w.connect(ctx)
	if err != nil {
		return err
	}
	g, err := w.verify(ctx, gateways)
	if err != nil || g == nil {
		return err
	}
	return w.tunnel(ctx, g)
}

// source returns the input of that name, the same each time.
func (w *walker) source(name string) *fact.Input {
	in, ok := w.sources[name]
	if !ok {
		in = w.c.Open(name)
		in.Recognised("a walk as the phone", "")
		w.sources[name] = in
	}
	return in
}

// note adds a fact, and says nothing.
func (w *walker) note(source string, kind fact.Kind, text string, values ...string) {
	w.source(source).Add(kind, 0, text, time.Now(), values...)
}

// tell adds a fact and says it.
func (w *walker) tell(source string, kind fact.Kind, text string, values ...string) {
	w.note(source, kind, text, values...)
	w.say(source + ": " + text)
}

func (w *walker) say(text string) {
	if w.o.Say != nil {
		w.o.Say(text)
	}
}

// platform notes whose equipment a source is.
func (w *walker) platform(source string, p finding.Platform) {
	if p != "" {
		w.source(source).Recognised("a walk as the phone", p)
	}
}

// passed ends a step that came out.
func (w *walker) passed(s stage.Step, text string) {
	w.note(w.o.Device, fact.WalkStep, text, "step", s.String(), "ok", "true")
	w.say(s.String() + ": " + text)
}

// broken ends a step that did not, and with it the walk.
func (w *walker) broken(s stage.Step, text string) error {
	w.note(w.o.Device, fact.WalkStep, text, "step", s.String(), "ok", "false")
	w.note(w.o.Device, fact.WalkStuck(s), text)
	w.say(s.String() + ": " + text + "; what comes after depends on it")
	return errStop
}

// reads has a file of the phone read as if somebody had sent it.
func (w *walker) reads(ctx context.Context, name string, content []byte) error {
	return read.Input(ctx, w.c, name, bytes.NewReader(content), read.Options{Now: time.Now()})
}

// Plan says what a walk will touch, before it does, one sentence each.
func Plan(o Options) []string {
	var plan []string
	say := func(format string, args ...any) { plan = append(plan, fmt.Sprintf(format, args...)) }
	for _, server := range o.Servers {
		say("the file server %s: pings, and requests for %s and what belongs to it, by HTTP on port %d and by TFTP", server, provision.ConfigFile(o.Device), provision.HTTPPort)
	}
	if o.At == Inside {
		say("the trust verification service that the file names, TCP 2445")
	} else {
		urls := "the gateways that the file names"
		if len(o.URLs) > 0 {
			urls = strings.Join(o.URLs, ", ")
		}
		say("%s: TCP, TLS as a %s has it, and where that fails TLS as others have it; the group URL, without saying who asks", urls, o.Model.Name)
	}
	switch {
	case o.NoLogin != "":
		say("nobody is logged in or registered: %s", o.NoLogin)
		return plan
	case o.At == Inside:
	case o.Password.IsZero() && o.Certificate.Certificate == nil:
		say("nobody is logged in there: no password and no certificate is given")
		if o.At == Outside || len(o.Servers) == 0 {
			return plan
		}
	default:
		user := o.User
		if user == "" {
			user = o.Device
		}
		if chain := chainOf(o.Certificate); len(chain) > 0 {
			say("the certificate of %s is shown to gateways that ask for one", chain[0].Subject)
			if o.Password.IsZero() {
				user = chain[0].Subject.CommonName
			}
		}
		say("one login as %s at the first gateway that takes logins, or where none takes phones, as a computer, one tunnel, and a log-off", user)
		say("whether %s has a session there now cannot be seen from here; where one session is allowed, this login ends that one", user)
		say("through the tunnel: pings, TCP connections and files of the servers that the file names")
	}
	if o.TakeOver {
		say("one registration of the phone's first line at its call manager, in the place of a phone that is registered there, and its end")
	} else {
		say("a question to its call manager by SIP, where the phone's first line is registered, which is left so; else one registration, and its end; some call managers do not say, and let go of the one that was")
	}
	if o.Call != "" {
		say("one call to %s, for a few seconds", o.Call)
	}
	return plan
}
