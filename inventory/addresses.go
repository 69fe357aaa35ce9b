package inventory

import (
	"fmt"
	"net/netip"
)

// Limits of address pools.
const (
	widestPool   = 16 // bits of an IPv4 network: the ASA's limit of 65536 addresses
	narrowestIP6 = 96 // bits of an IPv6 network: the last 32 of an address are the session's IPv4 address
)

// Pools are the names of the address pools that the group's sessions get addresses from, in order.
func (g *TunnelGroup) Pools() []string {
	if g.AddressPool != "" {
		return []string{g.AddressPool}
	}
	return g.AddressPools
}

// PoolsFor returns the networks that a session of a policy in a group gets its address from, in order.
func (s *Set) PoolsFor(group *TunnelGroup, policy *GroupPolicy) (networks []netip.Prefix) {
	names := policy.AddressPools
	if len(names) == 0 {
		names = group.Pools()
	}
	for _, name := range names {
		if network, ok := s.PoolPrefix(name); ok {
			networks = append(networks, network)
		}
	}
	return networks
}

// Pool6For returns the IPv6 network likewise; it is not valid when there is none. Phones get none.
func (s *Set) Pool6For(group *TunnelGroup, policy *GroupPolicy) netip.Prefix {
	name := policy.IPv6AddressPool
	if name == "" {
		name = group.IPv6AddressPool
	}
	network, ok := s.PoolPrefix(name)
	if !ok || group.Phones {
		return netip.Prefix{}
	}
	return network
}

// PoolPrefix returns the network of an address pool, or false when there is no such pool or its network
// is not one.
func (s *Set) PoolPrefix(pool string) (netip.Prefix, bool) {
	p, ok := s.AddressPools[pool]
	if !ok {
		return netip.Prefix{}, false
	}
	prefix, err := netip.ParsePrefix(p.Network)
	return prefix, err == nil
}

// InPool reports whether an address is one of those that sessions get.
func (s *Set) InPool(addr netip.Addr) bool {
	for name := range s.AddressPools {
		if network, ok := s.PoolPrefix(name); ok && network.Contains(addr) {
			return true
		}
	}
	return false
}

// FixedAddress returns the inner address that belongs to a device, else the one that belongs to a user, or
// false when neither has one.
func (s *Set) FixedAddress(device, user string) (netip.Addr, bool) {
	if d := s.Devices[device]; d != nil && d.VPNAddress != "" {
		addr, err := netip.ParseAddr(d.VPNAddress)
		return addr, err == nil
	}
	if u := s.Users[user]; u != nil && u.VPNAddress != "" {
		addr, err := netip.ParseAddr(u.VPNAddress)
		return addr, err == nil
	}
	return netip.Addr{}, false
}

// FixedAddresses returns every inner address that belongs to somebody.
func (s *Set) FixedAddresses() map[netip.Addr]bool {
	fixed := map[netip.Addr]bool{}
	add := func(text string) {
		if addr, err := netip.ParseAddr(text); err == nil {
			fixed[addr] = true
		}
	}
	for _, d := range s.Devices {
		add(d.VPNAddress)
	}
	for _, u := range s.Users {
		add(u.VPNAddress)
	}
	return fixed
}

func (v *validation) addressPool(o *AddressPool) {
	prefix, ok := v.network("network", o.Network)
	if !ok {
		return
	}
	addr := prefix.Addr()
	switch {
	case addr.IsLoopback() || addr.IsMulticast() || addr.IsLinkLocalUnicast() || prefix.Bits() == 0:
		v.refuse("network", "take a private network that nothing else uses, such as 10.99.0.0/24", "%s gives no usable addresses", prefix)
	case addr.Is6() && prefix.Bits() > narrowestIP6:
		v.refuse("network", "take a /64", "%s is too small: the last 32 bits of an address are the session's IPv4 address", prefix)
	case addr.Is4() && prefix.Bits() < widestPool:
		v.refuse("network", "declare several pools; tunnel groups take them in order", "%s is too large: a pool has at most 65536 addresses", prefix)
	case addr.BitLen()-prefix.Bits() < 2:
		v.refuse("network", "", "%s is too small: network, broadcast and the gateway's own address take three", prefix)
	}
}

func (v *validation) overlappingPools() {
	pools := sorted(v.set.AddressPools)
	for i, o := range pools {
		v.object = o
		mine, ok := v.set.PoolPrefix(o.ObjectName())
		for _, other := range pools[:i] {
			if theirs, ok2 := v.set.PoolPrefix(other.ObjectName()); ok && ok2 && mine.Overlaps(theirs) {
				v.refuse("network", "give each pool a network of its own", "%s overlaps pool %q (%s)", mine, other.ObjectName(), theirs)
			}
		}
	}
}

// groupPools checks where a tunnel group's sessions get their addresses.
func (v *validation) groupPools(o *TunnelGroup) {
	switch {
	case o.AddressPool != "" && len(o.AddressPools) > 0:
		v.refuse("addressPools", "keep one of the two", "stands beside addressPool")
	case len(o.Pools()) == 0 && len(v.set.PolicyFor(o, "", "").AddressPools) == 0:
		v.refuse("addressPool", "name an AddressPool", "is missing")
	}
	if o.AddressPool != "" {
		v.pools("addressPool", []string{o.AddressPool})
	}
	v.pools("addressPools", o.AddressPools)
	v.pool6(o.IPv6AddressPool)
	if o.Phones && o.IPv6AddressPool != "" {
		v.refuse("ipv6AddressPool", "leave it out", "phones have no IPv6 inside")
	}
}

func (v *validation) pools(field string, names []string) {
	v.twice(field, names)
	for _, name := range names {
		refers(v, field, name, v.set.AddressPools, KindAddressPool)
		if network, ok := v.set.PoolPrefix(name); ok && network.Addr().Is6() {
			v.refuse(field, "name it as ipv6AddressPool, and an IPv4 pool here", "pool %q is IPv6 (%s)", name, network)
		}
	}
}

func (v *validation) pool6(name string) {
	if name == None {
		return
	}
	refers(v, "ipv6AddressPool", name, v.set.AddressPools, KindAddressPool)
	if network, ok := v.set.PoolPrefix(name); ok && network.Addr().Is4() {
		v.refuse("ipv6AddressPool", "name a pool with an IPv6 network", "pool %q is IPv4 (%s)", name, network)
	}
}

// fixedAddress checks an address that belongs to the object at hand.
func (v *validation) fixedAddress(text string) {
	if text == "" {
		return
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is4() {
		v.refuse("vpnAddress", "write an IPv4 address out of an address pool", "%q is no IPv4 address", text)
		return
	}
	for name := range v.set.AddressPools {
		network, ok := v.set.PoolPrefix(name)
		if !ok || !network.Contains(addr) {
			continue
		}
		if first := network.Masked().Addr(); addr == first || addr == first.Next() || !network.Contains(addr.Next()) {
			v.refuse("vpnAddress", "take another", "%s is the network's, the gateway's or the broadcast address of pool %q", addr, name)
		}
		return
	}
	v.refuse("vpnAddress", "take one out of an address pool, or declare a pool for it", "%s is in no address pool", addr)
}

// sharedAddresses refuses an address that two own.
func (v *validation) sharedAddresses() {
	owners := map[string]string{}
	own := func(o Object, address string) {
		if address == "" {
			return
		}
		v.object = o
		if other, taken := owners[address]; taken {
			v.refuse("vpnAddress", "give each an address of its own", "%s belongs to %s already", address, other)
		}
		owners[address] = fmt.Sprintf("%s %q", o.Kind(), o.ObjectName())
	}
	for _, o := range sorted(v.set.Devices) {
		own(o, o.(*Device).VPNAddress)
	}
	for _, o := range sorted(v.set.Users) {
		own(o, o.(*User).VPNAddress)
	}
}
