// Package pcap reads captures of packets, pcap and pcapng, one packet after the other in bounded memory, and takes the
// headers of a packet apart: link, VLAN, IP, TCP, UDP, ICMP, ARP.
//
// Both byte orders and both resolutions of time are read. A capture that ends within a packet gives the packets before it,
// and io.ErrUnexpectedEOF. Sources: docs/wire/captures.md.
package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits of what is read.
const (
	MaxPacket     = 256 << 10 // bytes of one packet
	maxBlock      = 16 << 20  // bytes of a block of pcapng; names and statistics may be long
	maxInterfaces = 4096
	maxSecrets    = 4 << 20 // bytes of keys within a capture
)

// Packet is one packet as it was captured. Data is only good until the next one is read.
type Packet struct {
	Number int       // 1-based, as analysers count
	Time   time.Time // UTC; zero when the capture does not say
	Link   Link      // how Data begins
	Data   []byte
	Length int // on the wire; more than len(Data) when the capture cut it
}

// Link is how a packet begins, LINKTYPE_… of tcpdump.org.
type Link uint16

// Links that are taken apart.
const (
	Null     Link = 0
	Ethernet Link = 1
	RawBSD   Link = 12
	RawOpen  Link = 14
	Raw      Link = 101
	Loop     Link = 108
	SLL      Link = 113
	IPv4     Link = 228
	IPv6     Link = 229
	SLL2     Link = 276
)

// Block types and options of pcapng.
const (
	blockInterface = 1
	blockOldPacket = 2
	blockSimple    = 3
	blockPacket    = 6
	blockSecrets   = 10
	blockSection   = 0x0a0d0d0a
	orderMagic     = 0x1a2b3c4d

	optionEnd        = 0
	optionResolution = 9
	optionOffset     = 14

	secretsTLS = 0x544c534b // an NSS key log
)

// iface is an interface of a section of pcapng.
type iface struct {
	link   Link
	snap   int
	unit   time.Duration // of its clock; 0: finer than a nanosecond
	finer  uint64        // ticks in a nanosecond, when unit is 0
	offset int64         // seconds that are added
}

// Reader reads one capture.
type Reader struct {
	r       io.Reader
	order   binary.ByteOrder
	next    bool // pcapng
	nano    bool // of pcap
	link    Link // of pcap
	ifaces  []iface
	number  int
	buffer  []byte
	secrets []byte
}

// Is reports whether a file that begins so is a capture.
func Is(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	switch binary.BigEndian.Uint32(head) {
	case 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, blockSection:
		return true
	}
	return false
}

// NewReader reads the beginning of a capture.
func NewReader(r io.Reader) (*Reader, error) {
	p := &Reader{r: r}
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, fmt.Errorf("pcap: magic number: %w", noEOF(err))
	}
	switch binary.BigEndian.Uint32(magic[:]) {
	case 0xa1b2c3d4, 0xa1b23c4d:
		p.order = binary.BigEndian
	case 0xd4c3b2a1, 0x4d3cb2a1:
		p.order = binary.LittleEndian
	case blockSection:
		p.next = true
		return p, p.section()
	default:
		return nil, fmt.Errorf("pcap: magic number %x is of no capture", magic)
	}
	p.nano = p.order.Uint32(magic[:]) == 0xa1b23c4d
	head, err := p.take(20)
	if err != nil {
		return nil, fmt.Errorf("pcap: header: %w", err)
	}
	p.link = Link(p.order.Uint32(head[16:]))
	return p, nil
}

// Secrets returns the TLS key log that the capture has brought so far.
func (p *Reader) Secrets() []byte { return p.secrets }

// Next returns the next packet, or io.EOF after the last.
func (p *Reader) Next() (Packet, error) {
	if p.next {
		return p.nextBlock()
	}
	var head [16]byte
	if _, err := io.ReadFull(p.r, head[:]); err != nil {
		return Packet{}, err // io.EOF between packets is the end
	}
	captured, length := p.order.Uint32(head[8:]), p.order.Uint32(head[12:])
	if captured > MaxPacket {
		return Packet{}, fmt.Errorf("pcap: packet %d has %d bytes; at most %d are read", p.number+1, captured, MaxPacket)
	}
	data, err := p.take(int(captured))
	if err != nil {
		return Packet{}, fmt.Errorf("pcap: packet %d: %w", p.number+1, err)
	}
	unit := time.Microsecond
	if p.nano {
		unit = time.Nanosecond
	}
	p.number++
	return Packet{
		Number: p.number, Link: p.link, Data: data, Length: int(length),
		Time: time.Unix(int64(p.order.Uint32(head[:])), int64(p.order.Uint32(head[4:]))*int64(unit)).UTC(),
	}, nil
}

// take reads n bytes into the buffer.
func (p *Reader) take(n int) ([]byte, error) {
	if cap(p.buffer) < n {
		p.buffer = make([]byte, n)
	}
	data := p.buffer[:n]
	_, err := io.ReadFull(p.r, data)
	return data, noEOF(err)
}

// noEOF makes an end where more should come an unexpected one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// section reads the rest of a section header block, whose type has been read.
func (p *Reader) section() error {
	var head [8]byte
	if _, err := io.ReadFull(p.r, head[:]); err != nil {
		return fmt.Errorf("pcap: section header: %w", noEOF(err))
	}
	switch {
	case binary.LittleEndian.Uint32(head[4:]) == orderMagic:
		p.order = binary.LittleEndian
	case binary.BigEndian.Uint32(head[4:]) == orderMagic:
		p.order = binary.BigEndian
	default:
		return fmt.Errorf("pcap: byte-order magic is %x", head[4:])
	}
	p.ifaces = nil
	return p.skip(p.order.Uint32(head[:]), 12)
}

// skip passes over the rest of a block, of which some bytes have been read.
func (p *Reader) skip(total uint32, had int64) error {
	rest := int64(total) - had
	if rest < 0 || total%4 != 0 {
		return fmt.Errorf("pcap: a block of %d bytes", total)
	}
	if _, err := io.CopyN(io.Discard, p.r, rest); err != nil {
		return fmt.Errorf("pcap: block: %w", noEOF(err))
	}
	return nil
}

func (p *Reader) nextBlock() (Packet, error) {
	for {
		var head [8]byte
		if _, err := io.ReadFull(p.r, head[:4]); err != nil {
			return Packet{}, err
		}
		kind := p.order.Uint32(head[:])
		if kind == blockSection { // the same in both orders
			if err := p.section(); err != nil {
				return Packet{}, err
			}
			continue
		}
		if _, err := io.ReadFull(p.r, head[4:]); err != nil {
			return Packet{}, fmt.Errorf("pcap: block: %w", noEOF(err))
		}
		total := p.order.Uint32(head[4:])
		if known := kind == blockInterface || kind == blockPacket || kind == blockSimple || kind == blockOldPacket || kind == blockSecrets; !known || total > maxBlock {
			if err := p.skip(total, 8); err != nil {
				return Packet{}, err
			}
			continue
		}
		if total < 12 || total%4 != 0 {
			return Packet{}, fmt.Errorf("pcap: a block of %d bytes", total)
		}
		body, err := p.take(int(total) - 8)
		if err != nil {
			return Packet{}, fmt.Errorf("pcap: block: %w", err)
		}
		packet, ok, err := p.block(kind, body[:len(body)-4])
		if err != nil || ok {
			return packet, err
		}
	}
}

// block takes a block apart, and reports whether it is a packet.
func (p *Reader) block(kind uint32, body []byte) (Packet, bool, error) {
	switch kind {
	case blockInterface:
		return Packet{}, false, p.interfaceBlock(body)
	case blockSecrets:
		if len(body) < 8 {
			return Packet{}, false, fmt.Errorf("pcap: a block of secrets has %d bytes", len(body))
		}
		size := int64(p.order.Uint32(body[4:]))
		if p.order.Uint32(body) == secretsTLS && size <= int64(len(body)-8) && int64(len(p.secrets))+size <= maxSecrets {
			p.secrets = append(bytes.TrimRight(p.secrets, "\n"), '\n')
			p.secrets = append(p.secrets, body[8:8+size]...)
		}
		return Packet{}, false, nil
	case blockSimple:
		if len(body) < 4 {
			return Packet{}, false, errors.New("pcap: a simple packet without its length")
		}
		if len(p.ifaces) == 0 {
			return Packet{}, false, errors.New("pcap: a packet before any interface")
		}
		length := int(p.order.Uint32(body))
		captured := min(length, len(body)-4)
		if snap := p.ifaces[0].snap; snap > 0 {
			captured = min(captured, snap)
		}
		return p.packet(0, 0, max(captured, 0), length, body[4:])
	case blockOldPacket:
		if len(body) < 20 {
			return Packet{}, false, fmt.Errorf("pcap: a packet block of %d bytes", len(body))
		}
		return p.packet(int(p.order.Uint16(body)), p.ticks(body[4:]), int(p.order.Uint32(body[12:])), int(p.order.Uint32(body[16:])), body[20:])
	}
	if len(body) < 20 {
		return Packet{}, false, fmt.Errorf("pcap: a packet block of %d bytes", len(body))
	}
	return p.packet(int(p.order.Uint32(body)), p.ticks(body[4:]), int(p.order.Uint32(body[12:])), int(p.order.Uint32(body[16:])), body[20:])
}

func (p *Reader) ticks(b []byte) uint64 {
	return uint64(p.order.Uint32(b))<<32 | uint64(p.order.Uint32(b[4:]))
}

func (p *Reader) packet(on int, ticks uint64, captured, length int, data []byte) (Packet, bool, error) {
	if on < 0 || on >= len(p.ifaces) {
		return Packet{}, false, fmt.Errorf("pcap: packet %d is of interface %d, which is not there", p.number+1, on)
	}
	if captured < 0 || captured > len(data) || captured > MaxPacket {
		return Packet{}, false, fmt.Errorf("pcap: packet %d has %d bytes in a block with room for %d", p.number+1, captured, len(data))
	}
	i := p.ifaces[on]
	p.number++
	packet := Packet{Number: p.number, Link: i.link, Data: data[:captured], Length: length}
	switch {
	case ticks == 0:
	case i.unit > 0:
		perSecond := uint64(time.Second / i.unit)
		packet.Time = time.Unix(int64(ticks/perSecond)+i.offset, int64(ticks%perSecond)*int64(i.unit)).UTC()
	default:
		packet.Time = time.Unix(i.offset, 0).Add(time.Duration(ticks / i.finer)).UTC()
	}
	return packet, true, nil
}

func (p *Reader) interfaceBlock(body []byte) error {
	if len(body) < 8 {
		return fmt.Errorf("pcap: an interface block of %d bytes", len(body))
	}
	if len(p.ifaces) == maxInterfaces {
		return fmt.Errorf("pcap: has more than %d interfaces", maxInterfaces)
	}
	i := iface{link: Link(p.order.Uint16(body)), snap: int(p.order.Uint32(body[4:])), unit: time.Microsecond}
	for options := body[8:]; len(options) >= 4; {
		code, size := p.order.Uint16(options), int(p.order.Uint16(options[2:]))
		if code == optionEnd || 4+size > len(options) {
			break
		}
		switch value := options[4 : 4+size]; {
		case code == optionResolution && size == 1:
			i.unit, i.finer = resolution(value[0])
		case code == optionOffset && size == 8:
			i.offset = int64(p.order.Uint64(value))
		}
		options = options[min(4+(size+3)&^3, len(options)):]
	}
	p.ifaces = append(p.ifaces, i)
	return nil
}

// resolution reads if_tsresol: a negative power of 10, or of 2 with the highest bit set. What does not divide a second into
// whole nanoseconds, which no program is known to write, is taken for microseconds.
func resolution(b byte) (unit time.Duration, finer uint64) {
	base, exponent := uint64(10), int(b&0x7f)
	if b&0x80 != 0 {
		base = 2
	}
	perSecond := uint64(1)
	for range exponent {
		if perSecond > 1<<62/base {
			return time.Microsecond, 0
		}
		perSecond *= base
	}
	switch second := uint64(time.Second); {
	case second%perSecond == 0:
		return time.Duration(second / perSecond), 0
	case perSecond%second == 0:
		return 0, perSecond / second
	}
	return time.Microsecond, 0
}
