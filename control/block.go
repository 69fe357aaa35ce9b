package control

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// PhoneChange is a change to phones before it is made: what to apply, and what an operator should know of it.
type PhoneChange struct {
	Objects []inventory.Object
	Notes   []string
}

// Blocking returns what has to be applied to block a device: the device, and its lines with fresh secrets,
// because whoever holds the phone knows the old ones. Of a device that is blocked already nothing changes.
func Blocking(set *inventory.Set, name string) (PhoneChange, error) {
	device, ok := set.Devices[name]
	if !ok {
		return PhoneChange{}, fmt.Errorf("there is no Device %q", name)
	}
	if device.Blocked {
		return PhoneChange{Objects: []inventory.Object{device}, Notes: []string{name + " is blocked already"}}, nil
	}
	blocked := *device
	blocked.Blocked = true
	plan := PhoneChange{Objects: []inventory.Object{&blocked}, Notes: []string{
		"its sessions and registrations end, it gets no more files, and neither its password nor its certificate opens the VPN to it",
	}}
	for _, number := range device.Lines {
		plan.renew(set, number, name)
	}
	plan.users(set, name)
	return plan, nil
}

// renew gives a line another secret.
func (p *PhoneChange) renew(set *inventory.Set, number, without string) {
	line, ok := set.Lines[number]
	if !ok {
		return
	}
	fresh := *line
	fresh.Secret = secret.New(rand.Text())
	p.Objects = append(p.Objects, &fresh)
	p.Notes = append(p.Notes, fmt.Sprintf("line %s gets another password", number))
	for _, other := range slices.Sorted(maps.Keys(set.Devices)) {
		if other != without && !set.Devices[other].Blocked && slices.Contains(set.Devices[other].Lines, number) {
			p.Notes = append(p.Notes, fmt.Sprintf("%s has line %s, too: it is told to fetch its file, and cannot register that line until it has", other, number))
		}
	}
}

// users names those whose password the phone may remember.
func (p *PhoneChange) users(set *inventory.Set, device string) {
	for _, name := range slices.Sorted(maps.Keys(set.Users)) {
		if slices.Contains(set.Users[name].Devices, device) {
			p.Notes = append(p.Notes, fmt.Sprintf("the phone may remember the password of user %s: give a new one with `longcord users passwd %s --password-stdin`", name, name))
		}
	}
}

// Replacement is a phone that takes the place of another.
type Replacement struct {
	Old, New string
	Model    string // of the new one; empty: that of the old one
	Remove   bool   // the old one is to be deleted, instead of blocked
}

// Change returns what has to be applied so that everything of the old phone is the new one's: lines with fresh
// secrets, description, profile, site, keys, fixed address, and what users and access lists say of it. The
// old phone stays as a blocked device without lines; one that is to be removed can be deleted afterwards.
func (r Replacement) Change(set *inventory.Set) (PhoneChange, error) {
	old, ok := set.Devices[r.Old]
	if !ok {
		return PhoneChange{}, fmt.Errorf("there is no Device %q", r.Old)
	}
	if r.New == r.Old || set.Devices[r.New] != nil {
		return PhoneChange{}, fmt.Errorf("there is a Device %q already: remove it first", r.New)
	}
	taken, left := *old, *old
	taken.Name, taken.Blocked = r.New, false
	left.Blocked, left.Lines, left.Buttons, left.AddOnModules, left.VPNAddress = true, nil, nil, nil, ""
	plan := PhoneChange{Objects: []inventory.Object{&taken, &left}}
	if r.Model != "" && r.Model != old.Model {
		taken.Model = r.Model
		if old.Load != "" {
			taken.Load = ""
			plan.Notes = append(plan.Notes, fmt.Sprintf("load %s is of a %s and stays behind; the new phone keeps its own", old.Load, old.Model))
		}
	}
	for _, number := range old.Lines {
		plan.renew(set, number, r.Old)
	}
	plan.users(set, r.Old)
	plan.rename(set, r.Old, r.New)
	if r.Remove {
		plan.Notes = append(plan.Notes, r.Old+" is deleted; the certificates that it has of this house are revoked")
	} else {
		plan.Notes = append(plan.Notes, r.Old+" stays as a blocked device; delete it with `longcord phones remove "+r.Old+"` when it is destroyed")
	}
	return plan, nil
}

// rename puts the new device in the place of the old one wherever others name it.
func (p *PhoneChange) rename(set *inventory.Set, from, to string) {
	renamed := func(names []string) []string {
		names = slices.Clone(names)
		if i := slices.Index(names, from); i >= 0 {
			names[i] = to
		}
		return names
	}
	for _, name := range slices.Sorted(maps.Keys(set.Users)) {
		user := *set.Users[name]
		if inventory.DeviceInName(name) == from {
			p.Notes = append(p.Notes, fmt.Sprintf("user %s bears the old phone's name: add one for the new phone, and remove it", name))
		}
		if slices.Contains(user.Devices, from) {
			user.Devices = renamed(user.Devices)
			p.Objects = append(p.Objects, &user)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set.AccessLists)) {
		list := *set.AccessLists[name]
		changed := false
		list.Entries = slices.Clone(list.Entries)
		for i, entry := range list.Entries {
			if slices.Contains(entry.Devices, from) {
				list.Entries[i].Devices, changed = renamed(entry.Devices), true
			}
		}
		if changed {
			p.Objects = append(p.Objects, &list)
		}
	}
}
