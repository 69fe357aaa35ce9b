package login

import (
	"fmt"

	"github.com/longcord/longcord/inventory"
)

// Certified is the login of a client whose certificate is all that its tunnel group wants. The user is the
// certificate's common name; a user of the inventory by that name may be locked out of the group.
func Certified(set *inventory.Set, r Request) (Result, error) {
	if err := Admit(set, r.Certificate); err != nil {
		return Result{}, err
	}
	if r.Certificate == nil {
		return Result{}, refused("no certificate")
	}
	result := Result{User: r.Certificate.Subject, Device: r.Certificate.Device}
	if user, ok := set.Users[result.User]; ok {
		if reason := mayUse(set, user, r.TunnelGroup); reason != "" {
			return Result{}, refused(reason)
		}
		result.Devices = user.Devices
	}
	if device, ok := set.DeviceForUser(result.User); ok && result.Device == "" {
		result.Device = device.Name
	}
	return result, nil
}

// Admit refuses a certificate that counts for nothing: a manufacturer's for a phone that nobody has
// declared. None at all is let pass.
func Admit(set *inventory.Set, c *Certificate) error {
	if c == nil || !c.Manufacturer {
		return nil
	}
	if _, ok := set.Devices[c.Device]; !ok {
		return refused(fmt.Sprintf("manufacturer certificate %q, and no such device is declared", c.Subject))
	}
	return nil
}
