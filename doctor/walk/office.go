package walk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/wire/cnf"
)

const (
	registerTime = 20 * time.Second
	ringTime     = 30 * time.Second
	talkTime     = 8 * time.Second // two reports of the other side
)

// inOffice lives the rest where the servers are reached without a tunnel.
func (w *walker) inOffice(ctx context.Context, at phone.Spot, from string, file *cnf.Device) error {
	for _, m := range file.Pool.CallManagers {
		w.callManager(ctx, at, from, file, m)
	}
	w.trustServers(ctx, at, from, file)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return w.lineIn(ctx, at, from, file)
}

// lineIn registers the phone's first line, and calls.
func (w *walker) lineIn(ctx context.Context, at phone.Spot, from string, file *cnf.Device) error {
	switch {
	case len(file.Pool.CallManagers) == 0:
		w.say("register: there is no file that names a call manager; not tried")
		return nil
	case w.o.NoLogin != "":
		w.say("register: not tried: " + w.o.NoLogin)
		return nil
	}
	line, err := w.register(ctx, at, from, file)
	if err != nil || line == nil {
		return err
	}
	defer line.Close()
	switch {
	case w.o.Call == "":
		return nil
	case file.Protocol == cnf.SCCP:
		w.say("call: not tried: this phone carries no calls by SCCP")
		return nil
	}
	return w.call(ctx, line, from)
}

// register returns no line where another is registered, and keeps it.
func (w *walker) register(ctx context.Context, at phone.Spot, from string, file *cnf.Device) (*phone.Line, error) {
	limited, cancel := context.WithTimeout(ctx, registerTime)
	defer cancel()
	line, err := at.Register(limited, file, w.o.TakeOver)
	if ctx.Err() != nil {
		if err == nil {
			line.Close()
		}
		return nil, ctx.Err()
	}
	if err == nil {
		w.tell(line.Manager, fact.WalkRegister, "registers line "+line.Number+where(from),
			"line", line.Number, "manager", line.Manager, "from", from, "outcome", "in")
		w.passed(stage.Register, line.Number+" at "+line.Manager)
		return line, nil
	}
	manager := file.Pool.CallManagers[0].Host
	var occupied *phone.Occupied
	if errors.As(err, &occupied) {
		w.tell(manager, fact.WalkRegister, fmt.Sprintf("says%s that %s is registered from %s; it was left there, and would be replaced with --take-over",
			where(from), occupied.Line, strings.Join(occupied.Contacts, ", ")),
			"line", occupied.Line, "manager", manager, "from", from, "outcome", "occupied", "reason", strings.Join(occupied.Contacts, ", "))
		return nil, nil
	}
	outcome, number, why := "none", w.firstLine(file), plain(err)
	if f, ok := phone.FindingOf(err); ok {
		switch f.Code {
		case finding.RegistrationRefused.Code:
			outcome = "refused"
		case finding.RegistrationTLS.Code:
			outcome = "tls"
		default:
			outcome = "silent"
		}
		if len(f.Evidence) > 0 {
			why = f.Evidence[0].Text
		}
	}
	w.tell(manager, fact.WalkRegister, fmt.Sprintf("does not register line %s%s: %s", number, where(from), why),
		"line", number, "manager", manager, "from", from, "outcome", outcome, "reason", why)
	return nil, w.broken(stage.Register, "line "+number+" is not registered")
}

// firstLine names what is registered: by SCCP the device, whose lines stand in no file.
func (w *walker) firstLine(file *cnf.Device) string {
	if file.SIPProfile == nil {
		return w.o.Device
	}
	for _, l := range file.SIPProfile.Lines {
		if l.FeatureID == cnf.FeatureLine && l.Name != "" {
			return l.Name
		}
	}
	return ""
}

func (w *walker) call(ctx context.Context, line *phone.Line, from string) error {
	limited, cancel := context.WithTimeout(ctx, ringTime+talkTime)
	defer cancel()
	heard, err := line.Call(limited, w.o.Call, talkTime)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		why := plain(err)
		if errors.Is(err, context.DeadlineExceeded) {
			why = "nobody answers"
		}
		w.tell(line.Manager, fact.WalkCall, fmt.Sprintf("no call to %s%s: %s", w.o.Call, where(from), why),
			"number", w.o.Call, "from", from, "outcome", "refused", "reason", why)
		return w.broken(stage.Call, "the call to "+w.o.Call+" did not come about")
	}
	text := fmt.Sprintf("talked to %s%s: %d packets sent to %s, %d received at %s, %d lost, %d reports of the other side, %d of them about our sound",
		w.o.Call, where(from), heard.Sent, heard.Remote, heard.Received, heard.Local, heard.Lost, heard.Reports, heard.Heard)
	if heard.Received == 0 && heard.Reports > 0 {
		text += fmt.Sprintf("; it says that it has sent %d packets", heard.Told)
	}
	w.tell(line.Manager, fact.WalkCall, text,
		"number", w.o.Call, "line", line.Number, "from", from, "outcome", "talked", "sent", strconv.Itoa(heard.Sent), "received", strconv.Itoa(heard.Received),
		"lost", strconv.Itoa(heard.Lost), "reports", strconv.Itoa(heard.Reports), "heard", strconv.Itoa(heard.Heard), "told", strconv.Itoa(heard.Told),
		"remote", heard.Remote.String(), "local", heard.Local.String())
	if heard.Received == 0 {
		return w.broken(stage.Call, "nothing is heard of "+w.o.Call)
	}
	w.passed(stage.Call, "talked to "+w.o.Call)
	return nil
}
