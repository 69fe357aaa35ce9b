package callmanager

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/register"
)

// directory answers for the inventory what the stages ask, which device has a line among it.
type directory struct {
	set     *inventory.Set
	devices map[string][]string // by line
}

// follow takes up the inventory as it stands now, and reports whether it is another one than before.
func (d *directory) follow(set *inventory.Set) bool {
	if set == d.set {
		return false
	}
	d.set, d.devices = set, map[string][]string{}
	for name, device := range set.Devices {
		if device.Blocked {
			continue
		}
		for _, line := range device.Lines {
			d.devices[line] = append(d.devices[line], name)
		}
	}
	for _, names := range d.devices {
		slices.Sort(names)
	}
	return true
}

func (d *directory) line(number string) (register.Line, bool) {
	line, ok := d.set.Lines[number]
	if !ok {
		return register.Line{}, false
	}
	return register.Line{Number: number, Secret: line.Secret, Devices: d.devices[number]}, true
}

// desk returns what a phone that speaks SCCP has; or why it may not register.
func (d *directory) desk(name string) (register.Desk, *register.Refusal) {
	device := d.set.Devices[name]
	switch {
	case device == nil:
		return register.Desk{}, &register.Refusal{Text: "Unknown device", Why: fmt.Sprintf("there is no Device %q in the inventory", name)}
	case device.Blocked:
		return register.Desk{}, &register.Refusal{Text: "This device is blocked", Why: fmt.Sprintf("device %s is blocked", name)}
	case device.Protocol != inventory.SCCP:
		return register.Desk{}, &register.Refusal{Text: "This device is set up for SIP", Why: fmt.Sprintf("device %s has no protocol: SCCP in the inventory", name)}
	}
	desk := register.Desk{DateTemplate: dateTemplate}
	if site := d.set.Sites[device.Site]; site != nil {
		desk.DateTemplate = cmp.Or(site.DateTemplate, dateTemplate)
	}
	for _, number := range device.Lines {
		if shown, ok := d.name(number); ok {
			desk.Lines = append(desk.Lines, register.DeskLine{Number: number, Name: shown})
		}
	}
	if len(desk.Lines) == 0 {
		return register.Desk{}, &register.Refusal{Text: "This device has no line", Why: fmt.Sprintf("device %s has no line", name)}
	}
	return desk, nil
}

// dateTemplate is for phones whose site has none.
const dateTemplate = "D/M/Y"

// hasDeskLine reports whether a device may register by SCCP, and has a line.
func (d *directory) hasDeskLine(device, number string) bool {
	desk, _ := d.desk(device)
	return slices.ContainsFunc(desk.Lines, func(l register.DeskLine) bool { return l.Number == number })
}

// lines are those of a device, none of a blocked one.
func (d *directory) lines(device string) []string {
	if found, ok := d.set.Devices[device]; ok && !found.Blocked {
		return found.Lines
	}
	return nil
}

// blocked reports whether a device may not be registered.
func (d *directory) blocked(device string) bool {
	found, ok := d.set.Devices[device]
	return ok && found.Blocked
}

// name returns what other phones' displays show for a line.
func (d *directory) name(number string) (string, bool) {
	line, ok := d.set.Lines[number]
	if !ok {
		return "", false
	}
	return cmp.Or(line.DisplayName, number), true
}
