package phone

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
)

// scripted is a gateway that does what the test says: it answers CONNECTs and DTLS handshakes, and hands
// everything else to the test.
type scripted struct {
	t      *testing.T
	tcp    net.Listener
	udp    net.PacketConn
	policy tunnel.Policy

	opened   chan *granted   // granted CONNECTs
	messages chan message    // what came over DTLS
	up       chan *dtls.Conn // finished DTLS handshakes

	mu      sync.Mutex // guards what follows
	refuse  *cstp.Refusal
	offer   dtls.Config // of the newest CONNECT
	conn    *dtls.Conn
	phone   net.Addr // UDP
	running sync.WaitGroup
}

// granted is one CSTP channel on the gateway's side.
type granted struct {
	t      *testing.T
	conn   *tls.Conn
	req    cstp.Request
	frames chan message // closed when the stream ends
}

type message struct {
	kind    cstp.Type
	payload string
}

func startScripted(t *testing.T) *scripted {
	t.Helper()
	cert := testcert.RSA("127.0.0.1")
	tcp, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
	})
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &scripted{
		t: t, tcp: tcp, udp: udp,
		opened: make(chan *granted, 8), messages: make(chan message, 64), up: make(chan *dtls.Conn, 8),
		policy: tunnel.Policy{
			Timers:  tunnel.Timers{DPD: 30 * time.Second, Keepalive: 20 * time.Second},
			Address: netip.MustParsePrefix("10.99.0.12/24"), DNS: []netip.Addr{netip.MustParseAddr("10.1.1.53")},
			Phones: true, Legacy: true, DTLS: true, DTLSPort: udp.LocalAddr().(*net.UDPAddr).Port,
		},
	}
	g.running.Go(g.accept)
	g.running.Go(g.readUDP)
	t.Cleanup(func() {
		tcp.Close()
		udp.Close()
		g.running.Wait()
	})
	return g
}

func (g *scripted) accept() {
	for {
		conn, err := g.tcp.Accept()
		if err != nil {
			return
		}
		g.running.Go(func() {
			defer conn.Close()
			g.serve(conn.(*tls.Conn))
		})
	}
}

func (g *scripted) serve(conn *tls.Conn) {
	in := bufio.NewReader(conn)
	head, err := cstp.ReadHead(in)
	if err != nil {
		return
	}
	req, err := cstp.ParseRequest(head)
	if err != nil {
		g.t.Error(err)
		return
	}
	wire, err := g.answer(req, conn.ConnectionState().CipherSuite)
	if err != nil {
		g.t.Error(err)
		return
	}
	if _, err := conn.Write(wire); err != nil || !bytes.Contains(wire, []byte(" 200 ")) {
		return
	}
	o := &granted{t: g.t, conn: conn, req: req, frames: make(chan message, 64)}
	defer close(o.frames)
	g.opened <- o
	frames := cstp.NewReader(in, 0)
	for {
		kind, payload, err := frames.Next()
		if err != nil {
			return
		}
		o.frames <- message{kind, string(payload)}
	}
}

func (g *scripted) answer(req cstp.Request, suite uint16) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refuse != nil {
		return g.refuse.AppendBinary(nil)
	}
	var id [cstp.SessionIDLen]byte
	rand.Read(id[:])
	answer := tunnel.Negotiate(req, g.policy, tunnel.Link{TLSSuite: suite}, id)
	master, _ := req.MasterKey()
	version, chosen, _ := answer.DTLS.Suite()
	g.offer = dtls.Config{Version: version, Suite: chosen, SessionID: id[:], MasterSecret: master, Rand: rand.Reader}
	g.conn = nil
	return answer.AppendBinary(nil)
}

// readUDP runs one handshake for each CONNECT and then opens records.
func (g *scripted) readUDP() {
	buf := make([]byte, 1<<16)
	var server dtls.Server
	var serving []byte
	for {
		n, from, err := g.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		g.mu.Lock()
		offer, conn := g.offer, g.conn
		g.phone = from
		g.mu.Unlock()
		if conn != nil {
			if record, err := conn.Open(buf[:n]); err == nil && record.Type == dtlswire.ApplicationData {
				g.messages <- message{cstp.Type(record.Content[0]), string(record.Content[1:])}
			}
			continue
		}
		if !bytes.Equal(serving, offer.SessionID) {
			server, err = dtls.NewServer(offer)
			if err != nil {
				g.t.Error(err)
				return
			}
			serving = offer.SessionID
		}
		actions, _ := server.Received(time.Now(), buf[:n])
		for _, action := range actions {
			switch a := action.(type) {
			case dtls.Send:
				g.udp.WriteTo(a.Datagram, from)
			case dtls.Established:
				g.mu.Lock()
				g.conn = a.Conn
				g.mu.Unlock()
				g.up <- a.Conn
			}
		}
	}
}

// datagram sends a message over DTLS.
func (g *scripted) datagram(kind cstp.Type, payload string) {
	g.t.Helper()
	g.mu.Lock()
	conn, to := g.conn, g.phone
	g.mu.Unlock()
	buf := make([]byte, conn.Overhead()+1+len(payload))
	content := cstp.AppendMessage(buf[conn.Headroom():conn.Headroom()], kind, []byte(payload))
	wire, err := conn.Seal(buf, len(content))
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.udp.WriteTo(wire, to); err != nil {
		g.t.Fatal(err)
	}
}

func (g *scripted) refuseWith(r *cstp.Refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuse = r
}

// dial is a phone's way to this gateway, without a login.
func (g *scripted) dial(profile tlsProfile) func(context.Context) (*tls10.Conn, error) {
	return func(ctx context.Context) (*tls10.Conn, error) {
		raw, err := new(net.Dialer).DialContext(ctx, "tcp4", g.tcp.Addr().String())
		if err != nil {
			return nil, err
		}
		return profile.shakeHands(ctx, raw, handshake{accept: func(tls.ConnectionState) error { return nil }})
	}
}

func (o *granted) send(kind cstp.Type, payload string) {
	o.t.Helper()
	if _, err := o.conn.Write(cstp.AppendFrame(nil, kind, []byte(payload))); err != nil {
		o.t.Fatal(err)
	}
}

// next waits for what comes out of a channel and fails the test when nothing does.
func next[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v, ok := <-from:
		if !ok {
			t.Fatalf("%s: the stream ended", what)
		}
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: nothing came", what)
	}
	panic("not reached")
}

// wants reads messages until one of the kind comes, and checks its payload.
func wants(t *testing.T, from <-chan message, kind cstp.Type, payload string) {
	t.Helper()
	for {
		m := next(t, fmt.Sprint(kind), from)
		if m.kind != kind {
			continue
		}
		if m.payload != payload {
			t.Fatalf("%v holds %q, want %q", kind, m.payload, payload)
		}
		return
	}
}
