package provisioner

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// thisMachine is what stands for a MAC address where this machine asks itself: that of its loopback.
const thisMachine = "000000000000"

// neighbour returns the MAC address of who has an address on a network of this machine, as device names spell it,
// by the kernel's table of neighbours: who has been talked to just now is in it. It is empty where the address is
// behind a router.
func neighbour(address netip.Addr) (mac string, err error) {
	own, err := netlink.AddrList(nil, unix.AF_INET)
	if err != nil {
		return "", err
	}
	is := address.Unmap().AsSlice()
	if slices.ContainsFunc(own, func(a netlink.Addr) bool { return a.IP.Equal(is) }) || address.IsLoopback() {
		return thisMachine, nil
	}
	table, err := netlink.NeighList(0, unix.AF_INET)
	if err != nil {
		return "", err
	}
	for _, n := range table {
		if n.IP.Equal(is) && len(n.HardwareAddr) == 6 && n.State&(unix.NUD_INCOMPLETE|unix.NUD_FAILED|unix.NUD_NOARP) == 0 {
			return strings.ToUpper(hex.EncodeToString(n.HardwareAddr)), nil
		}
	}
	return "", nil
}
