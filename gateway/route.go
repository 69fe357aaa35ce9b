package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/longcord/longcord/finding"
)

// RoutingConfig says between which networks the host is to carry packets.
type RoutingConfig struct {
	TUN    string       // name of the gateway's own packet interface, which exists and is up
	Pools  []RoutedPool // the phones' inner networks
	Inside netip.Addr   // the host's IPv4 address in the office; its interface must exist
	MTU    int          // bytes of an inner packet; TCP segments through TUN are made to fit

	// Next hops in the office, one of a family at most, for what came out of a tunnel and has no better
	// route than a default one: what the ASA calls "route inside 0 0 ADDRESS tunneled". The host's own
	// default route stays what it is.
	Tunneled []netip.Addr

	Log *slog.Logger // nil discards
}

// RoutedPool is one of the phones' inner networks. The host has its route to TUN.
type RoutedPool struct {
	Network netip.Prefix
	NAT     bool // what leaves it for the office takes the address of the host's interface there
}

func (c RoutingConfig) validate() error {
	switch {
	case c.TUN == "":
		return fmt.Errorf("gateway: routing without the name of a packet interface")
	case len(c.Pools) == 0:
		return fmt.Errorf("gateway: routing without a pool")
	case !c.Inside.Is4():
		return fmt.Errorf("gateway: inside address %s is not IPv4", c.Inside)
	case c.MTU < minMTU || c.MTU > maxMTU:
		return fmt.Errorf("gateway: inner packets of %d bytes, expected %d to %d", c.MTU, minMTU, maxMTU)
	}
	for _, pool := range c.Pools {
		if !pool.Network.IsValid() {
			return fmt.Errorf("gateway: pool %s is not a network", pool.Network)
		}
	}
	seen := map[bool]bool{}
	for _, hop := range c.Tunneled {
		if !hop.IsValid() || seen[hop.Is4()] {
			return fmt.Errorf("gateway: tunneled default route: %s is not the one next hop of its family", hop)
		}
		seen[hop.Is4()] = true
	}
	return nil
}

const (
	minMTU = 576 // every IPv4 host takes this much, RFC 791 section 3.1
	maxMTU = 65535
)

// way is how the office's answers find a pool.
type way int

const (
	routed     way = iota // routers lead them here
	answered              // hosts ask for the phone's address on their own network, and the gateway answers
	translated            // they go to the host's own address
)

// answersFor tells whether a pool is a part of the office's own network, so that hosts there ask for its
// addresses by ARP or neighbour discovery instead of sending to a router.
func answersFor(office, pool netip.Prefix) bool {
	return office.Bits() <= pool.Bits() && office.Contains(pool.Addr())
}

// RouteLines returns the commands that lead the pool to the gateway at via: for a Linux host, an IOS
// router and an ASA, in this order. The ASA's assumes that its interface to the office is named inside.
func RouteLines(pool netip.Prefix, via netip.Addr) []string {
	pool = pool.Masked()
	if pool.Addr().Is6() {
		return []string{
			fmt.Sprintf("ip -6 route add %s via %s", pool, via),
			fmt.Sprintf("ipv6 route %s %s", pool, via),
			fmt.Sprintf("ipv6 route inside %s %s", pool, via),
		}
	}
	mask := net.IP(net.CIDRMask(pool.Bits(), pool.Addr().BitLen()))
	return []string{
		fmt.Sprintf("ip route add %s via %s", pool, via),
		fmt.Sprintf("ip route %s %s %s", pool.Addr(), mask, via),
		fmt.Sprintf("route inside %s %s %s 1", pool.Addr(), mask, via),
	}
}

// noWayBack is the finding that hosts of the office cannot answer phones, with what to type against it.
func noWayBack(pool netip.Prefix, via netip.Addr) finding.Finding {
	if !via.IsValid() { // only IPv6's may be missing
		f := finding.NoRouteToPool.With(pool.Masked(), "the gateway's IPv6 address in the office")
		f.Fix = append([]string{"give the gateway's inside interface an IPv6 address of the office's network, and start it anew; it has none that routers could send to"}, f.Fix...)
		return f
	}
	f := finding.NoRouteToPool.With(pool.Masked(), via)
	for i, system := range []string{"Linux", "IOS", "the ASA"} {
		f.Fix = append(f.Fix, fmt.Sprintf("on %s: `%s`", system, RouteLines(pool, via)[i]))
	}
	return f
}

// judgeRouters turns what the office's routers answered into findings. Each router was pinged twice: from
// the gateway's inside address and from its address in the pool. One that answers only the first knows no
// way back; one that answers none may just not answer pings.
func judgeRouters(pool netip.Prefix, via netip.Addr, routers []routerAnswers) []finding.Finding {
	if len(routers) == 0 {
		f := noWayBack(pool, via).Because(evidenceSource, 0, "the office's interface has no router that could be asked; whether its hosts have the route shows only when a phone calls one")
		f.Severity, f.Certainty = finding.Note, finding.Possible
		return []finding.Finding{f}
	}
	var found []finding.Finding
	for _, router := range routers {
		switch {
		case router.pool:
		case router.inside:
			f := noWayBack(pool, via).Because(evidenceSource, 0, fmt.Sprintf("router %s answers a ping from %s, and none from an address of the pool", router.address, via))
			f.Certainty = finding.Likely
			found = append(found, f)
		default:
			f := noWayBack(pool, via).Because(evidenceSource, 0, fmt.Sprintf("router %s answers no ping at all, so its routes cannot be told", router.address))
			f.Severity, f.Certainty = finding.Note, finding.Possible
			found = append(found, f)
		}
	}
	return found
}

const evidenceSource = "gateway"

// routerAnswers says from which of the gateway's addresses a router answers a ping.
type routerAnswers struct {
	address      netip.Addr
	inside, pool bool
}

// network is one that this machine knows a way to.
type network struct {
	prefix netip.Prefix
	ifname string
}

// judgeOverlaps looks for networks that a pool takes addresses from. In the office's own networks a pool
// may lie, as a part of them.
func judgeOverlaps(pool netip.Prefix, known []network, office []netip.Prefix) []finding.Finding {
	for _, n := range office {
		if answersFor(n, pool) && n.Bits() < pool.Bits() {
			return nil
		}
	}
	var found []finding.Finding
	for _, n := range known {
		if n.prefix.Bits() > 0 && n.prefix.Overlaps(pool) {
			f := finding.PoolOverlaps.With(pool, n.prefix, n.ifname)
			found = append(found, f.Because(evidenceSource, 0, fmt.Sprintf("this machine reaches %s by %s", n.prefix, n.ifname)))
		}
	}
	return found
}
