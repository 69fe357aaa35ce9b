package phone

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/tun"
)

// The media ports of Cisco phones, docs/wire/rtp.md#ports: RTP on an even one, RTCP on the next.
const (
	firstMediaPort = 16384
	lastMediaPort  = 32766
)

// trafficClass is the IP header's byte for voice: DSCP EF (46) in its upper six bits, RFC 3246.
const trafficClass = 46 << 2

// openPorts opens a free pair of media ports, beginning at a random one so that a restarted phone does
// not meet the packets of its last call.
func openPorts(ctx context.Context, n network, local netip.Addr) (media, control tun.PacketConn, err error) {
	const pairs = (lastMediaPort-firstMediaPort)/2 + 1
	first := rand.IntN(pairs)
	for i := range pairs {
		port := uint16(firstMediaPort + 2*((first+i)%pairs))
		media, control, err = openPair(ctx, n, local, port)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return media, control, err
		}
	}
	return nil, nil, fmt.Errorf("none of %d to %d is free: %w", firstMediaPort, lastMediaPort, err)
}

func openPair(ctx context.Context, n network, local netip.Addr, port uint16) (media, control tun.PacketConn, err error) {
	media, err = openPort(ctx, n, netip.AddrPortFrom(local, port))
	if err != nil {
		return nil, nil, err
	}
	control, err = openPort(ctx, n, netip.AddrPortFrom(local, port+1))
	if err != nil {
		return nil, nil, errors.Join(err, media.Close())
	}
	return media, control, nil
}

func openPort(ctx context.Context, n network, at netip.AddrPort) (tun.PacketConn, error) {
	socket, err := n.listenPacket(ctx, at)
	if err != nil {
		return nil, err
	}
	if ofHost, ok := socket.(*net.UDPConn); ok {
		if err := setTrafficClass(ofHost); err != nil {
			return nil, errors.Join(fmt.Errorf("traffic class of %s: %w", at, err), socket.Close())
		}
	}
	return socket, nil
}

func setTrafficClass(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS, trafficClass)
	})
	return errors.Join(err, set)
}
