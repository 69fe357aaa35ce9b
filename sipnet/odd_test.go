package sipnet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/wire/sip"
)

// A socket that listens everywhere names in Via the address that it really sends from.
func TestOwnAddressOfSocketThatListensEverywhere(t *testing.T) {
	a, b := newUser(t), newUser(t)
	for _, u := range []*user{a, b} {
		socket, err := net.ListenPacket("udp4", "0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := u.stack.ListenPacket(socket); err != nil {
			t.Fatal(err)
		}
	}
	flow := sip.Flow{Transport: sip.UDP, Peer: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addrPort(b.stack.udp.LocalAddr()).Port())}
	own := a.stack.Local(flow)
	if own.Addr() != netip.MustParseAddr("127.0.0.1") || own.Port() != addrPort(a.stack.udp.LocalAddr()).Port() {
		t.Errorf("own address %v", own)
	}
	if err := a.stack.Request(flow, request(sip.Options)); err != nil {
		t.Fatal(err)
	}
	m := <-b.received
	if via := m.Fields.Get("Via"); !strings.Contains(via, own.String()) {
		t.Errorf("Via %s, want %s in it", via, own)
	}
	b.stack.Respond(m, sip.NewResponse(m, 200, "b"))
	if m := <-a.answered; m.Status != 200 {
		t.Errorf("answered with %v", m)
	}
	if own := a.stack.Local(sip.Flow{Transport: sip.TCP, Peer: flow.Peer}); own.IsValid() {
		t.Errorf("own address %v where there is no connection", own)
	}
}

// Peers from before RFC 3261 send no branch; their repetitions are told by what else is the same.
func TestRequestsWithoutBranch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUser(t)
		c := connect(t, u)
		for _, cseq := range []int{1, 1, 2, 1} {
			if _, err := fmt.Fprintf(c, "OPTIONS sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9\r\nFrom: <sip:a@b>;tag=1\r\n"+
				"To: <sip:x@b>\r\nCall-ID: c\r\nCSeq: %d OPTIONS\r\nContent-Length: 0\r\n\r\n", cseq); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := len(u.received); n != 2 {
			t.Errorf("%d requests are received, want 2 and their repetitions dropped", n)
		}
	})
}

func TestCancelOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUser(t)
		c := connect(t, u)
		text := strings.ReplaceAll(fmt.Sprintf(options, 1, 1), sip.Options, sip.Cancel)
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 4096)
		n, err := c.Read(answer)
		if err != nil || !strings.HasPrefix(string(answer[:n]), "SIP/2.0 481 ") {
			t.Errorf("answered with %q (%v)", answer[:n], err)
		}
		if len(u.cancelled)+len(u.received) != 0 {
			t.Error("the user hears of it")
		}
	})
}

// An answer that cannot be written ends its transaction rather than being sent in part.
func TestUnwritableAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUser(t)
		c := connect(t, u)
		if _, err := fmt.Fprintf(c, options, 1, 1); err != nil {
			t.Fatal(err)
		}
		m := <-u.received
		bad := sip.NewResponse(m, 200, "x")
		bad.Fields.Add("Subject", "a\r\nEvil: yes")
		u.stack.Respond(m, bad)
		u.stack.Respond(m, sip.NewResponse(m, 200, "x"))
		synctest.Wait()
		if n := u.stack.transactions(); n != 0 {
			t.Errorf("%d transactions are open", n)
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 100)); n != 0 {
			t.Errorf("%d bytes are sent (%v)", n, err)
		}
	})
}

func TestClosedStack(t *testing.T) {
	u := newUser(t)
	u.stack.Close()
	u.stack.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := newMail()
	near, far := net.Pipe()
	if err := u.stack.Listen(listener); !errors.Is(err, ErrClosed) {
		t.Errorf("a listener is taken (%v)", err)
	}
	if err := u.stack.ListenPacket(socket); err == nil {
		t.Error("a socket is taken")
	}
	if _, err := u.stack.Connect(near); !errors.Is(err, ErrClosed) {
		t.Errorf("a connection is taken (%v)", err)
	}
	if err := u.stack.Request(sip.Flow{Transport: sip.UDP}, request(sip.Options)); !errors.Is(err, ErrNoFlow) {
		t.Errorf("a request is sent (%v)", err)
	}
	_, accepting := listener.Accept()
	_, reading := far.Read(make([]byte, 1))
	if accepting == nil || reading == nil {
		t.Errorf("what was not taken is left open: %v, %v", accepting, reading)
	}
}

// Transactions that end all at once must not wait for the stack while it waits for them.
func TestNoAnswerToMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newUser(t), newUser(t)
		flow, _, atB := byMail(t, a, b)
		atB.lose = func(string) bool { return true }
		const many = 500
		for i := range many {
			m := request(sip.Options)
			m.Fields.Set("Call-ID", fmt.Sprint(i))
			if err := a.stack.Request(flow, m); err != nil {
				t.Fatal(err)
			}
		}
		for range many {
			if err := <-a.failed; !errors.Is(err, ErrTimeout) {
				t.Errorf("failed with %v, want %v", err, ErrTimeout)
			}
		}
		synctest.Wait()
		if n := a.stack.transactions(); n != 0 {
			t.Errorf("%d transactions are open", n)
		}
	})
}
