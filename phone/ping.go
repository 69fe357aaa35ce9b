package phone

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

// pinger sends echo requests to a few servers and tells which of them answered. Close ends it.
type pinger struct {
	conn    net.PacketConn
	raw     bool // a raw socket; else the kernel's ping socket, which picks the identifier itself
	token   []byte
	servers []netip.Addr // an invalid one is never pinged
	seq     int
}

// newPinger opens a socket for pings to servers.
func newPinger(ctx context.Context, n network, servers []netip.Addr) (*pinger, error) {
	p := &pinger{token: make([]byte, 16), servers: servers}
	if _, err := rand.Read(p.token); err != nil {
		return nil, fmt.Errorf("phone: ping: %w", err)
	}
	var err error
	if p.conn, p.raw, err = n.listenPing(ctx); err != nil {
		return nil, fmt.Errorf("phone: ping: %w", err)
	}
	return p, nil
}

// ping sends one echo request. That it cannot be sent is as good as no answer: there may be no route
// yet.
func (p *pinger) ping(server int) error {
	address := p.servers[server]
	if !address.IsValid() {
		return nil
	}
	p.seq++
	message := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{
		ID: int(binary.BigEndian.Uint16(p.token)), Seq: p.seq, Data: p.token,
	}}
	b, err := message.Marshal(nil)
	if err != nil {
		return err
	}
	var to net.Addr = &net.IPAddr{IP: address.AsSlice()}
	if !p.raw {
		to = &net.UDPAddr{IP: address.AsSlice()}
	}
	_, err = p.conn.WriteTo(b, to)
	return err
}

// answer waits for the next answer to one of our pings and returns whose it is.
func (p *pinger) answer() (server int, err error) {
	buffer := make([]byte, 1500)
	for {
		n, from, err := p.conn.ReadFrom(buffer)
		if err != nil {
			return 0, err
		}
		message, err := icmp.ParseMessage(ipv4.ICMPTypeEcho.Protocol(), buffer[:n])
		if err != nil || message.Type != ipv4.ICMPTypeEchoReply {
			continue
		}
		echo, ok := message.Body.(*icmp.Echo)
		if !ok || !bytes.Equal(echo.Data, p.token) {
			continue // somebody else's
		}
		if server := slices.Index(p.servers, addressOf(from)); server >= 0 {
			return server, nil
		}
	}
}

func addressOf(a net.Addr) netip.Addr {
	var ip net.IP
	switch a := a.(type) {
	case *net.IPAddr:
		ip = a.IP
	case *net.UDPAddr:
		ip = a.IP
	}
	address, _ := netip.AddrFromSlice(ip)
	return address.Unmap()
}

func (p *pinger) close() error { return p.conn.Close() }
