package migration

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/asa"
)

// networkOf returns the network that takes the place of a range, and what changes by that.
func (m *asaMigration) networkOf(p asa.Pool) (network netip.Prefix, why string) {
	network = p.Network
	if !network.IsValid() {
		network = covering(p.First, p.Last)
	}
	if i := slices.IndexFunc(m.settings.Interfaces, func(i asa.Interface) bool { return i.Address.IsValid() && network.Contains(i.Address.Addr()) }); i >= 0 {
		return within(p, m.settings.Interfaces[i].Name)
	}
	if p.First.Compare(network.Addr().Next().Next()) <= 0 && lastAddress(network).Prev().Compare(p.Last) <= 0 {
		return network, "" // all that can be given away
	}
	return network, fmt.Sprintf("a pool is a whole network here: %s, not %s to %s; its first address is the gateway's own", network, p.First, p.Last)
}

// within returns the largest network inside a range that lies in the network of an interface, where all
// other addresses belong to others.
func within(p asa.Pool, interfaceName string) (network netip.Prefix, why string) {
	blocks := asa.Blocks(p.First, p.Last)
	network = slices.MinFunc(blocks, func(a, b netip.Prefix) int { return a.Bits() - b.Bits() })
	const smallest = 29
	if network.Bits() > smallest {
		return netip.Prefix{}, fmt.Sprintf("a pool is a whole network here, and %s to %s holds none of at least 8 addresses", p.First, p.Last)
	}
	return network, fmt.Sprintf("a pool is a whole network here, and %s to %s lies in the network of interface %s: %s is what fits, and its first address is the gateway's own",
		p.First, p.Last, interfaceName, network)
}

// covering returns the smallest network that holds a range.
func covering(first, last netip.Addr) netip.Prefix {
	for bits := 32; bits >= 0; bits-- {
		if p := netip.PrefixFrom(first, bits).Masked(); p.Contains(last) {
			return p
		}
	}
	return netip.Prefix{}
}

func lastAddress(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		bytes[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(bytes)
}

// filter takes vpn-filter. One that is named and cannot be carried over lets nothing through.
func (m *asaMigration) filter(p *inventory.GroupPolicy, w []string, at position) {
	if w[len(w)-1] == inventory.None {
		p.Filter = inventory.None
		return
	}
	if len(w) < 3 {
		m.remark(Lost, at, "names no access list")
		return
	}
	p.Filter = w[2]
	m.accessList(w[2], at)
}

// accessList makes an access list out of the ASA's, once.
func (m *asaMigration) accessList(name string, at position) {
	if m.lists[name] {
		return
	}
	m.lists[name] = true
	o := &inventory.AccessList{Name: name}
	from := m.settings.List(name)
	if from == nil {
		m.remark(Changed, at, "there is no access list %s: one that denies everything stands in its place", name)
	} else {
		o.Entries = m.entries(from)
		at = m.atLine(from.Line, "access-list "+name)
	}
	if len(o.Entries) == 0 {
		o.Entries = []inventory.AccessEntry{{Action: "deny", Destination: "any"}}
	}
	m.add(o, at)
}

// entries are those that can be carried over. A permit that cannot is left out; a deny that cannot ends
// the list, so that nothing passes which it would have stopped.
func (m *asaMigration) entries(list *asa.ConfiguredList) (all []inventory.AccessEntry) {
	for i, e := range list.Entries {
		at := m.at(e.From)
		switch {
		case e.Why != "" && e.Action == "permit":
			m.remark(Lost, at, "%s: left out, so it permits nothing", e.Why)
			continue
		case e.Why != "":
			m.remark(Lost, at, "%s: the list ends here, and the %d entries below it are left out, so that nothing passes which this one denied", e.Why, len(list.Entries)-i-1)
			return all
		case len(e.Rules) == 0:
			m.remark(Unneeded, at, "is switched off")
		}
		for _, rule := range e.Rules {
			all = append(all, entryOf(rule))
		}
	}
	return all
}

func entryOf(rule asa.AccessLine) inventory.AccessEntry {
	e := inventory.AccessEntry{Action: rule.Action, Protocol: rule.Protocol, Destination: "any", ICMPType: rule.ICMPType}
	if rule.From.IsValid() {
		e.Source = rule.From.String()
	}
	if rule.To.IsValid() {
		e.Destination = rule.To.String()
	}
	switch {
	case rule.Low == 0 && rule.High == 0:
	case rule.Low == rule.High:
		e.Ports = fmt.Sprint(rule.Low)
	default:
		e.Ports = fmt.Sprintf("%d-%d", rule.Low, rule.High)
	}
	return e
}

// splitNetworks takes the networks of a split policy. They stand as destination in standard lists, and as
// source in extended ones.
func (m *asaMigration) splitNetworks(p *inventory.GroupPolicy, name string, at position) {
	list := m.settings.List(name)
	if list == nil {
		m.remark(Lost, at, "its split-tunnel-network-list %s does not exist", name)
		return
	}
	m.lists[name] = true
	for _, e := range list.Entries {
		at := m.at(e.From)
		if e.Why != "" || e.Action != "permit" {
			m.remark(Lost, at, "%s", strings.TrimPrefix(e.Why+"; in a split list only permit counts", "; "))
			continue
		}
		for _, rule := range e.Rules {
			network := rule.From
			if e.Standard {
				network = rule.To
			}
			if !network.IsValid() {
				network = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
			}
			if text := network.String(); !slices.Contains(p.SplitTunnelNetworks, text) {
				p.SplitTunnelNetworks = append(p.SplitTunnelNetworks, text)
			}
		}
	}
	if p.SplitTunnelPolicy == "" {
		m.remark(Unneeded, at, "its split-tunnel-network-list %s counts for nothing without split-tunnel-policy", name)
	}
}

// unusedLists lists what no group policy refers to.
func (m *asaMigration) unusedLists() {
	for _, list := range m.settings.Lists {
		if m.lists[list.Name] {
			continue
		}
		for _, e := range list.Entries {
			m.remark(Other, m.at(e.From), "")
		}
	}
}
