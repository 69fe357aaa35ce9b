package sipnet

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/wire/sip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// user is a User that passes everything on to the test.
type user struct {
	stack     *Stack
	received  chan *sip.Message
	flows     chan sip.Flow
	cancelled chan *sip.Message
	answered  chan *sip.Message
	failed    chan error
	lost      chan sip.Flow
}

func newUser(t *testing.T) *user {
	u := &user{
		received: make(chan *sip.Message, 1000), flows: make(chan sip.Flow, 1000), cancelled: make(chan *sip.Message, 1000),
		answered: make(chan *sip.Message, 1000), failed: make(chan error, 1000), lost: make(chan sip.Flow, 1000),
	}
	u.stack = New(u, nil)
	t.Cleanup(u.stack.Close)
	return u
}

func (u *user) Received(flow sip.Flow, m *sip.Message) { u.flows <- flow; u.received <- m }
func (u *user) Cancelled(invite *sip.Message)          { u.cancelled <- invite }
func (u *user) Answered(_, response *sip.Message)      { u.answered <- response }
func (u *user) Failed(_ *sip.Message, err error)       { u.failed <- err }
func (u *user) Lost(flow sip.Flow)                     { u.lost <- flow }

// transactions counts what is open.
func (s *Stack) transactions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.incoming) + len(s.servers) + len(s.unacked) + len(s.outgoing) + len(s.clients)
}

// mail is a UDP socket in memory.
type mail struct {
	own   netip.AddrPort
	in    chan []byte
	other *mail
	// lose decides about each datagram that is sent here.
	lose func(text string) bool
	done chan struct{}
	once sync.Once
}

func newMail() (*mail, *mail) {
	a := &mail{own: netip.MustParseAddrPort("192.0.2.1:5060"), in: make(chan []byte, 1000), done: make(chan struct{})}
	b := &mail{own: netip.MustParseAddrPort("192.0.2.2:5060"), in: make(chan []byte, 1000), done: make(chan struct{})}
	a.other, b.other = b, a
	return a, b
}

func (m *mail) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case data := <-m.in:
		return copy(b, data), m.other.LocalAddr(), nil
	case <-m.done:
		return 0, nil, net.ErrClosed
	}
}

func (m *mail) WriteTo(b []byte, _ net.Addr) (int, error) {
	if m.other.lose == nil || !m.other.lose(string(b)) {
		m.other.in <- append([]byte(nil), b...)
	}
	return len(b), nil
}

func (m *mail) Close() error                     { m.once.Do(func() { close(m.done) }); return nil }
func (m *mail) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(m.own) }
func (m *mail) SetDeadline(time.Time) error      { return nil }
func (m *mail) SetReadDeadline(time.Time) error  { return nil }
func (m *mail) SetWriteDeadline(time.Time) error { return nil }

// byMail connects two users over UDP and returns the way from the first to the second.
func byMail(t *testing.T, a, b *user) (flow sip.Flow, atA, atB *mail) {
	t.Helper()
	atA, atB = newMail()
	if err := errors.Join(a.stack.ListenPacket(atA), b.stack.ListenPacket(atB)); err != nil {
		t.Fatal(err)
	}
	return sip.Flow{Transport: sip.UDP, Peer: atB.own}, atA, atB
}

// byTCP connects two users over TCP and returns the way from the first to the second.
func byTCP(t *testing.T, a, b *user) sip.Flow {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.stack.Listen(listener); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return connected(t, a, c)
}

// byTLS is byTCP with TLS.
func byTLS(t *testing.T, a, b *user) sip.Flow {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{testcert.RSA("127.0.0.1")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.stack.Listen(listener); err != nil {
		t.Fatal(err)
	}
	c, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	return connected(t, a, c)
}

func connected(t *testing.T, a *user, c net.Conn) sip.Flow {
	t.Helper()
	flow, err := a.stack.Connect(c)
	if err != nil {
		t.Fatal(err)
	}
	return flow
}

func request(method string) *sip.Message {
	m := &sip.Message{Method: method, URI: sip.URI{Scheme: "sip", User: "1002", Host: "192.0.2.2"}}
	m.Fields.Add("From", "<sip:1001@192.0.2.1>;tag=a")
	m.Fields.Add("To", "<sip:1002@192.0.2.2>")
	m.Fields.Add("Call-ID", "call")
	m.Fields.Add("CSeq", "1 "+method)
	m.Fields.Add("Contact", "<sip:1001@192.0.2.1>")
	return m
}

func TestRequestAndAnswer(t *testing.T) {
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		t.Run(string(transport), func(t *testing.T) {
			a, b := newUser(t), newUser(t)
			var flow sip.Flow
			switch transport {
			case sip.UDP:
				flow, _, _ = byMail(t, a, b)
			case sip.TCP:
				flow = byTCP(t, a, b)
			case sip.TLS:
				flow = byTLS(t, a, b)
			}
			if err := a.stack.Request(flow, request(sip.Options)); err != nil {
				t.Fatal(err)
			}
			got, from := <-b.received, <-b.flows
			if via := got.Fields.Get("Via"); from.Transport != transport || !strings.HasPrefix(via, "SIP/2.0/"+string(transport)+" ") {
				t.Errorf("it comes by %s, Via %s", from, via)
			}
			b.stack.Respond(got, sip.NewResponse(got, 200, "b"))
			if r := <-a.answered; r.Status != 200 || r.ToTag() != "b" {
				t.Errorf("answered with %v", r)
			}
			// The other way over the same connection, as a call manager rings a phone.
			if err := b.stack.Request(from, request(sip.Notify)); err != nil {
				t.Fatal(err)
			}
			got = <-a.received
			a.stack.Respond(got, sip.NewResponse(got, 489, "a"))
			if r := <-b.answered; r.Status != 489 {
				t.Errorf("answered with %v", r)
			}
		})
	}
}

// Every message is lost at first; each side hears everything once.
func TestCallOverLossyUDP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newUser(t), newUser(t)
		flow, atA, atB := byMail(t, a, b)
		seen := map[string]bool{}
		var mu sync.Mutex
		first := func(text string) bool {
			mu.Lock()
			defer mu.Unlock()
			line, _, _ := strings.Cut(text, "\r\n")
			lose := !seen[line] && !strings.Contains(line, "180")
			seen[line] = true
			return lose
		}
		atA.lose, atB.lose = first, first
		invite := request(sip.Invite)
		if err := a.stack.Request(flow, invite); err != nil {
			t.Fatal(err)
		}
		got := <-b.received
		b.stack.Respond(got, sip.NewResponse(got, 180, "b"))
		ringing := <-a.answered
		if ringing.Status == 100 {
			ringing = <-a.answered
		}
		if ringing.Status != 180 {
			t.Errorf("heard %v, want ringing", ringing)
		}
		b.stack.Respond(got, sip.NewResponse(got, 200, "b"))
		r := <-a.answered
		for !r.Final() {
			r = <-a.answered
		}
		ack := request(sip.Ack)
		ack.Fields.Set("To", r.Fields.Get("To"))
		a.stack.Ack(invite, ack)
		if got := <-b.received; got.Method != sip.Ack {
			t.Errorf("received %v, want ACK", got)
		}
		time.Sleep(time.Minute) // the fake clock's; nothing is repeated for ever
		select {
		case r := <-a.answered:
			t.Errorf("heard %v again", r)
		case m := <-b.received:
			if m.Method != sip.Ack { // one more is right: the 2xx was under way again
				t.Errorf("received %v again", m)
			}
		default:
		}
		if n := a.stack.transactions() + b.stack.transactions(); n != 0 {
			t.Errorf("%d transactions are still open after a minute", n)
		}
	})
}

func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newUser(t), newUser(t)
		flow, _, atB := byMail(t, a, b)
		sent := 0
		atB.lose = func(string) bool { sent++; return true }
		begun := time.Now()
		if err := a.stack.Request(flow, request(sip.Options)); err != nil {
			t.Fatal(err)
		}
		if err := <-a.failed; !errors.Is(err, ErrTimeout) {
			t.Errorf("failed with %v, want %v", err, ErrTimeout)
		}
		if took := time.Since(begun); took != 32*time.Second || sent != 11 {
			t.Errorf("gave up after %v and %d attempts, want 32 s and 11", took, sent)
		}
	})
}

func TestCancel(t *testing.T) {
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		t.Run(string(transport), func(t *testing.T) {
			a, b := newUser(t), newUser(t)
			var flow sip.Flow
			switch transport {
			case sip.UDP:
				flow, _, _ = byMail(t, a, b)
			case sip.TCP:
				flow = byTCP(t, a, b)
			case sip.TLS:
				flow = byTLS(t, a, b)
			}
			invite := request(sip.Invite)
			if err := a.stack.Request(flow, invite); err != nil {
				t.Fatal(err)
			}
			got := <-b.received
			b.stack.Respond(got, sip.NewResponse(got, 180, "b"))
			for r := <-a.answered; r.Status != 180; r = <-a.answered {
			}
			a.stack.Cancel(invite)
			if c := <-b.cancelled; c != got {
				t.Errorf("cancelled %v, want the INVITE itself", c)
			}
			if r := <-a.answered; r.Status != 487 {
				t.Errorf("the INVITE ends with %v, want 487", r)
			}
		})
	}
}

func TestConnectionLost(t *testing.T) {
	a, b := newUser(t), newUser(t)
	flow := byTCP(t, a, b)
	if err := a.stack.Request(flow, request(sip.Options)); err != nil {
		t.Fatal(err)
	}
	<-b.received
	from := <-b.flows
	b.stack.Close()
	if err := <-a.failed; !errors.Is(err, ErrNoFlow) {
		t.Errorf("the open request fails with %v, want %v", err, ErrNoFlow)
	}
	if got := <-a.lost; got != flow {
		t.Errorf("lost %v, want %v", got, flow)
	}
	if err := a.stack.Request(flow, request(sip.Options)); !errors.Is(err, ErrNoFlow) {
		t.Errorf("a request without a connection gives %v, want %v", err, ErrNoFlow)
	}
	if err := b.stack.Request(from, request(sip.Options)); err == nil {
		t.Error("a closed stack takes requests")
	}
}

func TestAbandon(t *testing.T) {
	a, b := newUser(t), newUser(t)
	flow, _, _ := byMail(t, a, b)
	invite := request(sip.Invite)
	if err := a.stack.Request(flow, invite); err != nil {
		t.Fatal(err)
	}
	<-b.received
	a.stack.Abandon(invite)
	a.stack.Close()
	if len(a.failed) != 0 {
		t.Errorf("an abandoned request fails with %v", <-a.failed)
	}
}

// connect gives a user one end of a connection and returns the other, which speaks bytes.
func connect(t *testing.T, u *user) net.Conn {
	t.Helper()
	near, far := net.Pipe()
	if _, err := u.stack.Connect(near); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return far
}

const options = "OPTIONS sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK%d\r\n" +
	"From: <sip:a@b>;tag=1\r\nTo: <sip:x@b>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

// However a peer cuts its bytes, messages come whole and in order, and keepalives are answered.
func TestBytesInDrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUser(t)
		c := connect(t, u)
		for _, b := range []byte(fmt.Sprintf(options+options, 1, 1, 2, 2)) {
			if _, err := c.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []string{"1", "2"} {
			if m := <-u.received; m.CallID() != want {
				t.Errorf("received %s, want %s", m.CallID(), want)
			}
		}
		if _, err := io.WriteString(c, "\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		pong := make([]byte, 2)
		if _, err := io.ReadFull(c, pong); err != nil || string(pong) != "\r\n" {
			t.Errorf("keepalive answered with %q (%v)", pong, err)
		}
	})
}

func TestBadPeers(t *testing.T) {
	for name, send := range map[string]func(net.Conn) error{
		"silent": func(net.Conn) error { return nil },
		"drips": func(c net.Conn) error {
			for {
				if _, err := c.Write([]byte("O")); err != nil {
					return nil
				}
				time.Sleep(time.Second)
			}
		},
		"garbage":  func(c net.Conn) error { _, err := io.WriteString(c, "GET / HTTP/1.1\r\n\r\n"); return err },
		"too long": func(c net.Conn) error { _, err := io.WriteString(c, strings.Repeat("x", 70000)); return ignore(err) },
		"long body": func(c net.Conn) error {
			_, err := io.WriteString(c, strings.Replace(fmt.Sprintf(options, 1, 1), "Content-Length: 0", "Content-Length: 70000", 1))
			return ignore(err)
		},
		"fast": func(c net.Conn) error {
			for i := range 10000 {
				if _, err := fmt.Fprintf(c, options, i, i); err != nil {
					return nil
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUser(t)
				go func() { // what is received is answered by nobody
					for range u.received {
						<-u.flows
					}
				}()
				defer close(u.received)
				c := connect(t, u)
				begun := time.Now()
				if err := send(c); err != nil {
					t.Fatal(err)
				}
				<-u.lost
				if took := time.Since(begun); took > firstMessage+time.Second {
					t.Errorf("kept for %v", took)
				}
			})
		})
	}
}

func ignore(err error) error {
	if errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// A peer that does not read loses its connection, and holds up nobody.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUser(t)
		near, far := net.Pipe()
		defer far.Close()
		flow, err := u.stack.Connect(near)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 * writeQueue {
			if err = u.stack.Request(flow, request(sip.Options)); err != nil {
				break
			}
		}
		if got := <-u.lost; got != flow {
			t.Errorf("lost %v, want %v", got, flow)
		}
	})
}

func TestGarbageOverUDP(t *testing.T) {
	a, b := newUser(t), newUser(t)
	flow, _, atB := byMail(t, a, b)
	for _, noise := range []string{"", "\r\n\r\n", "\x00\x00\x00\x00", strings.Repeat("x", 4000), "SIP/2.0 200 OK\r\n\r\n",
		"OPTIONS sip:x SIP/2.0\r\nVia: nothing\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"} {
		atB.in <- []byte(noise)
	}
	if err := a.stack.Request(flow, request(sip.Options)); err != nil {
		t.Fatal(err)
	}
	if m := <-b.received; m.Method != sip.Options {
		t.Errorf("received %v", m)
	}
	if len(b.received) != 0 {
		t.Errorf("noise was received as %v", <-b.received)
	}
}

// Over UDP answers go to the port in Via unless the request asks for the one it came from.
func TestAnswersGoWhereViaSays(t *testing.T) {
	u := newUser(t)
	at, _ := newMail()
	if err := u.stack.ListenPacket(at); err != nil {
		t.Fatal(err)
	}
	l := udpLink(at, netip.MustParseAddrPort("192.0.2.2:40000"))
	for text, want := range map[string]string{
		"SIP/2.0/UDP 10.0.0.1:5070;branch=x":       "192.0.2.2:5070",
		"SIP/2.0/UDP 10.0.0.1;branch=x":            "192.0.2.2:5060",
		"SIP/2.0/UDP 10.0.0.1:5070;rport;branch=x": "192.0.2.2:40000",
	} {
		via, err := sip.ParseVia(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := u.stack.back(l, via).flow.Peer.String(); got != want {
			t.Errorf("%s is answered to %s, want %s", text, got, want)
		}
	}
}

func TestConnectionsPerPeer(t *testing.T) {
	u := newUser(t)
	u.stack.perPeer[netip.Addr{}] = maxConnectionsPerPeer
	near, far := net.Pipe()
	defer far.Close()
	if _, err := u.stack.Connect(near); err == nil {
		t.Error("one connection too many is taken")
	}
	u.stack.perPeer[netip.Addr{}] = 0
}
