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

	mu    sync.Mutex
	held  map[netip.Addr]bool
	owner map[netip.Addr]string // who had an address last
	had   map[string]netip.Addr // the address that an owner had last, so that he gets it again
	next  netip.Addr            // where the search for an address goes on
}

func newPool(network netip.Prefix) *pool {
	network = network.Masked()
	return &pool{
		network: network,
		held:    map[netip.Addr]bool{},
		owner:   map[netip.Addr]string{},
		had:     map[string]netip.Addr{},
		next:    network.Addr().Next().Next(),
	}
}

// own is the gateway's address in the pool's network.
func (p *pool) own() netip.Addr { return p.network.Addr().Next() }

// usable reports whether addr may be given to a session.
func (p *pool) usable(addr netip.Addr) bool {
	return p.network.Contains(addr) && addr != p.network.Addr() && addr != p.own() && p.network.Contains(addr.Next())
}

// size is how many addresses are usable.
func (p *pool) size() int { return max(0, 1<<(p.network.Addr().BitLen()-p.network.Bits())-3) }

// take gives owner an address: the one it had last when that is free, else one that nobody was given
// yet, else any free one. It reports false when the pool is exhausted.
func (p *pool) take(owner string) (netip.Addr, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if addr, ok := p.had[owner]; ok && !p.held[addr] {
		return p.hold(addr, owner), true
	}
	switch size := p.size(); {
	case len(p.held) >= size:
		return netip.Addr{}, false
	case len(p.owner) < size:
		return p.hold(p.search(func(a netip.Addr) bool { return p.owner[a] == "" }), owner), true
	}
	return p.hold(p.search(func(a netip.Addr) bool { return !p.held[a] }), owner), true
}

// search walks the pool around from next to an address that is free, of which there must be one.
func (p *pool) search(free func(netip.Addr) bool) netip.Addr {
	for addr := p.next; ; addr = addr.Next() {
		if !p.usable(addr) {
			addr = p.own().Next()
		}
		if free(addr) {
			p.next = addr.Next()
			return addr
		}
	}
}

// hold gives addr to owner. Whoever had it last has no claim on it any more, so that claims never outgrow
// the pool.
func (p *pool) hold(addr netip.Addr, owner string) netip.Addr {
	if former := p.owner[addr]; p.had[former] == addr {
		delete(p.had, former)
	}
	p.held[addr], p.owner[addr], p.had[owner] = true, owner, addr
	return addr
}

// claim takes up an address that a stored session holds.
func (p *pool) claim(addr netip.Addr, owner string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.usable(addr):
		return fmt.Errorf("address %s is not in pool %s", addr, p.network)
	case p.held[addr]:
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
