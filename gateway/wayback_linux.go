package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	probing "github.com/prometheus-community/pro-bing"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
)

// CheckWayBack says what stops the office from answering phones, as far as this machine can tell: whether
// it still forwards, whether something else uses a pool's addresses, and whether the office finds the
// pool. For a routed pool it asks the office's routers, which takes up to two seconds; what cannot be
// proved is a note.
func (r *Routing) CheckWayBack(ctx context.Context) []finding.Finding {
	found := append(r.checkForwarding(), r.checkOverlaps()...)
	for _, pool := range r.config.Pools {
		switch r.wayOf(pool) {
		case answered:
			found = append(found, r.checkProxies(pool.Network)...)
		case translated:
			found = append(found, r.checkTranslation(pool.Network)...)
		case routed:
			found = append(found, judgeRouters(pool.Network, r.via(pool.Network), r.askRouters(ctx, pool.Network))...)
		}
	}
	return found
}

// via is the host's address in the office that a route to a pool leads to.
func (r *Routing) via(pool netip.Prefix) netip.Addr {
	if pool.Addr().Is6() {
		return r.inside6
	}
	return r.config.Inside
}

func (r *Routing) checkForwarding() []finding.Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	f := finding.ForwardingOff.With()
	var fix []string
	for _, s := range r.tuned {
		if !strings.HasSuffix(s.path, "/forwarding") {
			continue
		}
		switch value, err := s.get(); {
		case err != nil:
			f = f.Because(evidenceSource, 0, err.Error())
		case value != s.want:
			f = f.Because(evidenceSource, 0, s.String()+" is "+value)
			fix = append(fix, fmt.Sprintf("run `sysctl -w %s=%s`, and find out what set it to %s", s, s.want, value))
		}
	}
	if len(f.Evidence) == 0 {
		return nil
	}
	if len(fix) > 0 {
		f.Fix = fix
	}
	return []finding.Finding{f}
}

func (r *Routing) checkProxies(pool netip.Prefix) []finding.Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	f := noWayBack(pool, r.via(pool))
	lost, err := r.lostProxies()
	if err != nil {
		f = f.Because(evidenceSource, 0, err.Error())
	}
	for _, address := range lost {
		if pool.Contains(address) {
			f = f.Because(evidenceSource, 0, fmt.Sprintf("%s answers no longer for %s", r.office.Attrs().Name, address))
		}
	}
	if len(f.Evidence) == 0 {
		return nil
	}
	return []finding.Finding{f}
}

func (r *Routing) checkTranslation(pool netip.Prefix) []finding.Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.rules.intact() {
		return nil
	}
	f := noWayBack(pool, r.via(pool)).Because(evidenceSource, 0, "the rules that translate its addresses are gone from the packet filter")
	f.Fix = []string{"find out what flushes the packet filter's rules, and have it leave table longcord alone"}
	return []finding.Finding{f}
}

// checkOverlaps looks for other uses of the pools' addresses.
func (r *Routing) checkOverlaps() []finding.Finding {
	known := r.knownNetworks()
	var found []finding.Finding
	for _, pool := range r.config.Pools {
		found = append(found, judgeOverlaps(pool.Network, known, r.networks)...)
		found = append(found, r.checkStrangers(pool.Network)...)
	}
	return found
}

// knownNetworks are those that the main table has routes to, but for the tunnel's own.
func (r *Routing) knownNetworks() []network {
	routes, err := r.kernel.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		r.log.Debug("routes", logging.Err, err)
	}
	var known []network
	for _, route := range routes {
		if route.Dst == nil || route.LinkIndex == r.tun.Attrs().Index {
			continue
		}
		address, _ := netip.AddrFromSlice(route.Dst.IP)
		bits, _ := route.Dst.Mask.Size()
		n := network{prefix: netip.PrefixFrom(address.Unmap(), bits), ifname: "a route"}
		if link, err := r.kernel.LinkByIndex(route.LinkIndex); err == nil {
			n.ifname = link.Attrs().Name
		}
		if n.prefix.IsValid() && n.prefix.Addr().IsGlobalUnicast() {
			known = append(known, n)
		}
	}
	return known
}

// checkStrangers looks whether a host in the office has been seen to hold an address of a pool.
func (r *Routing) checkStrangers(pool netip.Prefix) []finding.Finding {
	neighbours, err := r.kernel.NeighList(r.office.Attrs().Index, netlink.FAMILY_ALL)
	if err != nil {
		r.log.Debug("neighbours", logging.Err, err)
	}
	var found []finding.Finding
	for _, n := range neighbours {
		address, _ := netip.AddrFromSlice(n.IP)
		const seen = netlink.NUD_REACHABLE | netlink.NUD_STALE | netlink.NUD_DELAY | netlink.NUD_PERMANENT
		if address = address.Unmap(); pool.Contains(address) && n.Flags&netlink.NTF_PROXY == 0 && n.State&seen != 0 {
			f := finding.PoolOverlaps.With(pool, address, r.office.Attrs().Name)
			found = append(found, f.Because(evidenceSource, 0, fmt.Sprintf("%s on %s holds %s", n.HardwareAddr, r.office.Attrs().Name, address)))
		}
	}
	return found
}

// routers are the next hops on the office's interface, and the tunneled one.
func (r *Routing) routers(family int) []netip.Addr {
	routes, err := r.kernel.RouteList(r.office, family)
	if err != nil {
		r.log.Debug("routers not found", logging.Err, err)
	}
	var found []netip.Addr
	add := func(address netip.Addr) {
		if address.IsValid() && !slices.Contains(found, address) {
			found = append(found, address)
		}
	}
	for _, hop := range r.config.Tunneled {
		if hop.Is6() == (family == unix.AF_INET6) {
			add(hop)
		}
	}
	for _, route := range routes {
		address, _ := netip.AddrFromSlice(route.Gw)
		if address = address.Unmap(); address.Is6() && address.IsLinkLocalUnicast() {
			address = address.WithZone(r.office.Attrs().Name)
		}
		add(address)
	}
	return found
}

// askRouters pings every router on the office's interface from both of the gateway's addresses.
func (r *Routing) askRouters(ctx context.Context, pool netip.Prefix) []routerAnswers {
	family := unix.AF_INET
	if pool.Addr().Is6() {
		family = unix.AF_INET6
	}
	own, err := r.poolAddress(pool)
	if err != nil {
		r.log.Debug("routers not asked", logging.Err, err)
		return nil
	}
	var routers []routerAnswers
	for _, address := range r.routers(family) {
		routers = append(routers, routerAnswers{address: address})
	}
	var asking sync.WaitGroup
	for i := range routers {
		router := &routers[i]
		asking.Go(func() { router.inside = r.answers(ctx, r.via(pool), router.address) })
		asking.Go(func() { router.pool = r.answers(ctx, own, router.address) })
	}
	asking.Wait()
	return routers
}

// poolAddress is the host's own address in a pool, which the packet interface holds.
func (r *Routing) poolAddress(pool netip.Prefix) (netip.Addr, error) {
	addresses, err := r.kernel.AddrList(r.tun, netlink.FAMILY_ALL)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addresses {
		if own := prefixOf(a).Addr(); pool.Contains(own) {
			return own, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no address in %s", r.config.TUN, pool)
}

// answers tells whether to answers a ping that comes from from.
func (r *Routing) answers(ctx context.Context, from, to netip.Addr) bool {
	if !from.IsValid() {
		return false
	}
	p := probing.New(to.String())
	p.Source = from.String()
	p.SetPrivileged(true)
	p.Count, p.Interval, p.Timeout = 3, 300*time.Millisecond, 2*time.Second
	if err := p.RunWithContext(ctx); err != nil {
		r.log.Debug("ping not sent", logging.Peer, to, logging.Err, err)
		return false
	}
	return p.Statistics().PacketsRecv > 0
}
