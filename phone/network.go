package phone

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/tun"
)

// network makes the phone's sockets. Inside the office they are ordinary ones; outside they are bound to
// the tunnel's interface, so the host's own routes stay as they are and nothing of the phone leaks
// around the tunnel. Where the tunnel ends in a stack of its own, they are that one's.
type network struct {
	device string     // tunnel interface; empty: ordinary sockets
	local  netip.Addr // own address on it; unspecified when device is empty
	stack  tun.Stack  // nil: the host's

	// Who knows names beyond the tunnel; only for a stack, since the host asks its own servers.
	dns    []netip.Addr
	domain string
}

// inTunnel is the network that a tunnel leads to.
func inTunnel(info tunnelInfo) network {
	n := network{device: info.Device.Name(), local: info.Address.Addr()}
	if s, ok := info.Device.(tun.Stack); ok {
		n.stack, n.dns, n.domain = s, info.DNS, info.Domain
	}
	return n
}

func (n network) control(_, _ string, raw syscall.RawConn) error {
	if n.device == "" {
		return nil
	}
	var err error
	if ctl := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, n.device)
	}); ctl != nil {
		return ctl
	}
	return err
}

// dialer connects by TCP and UDP.
type dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// dialer returns a dialer whose connections use this network. Zero patience leaves it to the system.
func (n network) dialer(local net.Addr, patience time.Duration) dialer {
	if n.stack != nil {
		return stackDialer{n, patience}
	}
	return &net.Dialer{LocalAddr: local, Timeout: patience, Control: n.control}
}

// stackDialer is the dialer of a stack, by TCP.
type stackDialer struct {
	network
	patience time.Duration
}

func (d stackDialer) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	if d.patience != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.patience)
		defer cancel()
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("phone: port %q: %w", port, err)
	}
	to, err := d.resolve4(ctx, host)
	if err != nil {
		return nil, err
	}
	return d.stack.DialTCP(ctx, netip.AddrPortFrom(to, uint16(number)))
}

// listenPacket opens a UDP socket on this network.
func (n network) listenPacket(ctx context.Context, at netip.AddrPort) (tun.PacketConn, error) {
	if n.stack != nil {
		return n.stack.ListenUDP(at.Port())
	}
	lc := net.ListenConfig{Control: n.control}
	address := at.String()
	if !at.Addr().IsValid() {
		address = ":" + strconv.Itoa(int(at.Port()))
	}
	socket, err := lc.ListenPacket(ctx, "udp4", address)
	if err != nil {
		return nil, err
	}
	return socket.(*net.UDPConn), nil
}

// listenPing opens a socket for echo requests: a raw one, or one of those that some systems give ordinary users and
// that choose their identifier themselves.
func (n network) listenPing(ctx context.Context) (socket net.PacketConn, raw bool, err error) {
	if n.stack != nil {
		socket, err = n.stack.ListenPing()
		return socket, false, err
	}
	lc := net.ListenConfig{Control: n.control}
	if socket, err = lc.ListenPacket(ctx, "ip4:icmp", "0.0.0.0"); err == nil {
		return socket, true, nil
	}
	if n.device != "" {
		return nil, false, fmt.Errorf("on %s: %w", n.device, err)
	}
	if socket, unprivileged := icmp.ListenPacket("udp4", "0.0.0.0"); unprivileged == nil {
		return socket, false, nil
	}
	return nil, false, err
}

// resolve4 returns an IPv4 address of a server that is named or given by address.
func (n network) resolve4(ctx context.Context, server string) (netip.Addr, error) {
	if address, err := netip.ParseAddr(server); err == nil {
		return address.Unmap(), nil
	}
	resolver := net.DefaultResolver
	if n.stack != nil && len(n.dns) > 0 {
		resolver = &net.Resolver{PreferGo: true, Dial: n.dialDNS}
	}
	addresses, err := resolver.LookupNetIP(ctx, "ip4", server)
	if err != nil && n.domain != "" && !strings.Contains(server, ".") {
		if within, again := resolver.LookupNetIP(ctx, "ip4", server+"."+n.domain+"."); again == nil {
			addresses, err = within, nil
		}
	}
	if err != nil {
		return netip.Addr{}, err
	}
	return addresses[0].Unmap(), nil
}

// dialDNS leads the resolver to the tunnel's name servers, by TCP, whichever the host's own are.
func (n network) dialDNS(ctx context.Context, _, _ string) (net.Conn, error) {
	var last error
	for _, server := range n.dns {
		if !server.Is4() {
			continue
		}
		conn, err := n.stack.DialTCP(ctx, netip.AddrPortFrom(server, 53))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	if last == nil {
		last = fmt.Errorf("phone: the tunnel names no name server")
	}
	return nil, last
}
