package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/longcord/longcord/inventory"
)

// IP protocol numbers that filters speak of.
const (
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
)

// filter is a compiled access list. A nil filter permits everything; a filter denies what no rule
// matches.
type filter struct {
	rules  []rule
	within *filter // permits what the rules permit, too
}

type rule struct {
	permit    bool
	protocol  uint8 // 0: any
	dst       netip.Prefix
	anyPort   bool
	low, high uint16 // destination ports
}

// compileFilter turns an access list into rules. The list has been validated when it was declared; an
// entry that cannot be read is an error all the same, never a hole.
func compileFilter(list *inventory.AccessList) (*filter, error) {
	f := &filter{}
	for i, entry := range list.Entries {
		r, err := compileRule(entry)
		if err != nil {
			return nil, fmt.Errorf("access list %q entry %d: %w", list.Name, i+1, err)
		}
		f.rules = append(f.rules, r)
	}
	return f, nil
}

func compileRule(entry inventory.AccessEntry) (r rule, err error) {
	switch entry.Action {
	case "permit":
		r.permit = true
	case "deny":
	default:
		return r, fmt.Errorf("action %q is neither permit nor deny", entry.Action)
	}
	switch entry.Protocol {
	case "", "ip":
	case "icmp":
		r.protocol = protoICMP
	case "tcp":
		r.protocol = protoTCP
	case "udp":
		r.protocol = protoUDP
	default:
		return r, fmt.Errorf("protocol %q is not one of ip, tcp, udp, icmp", entry.Protocol)
	}
	r.dst = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if entry.Destination != "any" {
		if r.dst, err = netip.ParsePrefix(entry.Destination); err != nil {
			return r, err
		}
	}
	r.anyPort = entry.Ports == ""
	r.low, r.high, err = entry.PortRange()
	return r, err
}

// permits decides one packet that came out of a session's tunnel.
func (f *filter) permits(h *header) bool {
	if f == nil {
		return true
	}
	for i := range f.rules {
		r := &f.rules[i]
		if r.protocol != 0 && r.protocol != h.protocol || !r.dst.Contains(h.dst) {
			continue
		}
		if !r.anyPort && (!h.hasPorts || h.dstPort < r.low || h.dstPort > r.high) {
			continue
		}
		return r.permit && f.within.permits(h)
	}
	return false
}

// header is what decisions about an inner packet need of it.
type header struct {
	src, dst netip.Addr
	protocol uint8
	hasPorts bool // false for later fragments and protocols without ports
	dstPort  uint16
}

// parseHeader reads an inner IPv4 packet's header. It reports false for anything else, for a packet
// shorter than it says, and for one that should have ports and ends before them: no rule could tell what
// it is, and no host would take it.
func parseHeader(packet []byte, h *header) bool {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return false
	}
	ihl, total := int(packet[0]&0x0f)*4, int(binary.BigEndian.Uint16(packet[2:]))
	if ihl < 20 || total < ihl || total > len(packet) {
		return false
	}
	h.src = netip.AddrFrom4([4]byte(packet[12:16]))
	h.dst = netip.AddrFrom4([4]byte(packet[16:20]))
	h.protocol = packet[9]
	later := binary.BigEndian.Uint16(packet[6:])&0x1fff != 0
	h.hasPorts, h.dstPort = !later && (h.protocol == protoTCP || h.protocol == protoUDP), 0
	if !h.hasPorts {
		return true
	}
	if total < ihl+4 {
		return false
	}
	h.dstPort = binary.BigEndian.Uint16(packet[ihl+2:])
	return true
}
