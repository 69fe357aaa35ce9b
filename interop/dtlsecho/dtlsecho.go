//go:build interop

// Package dtlsecho puts an end of our DTLS engine on a loopback socket, for programs that speak DTLS. A
// server sends back what it gets.
package dtlsecho

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
	engine "github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/dtls"
)

// End is one end. Its channels are closed when it ends.
type End struct {
	t      testing.TB
	sock   *net.UDPConn
	peer   netip.AddrPort
	server engine.Server // of a server, once a client has come
	client engine.Client
	conn   *engine.Conn

	Suite chan dtls.Suite // of the connection, once
	Heard chan []byte     // content of records
}

// Serve waits for a client. With ask the client has to come again with a cookie.
func Serve(t testing.TB, config engine.Config, ask bool) *End {
	t.Helper()
	config.Rand = rand.Reader
	e := open(t, netip.AddrPort{})
	go e.serve(config, ask, engine.NewCookies([32]byte{7}))
	return e
}

// Dial brings a connection up.
func Dial(t testing.TB, config engine.Config, peer netip.AddrPort) *End {
	t.Helper()
	config.Rand = rand.Reader
	client, err := engine.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, peer)
	e.client = client
	go func() {
		defer e.ended()
		e.do(client.Start(time.Now()))
		e.loop(func(datagram []byte) {
			actions, err := client.Received(time.Now(), datagram)
			e.say(err)
			e.do(actions)
		}, func() time.Time { return client.Wake() }, func() { e.do(client.Advance(time.Now())) })
	}()
	return e
}

func open(t testing.TB, peer netip.AddrPort) *End {
	t.Helper()
	sock, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sock.Close() })
	return &End{t: t, sock: sock, peer: peer, Suite: make(chan dtls.Suite, 1), Heard: make(chan []byte, 1000)}
}

// Addr is where the end listens.
func (e *End) Addr() netip.AddrPort { return e.sock.LocalAddr().(*net.UDPAddr).AddrPort() }

// Say sends content in a record. Only after Suite.
func (e *End) Say(content string) {
	buf := make([]byte, e.conn.Overhead()+len(content))
	copy(buf[e.conn.Headroom():], content)
	datagram, err := e.conn.Seal(buf, len(content))
	if err != nil {
		e.t.Error(err)
		return
	}
	e.send(datagram)
}

// Up waits for the connection and returns its suite.
func (e *End) Up() dtls.Suite {
	e.t.Helper()
	select {
	case suite, ok := <-e.Suite:
		if ok {
			return suite
		}
	case <-time.After(office.Patience):
	}
	e.t.Fatal("the connection does not come up")
	return 0
}

// Hears waits for a record that begins with some text.
func (e *End) Hears(text string) {
	e.t.Helper()
	deadline := time.After(office.Patience)
	for {
		select {
		case content, ok := <-e.Heard:
			if !ok {
				e.t.Fatalf("ended without having heard %q", text)
			}
			if bytes.HasPrefix(content, []byte(text)) {
				return
			}
		case <-deadline:
			e.t.Fatalf("%q is not heard", text)
		}
	}
}

func (e *End) serve(config engine.Config, ask bool, cookies *engine.Cookies) {
	defer e.ended()
	e.loop(func(datagram []byte) {
		if e.server == nil {
			hello, record, ok := dtls.HelloOf(datagram)
			if !ok {
				return
			}
			if ask && !cookies.Valid(e.peer, hello) {
				e.send(cookies.Ask(e.peer, hello, record))
				return
			}
			server, err := engine.NewServer(config)
			if err != nil {
				e.t.Error(err)
				return
			}
			e.server = server
		}
		actions, err := e.server.Received(time.Now(), datagram)
		e.say(err)
		e.do(actions)
	}, func() time.Time {
		if e.server == nil {
			return time.Time{}
		}
		return e.server.Wake()
	}, func() { e.do(e.server.Advance(time.Now())) })
}

// loop reads until the socket is closed.
func (e *End) loop(received func([]byte), wake func() time.Time, advance func()) {
	buf := make([]byte, 1<<16)
	for {
		if err := e.sock.SetReadDeadline(wake()); err != nil {
			return
		}
		n, from, err := e.sock.ReadFromUDPAddrPort(buf)
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			advance()
			continue
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			continue // an ICMP message of a peer that is gone
		}
		e.peer = from
		datagram := bytes.Clone(buf[:n])
		if e.conn != nil && e.opened(datagram) {
			continue
		}
		received(datagram)
	}
}

// opened takes a datagram of application data.
func (e *End) opened(datagram []byte) bool {
	if dtls.ContentType(datagram[0]) != dtls.ApplicationData {
		return false
	}
	for len(datagram) > 0 {
		o, err := e.conn.Open(datagram)
		e.say(err)
		if err != nil {
			return true
		}
		e.Heard <- bytes.Clone(o.Content)
		if e.client == nil {
			e.Say(string(o.Content))
		}
		datagram = o.Rest
	}
	return true
}

func (e *End) do(actions []engine.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case engine.Send:
			e.send(a.Datagram)
		case engine.Established:
			e.conn = a.Conn
			e.Suite <- a.Conn.Suite()
		case engine.Failed:
			e.t.Errorf("the handshake failed: %v", a.Err)
		}
	}
}

func (e *End) send(datagram []byte) {
	_, err := e.sock.WriteToUDPAddrPort(datagram, e.peer)
	e.say(err)
}

func (e *End) say(err error) {
	if err != nil {
		e.t.Log(err)
	}
}

func (e *End) ended() {
	close(e.Suite)
	close(e.Heard)
}
