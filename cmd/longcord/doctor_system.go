package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/fitness"
	"github.com/longcord/longcord/trust/rollover"
)

// systemFlags are the flags of asking a running system.
type systemFlags struct {
	whole bool
	at    string
}

// doctorSystem is the way that asks our running system as a whole.
func (p *program) doctorSystem(c *cobra.Command, files *doctorFiles) way {
	f := &files.system
	c.Flags().BoolVar(&f.whole, "system", false, "ask the running system what is wrong with it as a whole")
	c.Flags().StringVar(&f.at, "at", "", "with SEP… or a user: what is known of this `TIME`, such as 14:30 or \"2026-11-25 14:30\"")
	return way{
		asked: func() bool { return f.whole },
		collect: func(ctx context.Context, to *fact.Collector, args []string) error {
			if len(args) == 0 {
				to.About("the running system")
			}
			if err := p.readAll(ctx, to, args, files, false); err != nil {
				return err
			}
			c, err := p.config()
			if err != nil {
				return err
			}
			to.At(time.Now())
			return askSystem(ctx, to, control.NewClient(c.Socket))
		},
	}
}

// isFile tells files from phones and users: what is there as a file is one.
func isFile(name string) bool {
	if name == "-" {
		return true
	}
	_, err := os.Stat(name)
	return err == nil
}

// askedName returns the phone or user that an argument means which is no file; nothing when it can only be a file.
func askedName(arg string) string {
	if name := strings.ToUpper(arg); deviceName.MatchString(name) {
		return name
	}
	if strings.ContainsAny(arg, `/\.`) {
		return ""
	}
	return arg
}

// askFor asks the running system about one phone, or about those of a user.
func (p *program) askFor(ctx context.Context, to *fact.Collector, name, at string) error {
	client, err := p.client()
	if err != nil {
		return usage(fmt.Errorf("there is no file %s; to ask a running system about it: %w", name, err), "a log or another file: longcord doctor FILE")
	}
	set, err := client.Set(ctx)
	if err != nil {
		return err
	}
	devices := []string{name}
	if set.Devices[name] == nil {
		user := set.Users[name]
		switch {
		case user == nil && deviceName.MatchString(name):
			if asks, err := askStranger(ctx, to, client, name); asks || err != nil {
				return err
			}
			return usage(fmt.Errorf("there is no file and no phone %s", name), "the phones: longcord phones list")
		case user == nil:
			return usage(fmt.Errorf("there is no file, no phone and no user %s", name), "the users: longcord users list", "the phones: longcord phones list")
		case len(user.Devices) == 0:
			return usage(fmt.Errorf("user %s has no phone of his own", name), "say which it is: longcord users set "+name+" --device SEP…")
		}
		devices = user.Devices
	}
	then, err := timeOf(at, time.Now())
	if err != nil {
		return usage(err, "write it like 14:30, \"2026-11-25 14:30\" or 2026-11-25T14:30:00+01:00")
	}
	fmt.Fprintf(p.err, "%s: asking the running system about %s\n", name, strings.Join(devices, ", "))
	for _, device := range devices {
		if err := askPhone(ctx, to, client, set, device, then); err != nil {
			return err
		}
	}
	return nil
}

// askStranger collects that a phone asks for its file and nobody has added it. It reports whether that is so.
func askStranger(ctx context.Context, to *fact.Collector, client *control.Client, device string) (bool, error) {
	standing, err := client.Findings(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range standing {
		if s.Code == finding.UnknownPhone.Code && strings.Contains(s.Says, device) {
			in := to.Open(device)
			in.Recognised("a phone that nobody has added", finding.Longcord)
			f := s.Finding
			f.Severity = finding.Fault // for who asks about this phone
			addFinding(in, f, s.First)
			return true, nil
		}
	}
	return false, nil
}

// timeOf reads what people write for a time: of today, or the last such time before now; empty: the zero time.
func timeOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
			if at.After(now) {
				at = at.AddDate(0, 0, -1)
			}
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}

// askSystem collects what stands on the board, and whether everything listens.
func askSystem(ctx context.Context, to *fact.Collector, client *control.Client) error {
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	standing, err := client.Findings(ctx)
	if err != nil {
		return err
	}
	in := to.Open("the running system")
	state := "ready"
	if !status.Ready {
		state = "not ready"
	}
	in.Recognised(fmt.Sprintf("Longcord %s, %s, since %s", status.Version, state, said(status.Began)), finding.Longcord)
	for _, s := range standing {
		addFinding(in, s.Finding, s.First)
	}
	return addUnready(ctx, in, client, "")
}

// addUnready tells which phones a gateway's next certificate would keep out, or has kept out; of one device, or of all.
func addUnready(ctx context.Context, in *fact.Input, client *control.Client, device string) error {
	gateways, err := client.Rollovers(ctx, "")
	if err != nil {
		return err
	}
	for _, g := range gateways {
		certificate := g.Presented
		if g.State != rollover.Swapped {
			if g.Next == nil {
				continue // none to change to: that is no-spare-certificate
			}
			certificate = *g.Next
		}
		for _, loss := range g.NotReady {
			if device != "" && loss.Device != device {
				continue
			}
			values := []string{
				"device", loss.Device, "gateway", g.Gateway, "certificate", certificate.Name, "state", string(g.State),
				"why", loss.Why, "sha1", certificate.SHA1, "seen", loss.Seen.UTC().Format(time.RFC3339),
			}
			if slices.ContainsFunc(g.Refused, func(d rollover.Doubt) bool { return d.Device == loss.Device }) {
				values = append(values, "refused", "true")
			}
			in.Add(fact.SystemUnready, 0, fmt.Sprintf("%s: %s (last seen %s)", loss.Device, loss.Why, said(loss.Seen)), time.Time{}, values...)
		}
	}
	return nil
}

// askPhone collects what the system knows of a phone: now, or of the time then.
func askPhone(ctx context.Context, to *fact.Collector, client *control.Client, set *inventory.Set, device string, then time.Time) error {
	phone, err := client.Phone(ctx, device)
	if err != nil {
		return err
	}
	standing, err := client.Findings(ctx)
	if err != nil {
		return err
	}
	in := to.Open(device)
	now := time.Now()
	past := !then.IsZero()
	if !past {
		then = now
	}
	if phone.Session != nil && phone.Session.Began.After(then) {
		phone.Session = nil
	}
	phone.Registrations = slices.DeleteFunc(phone.Registrations, func(r control.Registration) bool { return r.Began.After(then) })
	phone.Deliveries = slices.DeleteFunc(phone.Deliveries, func(d control.Delivery) bool { return d.Complete.After(then) })

	in.Recognised(stateOf(phone), finding.Longcord)
	values := []string{
		"device", device, "blocked", fmt.Sprint(set.Devices[device].Blocked), "session", fmt.Sprint(phone.Session != nil),
		"registered", fmt.Sprint(len(phone.Registrations) > 0), "file", stampWord(phone.Runs, phone.ShouldRun), "fetched", stampWord(control.Holds(phone.Deliveries, phone.Registrations), phone.ShouldRun),
	}
	if phone.Session != nil {
		values = append(values, "since", phone.Session.Began.UTC().Format(time.RFC3339))
	}
	in.Add(fact.SystemPhone, 0, device+": "+stateOf(phone), then, values...)
	works := len(phone.Registrations) > 0
	for _, s := range standing {
		whose := whoseFinding(s.Finding, phone, set)
		if !s.First.After(then) && (!past || !s.Last.Before(then.Add(-time.Hour))) && (whose == itsOwn || whose == everybodys && !works) {
			addFinding(in, s.Finding, s.First)
		}
	}
	if past {
		if !works {
			in.Add(fact.SystemPast, 0, "what had ended by "+said(then)+" is not kept", then, "at", then.UTC().Format(time.RFC3339))
		}
		return nil
	}
	if err := addUnready(ctx, in, client, device); err != nil {
		return err
	}
	var refusal *control.Refusal
	switch ready, err := client.Ready(ctx, device, ""); {
	case errors.As(err, &refusal) && refusal.Status == http.StatusNotFound:
		in.Add(fact.SystemUnknown, 0, refusal.Error(), now, "check", "ready", "look", "longcord phones ready "+device)
	case err != nil:
		return err
	default:
		addReadiness(in, ready, works)
	}
	switch {
	case works:
	case phone.Session == nil:
		in.Add(fact.SystemAbsent, 0, device+" has neither a session nor a registration", now, "device", device)
	case now.Sub(phone.Session.Began) > registersWithin:
		in.Add(fact.SystemUnregistered, 0, device+" is in its tunnel and has not registered", now, "device", device)
	}
	return nil
}

// registersWithin is how long a phone may take to register when its tunnel is up.
const registersWithin = 2 * time.Minute

// addReadiness adds what is wrong with the phone as it stands. Where it works now, it is a warning for the next time it is
// taken along.
func addReadiness(in *fact.Input, ready control.Readiness, works bool) {
	for _, check := range ready.Checks {
		// A phone that is away or switched off has no registration: that is what the symptoms say.
		if check.Finding != nil && check.Finding.Code != finding.NotRegistered.Code {
			f := *check.Finding
			if works && f.Severity == finding.Fault {
				f.Severity = finding.Warning
			}
			addFinding(in, f, time.Time{})
		}
		if check.State == fitness.Unknown {
			in.Add(fact.SystemUnknown, 0, check.Name+": "+check.Says, time.Time{}, "check", check.Name, "look", check.Look)
		}
	}
}

func addFinding(in *fact.Input, f finding.Finding, since time.Time) {
	values := []string{"code", f.Code, "severity", string(f.Severity), "certainty", string(f.Certainty), "says", f.Says}
	for i, fix := range f.Fix {
		values = append(values, fmt.Sprintf("fix-%d", i+1), fix)
	}
	text := f.Says
	if len(f.Evidence) > 0 {
		text = f.Evidence[0].Source + ": " + f.Evidence[0].Text
	}
	if !since.IsZero() {
		values = append(values, "since", since.UTC().Format(time.RFC3339))
		text += " (since " + said(since) + ")"
	}
	in.Add(fact.SystemFinding, 0, text, since, values...)
}

// Whose affair a finding is.
type owner int

const (
	somebodyElses owner = iota
	everybodys
	itsOwn
)

// whoseFinding tells a phone's own findings, which name it, its users, lines or addresses, from those that name no phone
// and no user at all and may matter to it.
func whoseFinding(f finding.Finding, phone control.Phone, set *inventory.Set) owner {
	text := f.Says
	for _, e := range f.Evidence {
		text += " " + e.Text
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;:()\"'`", r) })
	own := append([]string{phone.Name}, phone.Lines...)
	for name, user := range set.Users {
		if slices.Contains(user.Devices, phone.Name) {
			own = append(own, name)
		}
	}
	if phone.Session != nil {
		own = append(own, phone.Session.User, phone.Session.InnerAddress)
	}
	if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(own, w) }) {
		return itsOwn
	}
	if slices.ContainsFunc(words, func(w string) bool {
		return set.Devices[w] != nil || set.Users[w] != nil || set.Lines[w] != nil || deviceName.MatchString(w)
	}) {
		return somebodyElses
	}
	return everybodys
}

func stampWord(stamp, should string) string {
	switch stamp {
	case "":
		return "none"
	case should:
		return "current"
	}
	return "older"
}

// stateOf says in one sentence what a phone does.
func stateOf(phone control.Phone) string {
	var parts []string
	if s := phone.Session; s != nil {
		by := "without packets yet"
		if s.Transport != "" {
			by = "by " + strings.ToUpper(s.Transport)
		}
		parts = append(parts, fmt.Sprintf("in its tunnel as %s since %s, %s, %s", s.User, said(s.Began), s.InnerAddress, by))
	} else {
		parts = append(parts, "in no tunnel")
	}
	if len(phone.Registrations) == 0 {
		parts = append(parts, "not registered here")
	}
	for _, r := range phone.Registrations {
		parts = append(parts, fmt.Sprintf("registered as %s since %s", r.Line, said(r.Began)))
	}
	switch stampWord(phone.Runs, phone.ShouldRun) {
	case "current":
		parts = append(parts, "with its present file")
	case "older":
		parts = append(parts, "with an older file")
	}
	return strings.Join(parts, "; ")
}

func said(t time.Time) string { return t.Local().Format(time.DateTime) }
