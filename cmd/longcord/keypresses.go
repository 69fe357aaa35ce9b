package main

import (
	"strings"

	"github.com/longcord/longcord/inventory"
)

// keyPresses are how the fields for TFTP servers are reached on a model.
func keyPresses(model string) []string {
	m, known := inventory.ModelByName(model)
	name := strings.TrimPrefix(m.Name, "CP-")
	switch {
	case known && strings.HasPrefix(name, "79"):
		return []string{
			"press the Settings button and choose Network Configuration, there IPv4 Configuration if it is there",
			"press **# to unlock the settings",
			"go to Alternate TFTP and press Yes; then to TFTP Server 1 and 2, press Edit, type the address with * for the dots, press Validate",
			"press Save and wait for the restart",
		}
	case known && strings.HasPrefix(name, "88"):
		return []string{
			"press the Applications button and choose Admin settings, Network setup, Ethernet setup, IPv4 setup",
			"switch Alternate TFTP on; then go to TFTP Server 1 and 2 and type the address with * for the dots",
			"press Apply and wait for the restart",
		}
	}
	return []string{
		"open the phone's network settings, IPv4, and unlock them if need be",
		"set Alternate TFTP to Yes; then set TFTP Server 1 and 2",
		"save and wait for the restart",
	}
}
