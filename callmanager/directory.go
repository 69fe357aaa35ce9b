package callmanager

import (
	"cmp"
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
