package provisioner

import (
	"errors"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ownLabel marks an address that a run of this program gave to the machine, so that the next one takes it back
// even after a kill.
const ownLabel = "lo:longcord"

// holdAddress sees to it that the machine has an address, and returns what takes it away again if it was not there
// before.
func holdAddress(address netip.Addr) (release func() error, err error) {
	nothing := func() error { return nil }
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, err
	}
	present, err := netlink.AddrList(nil, unix.AF_INET)
	if err != nil {
		return nil, err
	}
	ours := &netlink.Addr{IPNet: &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(32, 32)}, Label: ownLabel}
	for _, there := range present {
		if there.IP.Equal(ours.IP) && there.Label != ownLabel {
			return nothing, nil
		}
	}
	if err := netlink.AddrAdd(loopback, ours); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, err
	}
	return func() error {
		if err := netlink.AddrDel(loopback, ours); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return err
		}
		return nil
	}, nil
}
