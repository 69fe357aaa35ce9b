package asa

import (
	"net/netip"
	"slices"
)

// Named things that access lists refer to: names, object, object-group.

// maxExpansion bounds what one entry of an access list becomes when the groups that it names are written
// out.
const maxExpansion = 4096

type namedThings struct {
	hosts     map[string]netip.Addr    // name
	networks  map[string][]*Command    // object network, object-group network: their lines
	services  map[string]*namedService // object service, object-group service and icmp-type
	protocols map[string][]*Command    // object-group protocol
}

type namedService struct {
	protocol string // of all its lines; empty: each says its own
	lines    []*Command
}

func collectNames(c *Configuration) *namedThings {
	n := &namedThings{map[string]netip.Addr{}, map[string][]*Command{}, map[string]*namedService{}, map[string][]*Command{}}
	for _, command := range c.Commands {
		n.collect(command)
	}
	return n
}

func (n *namedThings) collect(c *Command) {
	w := c.Words
	switch {
	case w[0] == "name" && len(w) > 2:
		if addr, err := netip.ParseAddr(w[1]); err == nil {
			n.hosts[w[2]] = addr
		}
	case (w[0] == "object" || w[0] == "object-group") && len(w) > 2:
		switch w[1] {
		case "network":
			n.networks[w[2]] = append(n.networks[w[2]], c.Below...) // an object's nat stands apart from its address
		case "service", "icmp-type":
			s := n.services[w[2]]
			if s == nil {
				s = new(namedService)
				n.services[w[2]] = s
			}
			if len(w) > 3 {
				s.protocol = w[3]
			} else if w[1] == "icmp-type" {
				s.protocol = "icmp"
			}
			s.lines = append(s.lines, c.Below...)
		case "protocol":
			n.protocols[w[2]] = append(n.protocols[w[2]], c.Below...)
		}
	}
}

// about reports whether c only names something, which counts where it is referred to.
func (n *namedThings) about(c *Command) bool {
	return c.Words[0] == "name" || (c.Words[0] == "object" || c.Words[0] == "object-group") && !hasNAT(c)
}

func hasNAT(c *Command) bool {
	return slices.ContainsFunc(c.Below, func(b *Command) bool { return b.Words[0] == "nat" })
}

// address returns what a literal address or a name stands for; not valid: neither.
func (n *namedThings) address(text string) netip.Addr {
	if addr, ok := n.hosts[text]; ok {
		return addr
	}
	addr, _ := netip.ParseAddr(text)
	return addr
}

func (n *namedThings) hostOrName(text string) string {
	if addr, ok := n.hosts[text]; ok {
		return addr.String()
	}
	return text
}

// prefix returns address and mask as a prefix, with the host bits as they stand; not valid where either is
// none.
func (n *namedThings) prefix(address, mask string) netip.Prefix {
	addr := n.address(address)
	m, err := netip.ParseAddr(mask)
	if err != nil || !addr.Is4() || !m.Is4() {
		return netip.Prefix{}
	}
	bits := 0
	ones := true
	for _, b := range m.As4() {
		for i := 7; i >= 0; i-- {
			set := b>>i&1 == 1
			if set && !ones {
				return netip.Prefix{} // a mask with holes
			}
			ones = ones && set
			if set {
				bits++
			}
		}
	}
	return netip.PrefixFrom(addr, bits)
}

// network returns the networks of an object or object-group; why says what of it is not known.
func (n *namedThings) network(name string, depth int) (all []netip.Prefix, why string) {
	lines, ok := n.networks[name]
	if !ok {
		return nil, "names " + name + ", which is not declared"
	}
	if depth > 8 {
		return nil, "names " + name + ", which holds groups too deep"
	}
	for _, c := range lines {
		found, problem := n.member(c.Words, depth)
		if problem != "" {
			return nil, problem
		}
		all = append(all, found...)
		if len(all) > maxExpansion {
			return nil, "names " + name + ", which is too large"
		}
	}
	return all, ""
}

// member returns the networks of one line of an object or object-group.
func (n *namedThings) member(w []string, depth int) ([]netip.Prefix, string) {
	switch {
	case len(w) < 2 || w[0] == "description" || w[0] == "nat":
		return nil, ""
	case w[0] == "group-object", w[0] == "network-object" && len(w) > 2 && w[1] == "object":
		return n.network(w[len(w)-1], depth+1)
	case w[0] == "host":
		return n.single(w[1])
	case w[0] == "network-object" && len(w) > 2 && w[1] == "host":
		return n.single(w[2])
	case (w[0] == "subnet" || w[0] == "network-object") && len(w) > 2:
		if p := n.prefix(w[1], w[2]); p.IsValid() {
			return []netip.Prefix{p.Masked()}, ""
		}
		return nil, "has the network " + w[1] + " " + w[2] + ", which cannot be read"
	case w[0] == "subnet" || w[0] == "network-object":
		if p, err := netip.ParsePrefix(w[1]); err == nil {
			return []netip.Prefix{p.Masked()}, ""
		}
	case w[0] == "range" && len(w) > 2:
		first, last := n.address(w[1]), n.address(w[2])
		if first.IsValid() && last.IsValid() && first.Is4() == last.Is4() && !last.Less(first) {
			return Blocks(first, last), ""
		}
	}
	return nil, "names a network by " + w[0] + " " + w[1] + ", which has no like here"
}

func (n *namedThings) single(text string) ([]netip.Prefix, string) {
	if addr := n.address(text); addr.IsValid() {
		return []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}, ""
	}
	return nil, "has the host " + text + ", which is no address"
}

// Blocks returns the networks that make up a range of addresses, in order. Both ends are of one family.
func Blocks(first, last netip.Addr) (all []netip.Prefix) {
	for first.IsValid() && !last.Less(first) {
		block := netip.PrefixFrom(first, first.BitLen())
		for block.Bits() > 0 {
			wider := netip.PrefixFrom(first, block.Bits()-1)
			if wider.Masked().Addr() != first || last.Less(lastOf(wider)) {
				break
			}
			block = wider
		}
		all = append(all, block)
		first = lastOf(block).Next()
	}
	return all
}

// lastOf returns the highest address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(bytes)*8; i++ {
		bytes[i/8] |= 1 << (7 - i%8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}
