package gateway

import (
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Batches carry many datagrams with one system call. x/net has the same and allocates for each datagram.

const (
	// batchSize is the most that one call carries: beyond it the kernel's own work is all that is left.
	batchSize = 64
	// headroom is what any channel puts before a packet: record header, IV, type byte, rounded up.
	headroom = 64
	// maxPacket is the largest datagram or inner packet.
	maxPacket = 2048
	// laneBuffer holds the largest packet with what channels add before and behind it.
	laneBuffer = headroom + maxPacket + 64
)

// message is the kernel's struct mmsghdr.
type message struct {
	header unix.Msghdr
	length uint32
}

// inBatch receives datagrams.
type inBatch struct {
	messages [batchSize]message
	vectors  [batchSize]unix.Iovec
	names    [batchSize]unix.RawSockaddrInet6
	buffers  [batchSize][maxPacket]byte
	used     int
}

func newInBatch() *inBatch {
	b := &inBatch{}
	for i := range b.messages {
		b.vectors[i].Base = &b.buffers[i][0]
		b.vectors[i].SetLen(maxPacket)
		h := &b.messages[i].header
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Namelen = unix.SizeofSockaddrInet6
		h.Iov = &b.vectors[i]
		h.SetIovlen(1)
	}
	return b
}

// receive takes what waits at the socket, at most a batch, and returns how many datagrams that is. It does
// not wait.
func (b *inBatch) receive(s *socket) (int, error) {
	for i := range b.used { // the kernel wrote there what it filled
		b.messages[i].header.Namelen = unix.SizeofSockaddrInet6
	}
	b.used = 0
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&b.messages)), batchSize, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			b.used = int(n)
			return b.used, nil
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// datagram returns one of the datagrams received; it is empty if it was too long.
func (b *inBatch) datagram(i int) (from netip.AddrPort, datagram []byte) {
	m := &b.messages[i]
	if m.header.Flags&unix.MSG_TRUNC != 0 {
		return from, nil
	}
	return addrPort(&b.names[i]), b.buffers[i][:m.length]
}

// outBatch gathers datagrams until they are sent together.
type outBatch struct {
	slots []slot
	n     int
	// What the kernel reads; each stands for the slot with its index.
	messages []message
}

// slot is one datagram and what has to be taken back if it cannot leave.
type slot struct {
	session *session
	via     *socket
	size    int // of the inner packet
	vector  unix.Iovec
	mark    mark
	buffer  [laneBuffer]byte
}

// mark is the ancillary data that gives one datagram its traffic class.
type mark struct {
	header unix.Cmsghdr
	class  int32
}

func newOutBatch(size int) *outBatch {
	b := &outBatch{slots: make([]slot, size), messages: make([]message, size)}
	for i := range b.messages {
		b.messages[i].header.Iov = &b.slots[i].vector
		b.messages[i].header.SetIovlen(1)
		b.slots[i].mark.header.SetLen(unix.CmsgLen(4))
	}
	return b
}

// room is the buffer for the next packet: it stands at headroom, and is sealed there.
func (b *outBatch) room() []byte { return b.slots[b.n].buffer[:] }

// add queues a datagram that lies in room. A full batch is sent at once.
func (b *outBatch) add(to *endpoint, datagram []byte, class byte, s *session, size int) {
	slot, h := &b.slots[b.n], &b.messages[b.n].header
	slot.session, slot.via, slot.size = s, to.via, size
	slot.vector.Base = &datagram[0]
	slot.vector.SetLen(len(datagram))
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&to.name)), to.nameLen
	h.Control = nil
	h.SetControllen(0)
	if class != 0 {
		slot.mark.set(class, to.Addr().Is4())
		h.Control = (*byte)(unsafe.Pointer(&slot.mark))
		h.SetControllen(int(unsafe.Sizeof(slot.mark)))
	}
	b.n++
	if b.n == len(b.slots) {
		b.flush()
	}
}

func (m *mark) set(class byte, four bool) {
	m.class = int32(class)
	m.header.Level, m.header.Type = unix.IPPROTO_IPV6, unix.IPV6_TCLASS
	if four {
		m.header.Level, m.header.Type = unix.IPPROTO_IP, unix.IP_TOS
	}
}

// flush sends everything. A datagram that the kernel refuses is dropped; the others go all the same.
func (b *outBatch) flush() {
	for done := 0; done < b.n; {
		n, errno := b.send(done)
		done += n
		if n > 0 || errno == unix.EINTR || errno == unix.EAGAIN && b.slots[done].via.writable() {
			continue
		}
		b.slots[done].session.unsent(b.slots[done].size)
		done++
	}
	b.n = 0
}

// send sends what is left from an index on, as far as it goes by one socket, and returns how many datagrams
// went.
func (b *outBatch) send(from int) (int, unix.Errno) {
	s, end := b.slots[from].via, from+1
	for end < b.n && b.slots[end].via == s {
		end++
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0, unix.EBADF
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&b.messages[from])), uintptr(end-from), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// congestion is how long a lane waits for an outer network that takes no more.
const congestion = 5 * time.Millisecond

// writable waits until the socket takes datagrams again, not for long: others wait for the lane.
func (s *socket) writable() bool {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	timeout := unix.NsecToTimespec(int64(congestion))
	n, err := unix.Ppoll(fds, &timeout, nil)
	return n > 0 && err == nil
}
