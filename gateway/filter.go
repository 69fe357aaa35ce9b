package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/longcord/longcord/inventory"
)

// filter is an access list compiled for a session: the rules that speak of its user, device and addresses,
// apart by family. A nil filter permits everything; a filter denies what no rule matches. Sessions that
// every rule treats alike share one.
type filter struct {
	four []rule[uint32]
	six  []rule[halves]
	hits hits

	within *filter // permits what the rules permit, too
}

// rule is one entry of an access list for one family of addresses.
type rule[A comparable] struct {
	network, mask A
	low, high     uint16 // destination ports, or types of ICMP
	protocol      uint8
	any           bool // any protocol
	ports         bool // low and high count
	permit        bool
	entry         int // index in the access list
}

// halves is an IPv6 address as two numbers.
type halves struct{ high, low uint64 }

func halvesOf(a netip.Addr) halves {
	b := a.As16()
	return halves{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// hits counts how often each entry of an access list decided, over all sessions; the last is the denial of
// what no entry matched.
type hits []atomic.Uint64

// member is what the entries of an access list may ask of a session.
type member struct {
	user, device string
	addresses    []netip.Addr // inner
}

// compileFilter turns an access list into rules for one session. The list has been validated when it was
// declared; an entry that cannot be read is an error all the same, never a hole.
func compileFilter(list *inventory.AccessList, m member, count hits) (*filter, error) {
	f := &filter{hits: count}
	for i, entry := range list.Entries {
		if err := f.add(i, entry, m); err != nil {
			return nil, fmt.Errorf("access list %q entry %d: %w", list.Name, i+1, err)
		}
	}
	return f, nil
}

func (f *filter) add(i int, entry inventory.AccessEntry, m member) error {
	proto, family, err := protocolOf(entry.Protocol)
	if err != nil {
		return err
	}
	low, high, ports, err := portsOf(entry)
	if err != nil {
		return err
	}
	if entry.Action != "permit" && entry.Action != "deny" {
		return fmt.Errorf("action %q is neither permit nor deny", entry.Action)
	}
	four, six, err := destinationsOf(entry.Destination)
	if err != nil {
		return err
	}
	from, err := m.matches(entry)
	if err != nil {
		return err
	}
	permit := entry.Action == "permit"
	if four.IsValid() && family != 6 && from.four {
		mask := ^uint32(0) << (32 - four.Bits())
		f.four = append(f.four, rule[uint32]{number(four.Addr()) & mask, mask, low, high, proto, proto == 0, ports, permit, i})
	}
	if six.IsValid() && family != 4 && from.six {
		mask := halves{^uint64(0) << max(0, 64-six.Bits()), ^uint64(0) << min(64, 128-six.Bits())}
		network := halvesOf(six.Masked().Addr())
		f.six = append(f.six, rule[halves]{network, mask, low, high, proto, proto == 0, ports, permit, i})
	}
	return nil
}

// protocolOf reads an entry's protocol; 0 is any. The family is that of ICMP's two kinds, else 0.
func protocolOf(word string) (proto uint8, family int, err error) {
	switch word {
	case "", "ip":
		return 0, 0, nil
	case "icmp":
		return protoICMP, 4, nil
	case "icmp6":
		return protoICMPv6, 6, nil
	case "tcp":
		return protoTCP, 0, nil
	case "udp":
		return protoUDP, 0, nil
	}
	return 0, 0, fmt.Errorf("protocol %q is not one of ip, tcp, udp, icmp, icmp6", word)
}

// portsOf reads an entry's ports, or its type of ICMP.
func portsOf(entry inventory.AccessEntry) (low, high uint16, some bool, err error) {
	if entry.ICMPType != "" {
		t, err := entry.TypeOfICMP()
		return uint16(t), uint16(t), true, err
	}
	low, high, err = entry.PortRange()
	return low, high, entry.Ports != "", err
}

// destinationsOf reads an entry's destination: a network of one family, or any of both.
func destinationsOf(text string) (four, six netip.Prefix, err error) {
	if text == "any" {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0), nil
	}
	network, err := netip.ParsePrefix(text)
	if err == nil && network.Addr().Is4() {
		return network, six, nil
	}
	return four, network, err
}

// families says for which of its addresses an entry speaks of a session.
type families struct{ four, six bool }

// matches reports whether an entry speaks of the session: of its user or device, and of its address.
func (m member) matches(entry inventory.AccessEntry) (families, error) {
	if len(entry.Users)+len(entry.Devices) > 0 && !slices.Contains(entry.Users, m.user) && !slices.Contains(entry.Devices, m.device) {
		return families{}, nil
	}
	if entry.Source == "" || entry.Source == "any" {
		return families{true, true}, nil
	}
	source, err := netip.ParsePrefix(entry.Source)
	if err != nil || !slices.ContainsFunc(m.addresses, source.Contains) {
		return families{}, err
	}
	return families{source.Addr().Is4(), source.Addr().Is6()}, nil
}

// permits decides one packet that came out of a session's tunnel.
func (f *filter) permits(h *header) bool {
	if f == nil {
		return true
	}
	if h.dst.Is4() {
		dst := number(h.dst)
		for i := range f.four {
			if r := &f.four[i]; dst&r.mask == r.network && r.speaksOf(h) {
				return f.decided(h, r.entry, r.permit)
			}
		}
	} else {
		dst := halvesOf(h.dst)
		for i := range f.six {
			r := &f.six[i]
			if (halves{dst.high & r.mask.high, dst.low & r.mask.low}) == r.network && r.speaksOf(h) {
				return f.decided(h, r.entry, r.permit)
			}
		}
	}
	return f.decided(h, len(f.hits)-1, false)
}

// speaksOf compares all but the destination. Of a later fragment the ports are not known: what permits any
// ports there permits it, since it is worth nothing without its first fragment, which has them; what denies
// some does not speak of it.
func (r *rule[A]) speaksOf(h *header) bool {
	switch {
	case !r.any && r.protocol != h.protocol:
		return false
	case !r.ports:
		return true
	case h.later:
		return r.permit
	}
	return r.low <= h.port && h.port <= r.high
}

func (f *filter) decided(h *header, entry int, permit bool) bool {
	f.hits[entry].Add(1)
	return permit && (f.within == nil || f.within.permits(h))
}

// permit adds a rule for one host that belongs to no entry.
func (f *filter) permit(protocol uint8, host netip.Addr, low, high uint16) {
	if host.Is4() {
		f.four = append(f.four, rule[uint32]{number(host), ^uint32(0), low, high, protocol, false, true, true, 0})
		return
	}
	f.six = append(f.six, rule[halves]{halvesOf(host), halves{^uint64(0), ^uint64(0)}, low, high, protocol, false, true, true, 0})
}

// plain reports whether all sessions can share a list's filter.
func plain(list *inventory.AccessList) bool {
	return !slices.ContainsFunc(list.Entries, func(e inventory.AccessEntry) bool {
		return len(e.Users)+len(e.Devices) > 0 || e.Source != "" && e.Source != "any"
	})
}
