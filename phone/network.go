package phone

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// network makes the phone's sockets. Inside the office they are ordinary ones; outside they are bound to
// the tunnel's interface, so the host's own routes stay as they are and nothing of the phone leaks
// around the tunnel.
type network struct {
	device string     // tunnel interface; empty: ordinary sockets
	local  netip.Addr // own address on it; unspecified when device is empty
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

// dialer returns a dialer whose connections use this network.
func (n network) dialer(local net.Addr) net.Dialer {
	return net.Dialer{LocalAddr: local, Control: n.control}
}

// listenPacket opens a UDP socket on this network.
func (n network) listenPacket(ctx context.Context, address string) (net.PacketConn, error) {
	lc := net.ListenConfig{Control: n.control}
	return lc.ListenPacket(ctx, "udp4", address)
}
