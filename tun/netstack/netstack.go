// Package netstack is a packet device with a TCP/IP stack of its own, so that a tunnel needs no interface of the host
// and no right to make one. Sockets on it are made by the device: see tun.Stack.
package netstack

import (
	"context"
	"fmt"
	"os"
	"sync"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"github.com/longcord/longcord/tun"
)

const (
	nic   = 1
	depth = 500 // packets that wait to be read, as on a real interface
)

// device is the stack and the queue through which its packets leave.
type device struct {
	stack  *stack.Stack
	link   *channel.Endpoint
	local  tcpip.Address
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	once   sync.Once
}

// Open makes a device with this IPv4 address, to which every packet of its sockets goes. Name and routes of the
// settings mean nothing here.
func Open(s tun.Settings) (tun.Device, error) {
	if !s.Address.Addr().Is4() {
		return nil, fmt.Errorf("netstack: %s is no IPv4 address", s.Address)
	}
	mtu := s.MTU
	if mtu == 0 {
		mtu = 1500
	}
	d := &device{
		stack: stack.New(stack.Options{
			NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
			TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4},
		}),
		link:  channel.New(depth, uint32(mtu), ""),
		local: tcpip.AddrFromSlice(s.Address.Addr().AsSlice()),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	if err := d.stack.CreateNIC(nic, d.link); err != nil {
		return nil, fmt.Errorf("netstack: %s", err)
	}
	own := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: d.local.WithPrefix()}
	if err := d.stack.AddProtocolAddress(nic, own, stack.AddressProperties{}); err != nil {
		return nil, fmt.Errorf("netstack: %s: %s", s.Address, err)
	}
	d.stack.AddRoute(tcpip.Route{Destination: header.IPv4EmptySubnet, NIC: nic})
	return d, nil
}

func (d *device) Name() string { return "netstack" }

// Read returns the next packet that a socket sends.
func (d *device) Read(packet []byte) (int, error) {
	p := d.link.ReadContext(d.ctx)
	if p == nil {
		return 0, os.ErrClosed
	}
	defer p.DecRef()
	content := p.ToView()
	defer content.Release()
	if content.Size() > len(packet) {
		return 0, fmt.Errorf("netstack: packet of %d bytes does not fit into %d", content.Size(), len(packet))
	}
	return copy(packet, content.AsSlice()), nil
}

// Write gives a packet to the socket that it is for.
func (d *device) Write(packet []byte) (int, error) {
	if d.ctx.Err() != nil {
		return 0, os.ErrClosed
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)})
	d.link.InjectInbound(ipv4.ProtocolNumber, p)
	p.DecRef()
	return len(packet), nil
}

// Close ends the sockets, too.
func (d *device) Close() error {
	d.once.Do(func() {
		d.cancel()
		d.stack.Close()
		d.link.Close()
		d.stack.Wait()
	})
	return nil
}
