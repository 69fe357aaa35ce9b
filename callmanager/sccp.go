package callmanager

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/limiter"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sccp"
	"github.com/longcord/longcord/wire/sip"
)

// Bounds on connections. Whoever registers is there for good, and kept by keep-alives.
const (
	maxPhones       = 8192
	maxPhonesAtPeer = 256
	firstFrame      = 30 * time.Second // how long a new connection may take to bring a message
	idleFrame       = 4 * register.StandbyKeepAlive
	writeTimeout    = 10 * time.Second
	writeQueue      = 64 // messages waiting for a slow reader
)

// sccpPort is where phones connect that speak SCCP. The manager's lock guards conns, perPeer and what the halves know.
type sccpPort struct {
	m        *Manager
	limit    *limiter.Limiter
	listener net.Listener
	conns    map[sip.Flow]*sccpConn
	perPeer  map[netip.Addr]int
	closed   bool
	running  sync.WaitGroup
}

// sccpConn is the connection of one phone. Writing never blocks: a phone that does not read holds up nobody but
// itself.
type sccpConn struct {
	net.Conn
	flow sip.Flow
	half *register.SCCPServer
	out  chan []byte // nil: the end
	done chan struct{}
	once sync.Once
}

func newSCCPPort(m *Manager) *sccpPort {
	return &sccpPort{m: m, limit: limiter.New(), conns: map[sip.Flow]*sccpConn{}, perPeer: map[netip.Addr]int{}}
}

func (p *sccpPort) listen(ctx context.Context, at netip.AddrPort) (err error) {
	var config net.ListenConfig
	if p.listener, err = config.Listen(ctx, "tcp", at.String()); err != nil {
		return err
	}
	p.running.Go(p.accept)
	return nil
}

// close ends all connections. What is registered over them stays so in the store.
func (p *sccpPort) close() {
	p.m.mu.Lock()
	p.closed = true
	for _, c := range p.conns {
		c.end()
	}
	p.m.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close() // it ends, one way or the other
	}
	p.running.Wait()
}

func (p *sccpPort) accept() {
	for {
		raw, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, or a peer that left at once: neither is the end
			p.m.log.Warn("accept", logging.Err, err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		if err := p.connect(raw); err != nil {
			_ = raw.Close()
			p.m.log.Debug("connection refused", logging.Peer, raw.RemoteAddr(), logging.Err, err)
		}
	}
}

// connect takes over a connection, unless there are too many.
func (p *sccpPort) connect(raw net.Conn) error {
	peer, own := addrPort(raw.RemoteAddr()), addrPort(raw.LocalAddr())
	c := &sccpConn{
		Conn: raw, flow: sip.Flow{Transport: register.SCCP, Peer: peer}, out: make(chan []byte, writeQueue), done: make(chan struct{}),
	}
	c.half = register.NewSCCPServer(register.SCCPServerConfig{Flow: c.flow, Own: own, Registrar: p.m.registrar, Desk: p.deskFor(peer.Addr())})
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	switch {
	case p.closed:
		return net.ErrClosed
	case len(p.conns) >= maxPhones:
		return fmt.Errorf("%d connections are open", len(p.conns))
	case p.perPeer[peer.Addr()] >= maxPhonesAtPeer:
		return fmt.Errorf("%d connections from %s are open", p.perPeer[peer.Addr()], peer.Addr())
	}
	p.conns[c.flow] = c
	p.perPeer[peer.Addr()]++
	p.running.Go(c.write)
	p.running.Go(func() {
		err := p.read(c)
		c.end()
		p.gone(c, err)
	})
	return nil
}

// deskFor returns what answers for the inventory on a connection from an address: through a tunnel for its own phone only.
func (p *sccpPort) deskFor(peer netip.Addr) func(string) (register.Desk, *register.Refusal) {
	if p.m.config.Tunnel == nil {
		return p.m.directory.desk
	}
	devices, tunnel := p.m.config.Tunnel(peer)
	if !tunnel {
		return p.m.directory.desk
	}
	return func(name string) (register.Desk, *register.Refusal) {
		if !slices.Contains(devices, name) {
			return register.Desk{}, &register.Refusal{
				Text: "This tunnel is another phone's", Why: fmt.Sprintf("the tunnel of %s is not that of %s", peer, name),
			}
		}
		return p.m.directory.desk(name)
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	p, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// read takes messages until the connection ends, or its peer misbehaves. Only a whole message moves the deadline.
func (p *sccpPort) read(c *sccpConn) error {
	in, patience := bufio.NewReader(c), firstFrame
	for {
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		frame, err := sccp.Read(in)
		if err != nil {
			return err
		}
		if !p.limit.Allow(c.flow.Peer.Addr(), len(frame.Body), time.Now()) {
			return errors.New("it sends too fast")
		}
		patience = idleFrame
		p.m.event(func(now time.Time) { p.received(now, c, frame) })
	}
}

func (p *sccpPort) received(now time.Time, c *sccpConn, frame sccp.Frame) {
	message, err := sccp.Parse(frame, c.half.Version())
	if err != nil {
		level := slog.LevelDebug
		if frame.ID == (*sccp.RegisterReq)(nil).ID() { // a phone that registers like this gets no answer, and tries for ever
			level = slog.LevelWarn
		}
		p.m.log.Log(context.Background(), level, "message refused", logging.Peer, c.flow, logging.Err, err)
		return
	}
	p.trace("received", c.flow, message)
	p.m.doRegister(c.half.Received(now, message))
	if asks, ok := message.(*sccp.RegisterReq); ok {
		p.meet(c.flow, asks)
	}
}

// meet tells of a phone that is in no inventory, by the name of its model.
func (p *sccpPort) meet(flow sip.Flow, asks *sccp.RegisterReq) {
	set := p.m.directory.set
	if p.m.config.Unknown == nil || asks.Device != inventory.DeviceInName(asks.Device) || set.Devices[asks.Device] != nil {
		return
	}
	model := ""
	for _, known := range set.Models() {
		if known.Number == int(asks.Type) {
			model = known.Name
		}
	}
	p.m.config.Unknown(asks.Device, flow.Peer, "", model)
}

func (p *sccpPort) trace(what string, flow sip.Flow, m sccp.Message) {
	p.m.log.Log(context.Background(), logging.LevelTrace, what, logging.Peer, flow, "message", slog.AnyValue(m))
}

// gone takes a connection out, with what is registered over it.
func (p *sccpPort) gone(c *sccpConn, err error) {
	if !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) {
		p.m.log.Debug("connection given up", logging.Peer, c.flow, logging.Err, err)
	}
	p.m.event(func(time.Time) {
		delete(p.conns, c.flow)
		peer := c.flow.Peer.Addr()
		if p.perPeer[peer]--; p.perPeer[peer] == 0 {
			delete(p.perPeer, peer)
		}
		if !p.closed {
			p.m.doRegister(p.m.registrar.Lost(c.flow))
		}
	})
}

// message returns what sends a message, or nil when there is no connection any more.
func (p *sccpPort) message(say register.Say) func() {
	c := p.conns[say.Flow]
	if c == nil {
		return nil
	}
	b, err := sccp.Append(nil, say.Message, c.half.Version())
	if err != nil {
		p.m.log.Debug("message not sent", logging.Peer, say.Flow, logging.Err, err)
		return func() {}
	}
	p.trace("sent", say.Flow, say.Message)
	return func() { c.send(b) }
}

// ending returns what closes a connection when all has been sent.
func (p *sccpPort) ending(flow sip.Flow, why string) func() {
	c := p.conns[flow]
	if c == nil {
		return func() {}
	}
	return func() {
		p.m.log.Debug("connection closed", logging.Peer, flow, "why", why)
		c.send(nil)
	}
}

func (c *sccpConn) send(b []byte) {
	select {
	case <-c.done:
	case c.out <- b:
	default:
		c.end() // it does not read
	}
}

func (c *sccpConn) end() {
	c.once.Do(func() {
		_ = c.Close() // it is of no use any more
		close(c.done)
	})
}

func (c *sccpConn) write() {
	defer c.end()
	for {
		select {
		case b := <-c.out:
			if b == nil {
				return
			}
			_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := c.Conn.Write(b); err != nil {
				return
			}
		case <-c.done:
			return
		}
	}
}
