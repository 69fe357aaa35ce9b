package rtp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// HeaderSize is the length in bytes of a packet's fixed part, RFC 3550 section 5.1.
const HeaderSize = 12

// Static payload types of RFC 3551, and the one that desk phones use for key presses.
const (
	PCMU           = 0
	PCMA           = 8
	ComfortNoise   = 13
	TelephoneEvent = 101 // dynamic; the session description has the last word
)

// Packet is one media packet. Its slices are parts of the datagram given to Parse.
type Packet struct {
	Marker       bool   // first packet after silence, for voice
	PayloadType  uint8  // 0 to 127
	Sequence     uint16 // one more with each packet, wraps
	Timestamp    uint32 // of the first sample, in ticks of the codec's RTP clock (8000 a second for G.711)
	SSRC         uint32 // the stream's source
	Contributors []byte // CSRC list, 4 bytes each, at most 15
	Extension    []byte // header extension: 2 bytes profile, 2 bytes length in words, then the words; nil when absent
	Payload      []byte
	Padding      []byte // its last byte is its own length; nil when absent
}

// Parse reads one datagram as an RTP packet. It refuses other versions than 2 and lengths that point
// beyond the datagram. RTCP sharing the port must be told apart before, see IsRTCP.
func Parse(datagram []byte) (Packet, error) {
	if len(datagram) < HeaderSize {
		return Packet{}, fmt.Errorf("rtp: packet of %d bytes is shorter than its header of %d", len(datagram), HeaderSize)
	}
	if version := datagram[0] >> 6; version != 2 {
		return Packet{}, fmt.Errorf("rtp: version %d at offset 0, expected 2", version)
	}
	p := Packet{
		Marker:      datagram[1]&0x80 != 0,
		PayloadType: datagram[1] & 0x7f,
		Sequence:    binary.BigEndian.Uint16(datagram[2:]),
		Timestamp:   binary.BigEndian.Uint32(datagram[4:]),
		SSRC:        binary.BigEndian.Uint32(datagram[8:]),
	}
	rest := datagram[HeaderSize:]
	if n := 4 * int(datagram[0]&0x0f); n > 0 {
		if n > len(rest) {
			return Packet{}, fmt.Errorf("rtp: contributors of %d bytes at offset %d exceed the packet", n, HeaderSize)
		}
		p.Contributors, rest = rest[:n], rest[n:]
	}
	if datagram[0]&0x10 != 0 {
		n, err := extensionSize(rest)
		if err != nil {
			return Packet{}, fmt.Errorf("rtp: extension at offset %d: %w", len(datagram)-len(rest), err)
		}
		p.Extension, rest = rest[:n], rest[n:]
	}
	if datagram[0]&0x20 != 0 {
		n := int(datagram[len(datagram)-1])
		if n == 0 || n > len(rest) {
			return Packet{}, fmt.Errorf("rtp: padding of %d bytes in %d bytes of payload", n, len(rest))
		}
		rest, p.Padding = rest[:len(rest)-n], rest[len(rest)-n:]
	}
	p.Payload = rest
	return p, nil
}

func extensionSize(b []byte) (int, error) {
	if len(b) < 4 {
		return 0, fmt.Errorf("%d bytes left, expected at least 4", len(b))
	}
	n := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
	if n > len(b) {
		return 0, fmt.Errorf("%d bytes exceed the packet", n)
	}
	return n, nil
}

var errUnwritable = errors.New("rtp: payload type above 127, contributors not 0 to 15 words, or extension or padding against their own length")

// AppendBinary appends the packet as it goes on the wire. It refuses fields that a packet cannot hold and
// allocates nothing when b has room.
func (p Packet) AppendBinary(b []byte) ([]byte, error) {
	if !p.writable() {
		return b, errUnwritable
	}
	first := byte(0x80) | byte(len(p.Contributors)/4)
	if p.Extension != nil {
		first |= 0x10
	}
	if p.Padding != nil {
		first |= 0x20
	}
	second := p.PayloadType
	if p.Marker {
		second |= 0x80
	}
	b = append(b, first, second)
	b = binary.BigEndian.AppendUint16(b, p.Sequence)
	b = binary.BigEndian.AppendUint32(b, p.Timestamp)
	b = binary.BigEndian.AppendUint32(b, p.SSRC)
	b = append(b, p.Contributors...)
	b = append(b, p.Extension...)
	b = append(b, p.Payload...)
	return append(b, p.Padding...), nil
}

func (p Packet) writable() bool {
	if p.PayloadType > 127 || len(p.Contributors)%4 != 0 || len(p.Contributors) > 15*4 {
		return false
	}
	if p.Extension != nil {
		if n, err := extensionSize(p.Extension); err != nil || n != len(p.Extension) {
			return false
		}
	}
	return p.Padding == nil || len(p.Padding) > 0 && int(p.Padding[len(p.Padding)-1]) == len(p.Padding)
}

// String is the packet on one line.
func (p Packet) String() string {
	mark := ""
	if p.Marker {
		mark = " marker"
	}
	return fmt.Sprintf("rtp type %d seq %d time %d ssrc %08x%s %d bytes", p.PayloadType, p.Sequence, p.Timestamp, p.SSRC, mark, len(p.Payload))
}

// IsRTCP tells whether a datagram that came to a port shared by both is RTCP, by the rule of RFC 5761
// section 4.
func IsRTCP(datagram []byte) bool {
	return len(datagram) >= 2 && datagram[1] >= 192 && datagram[1] <= 223
}
