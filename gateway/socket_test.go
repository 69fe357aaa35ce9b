package gateway

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// peerOf is a socket that sends to the gateway's.
func peerOf(t *testing.T, s *socket, network, host string) *net.UDPConn {
	t.Helper()
	port, err := s.port()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP(network, nil, &net.UDPAddr{IP: net.ParseIP(host), Port: int(port)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func listening(t *testing.T, addr string) *socket {
	t.Helper()
	s, err := listenUDP(netip.MustParseAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

// TestSocketFamilies carries datagrams of both families, in batches and alone.
func TestSocketFamilies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ listen, network, host string }{
		"IPv4":          {"127.0.0.1:0", "udp4", "127.0.0.1"},
		"IPv6":          {"[::1]:0", "udp6", "::1"},
		"IPv4 on both":  {"[::]:0", "udp4", "127.0.0.1"},
		"IPv6 on both":  {"[::]:0", "udp6", "::1"},
		"IPv4 anywhere": {"0.0.0.0:0", "udp4", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := listening(t, test.listen)
			peer := peerOf(t, s, test.network, test.host)
			want := unmapped(peer.LocalAddr().(*net.UDPAddr).AddrPort())
			in, out := newInBatch(), newOutBatch(s)
			for range 2 { // the second time with what the first left behind
				for _, word := range []string{"one", "three"} {
					if _, err := peer.Write([]byte(word)); err != nil {
						t.Fatal(err)
					}
				}
				if n, err := in.receive(s); n != 2 || err != nil { // loopback delivers at once
					t.Fatalf("received %d, %v", n, err)
				}
				for i, word := range []string{"one", "three"} {
					from, datagram := in.datagram(i)
					if from != want || string(datagram) != word {
						t.Errorf("got %q from %s want %q from %s", datagram, from, word, want)
					}
				}
				if n, err := in.receive(s); n != 0 || err != nil {
					t.Errorf("an empty socket gives %d, %v", n, err)
				}
			}
			to := s.endpoint(want)
			out.add(to, append(out.room()[:0], "batch"...), &session{}, 0)
			if n, errno := out.send(0); n != 1 || errno != 0 {
				t.Fatalf("sent %d, %v", n, errno)
			}
			if err := s.sendTo(to, []byte("alone")); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 100)
			for _, word := range []string{"batch", "alone"} {
				if n, err := peer.Read(buf); string(buf[:n]) != word {
					t.Errorf("got %q, %v want %q", buf[:n], err, word)
				}
			}
		})
	}
}

func TestSocketTakesNoHalfDatagram(t *testing.T) {
	t.Parallel()
	s := listening(t, "127.0.0.1:0")
	if _, err := peerOf(t, s, "udp4", "127.0.0.1").Write(make([]byte, maxPacket+1)); err != nil {
		t.Fatal(err)
	}
	in := newInBatch()
	n, err := in.receive(s)
	if _, datagram := in.datagram(0); n != 1 || err != nil || datagram != nil {
		t.Errorf("got %d with %d bytes, %v", n, len(datagram), err)
	}
}

// TestSocketCountsLoss: what was sent has either been received or is counted.
func TestSocketCountsLoss(t *testing.T) {
	t.Parallel()
	s := listening(t, "127.0.0.1:0")
	peer := peerOf(t, s, "udp4", "127.0.0.1")
	const sent = 30000
	for range sent {
		if _, err := peer.Write(make([]byte, 240)); err != nil {
			t.Fatal(err)
		}
	}
	in, received := newInBatch(), 0
	for {
		n, err := in.receive(s)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		received += n
	}
	if lost := int(s.lost()); lost == 0 || received+lost != sent {
		t.Errorf("of %d datagrams %d were received and %d lost", sent, received, lost)
	}
}

func TestSocketPortTaken(t *testing.T) {
	t.Parallel()
	s := listening(t, "127.0.0.1:0")
	port, err := s.port()
	if err != nil {
		t.Fatal(err)
	}
	_, err = listenUDP(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
	var op *net.OpError
	if !errors.As(err, &op) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

// TestBatchSurvivesRefusal: a datagram that the kernel refuses keeps no other from leaving.
func TestBatchSurvivesRefusal(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	c.dtls(w.socket())
	s := listening(t, "127.0.0.1:0")
	peer := peerOf(t, s, "udp4", "127.0.0.1")
	good, bad := s.endpoint(peer.LocalAddr().(*net.UDPAddr).AddrPort()), s.endpoint(netip.MustParseAddrPort("127.0.0.1:0"))
	out := newOutBatch(s)
	for _, to := range []*endpoint{bad, good, bad, bad, good, bad} {
		out.add(to, append(out.room()[:0], byte(out.n)), c.session(), 1)
	}
	out.flush(time.Now())
	buf := make([]byte, 10)
	for _, want := range []byte{1, 4} {
		if n, err := peer.Read(buf); n != 1 || buf[0] != want {
			t.Errorf("got % x, %v want %d", buf[:n], err, want)
		}
	}
	if counters := &c.session().counters; counters.dropped.Load() != 4 || counters.toPackets.Load() != 2 {
		t.Errorf("dropped %d, sent %d; want 4 and 2", counters.dropped.Load(), counters.toPackets.Load())
	}
	if out.n != 0 {
		t.Errorf("%d are left", out.n)
	}
}
