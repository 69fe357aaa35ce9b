package rollover

import (
	"encoding/pem"
	"maps"
	"slices"
	"time"

	"github.com/longcord/longcord/inventory"
)

// Loss is a phone that a change would keep out of a gateway, as far as is known.
type Loss struct {
	Device  string    `json:"device"`
	Gateway string    `json:"gateway"`
	Why     string    `json:"why"`
	Seen    time.Time `json:"last_seen,omitzero"`

	certificate string // that it would meet
}

// Phones is what is known of phones, by device.
type Phones map[string]*Held

// Chain returns the certificates of a Certificate object in DER, as the gateway presents them.
func Chain(c *inventory.Certificate) [][]byte {
	if c == nil {
		return nil
	}
	var chain [][]byte
	for block, rest := pem.Decode([]byte(c.Certificate)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			chain = append(chain, block.Bytes)
		}
	}
	return chain
}

// Presented returns the names of the certificates that a gateway presents: the first, and those for old
// phones and for who can verify ECDSA where these are others.
func Presented(g *inventory.VPNGateway) []string {
	if g == nil || len(g.Certificates) == 0 {
		return nil
	}
	names := g.Certificates[:1:1]
	for _, name := range []string{g.LegacyCertificate, g.ECDSACertificate} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// presentedTo returns the names of the certificates that a device may meet at a gateway. What a phone offers
// in its hello is not known: each may be one that verifies ECDSA, and also one that does not.
func presentedTo(g *inventory.VPNGateway, device *inventory.Device) []string {
	if len(g.Certificates) == 0 {
		return nil
	}
	name := g.Certificates[0]
	if model, known := inventory.ModelByName(device.Model); known && model.Legacy && g.LegacyCertificate != "" {
		name = g.LegacyCertificate
	}
	if g.ECDSACertificate != "" {
		return []string{name, g.ECDSACertificate}
	}
	return []string{name}
}

// PhonesOf returns the devices whose files name a gateway, in order.
func PhonesOf(set *inventory.Set, gateway string) []*inventory.Device {
	var all []*inventory.Device
	for _, name := range slices.Sorted(maps.Keys(set.Devices)) {
		vpn, ok := set.VPNSettingsFor(set.Devices[name])
		if ok && slices.ContainsFunc(vpn.Gateways, func(g *inventory.VPNGateway) bool { return g.Name == gateway }) {
			all = append(all, set.Devices[name])
		}
	}
	return all
}

// Lost returns the phones that a change of the inventory would keep out: those that meet another
// certificate than before at a gateway, and are not known to believe it.
func Lost(before, after *inventory.Set, phones Phones) []Loss {
	var all []Loss
	for _, name := range slices.Sorted(maps.Keys(before.VPNGateways)) {
		all = append(all, lostAt(before, after, name, phones)...)
	}
	return all
}

func lostAt(before, after *inventory.Set, gateway string, phones Phones) []Loss {
	now, then := before.VPNGateways[gateway], after.VPNGateways[gateway]
	if then == nil {
		return nil // phones that are sent elsewhere: not a matter of certificates
	}
	var all []Loss
	for _, device := range PhonesOf(before, gateway) {
		if after.Devices[device.Name] == nil {
			continue
		}
		for _, name := range presentedTo(then, device) {
			next := Chain(after.Certificates[name])
			if slices.ContainsFunc(presentedTo(now, device), func(old string) bool {
				return slices.EqualFunc(Chain(before.Certificates[old]), next, slices.Equal)
			}) {
				continue
			}
			if loss, lost := phones.lost(device.Name, gateway, next); lost {
				loss.certificate = name
				all = append(all, loss)
				break
			}
		}
	}
	return all
}

// lost reports whether a device that meets a chain at a gateway would be kept out, and why.
func (p Phones) lost(device, gateway string, chain [][]byte) (Loss, bool) {
	held := p[device]
	if held.New() || held.Believes(chain) {
		return Loss{}, false
	}
	loss := Loss{Device: device, Gateway: gateway, Seen: held.Seen}
	loss.Why = held.why(chain)
	return loss, true
}

// why says what is missing for a chain to be believed.
func (h *Held) why(chain [][]byte) string {
	if len(h.Later) == 0 && h.Proven == nil {
		return "which file it holds is not known: it has fetched none from here yet"
	}
	if len(h.Later) == 0 || !h.Later[len(h.Later)-1].has(chain) {
		return "the file it holds is without the hash"
	}
	switch last := h.Later[len(h.Later)-1]; {
	case !h.elsewhere:
		return "it has fetched a file with the hash, and has not registered since"
	case last.Other:
		return "a file with the hash was delivered, unproven: " + last.To.String() + " has another MAC address than the phone"
	default:
		return "a file with the hash was delivered, unproven: " + last.To.String() + " is behind a router, and anybody there may have fetched it"
	}
}
