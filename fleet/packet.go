package fleet

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
)

// A packet of voice inside the tunnel. Behind the RTP header there is no sound but what the receiver
// needs to judge the packet:
//
//	offset  0     20    28    40     44    48       52      56     64        196
//	        IPv4  UDP   RTP   mark   talk  client   number  sent   filling   checksum
const (
	ipHeader    = 20
	udpHeader   = 8
	rtpHeader   = 12
	voicePort   = 16384 // of each client, inside
	payloadLen  = 172   // 20 ms of G.711 with its RTP header
	packetLen   = ipHeader + udpHeader + payloadLen
	class       = 46 << 2 // expedited forwarding, as phones mark speech
	mark        = 0x4c6f6e67
	checksumLen = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// stamp is what a packet says about itself.
type stamp struct {
	talk   uint32 // odd: the packet counts
	client uint32
	number uint32
	sent   int64 // nanoseconds of Unix time
	intact bool
}

// voice is the unchanging part of a client's packets in one direction.
type voice [packetLen]byte

// newVoice makes packets from one address to another.
func newVoice(client int, from, to netip.AddrPort) *voice {
	v := new(voice)
	p := v[:]
	p[0], p[8], p[9] = 0x45, 64, 17 // version and length, TTL, UDP
	p[1] = class
	binary.BigEndian.PutUint16(p[2:], packetLen)
	src, dst := from.Addr().As4(), to.Addr().As4()
	copy(p[12:], src[:])
	copy(p[16:], dst[:])
	binary.BigEndian.PutUint16(p[10:], checksum(p[:ipHeader]))
	udp := p[ipHeader:]
	binary.BigEndian.PutUint16(udp, from.Port())
	binary.BigEndian.PutUint16(udp[2:], to.Port())
	binary.BigEndian.PutUint16(udp[4:], udpHeader+payloadLen) // the checksum stays zero: none
	payload := udp[udpHeader:]
	payload[0] = 0x80 // RTP version 2, PCMU
	binary.BigEndian.PutUint32(payload[8:], uint32(client))
	binary.BigEndian.PutUint32(payload[rtpHeader:], mark)
	binary.BigEndian.PutUint32(payload[rtpHeader+8:], uint32(client))
	filling := rand.New(rand.NewPCG(uint64(client), mark))
	for i := rtpHeader + 24; i < payloadLen-checksumLen; i++ {
		payload[i] = byte(filling.Uint32())
	}
	return v
}

// fill writes the next packet's payload to dst.
func (v *voice) fill(dst []byte, talk, number uint32, sent int64) {
	copy(dst, v[ipHeader+udpHeader:])
	binary.BigEndian.PutUint16(dst[2:], uint16(number))
	binary.BigEndian.PutUint32(dst[4:], number*160)
	binary.BigEndian.PutUint32(dst[rtpHeader+4:], talk)
	binary.BigEndian.PutUint32(dst[rtpHeader+12:], number)
	binary.BigEndian.PutUint64(dst[rtpHeader+16:], uint64(sent))
	end := payloadLen - checksumLen
	binary.BigEndian.PutUint32(dst[end:], crc32.Update(0, castagnoli, dst[:end]))
}

// readStamp reads a payload. It is false when the payload is none of ours.
func readStamp(payload []byte) (s stamp, ours bool) {
	if len(payload) < rtpHeader+4 || binary.BigEndian.Uint32(payload[rtpHeader:]) != mark {
		return s, false
	}
	if len(payload) != payloadLen {
		return s, true
	}
	end := payloadLen - checksumLen
	return stamp{
		talk:   binary.BigEndian.Uint32(payload[rtpHeader+4:]),
		client: binary.BigEndian.Uint32(payload[rtpHeader+8:]),
		number: binary.BigEndian.Uint32(payload[rtpHeader+12:]),
		sent:   int64(binary.BigEndian.Uint64(payload[rtpHeader+16:])),
		intact: binary.BigEndian.Uint32(payload[end:]) == crc32.Update(0, castagnoli, payload[:end]),
	}, true
}

// isFrom reports whether an IPv4 packet has a sound header and UDP that goes from one address to another.
func isFrom(packet []byte, from, to netip.AddrPort) bool {
	if len(packet) < ipHeader+udpHeader || packet[0] != 0x45 || packet[9] != 17 || checksum(packet[:ipHeader]) != 0 {
		return false
	}
	source, target := netip.AddrFrom4([4]byte(packet[12:])), netip.AddrFrom4([4]byte(packet[16:]))
	udp := packet[ipHeader:]
	return netip.AddrPortFrom(source, binary.BigEndian.Uint16(udp)) == from &&
		netip.AddrPortFrom(target, binary.BigEndian.Uint16(udp[2:])) == to
}

// checksum is the Internet checksum; over a header that holds its own it is zero.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
