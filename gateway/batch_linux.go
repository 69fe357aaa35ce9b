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

// outBatch gathers datagrams until they are sent together. Datagrams of the same size for the same client
// that follow one another, as bulk transfers have them, are one message: the kernel takes them all the way
// together and parts them at the end (UDP_SEGMENT).
type outBatch struct {
	slots []slot
	n     int
	runs  []run
	used  int // of runs
	// What the kernel reads: a vector for the slot with its index, a message for the run with its index.
	vectors  []unix.Iovec
	messages []message
}

// slot is one datagram and what has to be taken back if it cannot leave.
type slot struct {
	session *session
	size    int // of the inner packet
	buffer  [laneBuffer]byte
}

// run is slots that follow one another and go in one message.
type run struct {
	first, slots int
	to           *endpoint
	class        byte
	each, bytes  int // of each datagram but the last, which may be shorter; and of all
	ancillary    ancillary
}

// Limits of a run: what the kernel takes in one message.
const (
	runSlots = 64
	runBytes = 65000
)

// ancillary tells the kernel how to send: the datagrams' traffic class, and where to part them.
type ancillary struct {
	class     unix.Cmsghdr
	ofClass   int32
	_         int32
	segment   unix.Cmsghdr
	ofSegment uint16
	_         [3]uint16
}

func newOutBatch(size int) *outBatch {
	b := &outBatch{slots: make([]slot, size), runs: make([]run, size), vectors: make([]unix.Iovec, size), messages: make([]message, size)}
	for i := range b.runs {
		b.runs[i].ancillary.class.SetLen(unix.CmsgLen(4))
		b.runs[i].ancillary.segment = unix.Cmsghdr{Level: unix.IPPROTO_UDP, Type: unix.UDP_SEGMENT}
		b.runs[i].ancillary.segment.SetLen(unix.CmsgLen(2))
	}
	return b
}

// room is the buffer for the next packet: it stands at headroom, and is sealed there.
func (b *outBatch) room() []byte { return b.slots[b.n].buffer[:] }

// add queues a datagram that lies in room. A full batch is sent at once.
func (b *outBatch) add(to *endpoint, datagram []byte, class byte, s *session, size int) {
	slot, vector := &b.slots[b.n], &b.vectors[b.n]
	slot.session, slot.size = s, size
	vector.Base = &datagram[0]
	vector.SetLen(len(datagram))
	b.n++
	if b.used == 0 || !b.runs[b.used-1].takes(to, class, len(datagram)) {
		b.begin(to, class, len(datagram))
	} else {
		b.join(len(datagram))
	}
	if b.n == len(b.slots) {
		b.flush()
	}
}

// takes reports whether a datagram may go in the same message.
func (r *run) takes(to *endpoint, class byte, size int) bool {
	return r.to == to && r.class == class && size <= r.each && r.bytes == r.slots*r.each &&
		r.slots < runSlots && r.bytes+size <= runBytes && !to.via.apart.Load()
}

// begin makes the last slot a run of its own.
func (b *outBatch) begin(to *endpoint, class byte, size int) {
	r, h := &b.runs[b.used], &b.messages[b.used].header
	b.used++
	r.first, r.slots, r.to, r.class, r.each, r.bytes = b.n-1, 1, to, class, size, size
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&to.name)), to.nameLen
	h.Iov = &b.vectors[r.first]
	h.SetIovlen(1)
	h.Control = nil
	h.SetControllen(0)
	if class != 0 {
		r.ancillary.mark(class, to.Addr().Is4())
		h.Control = (*byte)(unsafe.Pointer(&r.ancillary.class))
		h.SetControllen(int(unsafe.Offsetof(r.ancillary.segment)))
	}
}

// join makes the last slot a part of the last run.
func (b *outBatch) join(size int) {
	r, h := &b.runs[b.used-1], &b.messages[b.used-1].header
	r.slots++
	r.bytes += size
	h.SetIovlen(r.slots)
	r.ancillary.ofSegment = uint16(r.each)
	const all, segment = unsafe.Sizeof(r.ancillary), unsafe.Sizeof(r.ancillary) - unsafe.Offsetof(r.ancillary.segment)
	if r.class != 0 {
		h.SetControllen(int(all))
		return
	}
	h.Control = (*byte)(unsafe.Pointer(&r.ancillary.segment))
	h.SetControllen(int(segment))
}

func (a *ancillary) mark(class byte, four bool) {
	a.ofClass = int32(class)
	a.class.Level, a.class.Type = unix.IPPROTO_IPV6, unix.IPV6_TCLASS
	if four {
		a.class.Level, a.class.Type = unix.IPPROTO_IP, unix.IP_TOS
	}
}

// flush sends everything. A datagram that the kernel refuses is dropped; the others go all the same.
func (b *outBatch) flush() {
	for done := 0; done < b.used; {
		n, errno := b.send(done)
		done += n
		if n > 0 || errno == unix.EINTR || errno == unix.EAGAIN && b.runs[done].to.via.writable() {
			continue
		}
		b.refused(done, errno)
		done++
	}
	b.n, b.used = 0, 0
}

// refused deals with a run that the kernel does not take: one datagram is given up, several are sent one by
// one. That is how they go where one is too large for the way, and for good where the way out cannot part
// them.
func (b *outBatch) refused(i int, errno unix.Errno) {
	r := &b.runs[i]
	if r.slots > 1 && errno == unix.EIO {
		r.to.via.apart.Store(true)
	}
	for slot := r.first; slot < r.first+r.slots; slot++ {
		if r.slots == 1 || r.to.via.sendTo(r.to, unsafe.Slice(b.vectors[slot].Base, b.vectors[slot].Len)) != nil {
			b.slots[slot].session.unsent(b.slots[slot].size)
		}
	}
}

// send sends what is left from a run on, as far as it goes by one socket, and returns how many runs went.
func (b *outBatch) send(from int) (int, unix.Errno) {
	s, end := b.runs[from].to.via, from+1
	for end < b.used && b.runs[end].to.via == s {
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
