package provisioner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
)

// Beside is a second address at which a provisioner gives out the same files, at the same ports: one that no home
// uses, so that a phone at home that pings it gets no answer from a stranger.
type Beside struct {
	p       *Provisioner
	release func() error // gives the address back
	udp     *ipv4.PacketConn
	tcp     net.Listener
	tls     net.Listener // nil: HTTPS is not served
}

// OpenBeside takes the ports at a second address, and gives the address to this machine if it is not its own yet.
// Open must have been called. A port that is taken is a *net.OpError in the chain. Serve or close it.
func (p *Provisioner) OpenBeside(address netip.Addr) (*Beside, error) {
	b := &Beside{p: p}
	var err error
	if b.release, err = holdAddress(address); err != nil {
		return nil, fmt.Errorf("provisioner: own address %s: %w", address, err)
	}
	if err := b.open(address); err != nil {
		return nil, errors.Join(fmt.Errorf("provisioner: %w", err), b.Close())
	}
	return b, nil
}

func (b *Beside) open(address netip.Addr) (err error) {
	at := func(like netip.AddrPort) string { return netip.AddrPortFrom(address, like.Port()).String() }
	if b.tcp, err = net.Listen("tcp4", at(b.p.settings.HTTP)); err != nil {
		return err
	}
	if b.p.secure != nil {
		if b.tls, err = net.Listen("tcp4", at(b.p.settings.HTTPS)); err != nil {
			return err
		}
	}
	conn, err := net.ListenPacket("udp4", at(b.p.settings.TFTP))
	if err != nil {
		return err
	}
	b.udp = ipv4.NewPacketConn(conn)
	return b.udp.SetControlMessage(ipv4.FlagDst, true)
}

// Close gives ports and address back. Serve does it too.
func (b *Beside) Close() error {
	var errs []error
	if b.udp != nil {
		errs = append(errs, b.udp.Close())
	}
	for _, listener := range []net.Listener{b.tcp, b.tls} {
		if listener != nil {
			errs = append(errs, listener.Close())
		}
	}
	return errors.Join(append(errs, b.release())...)
}

// Serve answers phones until ctx ends.
func (b *Beside) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	services := []func() error{
		func() error { return b.p.serveTFTP(ctx, b.udp) },
		func() error { return b.p.serveHTTP(ctx, b.tcp, nil) },
	}
	if b.tls != nil {
		services = append(services, func() error { return b.p.serveHTTP(ctx, b.tls, b.p.secure) })
	}
	ended := make(chan error, len(services))
	for _, serve := range services {
		go func() { ended <- serve() }()
	}
	var err error
	for range services {
		err = errors.Join(err, <-ended)
		cancel() // one of them cannot go on: neither do the others
	}
	if closing := b.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	return err
}
