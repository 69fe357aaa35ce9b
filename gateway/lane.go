package gateway

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// The packet path. One goroutine reads the UDP socket, one the TUN; each runs a packet to its end before
// it reads the next. Nothing here allocates, but for packets that have to take the CSTP channel.

const (
	// headroom is what any channel puts before a packet: record header, IV, type byte, rounded up.
	headroom = 64
	// laneBuffer holds the largest inner packet with what channels add before and behind it.
	laneBuffer = headroom + 2048 + 64
	// udpBuffer is asked for the socket, so that a burst of many phones does not overflow it.
	udpBuffer = 4 << 20
)

func listenUDP(addr netip.AddrPort) (*net.UDPConn, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	return conn, growReceiveBuffer(conn, udpBuffer)
}

// fromUDP opens what comes from clients and writes it to the TUN.
func (g *Gateway) fromUDP() error {
	buf := make([]byte, laneBuffer)
	for {
		n, addr, err := g.udp.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			g.log.Warn("udp", logging.Err, err)
			time.Sleep(acceptPause)
		case n > 0:
			g.fromPeer(unmapped(addr), buf[:n])
		}
	}
}

// fromPeer gives a datagram to the channel at its address, unless it belongs to a handshake: a client may
// begin a new one where it has a channel.
func (g *Gateway) fromPeer(addr netip.AddrPort, datagram []byte) {
	switch dtls.ContentType(datagram[0]) {
	case dtls.ApplicationData, dtls.AlertRecord:
		if channel := g.handshakes.peers.get(addr); channel != nil {
			channel.receive(datagram)
			return
		}
	}
	g.handshakes.receive(addr, datagram)
}

// fromTUN sends what the host has for clients.
func (g *Gateway) fromTUN() error {
	buf := make([]byte, laneBuffer)
	var h header
	for {
		n, err := g.device.Read(buf[headroom : laneBuffer-64])
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if !parseHeader(buf[headroom:headroom+n], &h) {
			continue // IPv6 neighbour discovery and the like
		}
		if s := g.sessions.inner.get(h.dst); s != nil {
			s.toClient(buf, n)
		}
	}
}

// toClient sends the packet of n bytes at buf[headroom:] by the channel that data takes now.
func (s *session) toClient(buf []byte, n int) {
	defer s.contain()
	channel, up := s.machine.DataChannel()
	if !up {
		s.counters.dropped.Add(1)
		return
	}
	sent := false
	if channel == tunnel.DTLS {
		if d := s.dtls.Load(); d != nil {
			buf[headroom-1] = byte(cstp.Data)
			sent = d.send(buf, headroom-1, n+1)
		}
	} else if c := s.cstp.Load(); c != nil {
		sent = c.send(cstp.AppendFrame(nil, cstp.Data, buf[headroom:headroom+n]))
	}
	if !sent {
		s.counters.dropped.Add(1)
		return
	}
	s.machine.Spoke(channel, time.Now())
	s.counters.toPackets.Add(1)
	s.counters.toBytes.Add(uint64(n))
}

// fromClient checks a packet that came out of a session's tunnel and hands it to the host: its source
// must be the session's own address, and the session's filter must permit it.
func (s *session) fromClient(channel tunnel.Channel, packet []byte) {
	s.machine.Heard(channel, time.Now())
	var h header
	addr := s.address.Load()
	if !parseHeader(packet, &h) || addr == nil || h.src != *addr || !s.filter.Load().permits(&h) {
		s.counters.refused.Add(1)
		return
	}
	if _, err := s.g.device.Write(packet); err != nil {
		s.counters.dropped.Add(1)
		return
	}
	s.counters.fromPackets.Add(1)
	s.counters.fromBytes.Add(uint64(len(packet)))
}
