// Package tun is the packet device: what comes out of a tunnel as IP packets enters the host here, and
// what the host sends towards the tunnel's addresses is read here.
//
// The Linux implementation is a TUN interface; tun/netstack is one with sockets of its own, for programs
// without the right to make an interface, and tun/tuntest is one in memory. Devices carry bare IPv4 or
// IPv6 packets, one per Read and Write, without a link header.
package tun

import (
	"context"
	"net"
	"net/netip"
)

// Device is an open packet device.
type Device interface {
	// Name is the interface's name, for routes and messages.
	Name() string
	// Read fills packet with one IP packet and returns its length. It returns os.ErrClosed after Close.
	Read(packet []byte) (int, error)
	// Write hands one IP packet to the host.
	Write(packet []byte) (int, error)
	// Close ends Read and removes the interface.
	Close() error
}

// Detacher is a device with a descriptor, which its owner may read, write and wait for himself.
type Detacher interface {
	// Detach returns the descriptor, which does not block. From then on only Name and Close of the device
	// may be used; Close closes the descriptor. Where headers is true, the host leaves TCP packets whole and
	// checksums open: each packet has a header of HeaderLen bytes before it that says what is to be done,
	// Linux's struct virtio_net_hdr, and one of zeros when it is written.
	Detach() (fd int, headers bool, err error)
}

// Stack is a device that is no interface of the host: it has TCP and UDP of its own, and who wants a socket on it asks
// it for one. Errors are those of the host's sockets.
type Stack interface {
	Device
	// DialTCP connects to an IPv4 address. Without an end of ctx it tries for minutes.
	DialTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	// ListenUDP opens a socket on this port; zero lets the device choose.
	ListenUDP(port uint16) (PacketConn, error)
	// ListenPing opens a socket for ICMP echo. Messages go without IP header, addresses are *net.UDPAddr, and the
	// identifier is the device's, as on Linux's ping sockets.
	ListenPing() (PacketConn, error)
}

// PacketConn is what of *net.UDPConn a user of a Stack needs.
type PacketConn interface {
	net.PacketConn
	ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
}

// HeaderLen is the length of the header before a packet, in bytes.
const HeaderLen = 10

// Settings describe the interface to make.
type Settings struct {
	Name    string         // interface name; empty lets the system choose longcord%d
	Address netip.Prefix   // own address; its masked network is routed to the device
	MTU     int            // bytes of an inner packet; 0 means 1500
	Routes  []netip.Prefix // further networks routed to the device
	Queue   int            // packets that wait to be read before more are dropped; 0 means the system's 500
	// Segments asks the host to leave TCP packets of up to 64 KiB whole; see Detacher. A host that cannot is
	// no error. Such a device has to be detached.
	Segments bool
	// Packets from Address leave by the device whatever the host's routes say, those too that the kernel
	// makes by itself, such as its answer to a packet for a port that has been closed. Packets from the
	// host's other addresses go where they went before.
	FromAddress bool
}
