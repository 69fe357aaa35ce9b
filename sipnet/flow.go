package sipnet

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/wire/sip"
)

// link is a way to a peer, as sipgo's transactions see it. It is not theirs to close.
type link struct {
	flow  sip.Flow
	local netip.AddrPort
	write func([]byte) error
}

// WriteMsg sends a message.
func (l link) WriteMsg(m gosip.Message) error {
	var b bytes.Buffer
	m.StringWrite(&b)
	return l.write(b.Bytes())
}

// LocalAddr returns our own address.
func (l link) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(l.local) }

// Ref, TryClose and Close are for transports that count their users; ours does not.
func (l link) Ref(int) int { return 1 }

// TryClose does nothing.
func (l link) TryClose() (int, error) { return 1, nil }

// Close does nothing.
func (l link) Close() error { return nil }

// to returns the way to a peer, if there is one.
func (s *Stack) to(flow sip.Flow) (link, error) {
	s.mu.Lock()
	c, udp := s.conns[flow], s.udp
	s.mu.Unlock()
	switch {
	case flow.Transport != sip.UDP && c != nil:
		return c.link(), nil
	case flow.Transport == sip.UDP && udp != nil:
		return udpLink(udp, flow.Peer), nil
	}
	return link{}, ErrNoFlow
}

func udpLink(socket net.PacketConn, peer netip.AddrPort) link {
	local := addrPort(socket.LocalAddr())
	if local.Addr().IsUnspecified() {
		local = netip.AddrPortFrom(sourceFor(peer), local.Port())
	}
	to := net.UDPAddrFromAddrPort(peer)
	return link{flow: sip.Flow{Transport: sip.UDP, Peer: peer}, local: local, write: func(b []byte) error {
		_, err := socket.WriteTo(b, to)
		return err
	}}
}

// sourceFor asks the system which of its addresses it would send from.
func sourceFor(peer netip.AddrPort) netip.Addr {
	c, err := net.Dial("udp", peer.String()) // sends nothing
	if err != nil {
		return netip.IPv4Unspecified()
	}
	defer c.Close()
	return addrPort(c.LocalAddr()).Addr()
}

func addrPort(a net.Addr) netip.AddrPort {
	p, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// Local returns our own address towards a peer: what Via and Contact name. It is the zero address when
// there is no way to the peer.
func (s *Stack) Local(flow sip.Flow) netip.AddrPort {
	l, _ := s.to(flow)
	return l.local
}

// ListenPacket takes over a UDP socket. A stack has at most one.
func (s *Stack) ListenPacket(socket net.PacketConn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.udp != nil || !s.begin() {
		socket.Close()
		return fmt.Errorf("sipnet: a UDP socket is in use already, or the stack is closed")
	}
	s.udp = socket
	go s.readPackets(socket)
	return nil
}

func (s *Stack) readPackets(socket net.PacketConn) {
	defer s.running.Done()
	buffer := make([]byte, sip.MaxMessage)
	for {
		n, from, err := socket.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Debug("datagram not read", logging.Err, err)
			continue
		}
		peer := addrPort(from)
		if !plausible(buffer[:n]) || !s.limit.Allow(peer.Addr(), n, time.Now()) {
			continue
		}
		m, err := parser.ParseSIP(bytes.Clone(buffer[:n]))
		if err != nil {
			s.log.Debug("datagram refused", logging.Peer, peer, logging.Err, err)
			continue
		}
		s.handle(udpLink(socket, peer), m)
	}
}

// plausible tells what may be a SIP message from keepalives, scans and noise: it begins with a letter.
func plausible(b []byte) bool {
	return len(b) > 20 && (b[0]|0x20) >= 'a' && (b[0]|0x20) <= 'z'
}

// back returns the way for answers to a request that came over l: the same, but over UDP to the port that
// Via names, unless it asks for the one the request came from (RFC 3581).
func (s *Stack) back(l link, via sip.Via) link {
	if l.flow.Transport != sip.UDP || via.Params.Has("rport") || via.Port == l.flow.Peer.Port() {
		return l
	}
	return udpLink(s.udp, netip.AddrPortFrom(l.flow.Peer.Addr(), cmp.Or(via.Port, 5060)))
}

// Listen takes over a TCP listener.
func (s *Stack) Listen(listener net.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begin() {
		listener.Close()
		return ErrClosed
	}
	s.listeners = append(s.listeners, listener)
	go s.accept(listener)
	return nil
}

func (s *Stack) accept(listener net.Listener) {
	defer s.running.Done()
	for {
		c, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, or a peer that left at once: neither is the end
			s.log.Warn("accept", logging.Err, err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		if _, err := s.Connect(c); err != nil {
			s.log.Debug("connection refused", logging.Peer, c.RemoteAddr(), logging.Err, err)
		}
	}
}

// conn is a connection by TCP, with TLS over it or not. Writing never blocks: a peer that does not read holds up nobody but itself.
type conn struct {
	net.Conn
	flow sip.Flow
	out  chan []byte
	done chan struct{}
	once sync.Once
}

func (c *conn) link() link {
	return link{flow: c.flow, local: addrPort(c.LocalAddr()), write: c.send}
}

func (c *conn) send(b []byte) error {
	select {
	case <-c.done:
		return ErrNoFlow
	case c.out <- b:
		return nil
	default:
		c.close()
		return fmt.Errorf("sipnet: %s does not read", c.flow.Peer)
	}
}

func (c *conn) close() {
	c.once.Do(func() {
		c.Conn.Close()
		close(c.done)
	})
}

// Connect takes over a connection and returns its flow. TLS, if any, has come up already.
func (s *Stack) Connect(raw net.Conn) (sip.Flow, error) {
	transport := sip.TCP
	if _, ok := raw.(*tls.Conn); ok {
		transport = sip.TLS
	}
	c := &conn{
		Conn: raw, flow: sip.Flow{Transport: transport, Peer: addrPort(raw.RemoteAddr())},
		out: make(chan []byte, writeQueue), done: make(chan struct{}),
	}
	if err := s.admit(c); err != nil {
		raw.Close()
		return c.flow, err
	}
	go func() {
		defer s.running.Done()
		defer s.gone(c)
		c.write()
	}()
	go func() {
		defer s.running.Done()
		defer c.close()
		if err := s.read(c); !errors.Is(err, net.ErrClosed) && err != io.EOF {
			s.log.Debug("connection given up", logging.Peer, c.flow, logging.Err, err)
		}
	}()
	return c.flow, nil
}

func (s *Stack) admit(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	peer := c.flow.Peer.Addr()
	switch {
	case len(s.conns) >= maxConnections:
		return fmt.Errorf("sipnet: %d connections are open", len(s.conns))
	case s.perPeer[peer] >= maxConnectionsPerPeer:
		return fmt.Errorf("sipnet: %d connections from %s are open", s.perPeer[peer], peer)
	case s.conns[c.flow] != nil:
		return fmt.Errorf("sipnet: the connection from %s is open already", c.flow.Peer)
	case !s.begin():
		return ErrClosed
	}
	s.running.Add(1) // a reader and a writer
	s.conns[c.flow] = c
	s.perPeer[peer]++
	return nil
}

func (c *conn) write() {
	for {
		select {
		case b := <-c.out:
			_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := c.Conn.Write(b); err != nil {
				c.close()
			}
		case <-c.done:
			return
		}
	}
}

// gone ends what went over a connection, and tells the user.
func (s *Stack) gone(c *conn) {
	s.mu.Lock()
	delete(s.conns, c.flow)
	peer := c.flow.Peer.Addr()
	if s.perPeer[peer]--; s.perPeer[peer] == 0 {
		delete(s.perPeer, peer)
	}
	var ends []func()
	for _, server := range s.incoming {
		if server.link.flow == c.flow {
			ends = append(ends, server.tx.Terminate)
		}
	}
	for _, client := range s.outgoing {
		if client.link.flow == c.flow {
			ends = append(ends, func() { s.end(client, ErrNoFlow) })
		}
	}
	closed := s.closed
	s.mu.Unlock()
	for _, end := range ends {
		end()
	}
	if !closed {
		s.user.Lost(c.flow)
	}
}

// read takes messages from a connection until it ends, or its peer misbehaves.
func (s *Stack) read(c *conn) error {
	stream := parser.NewSIPStream()
	defer stream.Close()
	buffer := make([]byte, 8192)
	// Only a whole message moves the deadline, not the drips of one.
	_ = c.SetReadDeadline(time.Now().Add(firstMessage))
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return err
		}
		if !s.limit.Allow(c.flow.Peer.Addr(), n, time.Now()) {
			return fmt.Errorf("sipnet: %s sends too fast", c.flow.Peer)
		}
		// A keepalive of RFC 5626, which wants an answer.
		if string(buffer[:n]) == "\r\n\r\n" && stream.Buffer().Len() == 0 {
			_ = c.send([]byte("\r\n"))
			continue
		}
		err = stream.ParseSIPStream(buffer[:n], func(m gosip.Message) {
			_ = c.SetReadDeadline(time.Now().Add(idle))
			s.handle(c.link(), m)
		})
		if err != nil && !errors.Is(err, gosip.ErrParseSipPartial) {
			return err
		}
	}
}
