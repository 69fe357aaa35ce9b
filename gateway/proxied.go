package gateway

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pires/go-proxyproto"
)

// proxied is a connection that a proxy handed on with a line about the client in front: the PROXY protocol,
// version 1 or 2.
type proxied struct {
	net.Conn
	head *bufio.Reader // what came with the line; nil when it is read
}

func (p *proxied) Read(b []byte) (int, error) {
	if p.head != nil {
		if p.head.Buffered() > 0 {
			return p.head.Read(b)
		}
		p.head = nil
	}
	return p.Conn.Read(b)
}

const (
	proxyTime   = 5 * time.Second // for a line that proxies send at once
	proxyBuffer = 256             // holds any line but for long additions to version 2
)

// fromProxy tells whether connections from an address begin with a line about the client.
func (g *Gateway) fromProxy(peer netip.Addr) bool {
	return slices.ContainsFunc(g.config.ProxyProtocol, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// unwrap reads the line, and returns the connection behind it and the client's address. A connection of the
// proxy's own, with which it tries whether we live, keeps the proxy's.
func unwrap(ctx context.Context, conn net.Conn, proxy netip.AddrPort) (net.Conn, netip.AddrPort, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // the read below hears of it
	defer stop()
	if err := conn.SetReadDeadline(time.Now().Add(proxyTime)); err != nil {
		return nil, proxy, err
	}
	p := &proxied{Conn: conn, head: bufio.NewReaderSize(conn, proxyBuffer)}
	header, err := proxyproto.Read(p.head)
	if err != nil {
		return nil, proxy, fmt.Errorf("gateway: proxy: %w", err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, proxy, err
	}
	if header.Command.IsLocal() {
		return p, proxy, nil
	}
	source, _, ok := header.TCPAddrs()
	if !ok {
		return nil, proxy, fmt.Errorf("gateway: proxy: no TCP client in its line")
	}
	client := unmapped(source.AddrPort())
	if !client.Addr().IsValid() {
		return nil, proxy, fmt.Errorf("gateway: proxy: no client's address in its line")
	}
	return p, client, nil
}
