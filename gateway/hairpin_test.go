package gateway

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/cstp"
)

// checked gives an IPv4 packet its checksum.
func checked(b []byte) []byte {
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], ^sumOf(b))
	return b
}

// sumOf is the sum over an IPv4 header, all ones if its checksum is right.
func sumOf(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < int(b[0]&0xf)*4; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// end is a client by one of its channels.
type end struct {
	address string
	send    func([]byte)
	receive func() string
}

func (w *world) ends(url, user string, overDTLS bool) end {
	w.t.Helper()
	c := w.tunnel(url, user)
	e := end{address: c.answer.Address.String()}
	if !overDTLS {
		e.send = func(p []byte) { c.sendFrame(cstp.Data, p) }
		e.receive = func() string { return c.frame(cstp.Data) }
		return e
	}
	d := c.dtls(w.socket())
	e.send = func(p []byte) { d.send(cstp.Data, p) }
	e.receive = func() string { return d.message(cstp.Data) }
	return e
}

// TestPhoneToPhone: a packet between two sessions, by whatever channels, has one hop less, and nothing of
// it reaches the host.
func TestPhoneToPhone(t *testing.T) {
	t.Parallel()
	for name, over := range map[string][2]bool{
		"DTLS to DTLS": {true, true}, "DTLS to CSTP": {true, false}, "CSTP to DTLS": {false, true}, "CSTP to CSTP": {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, withUsers("anna", "boris"))
			anna, boris := w.ends(staffURL, "anna", over[0]), w.ends(phoneURL, "boris", over[1])
			for _, ttl := range []byte{64, 2} {
				p := packet(anna.address, boris.address, protoUDP, 16384, 172)
				p[8] = ttl
				anna.send(checked(p))
				got := []byte(boris.receive())
				if sumOf(got) != 0xffff {
					t.Errorf("the checksum of % x is wrong", got[:20])
				}
				p[8]--
				if want := checked(p); string(got) != string(want) {
					t.Errorf("boris gets % x\nwant % x", got, want)
				}
			}
			anna.send(toFiles(anna.address)) // the first that the host gets
			if got := w.toHost(); got != string(toFiles(anna.address)) {
				t.Errorf("the host gets % x", got)
			}
			w.counted(func(s SessionInfo) bool {
				return s.User == "anna" && s.FromPackets == 3 && s.ToPackets == 0 || s.User == "boris" && s.FromPackets == 0 && s.ToPackets == 2
			})
		})
	}
}

// TestPhoneToPhoneRefused: what the sender's filter denies, or what is not the sender's, reaches neither the
// other client nor the host.
func TestPhoneToPhoneRefused(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "boris"))
	anna, boris := w.ends(phoneURL, "anna", true), w.ends(staffURL, "boris", true)
	anna.send(checked(packet(anna.address, boris.address, protoUDP, 5060, 172))) // her filter knows the files only
	anna.send(checked(packet(boris.address, anna.address, protoUDP, 5060, 172)))
	anna.send(checked(packet(files, boris.address, protoUDP, 5060, 172)))
	anna.send(toFiles(anna.address))
	if got := w.toHost(); got != string(toFiles(anna.address)) {
		t.Errorf("the host gets % x", got)
	}
	last := packet(files, boris.address, protoUDP, 1, 8)
	w.fromHost(last)
	if got := boris.receive(); got != string(last) {
		t.Errorf("boris gets % x", got)
	}
	for _, info := range w.g.Sessions() {
		if info.User == "anna" && (info.Refused != 3 || info.FromPackets != 1) {
			t.Errorf("%+v", info)
		}
	}
}

// TestPhoneToPhoneByTheHost: packets that need an answer by ICMP are the kernel's to answer.
func TestPhoneToPhoneByTheHost(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "boris"))
	anna, boris := w.ends(staffURL, "anna", true), w.ends(staffURL, "boris", true)
	last := packet(anna.address, boris.address, protoUDP, 5060, 172)
	last[8] = 1
	large := packet(anna.address, boris.address, protoUDP, 5060, tunMTU)
	self := packet(anna.address, anna.address, protoUDP, 5060, 172)
	for _, p := range [][]byte{last, large, self} {
		anna.send(checked(p))
		if got := w.toHost(); got != string(p) {
			t.Errorf("the host gets % x", got)
		}
	}
}

func TestTakeHopIPv6(t *testing.T) {
	t.Parallel()
	p := make([]byte, 40)
	p[0] = 0x60
	for hops, want := range map[byte]bool{0: false, 1: false, 2: true, 64: true} {
		p[7] = hops
		if got := takeHop(p); got != want || got && p[7] != hops-1 {
			t.Errorf("of %d hops: %v, %d are left", hops, got, p[7])
		}
	}
}

func BenchmarkHairpin(b *testing.B) {
	for name, suite := range pathSuites {
		b.Run(name, func(b *testing.B) {
			p := openPath(b, suite)
			boris := p.w.tunnel(phoneURL, "boris")
			boris.dtls(p.w.socket())
			p.up = checked(packet(p.c.answer.Address.String(), boris.answer.Address.String(), protoUDP, 5060, 172))
			p.c.session().filter.Store(nil)
			l := secondLane(b, p.w.g)
			b.ReportAllocs()
			b.SetBytes(int64(len(p.up)))
			for b.Loop() {
				l.fromPeer(time.Now(), p.addr, p.sealed(b)) // sealing is part of it; into a socket which overflows
			}
		})
	}
}
