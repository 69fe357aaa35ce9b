package gateway

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/longcord/longcord/internal/logging"
)

// listen takes the gateway's ports, but for those that were passed already open.
func (g *Gateway) listen() error {
	if err := g.takeOver(g.config.Sockets); err != nil {
		return err
	}
	ports := g.config.MorePorts
	if len(g.listeners) == 0 {
		ports = append([]uint16{g.config.Listen.Port()}, ports...)
	}
	for _, port := range ports {
		if err := g.listenTCP(port); err != nil {
			return err
		}
	}
	if g.udp != nil || !g.config.DTLS.IsValid() {
		return nil
	}
	for _, addr := range g.bothOf(g.config.DTLS) {
		s, err := listenUDP(addr)
		if err != nil {
			return err
		}
		g.addUDP(s)
	}
	return nil
}

// listenTCP opens a port, unless a socket for it was passed.
func (g *Gateway) listenTCP(port uint16) error {
	if port != 0 && slices.ContainsFunc(g.listeners, func(l net.Listener) bool {
		at, ok := l.Addr().(*net.TCPAddr)
		return ok && at.Port == int(port)
	}) {
		return nil
	}
	for _, addr := range g.bothOf(netip.AddrPortFrom(g.config.Listen.Addr(), port)) {
		listener, err := net.Listen("tcp", addr.String())
		if err != nil {
			return err
		}
		g.listeners = append(g.listeners, listener)
	}
	return nil
}

// addUDP takes a UDP socket into use, beside the one for the other family if there is one.
func (g *Gateway) addUDP(s *socket) {
	if g.udp == nil {
		g.udp = s
		return
	}
	g.udp.other = s
}

// bothOf is an address of the gateway, and the same port at its IPv6 address if it has one.
func (g *Gateway) bothOf(addr netip.AddrPort) []netip.AddrPort {
	if !g.config.Outside6.IsValid() {
		return []netip.AddrPort{addr}
	}
	return []netip.AddrPort{addr, netip.AddrPortFrom(g.config.Outside6, addr.Port())}
}

// Listening returns what the open gateway listens on, such as "tcp 192.0.2.10:443".
func (g *Gateway) Listening() []string {
	var all []string
	for _, listener := range g.listeners {
		all = append(all, "tcp "+listener.Addr().String())
	}
	for s := g.udp; s != nil; s = s.other {
		all = append(all, "udp "+s.address().String())
	}
	return all
}

// accept takes connections until the listener closes.
func (g *Gateway) accept(ctx context.Context, listener net.Listener, gate *gate) error {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil { // out of file descriptors, or a client that left at once: neither is the end
			g.log.Warn("accept", logging.Err, err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(acceptPause):
			}
			continue
		}
		peer := unmapped(conn.RemoteAddr().(*net.TCPAddr).AddrPort())
		if g.fromProxy(peer.Addr()) {
			g.wg.Go(func() { g.acceptProxied(ctx, conn, peer, gate) })
			continue
		}
		at := gate.enter(peer.Addr(), conn)
		g.wg.Go(func() {
			defer at.leave()
			g.serveConn(ctx, conn, peer, at)
		})
	}
}

// acceptProxied serves a connection that a proxy hands on. It counts for the client, not for the proxy.
func (g *Gateway) acceptProxied(ctx context.Context, raw net.Conn, proxy netip.AddrPort, gate *gate) {
	conn, client, err := unwrap(ctx, raw, proxy)
	if err != nil {
		g.log.Debug("connection", logging.Peer, proxy.String(), logging.Err, err)
		_ = raw.Close() // nothing was said
		return
	}
	at := gate.enter(client.Addr(), conn)
	defer at.leave()
	g.serveConn(ctx, conn, client, at)
}

// acceptPause keeps a socket that fails from spinning.
const acceptPause = 200 * time.Millisecond

// unmapped is an address as IPv4 when it is that, whatever socket it came by.
func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
