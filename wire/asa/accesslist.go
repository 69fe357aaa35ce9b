package asa

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strings"
)

// AccessList is an access list with what each of its lines decided.
type AccessList struct {
	Name  string
	Lines []AccessLine
}

// AccessLine is one rule.
type AccessLine struct {
	Action, Protocol string
	Members          []string     // users and devices that it is for; none: all
	From, To         netip.Prefix // not valid: any
	Low, High        uint16       // ports; both zero: all
	ICMPType         string       // word or number; empty: all
	Hits             uint64
}

// String returns the list as `show access-list` prints it.
func (l AccessList) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "access-list %s; %d elements; name hash: 0x%x\n", l.Name, len(l.Lines), crc32.ChecksumIEEE([]byte(l.Name)))
	for i, line := range l.Lines {
		text := fmt.Sprintf("access-list %s line %d extended %s", l.Name, i+1, line)
		fmt.Fprintf(&b, "%s (hitcnt=%d) 0x%08x \n", text, line.Hits, crc32.ChecksumIEEE([]byte(text)))
	}
	return b.String()
}

// String returns the rule alone.
func (l AccessLine) String() string {
	words := []string{l.Action, l.Protocol}
	if len(l.Members) > 0 {
		words = append(words, "user", strings.Join(l.Members, ","))
	}
	words = append(words, network(l.From), network(l.To))
	switch {
	case l.ICMPType != "":
		words = append(words, l.ICMPType)
	case l.Low == 0 && l.High == 0:
	case l.Low == l.High:
		words = append(words, "eq", fmt.Sprint(l.Low))
	default:
		words = append(words, "range", fmt.Sprint(l.Low), fmt.Sprint(l.High))
	}
	return strings.Join(words, " ")
}

// network writes addresses as the ASA does: one host, an IPv4 network with its mask, an IPv6 one with its
// length.
func network(p netip.Prefix) string {
	switch {
	case !p.IsValid():
		return "any"
	case p.IsSingleIP():
		return "host " + p.Addr().String()
	case p.Addr().Is4():
		var mask [4]byte
		binary.BigEndian.PutUint32(mask[:], ^uint32(0)<<(32-p.Bits()))
		return p.Addr().String() + " " + netip.AddrFrom4(mask).String()
	}
	return p.String()
}
