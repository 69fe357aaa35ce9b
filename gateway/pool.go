package gateway

import (
	"fmt"
	"net/netip"
	"sync"
)

// pool gives out the addresses of one inner network. The network address, the broadcast address and the
// first host address (the gateway's own, on its TUN) are never given out.
type pool struct {
	network netip.Prefix

	mu    sync.Mutex
	held  map[netip.Addr]bool
	fixed map[netip.Addr]bool   // belong to somebody by the inventory, and are given to nobody else
	owner map[netip.Addr]string // who had an address last
	had   map[string]netip.Addr // the address that an owner had last, so that he gets it again
	lost  map[string]netip.Addr // the address that an owner had, and that somebody else got; as many as the pool has
	next  netip.Addr            // where the search for an address goes on
}

func newPool(network netip.Prefix) *pool {
	network = network.Masked()
	return &pool{
		network: network,
		held:    map[netip.Addr]bool{},
		owner:   map[netip.Addr]string{},
		had:     map[string]netip.Addr{},
		lost:    map[string]netip.Addr{},
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

// reserve says which addresses belong to somebody by the inventory.
func (p *pool) reserve(fixed map[netip.Addr]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fixed = fixed
}

// again gives owner the address that it had last, if that is free.
func (p *pool) again(owner string) (netip.Addr, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	addr, ok := p.had[owner]
	if !ok || !p.free(addr) {
		return netip.Addr{}, false
	}
	return p.hold(addr, owner), true
}

// last returns the address that owner had last, whoever has it now; the zero Addr when that is not known.
func (p *pool) last(owner string) netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if addr, ok := p.had[owner]; ok {
		return addr
	}
	return p.lost[owner]
}

// take gives owner an address: one that nobody was given yet, else any free one. It reports false when
// the pool is exhausted.
func (p *pool) take(owner string) (netip.Addr, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := p.size()
	if len(p.held) >= size {
		return netip.Addr{}, false
	}
	if len(p.owner) < size {
		if addr, ok := p.search(func(a netip.Addr) bool { return p.owner[a] == "" && p.free(a) }); ok {
			return p.hold(addr, owner), true
		}
	}
	addr, ok := p.search(p.free)
	if !ok {
		return addr, false
	}
	return p.hold(addr, owner), true
}

// free reports whether an address may be given to whoever asks. mu is held.
func (p *pool) free(addr netip.Addr) bool { return !p.held[addr] && !p.fixed[addr] }

// search walks the pool once around from next to an address that is wanted.
func (p *pool) search(wanted func(netip.Addr) bool) (netip.Addr, bool) {
	addr := p.next
	for range p.size() {
		if !p.usable(addr) {
			addr = p.own().Next()
		}
		if wanted(addr) {
			p.next = addr.Next()
			return addr, true
		}
		addr = addr.Next()
	}
	return netip.Addr{}, false
}

// hold gives addr to owner. Whoever had it last has no claim on it any more, so that claims never outgrow
// the pool.
func (p *pool) hold(addr netip.Addr, owner string) netip.Addr {
	p.remember(addr, owner)
	p.held[addr] = true
	return addr
}

// remember notes who had addr last. mu is held, or nobody else knows the pool yet.
func (p *pool) remember(addr netip.Addr, owner string) {
	if former := p.owner[addr]; p.had[former] == addr {
		delete(p.had, former)
		if former != owner && len(p.lost) < p.size() {
			p.lost[former] = addr
		}
	}
	delete(p.lost, owner)
	p.owner[addr], p.had[owner] = owner, addr
}

// claim takes an address of the caller's choice: a fixed one, or one that a stored session holds.
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
