package gateway

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
	dtlsengine "github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// dtlsChannel is a session's established DTLS channel.
type dtlsChannel struct {
	session *session
	conn    *dtlsengine.Conn
	random  [dtls.RandomLen]byte // of the ClientHello
	peer    atomic.Pointer[endpoint]
	former  netip.AddrPort // where the client was before it moved; guarded by the session's mu
}

func newDTLSChannel(s *session, conn *dtlsengine.Conn, peer *endpoint, random [dtls.RandomLen]byte) *dtlsChannel {
	c := &dtlsChannel{session: s, conn: conn, random: random}
	c.peer.Store(peer)
	return c
}

// dtlsUp makes an established connection the session's DTLS channel.
func (s *session) dtlsUp(of *expectation, channel *dtlsChannel) {
	defer s.contain()
	if former := s.takeDTLS(of, channel); former != nil {
		former.session.dtlsDown(former)
	}
}

// takeDTLS returns the channel of another session that was at the client's address before.
func (s *session) takeDTLS(of *expectation, channel *dtlsChannel) (former *dtlsChannel) {
	peers := s.g.handshakes.peers
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.g.handshakes.stands(of) {
		return nil // a CONNECT came in between, with another id
	}
	replaces := s.dtls.Load() != nil
	actions, err := s.machine.ChannelUp(time.Now(), tunnel.DTLS)
	if err != nil {
		s.log.Debug("dtls too late", logging.Err, err)
		return nil
	}
	s.do(actions)
	s.rearm()
	peer := channel.peer.Load().AddrPort
	former = peers.get(peer)
	s.dtls.Store(channel)
	peers.put(peer, channel)
	s.g.moves.add(channel)
	s.dtlsIsUp(channel, replaces)
	if version := channel.conn.Version(); version == dtls.Version09 {
		s.usedLegacy("DTLS " + version.String())
	}
	return former
}

// receive opens a datagram and hands on what it holds. It reports whether the channel is the one that the
// datagram is for.
func (c *dtlsChannel) receive(out *outBatch, now time.Time, from netip.AddrPort, datagram []byte) (ours bool) {
	defer c.session.contain()
	for len(datagram) > 0 && c.session.dtls.Load() == c { // a record may end the channel
		o, err := c.conn.Open(datagram)
		if err != nil {
			return ours
		}
		ours = true
		if o.Newest && from != c.peer.Load().AddrPort {
			c.moved(from)
		}
		datagram = o.Rest
		switch o.Type {
		case dtls.ApplicationData:
			c.message(out, now, o.Content)
		case dtls.AlertRecord:
			if endsChannel(o.Content) {
				c.session.dtlsDown(c)
			}
		}
	}
	return ours
}

func (c *dtlsChannel) message(out *outBatch, now time.Time, content []byte) {
	t, payload, err := cstp.ParseMessage(content)
	switch {
	case err != nil:
		c.session.counters.refused.Add(1)
	case t == cstp.Data:
		c.session.fromClient(out, now, tunnel.DTLS, payload)
	default:
		c.session.control(tunnel.DTLS, t, payload)
	}
}

// endsChannel reports whether an alert is fatal or a close_notify; others are warnings, RFC 5246 section
// 7.2.
func endsChannel(alert []byte) bool {
	const fatal, closeNotify = 2, 0
	return len(alert) == 2 && (alert[0] == fatal || alert[1] == closeNotify)
}

// dtlsDown ends a channel that the client closed, or whose address is another's now.
func (s *session) dtlsDown(c *dtlsChannel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dtls.CompareAndSwap(c, nil) {
		s.machine.ChannelDown(time.Now(), tunnel.DTLS)
		s.rearm()
		c.leave()
		s.channelDown(tunnel.DTLS, transportClosing, nil)
	}
}

// queue seals the packet of n bytes at buf[headroom:], which is out's room, and has it sent with what
// else out holds.
func (c *dtlsChannel) queue(out *outBatch, now time.Time, buf []byte, n int) bool {
	const at = headroom - 1
	class := trafficClass(buf[headroom:])
	buf[at] = byte(cstp.Data)
	datagram, err := c.conn.Seal(buf[at-c.conn.Headroom():], 1+n)
	if err != nil {
		return false
	}
	c.session.sent(tunnel.DTLS, now, n)
	out.add(c.peer.Load(), datagram, class, c.session, n)
	return true
}

// trafficClass is what the datagram around a packet gets of its type of service or traffic class: DSCP, so
// that voice stays voice on the way to the client, and not ECN, whose marks nobody would carry over.
func trafficClass(packet []byte) byte {
	const dscp = 0xfc
	if packet[0]>>4 == 6 {
		return (packet[0]<<4 | packet[1]>>4) & dscp
	}
	return packet[1] & dscp
}

// sendMessage sends a control message.
func (c *dtlsChannel) sendMessage(t cstp.Type, payload []byte) {
	head := c.conn.Headroom()
	buf := cstp.AppendMessage(make([]byte, head, head+1+len(payload)+c.conn.Overhead()), t, payload)
	if datagram, err := c.conn.Seal(buf, len(buf)-head); err == nil {
		_ = c.session.g.udp.sendTo(c.peer.Load(), datagram) // lost like any datagram
	}
}

// close takes the channel out of the packet path and tells the client that it is over.
func (c *dtlsChannel) close() {
	c.leave()
	if datagram, err := c.conn.CloseNotify(); err == nil {
		_ = c.session.g.udp.sendTo(c.peer.Load(), datagram) // the client may be gone
	}
}

// leave takes the channel out of the packet path. The session's mu is held.
func (c *dtlsChannel) leave() {
	peers := c.session.g.handshakes.peers
	peers.remove(c.peer.Load().AddrPort, c.is)
	if c.former.IsValid() {
		peers.remove(c.former, c.is)
	}
	c.session.g.moves.remove(c)
}
