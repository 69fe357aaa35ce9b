package fleet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize     = 32
	datagramSize  = 2048
	controlSize   = 128
	sendControl   = unix.SizeofCmsghdr + 16 // in_pktinfo, rounded up
	socketBuffer  = 16 << 20
	sendPatience  = 3 // tries for a datagram that the host refuses
	stampedLength = 16
)

// socket is a UDP socket of the packet thread. It does not block.
type socket struct {
	fd      int
	only    *client             // whose socket it is, or
	clients map[[4]byte]*client // by outer address, when it is shared
	arrive  func(*arrival)      // what to do with a datagram
}

// listen opens a socket on a host, bound to an address. A shared one tells and sets the local address of
// each datagram.
func listen(h Host, local netip.AddrPort, shared bool) (*socket, error) {
	family := unix.AF_INET
	if local.Addr().Is6() {
		family = unix.AF_INET6
	}
	s := &socket{fd: -1}
	err := h.do(func() (err error) {
		s.fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := s.prepare(local, shared); err != nil {
		_ = unix.Close(s.fd) // nothing was sent
		return nil, fmt.Errorf("socket at %s: %w", local, err)
	}
	return s, nil
}

func (s *socket) prepare(local netip.AddrPort, shared bool) error {
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, socketBuffer) // as far as the limit goes
	}
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketBuffer) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer) // likewise
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return err
	}
	if shared {
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1); err != nil {
			return err
		}
	}
	if local.Addr().Is4() { // the mark of speech
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_TOS, class); err != nil {
			return err
		}
	}
	return unix.Bind(s.fd, sockaddr(local))
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// arrival is a datagram that came in.
type arrival struct {
	socket   *socket
	datagram []byte
	local    [4]byte        // where to, on a shared socket
	peer     netip.AddrPort // where from; IPv4 only
	at       int64          // by the kernel's clock, nanoseconds of Unix time
}

// receiver takes in datagrams in batches.
type receiver struct {
	arrival arrival // the one at hand
	headers [batchSize]unix.Mmsghdr
	iovecs  [batchSize]unix.Iovec
	names   [batchSize]unix.RawSockaddrInet4
	control [batchSize][controlSize]byte
	buffers [batchSize][datagramSize]byte
}

func newReceiver() *receiver {
	r := new(receiver)
	for i := range r.headers {
		h := &r.headers[i].Hdr
		r.iovecs[i] = unix.Iovec{Base: &r.buffers[i][0], Len: datagramSize}
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Iov, h.Iovlen = &r.iovecs[i], 1
		h.Control = &r.control[i][0]
	}
	return r
}

// drain takes what waits on a socket, at most a batch, and reports whether there may be more.
func (r *receiver) drain(s *socket) (more bool) {
	for i := range r.headers {
		r.headers[i].Hdr.Namelen = unix.SizeofSockaddrInet4
		r.headers[i].Hdr.Controllen = controlSize
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&r.headers)), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return errno == unix.EINTR || errno == unix.ECONNREFUSED // an ICMP message about what was sent before
	}
	for i := range int(n) {
		r.read(i, &r.arrival)
		r.arrival.socket = s
		s.arrive(&r.arrival)
	}
	return n == batchSize
}

func (r *receiver) read(i int, a *arrival) {
	h := &r.headers[i]
	a.datagram = r.buffers[i][:min(h.Len, datagramSize)]
	name := &r.names[i]
	port := (*[2]byte)(unsafe.Pointer(&name.Port))
	a.peer = netip.AddrPortFrom(netip.AddrFrom4(name.Addr), binary.BigEndian.Uint16(port[:]))
	a.at, a.local = 0, [4]byte{}
	control := r.control[i][:h.Hdr.Controllen]
	for len(control) >= unix.SizeofCmsghdr {
		head := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		length := int(head.Len)
		if length < unix.SizeofCmsghdr || length > len(control) {
			break
		}
		data := control[unix.SizeofCmsghdr:length]
		switch {
		case head.Level == unix.SOL_SOCKET && head.Type == unix.SO_TIMESTAMPNS && len(data) >= stampedLength:
			t := (*unix.Timespec)(unsafe.Pointer(&data[0]))
			a.at = t.Nano()
		case head.Level == unix.IPPROTO_IP && head.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			a.local = (*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0])).Addr
		}
		control = control[min(unix.CmsgSpace(length-unix.SizeofCmsghdr), len(control)):]
	}
	if a.at == 0 {
		a.at = time.Now().UnixNano()
	}
}

// sender sends datagrams in batches. A batch goes out when it is full, when the socket changes, and at
// flush.
type sender struct {
	socket  *socket
	n       int
	headers [batchSize]unix.Mmsghdr
	iovecs  [batchSize]unix.Iovec
	names   [batchSize]unix.RawSockaddrInet6 // large enough for either family
	control [batchSize][sendControl]byte
	buffers [batchSize][datagramSize]byte
	unsent  uint64 // datagrams that the host did not take
}

func newSender() *sender {
	b := new(sender)
	for i := range b.headers {
		h := &b.headers[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Iov, h.Iovlen = &b.iovecs[i], 1
		head := (*unix.Cmsghdr)(unsafe.Pointer(&b.control[i][0]))
		head.Level, head.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
		head.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
	}
	return b
}

// buffer is where the next datagram may be written; add takes it, or another slice.
func (b *sender) buffer(s *socket) []byte {
	if b.n == batchSize || b.n > 0 && b.socket != s {
		b.flush()
	}
	b.socket = s
	return b.buffers[b.n][:]
}

// add puts a datagram that lies in buffer into the batch. A source that is not zero becomes its local
// address.
func (b *sender) add(datagram []byte, to netip.AddrPort, source [4]byte) {
	h := &b.headers[b.n].Hdr
	b.iovecs[b.n].Base = &datagram[0]
	b.iovecs[b.n].SetLen(len(datagram))
	h.Namelen = putName(&b.names[b.n], to)
	h.Control, h.Controllen = nil, 0
	if source != [4]byte{} {
		info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&b.control[b.n][unix.SizeofCmsghdr]))
		info.Spec_dst = source
		h.Control, h.Controllen = &b.control[b.n][0], sendControl
	}
	b.n++
}

// putName writes a socket address and returns its length.
func putName(name *unix.RawSockaddrInet6, to netip.AddrPort) uint32 {
	port := (*[2]byte)(unsafe.Pointer(&name.Port)) // at the same place for both families
	binary.BigEndian.PutUint16(port[:], to.Port())
	if to.Addr().Is4() {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		v4.Family, v4.Addr = unix.AF_INET, to.Addr().As4()
		return unix.SizeofSockaddrInet4
	}
	name.Family, name.Addr = unix.AF_INET6, to.Addr().As16()
	return unix.SizeofSockaddrInet6
}

func (b *sender) flush() {
	done, tries := 0, 0
	for done < b.n {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(b.socket.fd), uintptr(unsafe.Pointer(&b.headers[done])),
			uintptr(b.n-done), unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			done, tries = done+int(n), 0
			continue
		}
		if tries++; tries == sendPatience {
			b.unsent++
			done, tries = done+1, 0
		}
	}
	b.n = 0
}

// nap lets the calling thread sleep. Unlike time.Sleep it is exact to some microseconds once sleepExactly
// was called.
func nap(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0) // cut short by a signal: no matter
}

func sleepExactly() error { return unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

// threadTime is the CPU time of the calling thread.
func threadTime() time.Duration { return cpuTime(unix.RUSAGE_THREAD) }

// processTime is the CPU time of this process.
func processTime() time.Duration { return cpuTime(unix.RUSAGE_SELF) }

func cpuTime(who int) time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(who, &u) // fails for a wrong argument only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
