package netstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/longcord/longcord/tun"
)

var _ tun.Stack = (*device)(nil)

func fullAddress(a netip.AddrPort) tcpip.FullAddress {
	full := tcpip.FullAddress{NIC: nic, Port: a.Port()}
	if a.Addr().IsValid() && !a.Addr().IsUnspecified() {
		full.Addr = tcpip.AddrFromSlice(a.Addr().Unmap().AsSlice())
	}
	return full
}

// DialTCP connects from the device's address.
func (d *device) DialTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	conn, err := gonet.DialContextTCP(ctx, d.stack, fullAddress(to), ipv4.ProtocolNumber)
	if err != nil {
		return nil, fmt.Errorf("netstack: %s: %w", to, known(err))
	}
	return conn, nil
}

// ListenUDP opens a UDP socket on this port; zero lets the device choose.
func (d *device) ListenUDP(port uint16) (tun.PacketConn, error) {
	return d.listen(udp.ProtocolNumber, tcpip.FullAddress{NIC: nic, Addr: d.local, Port: port})
}

// ListenPing opens a socket for echo requests; the device chooses their identifier.
func (d *device) ListenPing() (tun.PacketConn, error) {
	return d.listen(icmp.ProtocolNumber4, tcpip.FullAddress{NIC: nic, Addr: d.local})
}

func (d *device) listen(protocol tcpip.TransportProtocolNumber, at tcpip.FullAddress) (tun.PacketConn, error) {
	var queue waiter.Queue
	endpoint, err := d.stack.NewEndpoint(protocol, ipv4.ProtocolNumber, &queue)
	if err != nil {
		return nil, fmt.Errorf("netstack: socket: %s", err)
	}
	if err := endpoint.Bind(at); err != nil {
		endpoint.Close()
		return nil, fmt.Errorf("netstack: port %d: %w", at.Port, known(errors.New(err.String())))
	}
	return packetConn{gonet.NewUDPConn(&queue, endpoint)}, nil
}

// packetConn speaks of closing and of time as sockets of the host do.
type packetConn struct{ *gonet.UDPConn }

func (c packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.UDPConn.ReadFrom(b)
	return n, from, known(err)
}

func (c packetConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFrom(b)
	if err != nil {
		return n, netip.AddrPort{}, err
	}
	return n, from.(*net.UDPAddr).AddrPort(), nil
}

func (c packetConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	n, err := c.WriteTo(b, net.UDPAddrFromAddrPort(to))
	return n, known(err)
}

// words are the stack's errors as those of the host. The stack tells them by their words only.
var words = map[string]error{
	(&tcpip.ErrConnectionRefused{}).String():    syscall.ECONNREFUSED,
	(&tcpip.ErrConnectionReset{}).String():      syscall.ECONNRESET,
	(&tcpip.ErrTimeout{}).String():              syscall.ETIMEDOUT,
	(&tcpip.ErrHostUnreachable{}).String():      syscall.EHOSTUNREACH,
	(&tcpip.ErrNetworkUnreachable{}).String():   syscall.ENETUNREACH,
	(&tcpip.ErrPortInUse{}).String():            syscall.EADDRINUSE,
	(&tcpip.ErrMessageTooLong{}).String():       syscall.EMSGSIZE,
	(&tcpip.ErrClosedForSend{}).String():        net.ErrClosed,
	(&tcpip.ErrInvalidEndpointState{}).String(): net.ErrClosed,
}

func known(err error) error {
	if err == nil {
		return nil
	}
	if err == io.EOF { //nolint:errorlint // the adapter returns it bare for a socket that was closed
		return net.ErrClosed
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return os.ErrDeadlineExceeded
	}
	text := err.Error()
	var op *net.OpError
	if errors.As(err, &op) {
		text = op.Err.Error()
	}
	if same, ok := words[text]; ok {
		return same
	}
	return err
}
