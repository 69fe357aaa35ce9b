package gateway

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/tunnel"
)

// peerOf is a socket that sends to the gateway's.
func peerOf(t *testing.T, s *socket, network, host string) *net.UDPConn {
	t.Helper()
	port := s.address().Port()
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
			in, out := newInBatch(), newOutBatch(batchSize)
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
			out.add(to, append(out.room()[:0], "batch"...), 0, &session{}, 0)
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
	port := s.address().Port()
	_, err := listenUDP(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
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
	out := newOutBatch(batchSize)
	for _, to := range []*endpoint{bad, good, bad, bad, good, bad} {
		c.session().sent(tunnel.DTLS, time.Now(), 1)
		out.add(to, append(out.room()[:0], byte(out.n)), 0, c.session(), 1)
	}
	out.flush()
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

// TestBatchJoins: datagrams of one size for one client are one message, with a shorter one at the end, and
// arrive as they were.
func TestBatchJoins(t *testing.T) {
	t.Parallel()
	s := listening(t, "127.0.0.1:0")
	peer := peerOf(t, s, "udp4", "127.0.0.1")
	to, out := s.endpoint(peer.LocalAddr().(*net.UDPAddr).AddrPort()), newOutBatch(batchSize)
	wantClasses(t, peer)
	type sent struct {
		size  int
		class byte
	}
	all := []sent{{1200, 0}, {1200, 0}, {700, 0}, {1200, 0}, {1300, 0}, {1300, 0xb8}, {1300, 0xb8}, {1, 0xb8}}
	for i, d := range all {
		datagram := out.room()[:d.size]
		for j := range datagram {
			datagram[j] = byte(i)
		}
		out.add(to, datagram, d.class, &session{}, d.size)
	}
	if want := 4; out.used != want {
		t.Errorf("%d messages want %d", out.used, want)
	}
	out.flush()
	buf, control := make([]byte, 4000), make([]byte, 100)
	for i, d := range all {
		n, c, _, _, err := peer.ReadMsgUDP(buf, control)
		if err != nil {
			t.Fatal(err)
		}
		if n != d.size || buf[0] != byte(i) || buf[n-1] != byte(i) {
			t.Errorf("datagram %d has %d bytes, first %d; want %d", i, n, buf[0], d.size)
		}
		if m, err := unix.ParseSocketControlMessage(control[:c]); err != nil || len(m) != 1 || m[0].Data[0] != d.class {
			t.Errorf("datagram %d comes with %v, %v; want class %#x", i, m, err, d.class)
		}
	}
}

// TestBatchApart: what the kernel does not take together leaves alone.
func TestBatchApart(t *testing.T) {
	t.Parallel()
	s := listening(t, "127.0.0.1:0")
	peer := peerOf(t, s, "udp4", "127.0.0.1")
	to, out := s.endpoint(peer.LocalAddr().(*net.UDPAddr).AddrPort()), newOutBatch(batchSize)
	const size = 1000
	for i := range byte(3) {
		datagram := out.room()[:size]
		datagram[0] = i
		out.add(to, datagram, 0, &session{}, 1)
	}
	out.runs[0].ancillary.ofSegment = 1 // more segments than it makes
	if n, errno := out.send(0); n != 0 || errno == 0 {
		t.Fatalf("the kernel makes 3000 segments: %d, %v", n, errno)
	}
	out.flush()
	buf := make([]byte, 2*size)
	for want := range byte(3) {
		if n, err := peer.Read(buf); n != size || buf[0] != want {
			t.Errorf("got %d bytes that begin with %d, %v; want %d", n, buf[0], err, want)
		}
	}
}

// wantClasses has a socket tell the traffic class of what comes from now on.
func wantClasses(t *testing.T, sock *net.UDPConn) {
	t.Helper()
	raw, err := sock.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1) // whichever it has
	}); err != nil {
		t.Fatal(err)
	}
}

// classOf returns the traffic class of the next datagram.
func classOf(t *testing.T, sock *net.UDPConn) byte {
	t.Helper()
	buf, control := make([]byte, 2000), make([]byte, 100)
	_, n, _, _, err := sock.ReadMsgUDP(buf, control)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 {
		t.Fatalf("the datagram has no class: %v", err)
	}
	return messages[0].Data[0]
}

// TestMark marks datagrams of both families.
func TestMark(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ listen, network, host string }{
		"IPv4": {"127.0.0.1:0", "udp4", "127.0.0.1"}, "IPv6": {"[::1]:0", "udp6", "::1"},
		"IPv4 on both": {"[::]:0", "udp4", "127.0.0.1"}, "IPv6 on both": {"[::]:0", "udp6", "::1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := listening(t, test.listen)
			peer := peerOf(t, s, test.network, test.host)
			to, out := s.endpoint(unmapped(peer.LocalAddr().(*net.UDPAddr).AddrPort())), newOutBatch(batchSize)
			classes := []byte{0xb8, 0, 0x60}
			wantClasses(t, peer)
			for _, class := range classes {
				out.add(to, append(out.room()[:0], 1), class, &session{}, 1)
			}
			if n, errno := out.send(0); n != len(classes) || errno != 0 {
				t.Fatalf("sent %d, %v", n, errno)
			}
			for _, want := range classes {
				if got := classOf(t, peer); got != want {
					t.Errorf("got class %#x want %#x", got, want)
				}
			}
		})
	}
}

// TestClassOfService: the datagram around a packet for a client has the packet's DSCP, and no ECN.
func TestClassOfService(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	d := c.dtls(w.socket())
	wantClasses(t, d.sock)
	for _, class := range []byte{46<<2 | 3, 0, 24 << 2} {
		p := packet(files, c.answer.Address.String(), protoUDP, 16384, 172)
		p[1] = class
		w.fromHost(p)
		if got := classOf(t, d.sock); got != class&^3 {
			t.Errorf("a packet of class %#x comes in a datagram of class %#x", class, got)
		}
	}
	six := make([]byte, 40)
	six[0], six[1] = 0x6b, 0x9f // DSCP 46, ECN 1, and some of the flow label
	if got := trafficClass(six); got != 46<<2 {
		t.Errorf("an IPv6 packet has class %#x want %#x", got, 46<<2)
	}
}

// TestPathMTU: a router on a narrow line makes the segments smaller that both ends agree on, and so the
// gateway knows of it.
func TestPathMTU(t *testing.T) {
	t.Parallel()
	const segment = 1452 // PPPoE's, of 1492 bytes
	for host, header := range map[string]int{"127.0.0.1": 40, "::1": 60} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
			if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, segment) }); e != nil {
				return e
			}
			return err
		}}
		client, err := dialer.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		if mtu, got := pathMTU(server); mtu < 1<<14 || got != segment+header {
			t.Errorf("at %s: %d, and %d by segments; want the loopback's, and %d", host, mtu, got, segment+header)
		}
	}
	if mtu, segments := pathMTU(nil); mtu != 0 || segments != 0 {
		t.Errorf("of something else than TCP: %d, %d", mtu, segments)
	}
}

// TestWayIsProven: openconnect's guess is raised where the reply to its login has met the line, also when it
// comes back from the same address, and nowhere else.
func TestWayIsProven(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "berta"))
	const openconnect = "Open AnyConnect VPN Agent v9.01-3"
	connected := func(c *client, cookie secret.String) int {
		t.Helper()
		offer := c.offer(cookie)
		offer.UserAgent, offer.MTU, offer.BaseMTU = openconnect, 1390, 1500
		if err := c.connect(offer); err != nil {
			t.Fatal(err)
		}
		return c.answer.MTU
	}
	c := w.dial(modern())
	c.agent = openconnect
	cookie := c.cookie(staffURL, "anna")
	if got := connected(c, cookie); got != 1434 {
		t.Errorf("after the login: %d", got)
	}
	if got := connected(w.dial(modern()), cookie); got != 1434 {
		t.Errorf("when it comes back: %d", got)
	}
	c = w.dial(modern())
	if got := connected(c, c.cookie(staffURL, "berta")); got != 1390 {
		t.Errorf("after a login with short replies: %d", got)
	}
}
