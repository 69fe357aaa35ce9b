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

// follow takes up the inventory as it stands now.
func (d *directory) follow(set *inventory.Set) {
	if set == d.set {
		return
	}
	d.set, d.devices = set, map[string][]string{}
	for name, device := range set.Devices {
		for _, line := range device.Lines {
			d.devices[line] = append(d.devices[line], name)
		}
	}
	for _, names := range d.devices {
		slices.Sort(names)
	}
}

func (d *directory) line(number string) (register.Line, bool) {
	line, ok := d.set.Lines[number]
	if !ok {
		return register.Line{}, false
	}
	return register.Line{Number: number, Secret: line.Secret, Devices: d.devices[number]}, true
}

func (d *directory) lines(device string) []string {
	if found, ok := d.set.Devices[device]; ok {
		return found.Lines
	}
	return nil
}

// name returns what other phones' displays show for a line.
func (d *directory) name(number string) (string, bool) {
	line, ok := d.set.Lines[number]
	if !ok {
		return "", false
	}
	return cmp.Or(line.DisplayName, number), true
}
