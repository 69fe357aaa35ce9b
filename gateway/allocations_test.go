// The race detector has crypto/sha1 allocate when it shows its state, so these tests run without.

//go:build !race

package gateway

import "testing"

// TestPacketPathAllocatesNothing carries packets from socket to device and back. It runs alone, as it
// counts what the whole process allocates.
func TestPacketPathAllocatesNothing(t *testing.T) {
	for name, suite := range pathSuites {
		p := openPath(t, suite)
		if n := testing.AllocsPerRun(500, func() {
			if _, err := p.d.sock.Write(p.sealed(t)); err != nil {
				t.Fatal(err)
			}
			<-p.wrote
		}); n != 0 {
			t.Errorf("%s: a packet to the host allocates %v times", name, n)
		}
		down, buf := packet(files, p.c.answer.Address.String(), protoUDP, 4000, 172), make([]byte, 2000)
		if n := testing.AllocsPerRun(500, func() {
			p.give <- down
			if _, err := p.d.sock.Read(buf); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: a packet to the client allocates %v times", name, n)
		}
		p.w.counted(func(s SessionInfo) bool {
			return s.FromPackets == 501 && s.ToPackets == 501 && s.Refused+s.Dropped == 0
		})
		if err := p.w.stop(); err != nil {
			t.Error(err)
		}
	}
}

// TestHairpinAllocatesNothing runs alone, as it counts what the whole process allocates.
func TestHairpinAllocatesNothing(t *testing.T) {
	for name, suite := range pathSuites {
		p := openPath(t, suite)
		boris := p.w.tunnel(phoneURL, "boris")
		d := boris.dtls(p.w.socket())
		p.up = checked(packet(p.c.answer.Address.String(), boris.answer.Address.String(), protoUDP, 5060, 172))
		p.c.session().filter.Store(nil)
		buf := make([]byte, 2000)
		if n := testing.AllocsPerRun(500, func() {
			if _, err := p.d.sock.Write(p.sealed(t)); err != nil {
				t.Fatal(err)
			}
			if _, err := d.sock.Read(buf); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: a packet from phone to phone allocates %v times", name, n)
		}
		if err := p.w.stop(); err != nil {
			t.Error(err)
		}
	}
}
