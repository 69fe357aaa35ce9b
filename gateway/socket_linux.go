package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is the UDP socket of all DTLS channels. Lanes read and write it in batches (batch_linux.go) and
// wait for it themselves, so Go's poller does not know it: it would be woken by every datagram.
type socket struct {
	fd  int
	six bool // an IPv6 socket, on which IPv4 clients have mapped addresses

	other *socket // the one for the other family, where both are listened on; nil: none

	apart atomic.Bool // its way out takes one datagram in a message only

	mu     sync.RWMutex // a sender holds it for reading, so that nobody writes to another's descriptor
	closed bool
}

// udpBuffer is asked for both directions of the socket. It holds 5000 voice packets, which take 800
// bytes each in the kernel: a quarter of a second of 20,000 a second.
const udpBuffer = 4 << 20

// listenUDP opens the socket. An address that stands for all is that of both families.
func listenUDP(addr netip.AddrPort) (*socket, error) {
	s, err := newSocket(!addr.Addr().Is4() || addr.Addr().IsUnspecified())
	if err == nil {
		if err = s.bind(addr); err == nil {
			return s, nil
		}
		_ = unix.Close(s.fd) // nothing was sent on it
	}
	return nil, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(addr), Err: err}
}

// adoptUDP makes a socket of a duplicate of one that somebody else has bound.
func adoptUDP(fd int) (*socket, error) {
	fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	s := &socket{fd: fd}
	name, err := unix.Getsockname(fd)
	switch name.(type) {
	case *unix.SockaddrInet4:
	case *unix.SockaddrInet6:
		s.six = true
	default:
		return nil, errors.Join(fmt.Errorf("it is no UDP socket (%T)", name), err, unix.Close(fd))
	}
	s.grow()
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	return s, nil
}

func newSocket(six bool) (*socket, error) {
	const kind = unix.SOCK_DGRAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	if six {
		if fd, err := unix.Socket(unix.AF_INET6, kind, 0); err == nil {
			return &socket{fd: fd, six: true}, nil
		}
	} // else, and where the host has no IPv6:
	fd, err := unix.Socket(unix.AF_INET, kind, 0)
	return &socket{fd: fd}, os.NewSyscallError("socket", err)
}

// grow asks for buffers of udpBuffer.
func (s *socket) grow() {
	for _, option := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, option[0], udpBuffer) != nil {
			_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, option[1], udpBuffer) // as far as the system's limit goes
		}
	}
}

func (s *socket) bind(addr netip.AddrPort) error {
	s.grow()
	if s.six {
		only := 1
		if addr.Addr().IsUnspecified() {
			only = 0
			addr = netip.AddrPortFrom(netip.IPv6Unspecified(), addr.Port())
		}
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	to := s.endpoint(addr)
	_, _, errno := unix.RawSyscall(unix.SYS_BIND, uintptr(s.fd), uintptr(unsafe.Pointer(&to.name)), uintptr(to.nameLen))
	if errno != 0 {
		return os.NewSyscallError("bind", errno)
	}
	return nil
}

// endpoint is a client's address, and the same as the kernel takes it.
type endpoint struct {
	netip.AddrPort
	via     *socket
	name    unix.RawSockaddrInet6 // or an IPv4 one in its place
	nameLen uint32
}

// endpoint prepares an address for sending.
func (s *socket) endpoint(addr netip.AddrPort) *endpoint {
	if s.other != nil && addr.Addr().Is6() != s.six {
		return s.other.endpoint(addr)
	}
	e := &endpoint{AddrPort: addr, via: s}
	if !s.six {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&e.name))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swapped(addr.Port()), Addr: addr.Addr().As4()}
		e.nameLen = unix.SizeofSockaddrInet4
		return e
	}
	e.name = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: swapped(addr.Port()), Addr: addr.Addr().As16(), Scope_id: scopeOf(addr.Addr())}
	e.nameLen = unix.SizeofSockaddrInet6
	return e
}

// addrPort is the inverse of endpoint. Only link-local IPv6 addresses, which have a zone, allocate.
func addrPort(name *unix.RawSockaddrInet6) netip.AddrPort {
	if name.Family == unix.AF_INET {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), swapped(four.Port))
	}
	addr := netip.AddrFrom16(name.Addr).Unmap()
	if name.Scope_id != 0 {
		addr = addr.WithZone(strconv.FormatUint(uint64(name.Scope_id), 10))
	}
	return netip.AddrPortFrom(addr, swapped(name.Port))
}

// swapped turns a port from the host's order into the network's, or back.
func swapped(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}

func scopeOf(addr netip.Addr) uint32 {
	if addr.Zone() == "" {
		return 0
	}
	n, err := strconv.ParseUint(addr.Zone(), 10, 32)
	if err == nil {
		return uint32(n)
	}
	if link, err := net.InterfaceByName(addr.Zone()); err == nil {
		return uint32(link.Index)
	}
	return 0
}

// sendTo sends one datagram. Any goroutine may call it; on the packet path batches do it.
func (s *socket) sendTo(to *endpoint, datagram []byte) error {
	s = to.via
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return net.ErrClosed
	}
	if len(datagram) == 0 {
		return nil
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&datagram[0])), uintptr(len(datagram)),
		0, uintptr(unsafe.Pointer(&to.name)), uintptr(to.nameLen))
	if errno != 0 {
		return os.NewSyscallError("sendto", errno)
	}
	return nil
}

// descriptor is what a lane waits for; a gateway without DTLS has none.
func (s *socket) descriptor() int {
	if s == nil {
		return noFD
	}
	return s.fd
}

func (s *socket) otherDescriptor() int {
	if s == nil {
		return noFD
	}
	return s.other.descriptor()
}

// address is the socket's own; its port is the system's choice if none was asked for.
func (s *socket) address() netip.AddrPort {
	name, _ := unix.Getsockname(s.fd) // it is bound
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(name.Addr), uint16(name.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(name.Addr), uint16(name.Port))
	}
	return netip.AddrPort{}
}

// lost is how many datagrams the kernel had no room for since the socket was opened, or its other.
func (s *socket) lost() uint32 {
	if s == nil {
		return 0
	}
	return s.drops() + s.other.lost()
}

func (s *socket) drops() uint32 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0
	}
	const drops = 8 // SK_MEMINFO_DROPS, the last of what SO_MEMINFO tells
	var info [drops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, _ = unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0) // kernels before 4.12 do not tell
	return info[drops]
}

// close may be called when no lane uses the socket any more. It closes its other, too.
func (s *socket) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	err := os.NewSyscallError("close", unix.Close(s.fd))
	if s.other != nil {
		err = errors.Join(err, s.other.close())
	}
	return err
}

// pathMTU is what TCP knows of the way to the client: by what routers have said, and by the size of the
// segments that both ends agreed on. A router before a narrow line has often made those smaller, and a client
// may have reasons of its own. Zero: not known.
func pathMTU(conn net.Conn) (mtu, segments int) {
	const ip4, ip6, tcpHeader, timestamps = 20, 40, 20, 12
	const hasTimestamps = 1 // TCPI_OPT_TIMESTAMPS of the kernel's struct tcp_info
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return 0, 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, 0
	}
	level, option, header := unix.IPPROTO_IP, unix.IP_MTU, ip4
	if peer, ok := conn.RemoteAddr().(*net.TCPAddr); ok && unmapped(peer.AddrPort()).Addr().Is6() {
		level, option, header = unix.IPPROTO_IPV6, unix.IPV6_MTU, ip6
	}
	_ = raw.Control(func(fd uintptr) {
		if v, err := unix.GetsockoptInt(int(fd), level, option); err == nil {
			mtu = v
		}
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		segments = int(info.Snd_mss) + header + tcpHeader
		if info.Options&hasTimestamps != 0 {
			segments += timestamps
		}
	})
	return mtu, segments
}
