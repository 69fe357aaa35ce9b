// Package impact says what a change of the inventory does to phones, before it is made: which sessions
// end, which phones would not come back, whose file changes and where.
//
// Of is a pure function of the inventory before and after and of what is known of the phones now. It
// judges phones by the file that they hold, not by the one that they would get: who is kept out never gets
// the new one.
package impact

import (
	"maps"
	"slices"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// Session is a session that lives.
type Session struct {
	Device, User, TunnelGroup string
}

// Registration is a line that a phone has registered.
type Registration struct {
	Device, Line string
}

// Facts are what is known of the phones now.
type Facts struct {
	Sessions      []Session
	Registrations []Registration
	// File makes the file of a device. Required.
	File func(*inventory.Set, *inventory.Device) (*cnf.Device, error)
	// KeptOut are devices that are known not to believe the certificate that they would meet after the
	// change, with the reason, by what they have shown to hold. May be nil.
	KeptOut map[string]string
	// Fetched returns the stamp of the file that a device fetched last, and when; empty: not known. May be
	// nil.
	Fetched func(device string) (stamp string, at time.Time)
}

// Effect is the gravest thing that happens to a phone.
type Effect string

// The effects, from the gravest on.
const (
	Lost        Effect = "lost"         // it cannot connect any more, and somebody has to go there
	Removed     Effect = "removed"      // it is meant to go: deleted or blocked
	Disconnects Effect = "disconnects"  // its session ends; it can connect again
	NewPassword Effect = "new-password" // its user has to type another password at the next login
	Unregisters Effect = "unregisters"  // its session stays; a line of it cannot register any more
	NewFile     Effect = "new-file"     // its file changes, which it takes at its next restart
	New         Effect = "new"          // it is not known yet
)

// Effects returns all of them, from the gravest on.
func Effects() []Effect {
	return []Effect{Lost, Removed, Disconnects, NewPassword, Unregisters, NewFile, New}
}

// Touched is what happens to one phone.
type Touched struct {
	Device    string   `json:"device"`
	Effect    Effect   `json:"effect"`
	Why       []string `json:"why"`        // one reason each
	Fix       []string `json:"fix"`        // what to do first, where that helps
	InSession bool     `json:"in_session"` // it is at home now
	File      []string `json:"file"`       // elements of its file that change
}

// Of returns the phones that a change touches, the gravest first and by name within an effect.
func Of(before, after *inventory.Set, facts Facts) []Touched {
	j := judge{before: before, after: after, facts: facts}
	names := slices.Collect(maps.Keys(before.Devices))
	for name := range after.Devices {
		if before.Devices[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var phones []Touched
	for _, name := range names {
		if p := j.phone(name); p.Effect != "" {
			phones = append(phones, p)
		}
	}
	phones = append(phones, j.others()...)
	slices.SortStableFunc(phones, func(a, b Touched) int { return rank(a.Effect) - rank(b.Effect) })
	return phones
}

func rank(e Effect) int { return slices.Index(Effects(), e) }

type judge struct {
	before, after *inventory.Set
	facts         Facts
}

// phone judges one device.
func (j judge) phone(name string) Touched {
	p := Touched{Device: name, Why: []string{}, Fix: []string{}, File: []string{}}
	was, will := j.before.Devices[name], j.after.Devices[name]
	if was == nil {
		p.raise(New, "it is not known yet")
		return p
	}
	p.File = append(p.File, j.fileChanges(was, will)...)
	j.sessions(&p)
	switch {
	case will == nil:
		p.raise(Removed, "it is deleted")
		return p
	case will.Blocked && !was.Blocked:
		p.raise(Removed, "it is blocked")
		return p
	}
	j.back(&p, was, will)
	j.registrations(&p)
	if len(p.File) > 0 {
		p.raise(NewFile, "")
	}
	return p
}

// raise adds a reason, and makes an effect the phone's when it is the gravest so far.
func (p *Touched) raise(e Effect, why string, fix ...string) {
	if why != "" && !slices.Contains(p.Why, why) {
		p.Why = append(p.Why, why)
	}
	for _, f := range fix {
		if f != "" && !slices.Contains(p.Fix, f) {
			p.Fix = append(p.Fix, f)
		}
	}
	if p.Effect == "" || rank(e) < rank(p.Effect) {
		p.Effect = e
	}
}

// sessions looks for sessions of the phone that the gateway would end.
func (j judge) sessions(p *Touched) {
	for _, s := range j.facts.Sessions {
		if s.Device != p.Device {
			continue
		}
		p.InSession = true
		if why := j.ends(s); why != "" {
			p.raise(Disconnects, why)
		}
	}
}

func (j judge) ends(s Session) string {
	return j.after.Unwelcome(inventory.Member{
		User: s.User, Device: s.Device, TunnelGroup: s.TunnelGroup,
		UserDeclared: j.before.Users[s.User] != nil, DeviceDeclared: j.before.Devices[s.Device] != nil,
	})
}

// others are sessions of no phone that is declared, by their users.
func (j judge) others() (all []Touched) {
	for _, s := range j.facts.Sessions {
		if j.before.Devices[s.Device] != nil {
			continue
		}
		if why := j.ends(s); why != "" {
			name := s.Device
			if name == "" {
				name = "user " + s.User
			}
			p := Touched{Device: name, InSession: true, Why: []string{}, Fix: []string{}, File: []string{}}
			p.raise(Disconnects, why)
			all = append(all, p)
		}
	}
	return all
}

// registrations looks for lines that the phone has registered and could not register again.
func (j judge) registrations(p *Touched) {
	for _, r := range j.facts.Registrations {
		if r.Device != p.Device {
			continue
		}
		was, will := j.before.Lines[r.Line], j.after.Lines[r.Line]
		switch {
		case was == nil:
		case will == nil:
			p.raise(Unregisters, "line "+r.Line+" is deleted")
		case was.Secret != will.Secret:
			p.raise(Unregisters, "line "+r.Line+" has another secret, which the phone gets with its next file")
		case !slices.Contains(j.after.Devices[p.Device].Lines, r.Line):
			p.raise(Unregisters, "line "+r.Line+" is not its own any more")
		}
	}
}
