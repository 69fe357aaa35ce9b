package sipnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/wire/sip"
)

type rawConn = syscall.RawConn

// ListenPacket takes over a UDP socket. A stack has at most one.
func (s *Stack) ListenPacket(socket net.PacketConn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.udp != nil || s.closed {
		socket.Close()
		return fmt.Errorf("sipnet: a UDP socket is in use already, or the stack is closed")
	}
	s.udp = socket
	first := s.generation()
	s.running.Go(func() { s.readPackets(first) })
	<-first.ready
	return nil
}

func (s *Stack) generation() *packets {
	return &packets{
		PacketConn: s.udp, limit: s.limit,
		seen: map[netip.AddrPort]struct{}{}, ready: make(chan struct{}),
	}
}

func (s *Stack) readPackets(p *packets) {
	for p.err == nil {
		_ = s.transport.ServeUDP(p)
		if p.err == nil {
			p = s.generation()
		}
	}
	if !errors.Is(p.err, net.ErrClosed) {
		s.log.Error("udp socket lost", logging.Err, p.err)
	}
}

// maxSources is how many peers' addresses sipgo's pool may remember at a time.
const maxSources = 1 << 16

// packets is the UDP socket as sipgo sees it: without garbage and floods. sipgo remembers every source
// address until the socket ends, so after maxSources of them packets pretends to be closed and a new one
// takes over the same socket; open transactions do not notice.
type packets struct {
	net.PacketConn
	limit *limiter
	seen  map[netip.AddrPort]struct{}
	ready chan struct{} // closed when sipgo reads, which is when it knows the socket
	begun bool          // ready is closed; only the reader touches it
	err   error         // of the socket; only the reader touches it
}

func (p *packets) ReadFrom(b []byte) (int, net.Addr, error) {
	if !p.begun {
		p.begun = true
		close(p.ready)
	}
	for {
		n, from, err := p.PacketConn.ReadFrom(b)
		if err != nil {
			p.err = err
			return n, from, err
		}
		peer := addrPort(from)
		if !plausible(b[:n]) || !p.limit.allow(peer.Addr(), n, time.Now()) {
			continue
		}
		p.seen[peer] = struct{}{}
		if len(p.seen) > maxSources {
			return 0, nil, net.ErrClosed
		}
		return n, from, nil
	}
}

// plausible tells what may be a SIP message from keepalives, scans and noise: it begins with a letter.
func plausible(b []byte) bool {
	return len(b) > 20 && (b[0]|0x20) >= 'a' && (b[0]|0x20) <= 'z'
}

// Listen takes over a TCP listener.
func (s *Stack) Listen(listener net.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		listener.Close()
		return ErrClosed
	}
	s.listeners = append(s.listeners, listener)
	s.running.Go(func() { s.accept(listener) })
	return nil
}

func (s *Stack) accept(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.log.Error("tcp listener lost", logging.Err, err)
			}
			return
		}
		if _, err := s.Connect(c); err != nil {
			s.log.Debug("connection refused", logging.Peer, c.RemoteAddr(), logging.Err, err)
		}
	}
}

// Connect takes over a connection. Requests to its flow go over it as soon as Connect has returned.
func (s *Stack) Connect(c net.Conn) (sip.Flow, error) {
	wrapped := &conn{
		Conn: c, limit: s.limit, flow: sip.Flow{Transport: sip.TCP, Peer: addrPort(c.RemoteAddr())},
		out: make(chan []byte, writeQueue), ready: make(chan struct{}), done: make(chan struct{}),
	}
	if err := s.admit(wrapped); err != nil {
		c.Close()
		return wrapped.flow, err
	}
	go s.write(wrapped)
	if err := s.gate.push(wrapped); err != nil {
		wrapped.Close()
		return wrapped.flow, err
	}
	select {
	case <-wrapped.ready:
		return wrapped.flow, nil
	case <-wrapped.done:
		return wrapped.flow, ErrClosed
	}
}

func (s *Stack) admit(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	peer := c.flow.Peer.Addr()
	switch {
	case s.closed:
		return ErrClosed
	case len(s.conns) >= maxConnections:
		return fmt.Errorf("sipnet: %d connections are open", len(s.conns))
	case s.perPeer[peer] >= maxConnectionsPerPeer:
		return fmt.Errorf("sipnet: %d connections from %s are open", s.perPeer[peer], peer)
	case s.conns[c.flow] != nil:
		return fmt.Errorf("sipnet: the connection from %s is open already", c.flow.Peer)
	}
	s.conns[c.flow] = c
	s.perPeer[peer]++
	s.running.Add(1)
	return nil
}

// write sends what is queued, so that a peer that does not read holds up nobody but itself, and cleans
// up when the connection is gone.
func (s *Stack) write(c *conn) {
	defer s.running.Done()
	for alive := true; alive; {
		select {
		case b := <-c.out:
			_ = c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := c.Conn.Write(b); err != nil {
				c.Close()
			}
		case <-c.done:
			alive = false
		}
	}
	s.mu.Lock()
	delete(s.conns, c.flow)
	peer := c.flow.Peer.Addr()
	if s.perPeer[peer]--; s.perPeer[peer] == 0 {
		delete(s.perPeer, peer)
	}
	closed := s.closed
	s.mu.Unlock()
	if !closed {
		s.user.Lost(c.flow)
	}
}

// settle notes that a connection has brought a message: it may be idle for long now.
func (s *Stack) settle(flow sip.Flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conns[flow]; c != nil {
		_ = c.Conn.SetReadDeadline(time.Now().Add(idle))
	}
}

// conn is a connection as sipgo sees it: writing never blocks, reading is limited.
type conn struct {
	net.Conn
	limit *limiter
	flow  sip.Flow
	out   chan []byte
	ready chan struct{} // closed when sipgo reads, which is when it knows the connection
	begun bool          // ready is closed; only the reader touches it
	done  chan struct{}
	once  sync.Once
}

func (c *conn) Read(b []byte) (int, error) {
	if !c.begun {
		c.begun = true
		close(c.ready)
		// Only a whole message moves the deadline (settle), not the drips of one.
		_ = c.Conn.SetReadDeadline(time.Now().Add(firstMessage))
	}
	n, err := c.Conn.Read(b)
	if err == nil && !c.limit.allow(c.flow.Peer.Addr(), n, time.Now()) {
		err = fmt.Errorf("sipnet: %s sends too fast", c.flow.Peer)
	}
	if err != nil {
		c.Close()
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	case c.out <- append([]byte(nil), b...):
		return len(b), nil
	default:
		c.Close()
		return 0, fmt.Errorf("sipnet: %s does not read", c.flow.Peer)
	}
}

func (c *conn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		err = c.Conn.Close()
		close(c.done)
	})
	return err
}

// gate is the listener that sipgo accepts from: all connections, ours and theirs, come through it.
type gate struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newGate() *gate { return &gate{conns: make(chan net.Conn), done: make(chan struct{})} }

func (g *gate) push(c net.Conn) error {
	select {
	case g.conns <- c:
		return nil
	case <-g.done:
		return ErrClosed
	}
}

func (g *gate) Accept() (net.Conn, error) {
	select {
	case c := <-g.conns:
		return c, nil
	case <-g.done:
		return nil, net.ErrClosed
	}
}

func (g *gate) Close() error {
	g.once.Do(func() { close(g.done) })
	return nil
}

func (g *gate) Addr() net.Addr { return &net.TCPAddr{} }
