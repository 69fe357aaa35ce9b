package pcap

import (
	"encoding/binary"
	"net/netip"
)

// Protocols of IP that are taken apart.
const (
	ICMP   = 1
	TCP    = 6
	UDP    = 17
	ICMPv6 = 58
)

// Flags of TCP.
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// Frame is a packet with its headers taken apart. What the packet does not have is zero.
type Frame struct {
	Src, Dst netip.AddrPort // ports are 0 for what has none
	Protocol uint8
	Fragment bool // a later part of a larger packet, whose ports are in its first
	Flags    uint8
	Seq      uint32
	Payload  []byte // of TCP, UDP and ICMP
	Length   int    // of the payload on the wire; the capture may have cut it

	Type, Code uint8  // of ICMP
	MTU        int    // of ICMP: the size that passes
	About      *Frame // of errors of ICMP: the packet that did not get through

	ARP            uint16     // 1 who-has, 2 is-at
	Sender, Target netip.Addr // of ARP
}

// EtherTypes.
const (
	typeIPv4  = 0x0800
	typeARP   = 0x0806
	typeVLAN  = 0x8100
	typePPPoE = 0x8864
	typeIPv6  = 0x86dd
	typeQinQ  = 0x88a8
	typeOldQ  = 0x9100
)

// maxTags bounds how many VLAN tags are looked behind.
const maxTags = 4

// Parse takes the headers of a packet apart. It reports false for links and protocols that are not known, and for what
// is too short to tell from where to where it went.
func (p Packet) Parse() (Frame, bool) {
	var f Frame
	cut := max(p.Length-len(p.Data), 0)
	kind, rest, ok := network(p.Link, p.Data)
	if !ok {
		return f, false
	}
	switch kind {
	case typeIPv4:
		ok = f.ipv4(rest, cut, 0)
	case typeIPv6:
		ok = f.ipv6(rest, cut, 0)
	case typeARP:
		ok = f.arp(rest)
	default:
		ok = false
	}
	return f, ok
}

// network returns the EtherType of what is in a frame of the link, and where it begins.
func network(link Link, b []byte) (kind uint16, rest []byte, ok bool) {
	switch link {
	case Ethernet:
		if len(b) < 14 {
			return 0, nil, false
		}
		return tagged(binary.BigEndian.Uint16(b[12:]), b[14:])
	case SLL:
		if len(b) < 16 {
			return 0, nil, false
		}
		return tagged(binary.BigEndian.Uint16(b[14:]), b[16:])
	case SLL2:
		if len(b) < 20 {
			return 0, nil, false
		}
		return tagged(binary.BigEndian.Uint16(b), b[20:])
	case Null, Loop: // a family in somebody's byte order
		if len(b) < 4 {
			return 0, nil, false
		}
		return byVersion(b[4:])
	case Raw, RawBSD, RawOpen, IPv4, IPv6:
		return byVersion(b)
	}
	return 0, nil, false
}

func byVersion(b []byte) (kind uint16, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	switch b[0] >> 4 {
	case 4:
		return typeIPv4, b, true
	case 6:
		return typeIPv6, b, true
	}
	return 0, nil, false
}

// tagged looks behind VLAN tags, and into PPPoE.
func tagged(kind uint16, b []byte) (uint16, []byte, bool) {
	for range maxTags {
		switch kind {
		case typeVLAN, typeQinQ, typeOldQ:
			if len(b) < 4 {
				return 0, nil, false
			}
			kind, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		case typePPPoE:
			if len(b) < 8 {
				return 0, nil, false
			}
			return byVersion(b[8:])
		default:
			return kind, b, true
		}
	}
	return 0, nil, false
}

func (f *Frame) arp(b []byte) bool {
	if len(b) < 28 || binary.BigEndian.Uint16(b[2:]) != typeIPv4 || b[4] != 6 || b[5] != 4 {
		return false
	}
	f.ARP = binary.BigEndian.Uint16(b[6:])
	f.Sender, f.Target = netip.AddrFrom4([4]byte(b[14:18])), netip.AddrFrom4([4]byte(b[24:28]))
	return true
}

// maxAbout bounds how deep an error of ICMP is looked into.
const maxAbout = 1

func (f *Frame) ipv4(b []byte, cut, depth int) bool {
	if len(b) < 20 || b[0]>>4 != 4 {
		return false
	}
	size := int(b[0]&15) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if size < 20 || size > len(b) {
		return false
	}
	if total == 0 { // left to the network card
		total = len(b) + cut
	}
	if total < size {
		return false
	}
	fragment := binary.BigEndian.Uint16(b[6:])
	f.Protocol = b[9]
	f.Fragment = fragment&0x1fff != 0
	src, dst := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	return f.transport(src, dst, b[size:min(total, len(b))], total-size, depth)
}

func (f *Frame) ipv6(b []byte, cut, depth int) bool {
	if len(b) < 40 || b[0]>>4 != 6 {
		return false
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	next := b[6]
	src, dst := netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	if length == 0 {
		length = len(b) + cut - 40
	}
	rest := b[40:min(40+length, len(b))]
	for range 8 {
		switch next {
		case 0, 43, 60: // hop by hop, routing, destination
			if len(rest) < 8 {
				return false
			}
			size := 8 + int(rest[1])*8
			if size > len(rest) {
				return false
			}
			next, rest, length = rest[0], rest[size:], length-size
		case 44: // fragment
			if len(rest) < 8 {
				return false
			}
			f.Fragment = binary.BigEndian.Uint16(rest[2:])>>3 != 0
			next, rest, length = rest[0], rest[8:], length-8
		default:
			f.Protocol = next
			return f.transport(src, dst, rest, length, depth)
		}
	}
	return false
}

// transport takes apart what IP carries; length is how much of it there was on the wire.
func (f *Frame) transport(src, dst netip.Addr, b []byte, length, depth int) bool {
	f.Src, f.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
	if f.Fragment {
		return true
	}
	header := 0
	switch f.Protocol {
	case TCP:
		if len(b) < 4 {
			return false
		}
		f.ports(b)
		if len(b) < 14 { // within an error of ICMP, which brings the beginning only
			return true
		}
		header = int(b[12]>>4) * 4
		f.Seq, f.Flags = binary.BigEndian.Uint32(b[4:]), b[13]&(FIN|SYN|RST|PSH|ACK)
	case UDP:
		if header = 8; len(b) < 4 {
			return false
		}
		f.ports(b)
	case ICMP, ICMPv6:
		if header = 8; len(b) < 8 || depth >= maxAbout {
			return depth >= maxAbout
		}
		f.icmp(b, depth)
	}
	if header > length {
		return depth > 0
	}
	f.Length = length - header
	if header <= len(b) {
		f.Payload = b[header:]
	}
	return true
}

// ports reads source and destination, with which TCP and UDP both begin.
func (f *Frame) ports(b []byte) {
	f.Src = netip.AddrPortFrom(f.Src.Addr(), binary.BigEndian.Uint16(b))
	f.Dst = netip.AddrPortFrom(f.Dst.Addr(), binary.BigEndian.Uint16(b[2:]))
}

// icmp reads what did not get through, and why.
func (f *Frame) icmp(b []byte, depth int) {
	f.Type, f.Code = b[0], b[1]
	var about Frame
	switch {
	case f.Protocol == ICMP && (f.Type == Unreachable || f.Type == TimeExceeded):
		if f.Type == Unreachable && f.Code == FragmentationNeeded {
			f.MTU = int(binary.BigEndian.Uint16(b[6:]))
		}
		if about.ipv4(b[8:], 0, depth+1) {
			f.About = &about
		}
	case f.Protocol == ICMPv6 && f.Type >= 1 && f.Type <= 3:
		if f.Type == TooBig {
			f.MTU = int(binary.BigEndian.Uint32(b[4:]))
		}
		if about.ipv6(b[8:], 0, depth+1) {
			f.About = &about
		}
	}
}

// Types and codes of ICMP.
const (
	Unreachable         = 3
	FragmentationNeeded = 4 // code
	TimeExceeded        = 11
	TooBig              = 2 // of ICMPv6
)
