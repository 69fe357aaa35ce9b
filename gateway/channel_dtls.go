package gateway

import (
	"context"
	"net/netip"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/tunnel"
	dtlsengine "github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// dtlsChannel is a session's established DTLS channel.
type dtlsChannel struct {
	session *session
	conn    *dtlsengine.Conn
	addr    netip.AddrPort
}

// dtlsUp makes an established connection the session's DTLS channel.
func (s *session) dtlsUp(addr netip.AddrPort, conn *dtlsengine.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	actions, err := s.machine.ChannelUp(time.Now(), tunnel.DTLS)
	if err != nil {
		s.log.Debug("dtls too late", logging.Err, err)
		return
	}
	s.do(context.Background(), actions)
	channel := &dtlsChannel{session: s, conn: conn, addr: addr}
	s.dtls.Store(channel)
	s.g.handshakes.peers.put(addr, channel)
	s.log.Info("channel up", logging.Channel, tunnel.DTLS.String(), logging.Stage, stage.Tunnel.String(),
		logging.Peer, addr.String(), "dtls", conn.Version().String(), "cipher", conn.Suite().String())
}

// receive opens a datagram and hands on what it holds.
func (c *dtlsChannel) receive(datagram []byte) {
	for len(datagram) > 0 {
		o, err := c.conn.Open(datagram)
		if err != nil {
			c.session.counters.refused.Add(1)
			return
		}
		datagram = o.Rest
		switch o.Type {
		case dtls.ApplicationData:
			t, payload, err := cstp.ParseMessage(o.Content)
			switch {
			case err != nil:
				c.session.counters.refused.Add(1)
			case t == cstp.Data:
				c.session.fromClient(tunnel.DTLS, payload)
			default:
				c.session.control(tunnel.DTLS, t, payload)
			}
		case dtls.AlertRecord:
			c.session.dtlsDown(c)
			return
		}
	}
}

// dtlsDown ends a channel that the client closed.
func (s *session) dtlsDown(c *dtlsChannel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dtls.CompareAndSwap(c, nil) {
		s.machine.ChannelDown(time.Now(), tunnel.DTLS)
		s.g.handshakes.peers.remove(c.addr, func(other *dtlsChannel) bool { return other == c })
		s.log.Info("channel down", logging.Channel, tunnel.DTLS.String())
	}
}

// send seals the n bytes of content at buf[at:] in place and sends them.
func (c *dtlsChannel) send(buf []byte, at, n int) bool {
	datagram, err := c.conn.Seal(buf[at-c.conn.Headroom():], n)
	if err != nil {
		return false
	}
	_, err = c.session.g.udp.WriteToUDPAddrPort(datagram, c.addr)
	return err == nil
}

// sendMessage sends a control message.
func (c *dtlsChannel) sendMessage(t cstp.Type, payload []byte) {
	head := c.conn.Headroom()
	buf := cstp.AppendMessage(make([]byte, head, head+1+len(payload)+c.conn.Overhead()), t, payload)
	c.send(buf, head, len(buf)-head)
}

// close takes the channel out of the packet path and tells the client that it is over.
func (c *dtlsChannel) close() {
	c.session.g.handshakes.peers.remove(c.addr, func(other *dtlsChannel) bool { return other == c })
	if datagram, err := c.conn.CloseNotify(); err == nil {
		_, _ = c.session.g.udp.WriteToUDPAddrPort(datagram, c.addr) // the client may be gone
	}
}
