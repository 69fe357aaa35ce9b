package gateway

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/longcord/longcord/tun"
)

// slowSum is the internet checksum as RFC 1071 writes it down.
func slowSum(parts ...[]byte) uint16 {
	b := bytes.Join(parts, nil)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	total := uint32(0)
	for i := 0; i < len(b); i += 2 {
		total += uint32(b[i])<<8 | uint32(b[i+1])
		total = total&0xffff + total>>16
	}
	return ^uint16(total)
}

// wholeTCP is a packet as the host leaves it, with the header before it.
func wholeTCP(six bool, payload []byte, size int, flags byte) []byte {
	tcp := make([]byte, 32+len(payload)) // with 12 bytes of options
	binary.BigEndian.PutUint16(tcp, 5201)
	binary.BigEndian.PutUint16(tcp[2:], 40000)
	binary.BigEndian.PutUint32(tcp[4:], 0xfffff000) // wraps
	tcp[12], tcp[13] = 8<<4, flags
	copy(tcp[32:], payload)
	var ip []byte
	kind := byte(segmentsTCP)
	if six {
		kind = segmentsIP6
		ip = make([]byte, 40)
		ip[0], ip[6], ip[7] = 0x60, protoTCP, 64
		copy(ip[8:], netip.MustParseAddr("2001:db8::1").AsSlice())
		copy(ip[24:], netip.MustParseAddr("2001:db8::2").AsSlice())
		binary.BigEndian.PutUint16(ip[4:], uint16(len(tcp)))
	} else {
		ip = make([]byte, 20)
		ip[0], ip[8], ip[9] = 0x45, 64, protoTCP
		copy(ip[12:], []byte{10, 1, 0, 9, 10, 99, 0, 2})
		binary.BigEndian.PutUint16(ip[2:], uint16(20+len(tcp)))
		binary.BigEndian.PutUint16(ip[4:], 0xfffe)
		binary.BigEndian.PutUint16(ip[10:], slowSum(ip))
	}
	header := make([]byte, tun.HeaderLen)
	header[0], header[1] = needsChecksum, kind
	binary.NativeEndian.PutUint16(header[4:], uint16(size))
	binary.NativeEndian.PutUint16(header[6:], uint16(len(ip)))
	binary.NativeEndian.PutUint16(header[8:], 16)
	return bytes.Join([][]byte{header, ip, tcp}, nil)
}

// read gives a whole packet what the kernel would put into its vectors.
func (w *wholePacket) read(packet, from []byte) int {
	n := len(from)
	from = from[copy(w.header[:], from):]
	from = from[copy(packet, from):]
	copy(w.rest[maxPacket:], from)
	return w.arrived(packet, n)
}

// wantChecksums compares a TCP packet's checksums with those of RFC 1071.
func wantChecksums(t *testing.T, packet []byte) {
	t.Helper()
	start, pseudo := 40, []byte(nil)
	if packet[0]>>4 == 4 {
		start = 20
		if slowSum(packet[:20]) != 0 {
			t.Errorf("header checksum is wrong: % x", packet[:20])
		}
		pseudo = append(pseudo, packet[12:20]...)
	} else {
		pseudo = append(pseudo, packet[8:40]...)
	}
	pseudo = append(pseudo, 0, protoTCP)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(packet)-start))
	if slowSum(pseudo, packet[start:]) != 0 {
		t.Errorf("TCP checksum is wrong in a packet of %d bytes", len(packet))
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, six := range []bool{false, true} {
		for _, length := range []int{1, 100, 1238, 1239, 2000, 2477, 20000, 65000} {
			payload := make([]byte, length)
			for i := range payload {
				payload[i] = byte(random.Uint32())
			}
			var w wholePacket
			const size = 1238
			buf := make([]byte, maxPacket)
			const flags = 0x10 | tcpFIN | tcpPSH | tcpCWR
			if n := w.read(buf, wholeTCP(six, payload, size, flags)); n != 0 {
				t.Fatalf("%d bytes: a whole packet is taken for one of %d bytes", length, n)
			}
			var got []byte
			for number := 0; ; number++ {
				n := w.cut(buf)
				if n == 0 {
					break
				}
				var h header
				if !parseHeader(buf[:n], &h) || h.protocol != protoTCP {
					t.Fatalf("segment %d is no TCP packet", number)
				}
				wantChecksums(t, buf[:n])
				start := 20
				if six {
					start = 40
				} else if id := binary.BigEndian.Uint16(buf[4:]); id != uint16(0xfffe+number) {
					t.Errorf("segment %d has id %#x", number, id)
				}
				tcp := buf[start:n]
				if seq := binary.BigEndian.Uint32(tcp[4:]); seq != 0xfffff000+uint32(len(got)) {
					t.Errorf("segment %d has sequence number %#x", number, seq)
				}
				got = append(got, tcp[32:]...)
				want := byte(0x10)
				if number == 0 {
					want |= tcpCWR
				}
				if len(got) == length {
					want |= tcpFIN | tcpPSH
				}
				if tcp[13] != want || len(tcp) > 32+size {
					t.Errorf("segment %d of %d bytes has %d bytes and flags %#x want %#x", number, length, len(tcp), tcp[13], want)
				}
			}
			if !bytes.Equal(got, payload) {
				t.Errorf("%d bytes come out as %d others", length, len(got))
			}
		}
	}
}

// TestOpenChecksum: a packet that the host leaves without its checksum gets it.
func TestOpenChecksum(t *testing.T) {
	t.Parallel()
	from := wholeTCP(false, []byte("hello"), 0, 0x18)
	from[1] = oneSegment
	ip := from[tun.HeaderLen:]
	binary.BigEndian.PutUint16(ip[20+16:], folded(pseudoHeader(ip, len(ip)-20)))
	var w wholePacket
	buf := make([]byte, maxPacket)
	if n := w.read(buf, from); n != len(ip) {
		t.Fatalf("got %d bytes want %d", n, len(ip))
	}
	wantChecksums(t, buf[:len(ip)])
}

// TestSegmentsRefuse: what cannot be a packet gives none, and the next one is read as ever.
func TestSegmentsRefuse(t *testing.T) {
	t.Parallel()
	good := wholeTCP(false, make([]byte, 5000), 1200, 0x10)
	var w wholePacket
	buf := make([]byte, maxPacket)
	for cut := range 60 { // into and behind both headers
		w.read(buf, good[:cut])
		for w.cut(buf) > 0 {
		}
	}
	for at := range tun.HeaderLen + 20 + 14 {
		for _, value := range []byte{0, 1, 0x7f, 0xff} {
			bad := bytes.Clone(good)
			bad[at] = value
			w.read(buf, bad)
			for n := 0; w.cut(buf) > 0; n++ {
				if n > largestWhole {
					t.Fatalf("byte %d as %#x gives segments without end", at, value)
				}
			}
		}
	}
	w.read(buf, good)
	total := 0
	for n := w.cut(buf); n > 0; n = w.cut(buf) {
		total += n - 52
	}
	if total != 5000 {
		t.Errorf("%d bytes of 5000 come out", total)
	}
}

// TestBreathe cuts packets as fast as it may and looks how fast that is.
func TestBreathe(t *testing.T) {
	const size, segments = 1000, 10
	to := func(client byte) []byte {
		b := wholeTCP(false, make([]byte, size*segments), size, 0)
		b[tun.HeaderLen+19] = client
		return b
	}
	w, packet := new(wholePacket), make([]byte, maxPacket)
	now := time.Unix(1000, 0)
	// send sends packets of ten segments each to the clients in turn, with a mouthful between two looks at the
	// clock, and returns how long that took.
	send := func(packets int, clients ...byte) time.Duration {
		began := now
		for i := range packets {
			w.read(packet, to(clients[i%len(clients)]))
			for w.cut(packet) > 0 {
				if w.mouthful < mouthful {
					continue
				}
				wait, full := w.breathe(now)
				if !full {
					t.Fatal("a mouthful is none")
				}
				now = now.Add(max(wait, 0))
			}
		}
		return now.Sub(began)
	}
	const packets = 160
	least := packets*segments*pace - behind
	if took := send(packets, 2); took < least || took > least+behind {
		t.Errorf("%d segments to one client took %v, want %v or a little more", packets*segments, took, least)
	}
	now = now.Add(time.Minute) // nobody may catch up with that
	if took := send(packets, 2); took < least {
		t.Errorf("%d segments after a minute's silence took %v, want %v at least", packets*segments, took, least)
	}
	if took := send(packets, 2, 3); took != 0 {
		t.Errorf("short packets to two clients in turn waited %v", took)
	}
	if wait, full := w.breathe(now); full {
		t.Errorf("less than a mouthful waits %v", wait)
	}
}
