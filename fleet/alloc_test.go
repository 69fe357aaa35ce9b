package fleet

import (
	"bytes"
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
)

// pair is both ends of a DTLS connection.
func pair(t *testing.T) (client, server *dtls.Conn) {
	t.Helper()
	config := dtls.Config{
		Version: dtlswire.Version12, Suite: dtlswire.AES128GCM, SessionID: make([]byte, dtls.SessionIDLen),
		MasterSecret: make([]byte, dtls.MasterLen), Rand: rand.Reader,
	}
	c, err := dtls.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dtls.NewServer(config)
	if err != nil {
		t.Fatal(err)
	}
	var toServer, toClient [][]byte
	sort := func(actions []dtls.Action, out *[][]byte, conn **dtls.Conn) {
		for _, action := range actions {
			switch a := action.(type) {
			case dtls.Send:
				*out = append(*out, bytes.Clone(a.Datagram))
			case dtls.Established:
				*conn = a.Conn
			}
		}
	}
	sort(c.Start(time.Now()), &toServer, &client)
	for len(toServer)+len(toClient) > 0 {
		received, receive, out, conn := &toServer, s.Received, &toClient, &server
		if len(toServer) == 0 {
			received, receive, out, conn = &toClient, c.Received, &toServer, &client
		}
		datagram := (*received)[0]
		*received = (*received)[1:]
		actions, err := receive(time.Now(), datagram)
		if err != nil {
			t.Fatal(err)
		}
		sort(actions, out, conn)
	}
	if client == nil || server == nil {
		t.Fatal("no connection")
	}
	return client, server
}

func open(t *testing.T, arrive func(*arrival)) (*socket, netip.AddrPort) {
	t.Helper()
	s, err := listen(Host{}, netip.MustParseAddrPort("127.0.0.1:0"), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(s.fd) })
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		t.Fatal(err)
	}
	s.arrive = arrive
	return s, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(name.(*unix.SockaddrInet4).Port))
}

// TestPacketsDoNotAllocate sends a packet up and one down, through sockets and DTLS, by hand.
func TestPacketsDoNotAllocate(t *testing.T) {
	conn, gateway := pair(t)
	f := &Fleet{config: Config{Far: far}, log: logging.Or(nil)}
	l := &loop{fleet: f, in: newReceiver(), out: newSender(), now: time.Now()}
	f.loop = l
	c := newClient(f, 0, netip.Addr{})
	c.conn, c.inner, c.voice = conn, near, newVoice(0, near, far)
	c.half = tunnel.NewClient(tunnel.ClientConfig{DTLS: true}, time.Now())
	f.clients = []*client{c}
	var own netip.AddrPort
	c.socket, own = open(t, l.fromOutside)
	c.socket.only = c
	l.talk = &talking{loop: l, clients: f.clients, id: 2}

	payload := make([]byte, payloadLen)
	back := make([]byte, datagramSize)
	out := &arrival{peer: near}
	var peer *socket
	peer, c.gateway = open(t, func(a *arrival) {
		record, err := gateway.Open(a.datagram)
		if err != nil || len(record.Content) != 1+packetLen {
			t.Errorf("got %d bytes, %v", len(record.Content), err)
			return
		}
		copy(payload, record.Content[1+ipHeader+udpHeader:])
		out.datagram, out.at = payload, a.at
		l.talk.wentUp(out)
	})
	number := uint32(0)
	run := func() {
		now := time.Now()
		l.talk.putUp(c, 3, now)
		l.out.flush()
		for l.talk.up.received == uint64(number) && time.Since(now) < time.Minute {
			l.in.drain(peer)
		}
		at := gateway.Headroom()
		down := newDown(back[at:], c.voice, number, now)
		datagram, err := gateway.Seal(back, down)
		if err != nil {
			t.Fatal(err)
		}
		l.out.buffer(peer)
		l.out.add(datagram, own, [4]byte{})
		l.out.flush()
		for l.talk.down.received == uint64(number) && time.Since(now) < time.Minute {
			l.in.drain(c.socket)
		}
		number++
	}
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("a packet each way allocates %v times", n)
	}
	if up, down := l.talk.up, l.talk.down; up.received != 101 || down.received != 101 || up.corrupted+down.corrupted+l.out.unsent != 0 {
		t.Errorf("got %d up and %d down want 101 each, %d and %d corrupted", up.received, down.received, up.corrupted, down.corrupted)
	}
}

// newDown writes the content of a record that goes down, and returns its length.
func newDown(buf []byte, v *voice, number uint32, now time.Time) int {
	buf[0] = byte(cstp.Data)
	packet := buf[1 : 1+packetLen]
	copy(packet, v[:ipHeader+udpHeader])
	copy(packet[12:16], v[16:20]) // the other way; the header's sum stays
	copy(packet[16:20], v[12:16])
	copy(packet[20:22], v[22:24])
	copy(packet[22:24], v[20:22])
	v.fill(packet[ipHeader+udpHeader:], 3, number, now.UnixNano())
	return 1 + packetLen
}
