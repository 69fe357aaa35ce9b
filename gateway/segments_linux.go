package gateway

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/tun"
)

// Segments: the host leaves TCP packets whole, up to 64 KiB, and the gateway cuts them into what fits the
// tunnel. The host's way from one interface to the other is walked once for all of them then, and so are
// the system calls. Linux's include/uapi/linux/virtio_net.h describes what stands before a packet.

// largestWhole is the largest packet that the host leaves whole.
const largestWhole = 65535

// A client's socket has room for some ninety datagrams of full size where nobody has asked for more, as
// openconnect does not, and while other programs have its core it takes none. So segments to one client go out
// in mouthfuls, and no faster than a client can take them in; who is behind may catch up, but not at one go.
const (
	mouthful = 16
	pace     = 9 * time.Microsecond // for a segment: 1.2 Gbit/s of full ones
	behind   = 2 * mouthful * pace
)

const (
	needsChecksum = 1 // flag: the checksum at start+offset is that of the pseudo header only

	oneSegment  = 0 // kinds
	segmentsTCP = 1
	segmentsIP6 = 4
	kindECN     = 0x80 // said besides the kind

	tcpFIN, tcpPSH, tcpCWR = 0x01, 0x08, 0x80
)

// wholePacket is a packet as the host leaves it, of which segments are cut off.
type wholePacket struct {
	header [tun.HeaderLen]byte
	// rest holds what of a packet does not fit one buffer, with room before it for what does.
	rest   [maxPacket + largestWhole]byte
	vector [3]unix.Iovec

	packet     []byte // what is being cut; empty: nothing
	transport  int    // where TCP's header begins
	headers    int    // length of both headers
	size       int    // payload of each segment but the last
	at, number int    // of the payload that is cut next, and of its segment
	client     netip.Addr
	mouthful   int       // segments to client since the last breath
	due        time.Time // when the next mouthful may go
}

// vectors are where the next packet goes: its header, itself as far as one buffer holds it, and the rest.
func (w *wholePacket) vectors(packet []byte) *[3]unix.Iovec {
	w.vector[0].Base, w.vector[1].Base, w.vector[2].Base = &w.header[0], &packet[0], &w.rest[maxPacket]
	w.vector[0].SetLen(len(w.header))
	w.vector[1].SetLen(len(packet))
	w.vector[2].SetLen(largestWhole)
	return &w.vector
}

// arrived takes n bytes that were read where vectors says. It returns the length of the packet if it is
// complete in its buffer; zero says that there are segments to cut, or that it is none that can be used.
func (w *wholePacket) arrived(packet []byte, n int) int {
	n -= len(w.header)
	start := int(binary.NativeEndian.Uint16(w.header[6:]))
	switch kind := w.header[1] &^ kindECN; {
	case kind == segmentsTCP || kind == segmentsIP6:
		w.begin(packet, n, start)
		return 0
	case kind != oneSegment || n <= 0 || n > len(packet):
		return 0
	}
	if w.header[0]&needsChecksum != 0 {
		offset := int(binary.NativeEndian.Uint16(w.header[8:]))
		if start+offset+2 > n {
			return 0
		}
		setChecksum(packet[:n], start, offset)
	}
	return n
}

// begin begins to cut a packet of n bytes, of which the first stand in packet.
func (w *wholePacket) begin(packet []byte, n, start int) {
	const leastIP4, leastIP6, leastTCP = 20, 40, 20
	if n < start+leastTCP {
		return
	}
	whole := w.rest[maxPacket-len(packet):]
	copy(whole, packet)
	whole = whole[:n]
	w.transport, w.size = start, int(binary.NativeEndian.Uint16(w.header[4:]))
	w.headers = start + int(whole[start+12]>>4)*4
	w.at, w.number = w.headers, 0
	if w.headers < start+leastTCP || w.headers >= n || w.size == 0 || w.headers+w.size > len(packet) {
		return
	}
	var client netip.Addr
	switch version := whole[0] >> 4; {
	case version == 4 && start >= leastIP4:
		client = netip.AddrFrom4([4]byte(whole[16:20]))
	case version == 6 && start >= leastIP6:
		client = netip.AddrFrom16([16]byte(whole[24:40]))
	default:
		return
	}
	if client != w.client {
		w.client, w.mouthful = client, 0
	}
	w.packet = whole
}

// breathe reports whether the lane has read a mouthful, and how long it has to wait before the next.
func (w *wholePacket) breathe(now time.Time) (wait time.Duration, full bool) {
	full = w.mouthful >= mouthful
	w.mouthful = 0
	if !full {
		return 0, false
	}
	if earliest := now.Add(-behind); w.due.Before(earliest) {
		w.due = earliest
	}
	w.due = w.due.Add(mouthful * pace)
	return w.due.Sub(now), true
}

// cut copies the next segment, with headers of its own, and returns its length; zero when there is none.
func (w *wholePacket) cut(to []byte) int {
	if len(w.packet) == 0 {
		return 0
	}
	copy(to, w.packet[:w.headers])
	n := w.headers + copy(to[w.headers:w.headers+w.size], w.packet[w.at:])
	segment := to[:n]
	tcp := segment[w.transport:]
	done := uint32(w.at - w.headers)
	binary.BigEndian.PutUint32(tcp[4:], binary.BigEndian.Uint32(tcp[4:])+done)
	if w.number > 0 {
		tcp[13] &^= tcpCWR
	}
	w.at += n - w.headers
	if w.at < len(w.packet) {
		tcp[13] &^= tcpFIN | tcpPSH
	}
	if segment[0]>>4 == 4 {
		binary.BigEndian.PutUint16(segment[2:], uint16(n))
		binary.BigEndian.PutUint16(segment[4:], binary.BigEndian.Uint16(segment[4:])+uint16(w.number))
		segment[10], segment[11] = 0, 0
		binary.BigEndian.PutUint16(segment[10:], ^folded(sum(segment[:w.transport], 0)))
	} else {
		binary.BigEndian.PutUint16(segment[4:], uint16(n-40))
	}
	const ofTCP = 16
	binary.BigEndian.PutUint16(tcp[ofTCP:], folded(pseudoHeader(segment, len(tcp))))
	setChecksum(segment, w.transport, ofTCP)
	w.number++
	w.mouthful++
	if w.at >= len(w.packet) {
		w.packet = nil
	}
	return n
}

// pseudoHeader sums what a TCP checksum counts besides the segment: addresses, protocol and length.
func pseudoHeader(packet []byte, length int) uint64 {
	if packet[0]>>4 == 4 {
		return sum(packet[12:20], protoTCP+uint64(length))
	}
	return sum(packet[8:40], protoTCP+uint64(length))
}

// setChecksum completes a checksum, which holds the sum of the pseudo header.
func setChecksum(packet []byte, start, offset int) {
	value := ^folded(sum(packet[start:], 0))
	if value == 0 {
		value = 0xffff // zero means none in UDP, and the same otherwise
	}
	binary.BigEndian.PutUint16(packet[start+offset:], value)
}

// sum adds up 16-bit words in ones' complement, eight bytes at a time (RFC 1071 section 2).
func sum(b []byte, initial uint64) uint64 {
	total, carry := initial, uint64(0)
	for len(b) >= 32 {
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[8:]), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[16:]), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b), carry)
		b = b[8:]
	}
	var last [8]byte
	copy(last[:], b)
	total, carry = bits.Add64(total, binary.BigEndian.Uint64(last[:]), carry)
	total, carry = bits.Add64(total, 0, carry)
	return total + carry
}

// folded brings a sum down to 16 bits.
func folded(total uint64) uint16 {
	total = total>>32 + total&0xffffffff
	total = total>>16 + total&0xffff
	total = total>>16 + total&0xffff
	total = total>>16 + total&0xffff
	return uint16(total)
}
