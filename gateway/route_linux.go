package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	probing "github.com/prometheus-community/pro-bing"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
)

// Routing makes the host carry packets between the phones' tunnel and the office: it forwards between
// the two interfaces and no others, makes TCP fit the tunnel, and answers in the office's network for
// addresses of the pool that lie in it. It never translates addresses. Close undoes all of it.
//
// Reverse-path filters stay as they are: the pool's route leads into the tunnel, so even the strict
// filter passes what phones send, and stops what they forge.
type Routing struct {
	config RoutingConfig
	log    *slog.Logger
	kernel *netlink.Handle
	tun    netlink.Link
	office netlink.Link
	onLink bool // the pool is a part of the office's network
	rules  *netfilter
	tuned  []*sysctl

	mu      sync.Mutex
	proxied map[netip.Addr]bool
}

// OpenRouting sets the host up in the network namespace of the calling thread, after removing what a
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
	var network netip.Prefix
	if r.office, network, err = r.holder(r.config.Inside); err != nil {
		return err
	}
	r.onLink = answersFor(network, r.config.Pool)
	if err := r.removeProxies(); err != nil {
		return err
	}
	for _, name := range []string{r.tun.Attrs().Name, r.office.Attrs().Name} {
		if err := r.tune(forwardingOf(name), "1"); err != nil {
			return err
		}
	}
	if r.onLink {
		// The kernel answers for others after a random wait of up to 0.8 s, to let a better answer win.
		// There is none for a phone's address, and a call would begin with that silence.
		if err := r.tune("net/ipv4/neigh/"+r.office.Attrs().Name+"/proxy_delay", "0"); err != nil {
			return err
		}
	}
	r.rules, err = openNetfilter(r.config.TUN, segmentSize(r.config.MTU))
	return err
}

func forwardingOf(name string) string { return "net/ipv4/conf/" + name + "/forwarding" }

func (r *Routing) tune(path, value string) error {
	s, err := openSysctl(path)
	if err != nil {
		return err
	}
	r.tuned = append(r.tuned, s)
	return s.set(value)
}

// holder finds the interface that holds an address, and the network it is in there.
func (r *Routing) holder(address netip.Addr) (netlink.Link, netip.Prefix, error) {
	addresses, err := r.kernel.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, netip.Prefix{}, fmt.Errorf("addresses: %w", err)
	}
	for _, a := range addresses {
		bits, _ := a.Mask.Size()
		if held, ok := netip.AddrFromSlice(a.IP.To4()); ok && held == address {
			link, err := r.kernel.LinkByIndex(a.LinkIndex)
			return link, netip.PrefixFrom(held, bits).Masked(), err
		}
	}
	return nil, netip.Prefix{}, fmt.Errorf("no interface holds the inside address %s", address)
}

// AddProxy makes the gateway answer in the office's network for a phone's address. It does nothing when
// the pool is not a part of that network, as then a route leads to it.
func (r *Routing) AddProxy(address netip.Addr) error {
	if !r.config.Pool.Contains(address) {
		return fmt.Errorf("gateway: %s is not in the pool %s", address, r.config.Pool)
	}
	if !r.onLink {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.kernel.NeighSet(proxyEntry(r.office.Attrs().Index, address)); err != nil {
		return fmt.Errorf("gateway: proxy ARP for %s on %s: %w", address, r.office.Attrs().Name, err)
	}
	r.proxied[address] = true
	return nil
}

// RemoveProxy ends what AddProxy began. An address that is not answered for is no error.
func (r *Routing) RemoveProxy(address netip.Addr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.proxied[address] {
		return nil
	}
	delete(r.proxied, address)
	err := r.kernel.NeighDel(proxyEntry(r.office.Attrs().Index, address))
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("gateway: proxy ARP for %s on %s: %w", address, r.office.Attrs().Name, err)
	}
	return nil
}

func proxyEntry(link int, address netip.Addr) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: link, Family: netlink.FAMILY_V4, Flags: netlink.NTF_PROXY, IP: address.AsSlice()}
}

// removeProxies removes every entry for the pool, on whichever interface: nobody but a gateway has a
// reason to answer for these addresses.
func (r *Routing) removeProxies() error {
	entries, err := r.proxies()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := r.kernel.NeighDel(proxyEntry(e.link, e.address)); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("proxy ARP for %s: %w", e.address, err)
		}
	}
	return nil
}

type proxy struct {
	link    int
	address netip.Addr
}

// proxies lists the entries that the kernel has for the pool.
func (r *Routing) proxies() ([]proxy, error) {
	entries, err := r.kernel.NeighProxyList(0, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("proxy ARP entries: %w", err)
	}
	var found []proxy
	for _, e := range entries {
		if address, ok := netip.AddrFromSlice(e.IP.To4()); ok && r.config.Pool.Contains(address) {
			found = append(found, proxy{link: e.LinkIndex, address: address})
		}
	}
	return found, nil
}

// CheckWayBack says what stops the office from answering phones, as far as this machine can tell: whether
// it still forwards, and whether the office finds the pool. For a routed pool it asks the office's
// routers, which takes up to two seconds; what cannot be proved is a note.
func (r *Routing) CheckWayBack(ctx context.Context) []finding.Finding {
	found := r.checkForwarding()
	if r.onLink {
		return append(found, r.checkProxies()...)
	}
	return append(found, judgeRouters(r.config.Pool, r.config.Inside, r.askRouters(ctx))...)
}

func (r *Routing) checkForwarding() []finding.Finding {
	f := finding.ForwardingOff.With()
	for _, s := range r.tuned {
		if s.path != forwardingOf(r.tun.Attrs().Name) && s.path != forwardingOf(r.office.Attrs().Name) {
			continue
		}
		switch value, err := s.get(); {
		case err != nil:
			f = f.Because(evidenceSource, 0, err.Error())
		case value != "1":
			f = f.Because(evidenceSource, 0, s.String()+" is "+value)
		}
	}
	if len(f.Evidence) == 0 {
		return nil
	}
	return []finding.Finding{f}
}

func (r *Routing) checkProxies() []finding.Finding {
	// The list is read under the lock, so that no session comes or goes between it and the comparison.
	r.mu.Lock()
	defer r.mu.Unlock()
	f := noWayBack(r.config.Pool, r.config.Inside)
	entries, err := r.proxies()
	if err != nil {
		f = f.Because(evidenceSource, 0, err.Error())
	}
	for address := range r.proxied {
		if err == nil && !slices.Contains(entries, proxy{link: r.office.Attrs().Index, address: address}) {
			f = f.Because(evidenceSource, 0, fmt.Sprintf("%s has lost its proxy ARP entry for %s", r.office.Attrs().Name, address))
		}
	}
	if len(f.Evidence) == 0 {
		return nil
	}
	return []finding.Finding{f}
}

// askRouters pings every router on the office's interface from both of the gateway's addresses.
func (r *Routing) askRouters(ctx context.Context) []routerAnswers {
	routes, err := r.kernel.RouteList(r.office, netlink.FAMILY_V4)
	if err != nil {
		r.log.Debug("routers not found", logging.Err, err)
		return nil
	}
	var routers []routerAnswers
	for _, route := range routes {
		address, ok := netip.AddrFromSlice(route.Gw.To4())
		known := slices.ContainsFunc(routers, func(a routerAnswers) bool { return a.address == address })
		if ok && !known {
			routers = append(routers, routerAnswers{address: address})
		}
	}
	own, err := r.poolAddress()
	if err != nil {
		r.log.Debug("routers not asked", logging.Err, err)
		return nil
	}
	var asking sync.WaitGroup
	for i := range routers {
		router := &routers[i]
		asking.Go(func() { router.inside = r.answers(ctx, r.config.Inside, router.address) })
		asking.Go(func() { router.pool = r.answers(ctx, own, router.address) })
	}
	asking.Wait()
	return routers
}

// poolAddress is the host's own address in the pool, which the packet interface holds.
func (r *Routing) poolAddress() (netip.Addr, error) {
	addresses, err := r.kernel.AddrList(r.tun, netlink.FAMILY_V4)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addresses {
		if own, ok := netip.AddrFromSlice(a.IP.To4()); ok && r.config.Pool.Contains(own) {
			return own, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no address in %s", r.config.TUN, r.config.Pool)
}

// answers tells whether to answers a ping that comes from from.
func (r *Routing) answers(ctx context.Context, from, to netip.Addr) bool {
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

// Close undoes everything: proxy ARP, filter rules, and the host's settings as they were found. It is
// called once.
func (r *Routing) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	if len(r.proxied) > 0 {
		errs = append(errs, r.removeProxies())
	}
	errs = append(errs, r.rules.close())
	for _, s := range slices.Backward(r.tuned) {
		errs = append(errs, s.restore())
	}
	r.kernel.Close()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("gateway: routing not undone: %w", err)
	}
	return nil
}
