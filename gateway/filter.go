package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

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
type filter struct{ rules []rule }

type rule struct {
	permit    bool
	protocol  uint8 // 0: any
	dst       netip.Prefix
	low, high uint16 // destination ports; high 0: any
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
	r.low, r.high, err = ports(entry.Ports)
	return r, err
}

func ports(text string) (low, high uint16, err error) {
	if text == "" {
		return 0, 0, nil
	}
	from, to, span := strings.Cut(text, "-")
	if !span {
		to = from
	}
	l, err := strconv.ParseUint(from, 10, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("ports %q: %w", text, err)
	}
	h, err := strconv.ParseUint(to, 10, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("ports %q: %w", text, err)
	}
	if h == 0 || h < l {
		return 0, 0, fmt.Errorf("ports %q is not a range", text)
	}
	return uint16(l), uint16(h), nil
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
		if r.high != 0 && (!h.hasPorts || h.dstPort < r.low || h.dstPort > r.high) {
			continue
		}
		return r.permit
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

// parseHeader reads an inner IPv4 packet's header. It reports false for anything else, and for a packet
// shorter than it says.
func parseHeader(packet []byte, h *header) bool {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return false
	}
	ihl := int(packet[0]&0x0f) * 4
	if ihl < 20 || len(packet) < ihl || int(binary.BigEndian.Uint16(packet[2:])) > len(packet) {
		return false
	}
	h.src = netip.AddrFrom4([4]byte(packet[12:16]))
	h.dst = netip.AddrFrom4([4]byte(packet[16:20]))
	h.protocol = packet[9]
	h.hasPorts, h.dstPort = false, 0
	later := binary.BigEndian.Uint16(packet[6:])&0x1fff != 0
	if (h.protocol == protoTCP || h.protocol == protoUDP) && !later && len(packet) >= ihl+4 {
		h.hasPorts, h.dstPort = true, binary.BigEndian.Uint16(packet[ihl+2:])
	}
	return true
}
