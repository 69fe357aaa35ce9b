package gateway

import (
	"encoding/binary"
	"time"
)

// Phone to phone: a packet for another session's inner address is sealed for that session and sent, and
// never reaches the host. It has passed the sender's filter by then, as every packet out of a tunnel.

// hairpin carries a packet from one session to another, with a hop taken off. It reports false where the
// host has to say something about it: that its hops are used up, or that it is too large.
func (g *Gateway) hairpin(out *outBatch, now time.Time, to *session, packet []byte) bool {
	if len(packet) > tunMTU || !takeHop(packet) {
		return false
	}
	if out == nil { // not on the lane
		out = g.single.Get().(*outBatch)
		defer g.single.Put(out)
		defer out.flush()
	}
	buf := out.room()
	to.toClient(out, now, buf, copy(buf[headroom:], packet))
	return true
}

// takeHop lowers the hop count of a packet by one, and reports false if that is the last.
func takeHop(packet []byte) bool {
	if packet[0]>>4 == 6 {
		hops := &packet[7]
		if *hops <= 1 {
			return false
		}
		*hops--
		return true
	}
	ttl := &packet[8]
	if *ttl <= 1 {
		return false
	}
	*ttl--
	// The checksum changes by what the header does, RFC 1624.
	sum := uint32(binary.BigEndian.Uint16(packet[10:])) + 0x0100
	binary.BigEndian.PutUint16(packet[10:], uint16(sum+sum>>16))
	return true
}
