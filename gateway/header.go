package gateway

import (
	"encoding/binary"
	"net/netip"
)

// IP protocol numbers that filters speak of, and those of IPv6's extension headers.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58

	hopByHop           = 0
	routing            = 43
	fragmentHeader     = 44
	authentication     = 51
	destinationOptions = 60
)

// header is what decisions about an inner packet need of it.
type header struct {
	src, dst netip.Addr
	protocol uint8
	// later: not the first fragment of its packet, so that there are no ports; the first one has been, or
	// will be, judged by them.
	later bool
	// port is the destination port of TCP and UDP, the type of ICMP, and 0 of everything else.
	port uint16
}

// parseHeader reads an inner packet's header. It reports false for what is neither IPv4 nor IPv6, for a
// packet shorter than it says, and for one that should have ports and ends before them: no rule could tell
// what it is, and no host would take it. Likewise for what is made to lead filters astray: a fragment that
// would overwrite the ports of the first, IPv6 that is not at its destination yet, headers without end.
func parseHeader(packet []byte, h *header) bool {
	if len(packet) < 20 {
		return false
	}
	switch packet[0] >> 4 {
	case 4:
		return h.parse4(packet)
	case 6:
		return h.parse6(packet)
	}
	return false
}

func (h *header) parse4(packet []byte) bool {
	ihl, total := int(packet[0]&0x0f)*4, int(binary.BigEndian.Uint16(packet[2:]))
	if ihl < 20 || total < ihl || total > len(packet) {
		return false
	}
	h.src = netip.AddrFrom4([4]byte(packet[12:16]))
	h.dst = netip.AddrFrom4([4]byte(packet[16:20]))
	h.protocol = packet[9]
	return h.parseUpper(packet[ihl:total], binary.BigEndian.Uint16(packet[6:])&0x1fff)
}

// parseUpper reads what follows the IP header, or a fragment of it that begins at offset, in units of
// 8 bytes.
func (h *header) parseUpper(b []byte, offset uint16) bool {
	h.later, h.port = offset != 0, 0
	if h.later {
		return offset != 1 || h.protocol != protoTCP // RFC 1858 section 4
	}
	switch h.protocol {
	case protoTCP, protoUDP:
		if len(b) < 4 {
			return false
		}
		h.port = binary.BigEndian.Uint16(b[2:])
	case protoICMP, protoICMPv6:
		if len(b) < 4 {
			return false
		}
		h.port = uint16(b[0])
	}
	return true
}

// mostExtensions is how many extension headers a packet may have; there are five kinds that make sense.
const mostExtensions = 8

func (h *header) parse6(packet []byte) bool {
	if len(packet) < 40 {
		return false
	}
	total := 40 + int(binary.BigEndian.Uint16(packet[4:]))
	if total > len(packet) {
		return false
	}
	h.src = netip.AddrFrom16([16]byte(packet[8:24]))
	h.dst = netip.AddrFrom16([16]byte(packet[24:40]))
	if h.src.Is4In6() || h.dst.Is4In6() {
		return false // not an address on any wire, and mistaken for IPv4 by whoever compares
	}
	h.protocol = packet[6]
	rest := packet[40:total]
	for range mostExtensions {
		size := 0
		switch h.protocol {
		case hopByHop, destinationOptions, routing:
			if len(rest) < 8 || h.protocol == routing && rest[3] != 0 { // segments left: it goes on from dst
				return false
			}
			size = 8 + int(rest[1])*8
		case authentication:
			if len(rest) < 8 {
				return false
			}
			size = 8 + int(rest[1])*4
		case fragmentHeader:
			if len(rest) < 8 {
				return false
			}
			size = 8
			if offset := binary.BigEndian.Uint16(rest[2:]) >> 3; offset != 0 {
				h.protocol = rest[0]
				return h.parseUpper(rest[size:], offset)
			}
		default:
			return h.parseUpper(rest, 0)
		}
		if len(rest) < size {
			return false
		}
		h.protocol, rest = rest[0], rest[size:]
	}
	return false
}
