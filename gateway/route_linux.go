package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/logging"
)

// Routing makes the host carry packets between the phones' tunnel and the office: it forwards between
// the two interfaces, makes TCP fit the tunnel, and answers in the office's network for addresses of the
// pools that lie in it. It translates addresses of those pools only that ask for it. Close undoes all of
// it, and the next start what a gateway that was killed left.
//
// Reverse-path filters stay as they are, but for a tunneled default route: the pools' routes lead into
// the tunnel, so even the strict filter passes what phones send, and stops what they forge.
type Routing struct {
	config   RoutingConfig
	log      *slog.Logger
	kernel   *netlink.Handle
	tun      netlink.Link
	office   netlink.Link
	networks []netip.Prefix // of the office's interface, both families
	inside6  netip.Addr     // the host's IPv6 address in the office, for route lines; may be none

	mu       sync.Mutex // guards all below
	rules    *netfilter
	tuned    []*sysctl
	tunneled *tunneledRoute
	proxied  map[netip.Addr]bool
	closed   bool // what was undone stays so
}

// OpenRouting sets the host up in the network namespace of the calling thread, after undoing what a
// gateway that was killed left there. It needs CAP_NET_ADMIN. What it changed is changed back when it
// returns an error.
func OpenRouting(config RoutingConfig) (*Routing, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	kernel, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("gateway: routing: netlink: %w", err)
	}
	r := &Routing{config: config, log: logging.Or(config.Log), kernel: kernel, proxied: map[netip.Addr]bool{}}
	if err := r.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("gateway: routing: %w", err), r.Close())
	}
	return r, nil
}

func (r *Routing) open() (err error) {
	if r.tun, err = r.kernel.LinkByName(r.config.TUN); err != nil {
		return fmt.Errorf("interface %q: %w", r.config.TUN, err)
	}
	if err := r.findOffice(); err != nil {
		return err
	}
	if err := r.holdOwn(); err != nil {
		return err
	}
	if err := r.removeProxies(); err != nil {
		return err
	}
	if r.rules, err = openNetfilter(); err != nil {
		return err
	}
	if err := r.openSettings(); err != nil {
		return err
	}
	if err := r.rules.replace(r.filter()); err != nil { // before the first change: it remembers what was
		return err
	}
	for _, s := range r.tuned {
		if err := s.set(); err != nil {
			return err
		}
	}
	r.tunneled, err = openTunneledRoute(r.kernel, r.config.TUN, r.office, r.config.Tunneled)
	return err
}

// findOffice finds the interface that holds the inside address, and its networks.
func (r *Routing) findOffice() error {
	addresses, err := r.kernel.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("addresses: %w", err)
	}
	i := slices.IndexFunc(addresses, func(a netlink.Addr) bool { return prefixOf(a).Addr() == r.config.Inside })
	if i < 0 {
		return fmt.Errorf("no interface holds the inside address %s", r.config.Inside)
	}
	if r.office, err = r.kernel.LinkByIndex(addresses[i].LinkIndex); err != nil {
		return err
	}
	for _, a := range addresses {
		p := prefixOf(a)
		if a.LinkIndex != r.office.Attrs().Index || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		r.networks = append(r.networks, p.Masked())
		if p.Addr().Is6() && !r.inside6.IsValid() {
			r.inside6 = p.Addr()
		}
	}
	return nil
}

// holdOwn gives the packet interface the first address of each pool that it has none of: the gateway is
// reached there by its phones, and asks routers from there. The addresses go with the interface.
func (r *Routing) holdOwn() error {
	for _, pool := range r.config.Pools {
		if _, err := r.poolAddress(pool.Network); err == nil {
			continue
		}
		own := pool.Network.Masked().Addr().Next()
		one := netlink.NewIPNet(own.AsSlice())
		if err := r.kernel.AddrReplace(r.tun, &netlink.Addr{IPNet: one, Flags: unix.IFA_F_NODAD}); err != nil {
			return fmt.Errorf("add %s to %s: %w", own, r.config.TUN, err)
		}
	}
	return nil
}

func prefixOf(a netlink.Addr) netip.Prefix {
	address, _ := netip.AddrFromSlice(a.IP)
	bits, _ := a.Mask.Size()
	return netip.PrefixFrom(address.Unmap(), bits)
}

// wayOf is how the office's answers find a pool.
func (r *Routing) wayOf(pool RoutedPool) way {
	switch {
	case pool.NAT:
		return translated
	case slices.ContainsFunc(r.networks, func(n netip.Prefix) bool { return answersFor(n, pool.Network) }):
		return answered
	}
	return routed
}

func (r *Routing) has(match func(RoutedPool) bool) bool {
	return slices.ContainsFunc(r.config.Pools, match)
}

// poolWith finds the pool that an address is of.
func (r *Routing) poolWith(address netip.Addr) (RoutedPool, bool) {
	for _, pool := range r.config.Pools {
		if pool.Network.Contains(address) {
			return pool, true
		}
	}
	return RoutedPool{}, false
}

// openSettings gives back what a gateway that was killed had changed, and opens every setting of the host
// that routing depends on.
func (r *Routing) openSettings() error {
	memos, err := r.rules.remembered()
	if err != nil {
		return err
	}
	for _, memo := range slices.Backward(memos) {
		if err := giveBack(memo); err != nil {
			return err
		}
	}
	for _, w := range r.wanted() {
		s, err := openSysctl(w.path, w.want)
		if err != nil {
			return err
		}
		r.tuned = append(r.tuned, s)
	}
	return nil
}

// wanted is a setting's path below /proc/sys, and the value that routing needs.
type wanted struct{ path, want string }

func (r *Routing) wanted() []wanted {
	tun, office := r.tun.Attrs().Name, r.office.Attrs().Name
	var all []wanted
	if r.has(func(p RoutedPool) bool { return p.Network.Addr().Is4() }) {
		all = append(all, wanted{forwardingOf("ipv4", tun), "1"}, wanted{forwardingOf("ipv4", office), "1"})
	}
	if r.has(func(p RoutedPool) bool { return p.Network.Addr().Is4() && r.wayOf(p) == answered }) {
		// The kernel answers for others after a random wait of up to 0.8 s, to let a better answer win.
		// There is none for a phone's address, and a call would begin with that silence.
		all = append(all, wanted{"net/ipv4/neigh/" + office + "/proxy_delay", "0"})
	}
	if len(r.config.Tunneled) > 0 && r.strictReversePath() {
		// What comes back from beyond the tunneled default route has the host's own by another interface.
		all = append(all, wanted{"net/ipv4/conf/" + office + "/rp_filter", looseReversePath})
	}
	if r.has(func(p RoutedPool) bool { return p.Network.Addr().Is6() }) {
		all = append(all, r.wanted6()...)
	}
	return all
}

const (
	looseReversePath = "2"
	allForwarding6   = "net/ipv6/conf/all/forwarding"
)

// strictReversePath tells whether the office's interface drops what it would not answer by itself. The
// greater value of the interface's and the one for all counts.
func (r *Routing) strictReversePath() bool {
	strict := false
	for _, name := range []string{"all", r.office.Attrs().Name} {
		switch readSetting("net/ipv4/conf/" + name + "/rp_filter") {
		case looseReversePath:
			return false
		case "1":
			strict = true
		}
	}
	return strict
}

// wanted6 is for IPv6, where forwarding is all interfaces' or none's. A host that forwards ignores router
// advertisements, so those that it had listened to it is told to go on hearing.
func (r *Routing) wanted6() []wanted {
	office := r.office.Attrs().Name
	var all []wanted
	entries, err := os.ReadDir("/proc/sys/net/ipv6/conf")
	if err != nil {
		r.log.Debug("interfaces with IPv6", logging.Err, err)
	}
	for _, e := range entries {
		path := "net/ipv6/conf/" + e.Name() + "/accept_ra"
		if !slices.Contains([]string{"all", "default", "lo", r.config.TUN}, e.Name()) && readSetting(path) == "1" {
			all = append(all, wanted{path, "2"})
		}
	}
	all = append(all, wanted{allForwarding6, "1"}, wanted{forwardingOf("ipv6", r.tun.Attrs().Name), "1"}, wanted{forwardingOf("ipv6", office), "1"})
	if r.has(func(p RoutedPool) bool { return p.Network.Addr().Is6() && r.wayOf(p) == answered }) {
		all = append(all, wanted{"net/ipv6/conf/" + office + "/proxy_ndp", "1"}, wanted{"net/ipv6/neigh/" + office + "/proxy_delay", "0"})
	}
	return all
}

func forwardingOf(family, name string) string {
	return "net/" + family + "/conf/" + name + "/forwarding"
}

// filter is what the packet filter is to do.
func (r *Routing) filter() filterFor {
	f := filterFor{tun: r.config.TUN, office: r.office.Attrs().Name, mtu: r.config.MTU, pools: r.config.Pools}
	for _, s := range r.tuned {
		if s.changed() {
			f.remember = append(f.remember, s.memo())
		}
		if s.path == allForwarding6 {
			f.onlyTunnel6 = s.changed()
		}
	}
	return f
}

// Mend puts back what somebody has taken away since: filter rules, the addresses answered for, which go
// when an interface goes down, and the tunneled default route. The host's settings it leaves as they are
// now: whoever changed those may have a reason, and CheckWayBack tells. It returns what it put back.
func (r *Routing) Mend() (mended []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil
	}
	var errs []error
	if !r.rules.intact() {
		errs = append(errs, r.rules.replace(r.filter()))
		mended = append(mended, "packet filter rules")
	}
	lost, err := r.lostProxies()
	errs = append(errs, err)
	for _, address := range lost {
		errs = append(errs, r.kernel.NeighSet(proxyEntry(r.office.Attrs().Index, address)))
		mended = append(mended, "the answer for "+address.String())
	}
	if back, err := r.tunneled.mend(); back || err != nil {
		errs = append(errs, err)
		mended = append(mended, "tunneled default route")
	}
	return mended, errors.Join(errs...)
}

// Close undoes everything: proxy entries, the tunneled default route, the host's settings as they were
// found, and at last the filter rules, which remember them. It is called once.
func (r *Routing) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var errs []error
	if len(r.proxied) > 0 {
		errs = append(errs, r.removeProxies())
	}
	errs = append(errs, r.tunneled.close())
	for _, s := range slices.Backward(r.tuned) {
		errs = append(errs, s.restore())
	}
	errs = append(errs, r.rules.close())
	r.kernel.Close()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("gateway: routing not undone: %w", err)
	}
	return nil
}
