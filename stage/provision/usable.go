package provision

import (
	"errors"
	"fmt"

	"github.com/longcord/longcord/wire/cnf"
)

// Usable reports what keeps a phone from working with this file, or nil. A phone keeps the file it has
// rather than take one that is not usable.
func Usable(d *cnf.Device) error {
	if d.Protocol != cnf.SIP && d.Protocol != cnf.SCCP {
		return fmt.Errorf("provision: deviceProtocol is %q, neither SIP nor SCCP", d.Protocol)
	}
	for _, manager := range d.Pool.CallManagers {
		if manager.Host != "" {
			return nil
		}
	}
	return errors.New("provision: the file names no call manager")
}
