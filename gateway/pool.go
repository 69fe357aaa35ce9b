package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/longcord/longcord/inventory"
)

// poolOf returns the network of the one address pool that the tunnel groups name.
func poolOf(set *inventory.Set) (netip.Prefix, error) {
	var named string
	for _, group := range set.TunnelGroups {
		switch {
		case named == "":
			named = group.AddressPool
		case named != group.AddressPool:
			return netip.Prefix{}, fmt.Errorf("tunnel groups name the address pools %q and %q; one pool is served so far", named, group.AddressPool)
		}
	}
	network, ok := set.PoolPrefix(named)
	if !ok {
		return netip.Prefix{}, errors.New("no tunnel group names an address pool")
	}
	return network, nil
}

// pool gives out the addresses of one inner network. The network address, the broadcast address and the
// first host address (the gateway's own, on its TUN) are never given out.
type pool struct {
	network netip.Prefix

	mu   sync.Mutex
	held map[netip.Addr]string // address to owner
	last map[string]netip.Addr // owner to the address it had last, so that it gets it again
	next netip.Addr            // where the search for a fresh address goes on
}

func newPool(network netip.Prefix) *pool {
	network = network.Masked()
	return &pool{
		network: network,
		held:    map[netip.Addr]string{},
		last:    map[string]netip.Addr{},
		next:    network.Addr().Next().Next(),
	}
}

// own is the gateway's address in the pool's network.
func (p *pool) own() netip.Addr { return p.network.Addr().Next() }

// usable reports whether addr may be given to a session.
func (p *pool) usable(addr netip.Addr) bool {
	return p.network.Contains(addr) && addr != p.network.Addr() && addr != p.own() && p.network.Contains(addr.Next())
}

// take gives owner an address: the one it had last when that is free, else one that nobody was given
// yet, else any free one. It reports false when the pool is exhausted.
func (p *pool) take(owner string) (netip.Addr, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if addr, ok := p.last[owner]; ok && p.held[addr] == "" {
		return p.hold(addr, owner), true
	}
	reserved := make(map[netip.Addr]bool, len(p.last))
	for _, addr := range p.last {
		reserved[addr] = true
	}
	if addr, ok := p.search(func(a netip.Addr) bool { return p.held[a] == "" && !reserved[a] }); ok {
		return p.hold(addr, owner), true
	}
	if addr, ok := p.search(func(a netip.Addr) bool { return p.held[a] == "" }); ok {
		return p.hold(addr, owner), true
	}
	return netip.Addr{}, false
}

// search walks the pool once around from next.
func (p *pool) search(free func(netip.Addr) bool) (netip.Addr, bool) {
	first := p.network.Addr().Next().Next()
	start := p.next
	if !p.usable(start) {
		start = first
	}
	for addr := start; ; {
		if !p.usable(addr) {
			addr = first
			if !p.usable(addr) { // a network too small to hold a session
				return netip.Addr{}, false
			}
		}
		if free(addr) {
			p.next = addr.Next()
			return addr, true
		}
		addr = addr.Next()
		if addr == start || (start == first && !p.usable(addr)) {
			return netip.Addr{}, false
		}
	}
}

func (p *pool) hold(addr netip.Addr, owner string) netip.Addr {
	p.held[addr] = owner
	p.last[owner] = addr
	return addr
}

// claim takes up an address that a stored session holds.
func (p *pool) claim(addr netip.Addr, owner string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.usable(addr) {
		return fmt.Errorf("address %s is not in pool %s", addr, p.network)
	}
	if other := p.held[addr]; other != "" && other != owner {
		return fmt.Errorf("address %s is held by another session", addr)
	}
	p.hold(addr, owner)
	return nil
}

// release frees an address. Its last owner gets it again if nobody needs it meanwhile.
func (p *pool) release(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.held, addr)
}
