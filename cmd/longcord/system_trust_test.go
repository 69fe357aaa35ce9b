package main

import (
	"net/netip"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

// TestDeviceAt: only in the office is a phone believed that says by itself who it is.
func TestDeviceAt(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	set.AddressPools["phones"] = &inventory.AddressPool{Name: "phones", Network: "10.1.0.128/25"}
	at := deviceAt(
		func(a netip.Addr) (provision.Holder, bool) {
			return provision.Holder{Device: "SEP001122334455"}, a == netip.MustParseAddr("10.1.0.130")
		},
		provision.Access{Office: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")}},
		func() *inventory.Set { return set },
	)
	for address, want := range map[string]struct {
		device   string
		inTunnel bool
	}{
		"10.1.0.20":  {"", false},               // in the office
		"10.1.0.130": {"SEP001122334455", true}, // in its tunnel
		"10.1.0.131": {"", true},                // of the pool, and nobody's now
		"192.0.2.50": {"", true},                // outside
	} {
		if device, inTunnel := at(netip.MustParseAddr(address)); inTunnel != want.inTunnel || inTunnel && device != want.device {
			t.Errorf("%s: %q, %v", address, device, inTunnel)
		}
	}
}
