package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/longcord/longcord/inventory"
)

// pools are the address pools that this gateway serves: all that were declared when it started. The host
// has a route for each, so a further one is served after the next start.
type pools struct {
	of []*pool // IPv4, by name; the first gives the TUN its address
	v6 []netip.Prefix
}

func newPools(set *inventory.Set) (*pools, error) {
	p := &pools{}
	for _, name := range sorted(set.AddressPools) {
		network, ok := set.PoolPrefix(name)
		switch {
		case !ok:
			return nil, fmt.Errorf("address pool %q is no network", name)
		case network.Addr().Is4():
			p.of = append(p.of, newPool(network))
		default:
			p.v6 = append(p.v6, network.Masked())
		}
	}
	if len(p.of) == 0 {
		return nil, errors.New("no IPv4 address pool is declared")
	}
	p.reserve(set)
	return p, nil
}

// networks are those of all pools; the TUN takes its address out of the first.
func (p *pools) networks() (all []netip.Prefix) {
	for _, pool := range p.of {
		all = append(all, pool.network)
	}
	return append(all, p.v6...)
}

// reserve keeps the addresses for their owners that an inventory gives to devices and users.
func (p *pools) reserve(set *inventory.Set) {
	fixed := set.FixedAddresses()
	for _, pool := range p.of {
		mine := map[netip.Addr]bool{}
		for addr := range fixed {
			if pool.network.Contains(addr) {
				mine[addr] = true
			}
		}
		pool.reserve(mine)
	}
}

// with returns the pool that an address is from, or nil.
func (p *pools) with(addr netip.Addr) *pool {
	for _, pool := range p.of {
		if pool.network.Contains(addr) {
			return pool
		}
	}
	return nil
}

// take gives owner the address it had last if that is free and in one of the networks, else one out of the
// first of them that is not exhausted.
func (p *pools) take(owner string, networks []netip.Prefix) (netip.Addr, error) {
	var served []*pool
	for _, network := range networks {
		if pool := p.with(network.Addr()); pool != nil && pool.network == network.Masked() {
			served = append(served, pool)
		}
	}
	for _, pool := range served {
		if addr, ok := pool.again(owner); ok {
			return addr, nil
		}
	}
	for _, pool := range served {
		if addr, ok := pool.take(owner); ok {
			return addr, nil
		}
	}
	return netip.Addr{}, &exhausted{networks}
}

// last returns the address that owner had last; the zero Addr when that is not known.
func (p *pools) last(owner string) netip.Addr {
	for _, pool := range p.of {
		if addr := pool.last(owner); addr.IsValid() {
			return addr
		}
	}
	return netip.Addr{}
}

// claim takes an address of the caller's choice.
func (p *pools) claim(addr netip.Addr, owner string) error {
	pool := p.with(addr)
	if pool == nil {
		return fmt.Errorf("address %s is in none of the pools", addr)
	}
	return pool.claim(addr, owner)
}

func (p *pools) release(addr netip.Addr) {
	if pool := p.with(addr); pool != nil {
		pool.release(addr)
	}
}

// exhausted: none of the networks has a free address, or the gateway does not serve them yet.
type exhausted struct{ networks []netip.Prefix }

func (e *exhausted) Error() string { return fmt.Sprintf("gateway: no free address in %v", e.networks) }

// address6 is the IPv6 address inside that goes with an IPv4 one: the network's own bits, and in the last
// 32 the IPv4 address, which no other session of this gateway has. So it needs no books of its own, stays
// when the other stays, and tells its reader whose it is.
func address6(network netip.Prefix, v4 netip.Addr) netip.Addr {
	b := network.Masked().Addr().As16()
	short := v4.As4()
	copy(b[12:], short[:])
	return netip.AddrFrom16(b)
}

// serves6 reports whether packets for an IPv6 network reach this gateway.
func (p *pools) serves6(network netip.Prefix) bool { return slices.Contains(p.v6, network.Masked()) }

// routed are the networks that the host is to carry, and whether their addresses are to be translated.
func (p *pools) routed(set *inventory.Set) []RoutedPool {
	var all []RoutedPool
	for _, network := range p.networks() {
		pool := RoutedPool{Network: network}
		for name, declared := range set.AddressPools {
			if its, ok := set.PoolPrefix(name); ok && its == network {
				pool.NAT = declared.NAT
			}
		}
		all = append(all, pool)
	}
	return all
}
