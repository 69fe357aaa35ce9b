package provisioner

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// thisMachine is what stands for a MAC address where this machine asks itself: that of its loopback.
const thisMachine = "000000000000"

// neighbour returns the MAC address of who has an address on a network of this machine, as device names spell it,
// by the kernel's table of neighbours: who has been talked to just now is in it. It is empty where the address is
// behind a router. The kernel is asked for the one address, since the table may have thousands.
func neighbour(address netip.Addr) (mac string, err error) {
	is := address.Unmap().AsSlice()
	routes, err := netlink.RouteGet(is)
	if err != nil || len(routes) == 0 {
		return "", fmt.Errorf("provisioner: way to %s: %w", address, err)
	}
	switch way := routes[0]; {
	case way.Type == unix.RTN_LOCAL:
		return thisMachine, nil
	case way.Gw != nil || way.Via != nil:
		return "", nil
	default:
		return neighbourOn(way.LinkIndex, is)
	}
}

func neighbourOn(link int, address []byte) (mac string, err error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETNEIGH, 0)
	request.AddData(&netlink.Ndmsg{Family: uint8(nl.GetIPFamily(address)), Index: uint32(link)})
	request.AddData(nl.NewRtAttr(unix.NDA_DST, address))
	answers, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWNEIGH)
	if errors.Is(err, unix.ENOENT) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("provisioner: neighbour: %w", err)
	}
	for _, answer := range answers {
		n, err := netlink.NeighDeserialize(answer)
		if err == nil && len(n.HardwareAddr) == 6 && n.State&(unix.NUD_INCOMPLETE|unix.NUD_FAILED|unix.NUD_NOARP) == 0 {
			return strings.ToUpper(hex.EncodeToString(n.HardwareAddr)), nil
		}
	}
	return "", nil
}
