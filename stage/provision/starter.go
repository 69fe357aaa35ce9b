package provision

import (
	"fmt"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// Starter renders the file with which a phone that was never inside finds its way in: the VPN group, where
// it will fetch and register, and nothing that is secret or says whose phone it is. Through its tunnel the
// phone then fetches its own file. It returns ErrNotFound for a device that is not in the inventory, and an
// error for one that has no VPN.
//
// What goes in is chosen here field by field, so that whatever phones' own files learn to hold stays out.
func (r Renderer) Starter(set *inventory.Set, device string) (File, error) {
	declared, ok := set.Devices[device]
	if !ok {
		return File{}, fmt.Errorf("%w: no device %s", ErrNotFound, device)
	}
	own, err := r.Device(set, declared)
	if err != nil {
		return File{}, fmt.Errorf("provision: starter file of %s: %w", device, err)
	}
	if own.VPN == nil {
		return File{}, fmt.Errorf("provision: starter file of %s: the device has no VPN", device)
	}
	doc := starter(own)
	if err := doc.Stamp(); err != nil {
		return File{}, fmt.Errorf("provision: starter file of %s: %w", device, err)
	}
	content, err := doc.Bytes()
	if err != nil {
		return File{}, fmt.Errorf("provision: starter file of %s: %w", device, err)
	}
	return File{Name: ConfigFile(device), Device: device, VersionStamp: doc.VersionStamp, Content: content}, nil
}

// starter takes over what a starter file holds. A load stays out: nobody at home could serve it, and so do
// the names of further files. No line: a line means a password. That phones take such a file is inferred:
// docs/wire/phone-files.md#first-file-away-from-the-office.
func starter(own *cnf.Device) *cnf.Device {
	doc := &cnf.Device{
		Protocol: own.Protocol, VPN: own.VPN, SecurityMode: notSecured, Transport: own.Transport,
		Pool: cnf.DevicePool{
			DateTemplate: own.Pool.DateTemplate, TimeZone: own.Pool.TimeZone, NTPServers: own.Pool.NTPServers, CallManagers: own.Pool.CallManagers,
		},
		Vendor: vendor(true),
	}
	if p := own.SIPProfile; p != nil {
		doc.SIPProfile = &cnf.SIPProfile{
			Proxies: cnf.SIPProxies{RegisterWithProxy: p.Proxies.RegisterWithProxy}, Stack: p.Stack,
			PreferredCodec: p.PreferredCodec, DTMFPayload: p.DTMFPayload, DTMFOutOfBand: p.DTMFOutOfBand,
			StartMediaPort: p.StartMediaPort, StopMediaPort: p.StopMediaPort, VoIPControlPort: p.VoIPControlPort,
			DSCPForAudio: p.DSCPForAudio,
		}
	}
	return doc
}
