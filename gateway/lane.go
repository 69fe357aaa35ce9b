package gateway

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// lane is the packet path: one thread that reads UDP socket and TUN until both are empty, and carries each
// packet to its end before it takes the next. What goes out gathers in a batch. Nothing here allocates,
// but for packets that have to take the CSTP channel.
//
// A packet alone costs a wake-up of the thread, which is several times what the packet itself costs. So
// where packets are frequent the thread does not wait for the next one but for company: it sleeps for a
// moment and then takes all that have come.
type lane struct {
	g     *Gateway
	in    *inBatch
	out   *outBatch
	delay time.Duration // most to sleep for company; zero: never

	bell    int // eventfd that ends a wait for packets
	polled  [4]unix.PollFd
	stopped atomic.Bool
	last    time.Time // when the queues were last empty

	first, denied bool  // its thread goes before others; may not
	nice          int32 // of its thread, else

	kept, trial [maxPacket]byte // copies of a datagram, which opening overwrites
	candidates  [movesTried]candidate
}

func newLane(g *Gateway) (*lane, error) {
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	return &lane{g: g, in: newInBatch(), out: newOutBatch(batchSize), delay: g.config.BatchDelay, bell: bell, last: time.Now()}, nil
}

// run works until stop. The lane keeps one of Go's processors to itself while packets come; there is
// another for everybody else, on however few of the machine's.
func (l *lane) run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if attr, err := unix.SchedGetAttr(0, 0); err == nil {
		l.nice = attr.Nice
	}
	defer l.goFirst(false) // the thread may serve others afterwards
	if runtime.GOMAXPROCS(0) == 1 {
		runtime.GOMAXPROCS(2)
	}
	for !l.stopped.Load() {
		n, err := l.drain()
		if err != nil {
			return err
		}
		if err := l.wait(n); err != nil {
			return err
		}
	}
	return nil
}

// goFirst has the lane's thread run as soon as it wakes, before everything ordinary on the machine, or takes
// that back. Without the permission, CAP_SYS_NICE, packets wait with everybody else.
func (l *lane) goFirst(first bool) {
	const roundRobin, least = 2, 1 // SCHED_RR of the kernel's include/uapi/linux/sched.h, and its lowest priority
	if l.first == first || l.denied {
		return
	}
	attr := unix.SchedAttr{}
	if first {
		attr.Policy, attr.Priority = roundRobin, least
	} else {
		attr.Nice = l.nice
	}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		l.denied = true
		l.g.log.Info("packets wait for what else the machine does", logging.Err, os.NewSyscallError("sched_setattr", err))
		return
	}
	l.first = first
}

// stop ends run. Any goroutine may call it.
func (l *lane) stop() error {
	l.stopped.Store(true)
	_, err := unix.Write(l.bell, []byte{7: 1}) // a number of 8 bytes that is not zero
	return os.NewSyscallError("write", err)
}

func (l *lane) close() error { return os.NewSyscallError("close", unix.Close(l.bell)) }

// flood is how many full batches in a row are more than what a nap may have brought: some ten milliseconds
// of work.
const flood = 20

// drain carries what waits until there is nothing, a batch from each side in turn, and returns how many
// packets that was. It goes first only while it keeps up: in a flood, logins and the rest of the machine get
// their share.
func (l *lane) drain() (packets int, err error) {
	for round := 1; !l.stopped.Load(); round++ {
		l.goFirst(round < flood)
		up := l.fromClients()
		down, err := l.fromHost()
		packets += up + down
		if err != nil || up < batchSize && down < batchSize {
			return packets, err
		}
	}
	return packets, nil
}

// worthwhile is how many packets make a sleep cheaper than being woken for each.
const worthwhile = 2

// wait waits for packets, or for company if at the rate of the last n packets there will be some.
func (l *lane) wait(n int) error {
	now := time.Now()
	since := now.Sub(l.last)
	l.last = now
	if breath, full := l.g.host.breathe(now); full {
		if breath > 0 {
			nap(breath)
		}
		return nil
	}
	if l.dense(n, since) {
		nap(l.budget(n, since))
		return nil
	}
	for i, fd := range [...]int{l.bell, l.g.udp.descriptor(), l.g.udp.otherDescriptor(), l.g.host.fd} {
		l.polled[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	if _, err := unix.Ppoll(l.polled[:], nil, nil); err != nil && err != unix.EINTR {
		return os.NewSyscallError("ppoll", err)
	}
	return nil
}

// dense reports whether n packets within a time are so many that a nap will bring some together.
func (l *lane) dense(n int, within time.Duration) bool {
	return n > 0 && l.delay > 0 && time.Duration(n)*l.delay >= worthwhile*within
}

// company is how many packets a nap is to bring together. Each nap costs as much as one or two packets, so
// more of them save little, and the last in a hundred packets is as late as the nap is long.
const company = 14

// budget is how long a nap has to be for company at a rate of n packets within a time, and no longer than is
// allowed: the busier the lane, the sooner it looks again.
func (l *lane) budget(n int, within time.Duration) time.Duration {
	return min(l.delay, company*within/time.Duration(n))
}

// nap sleeps for a moment. Go's scheduler does not hear of it: it would take the lane's processor away and
// keep an eye on it, each thousands of times a second, which costs a fifth of what the packets do.
func nap(d time.Duration) {
	timeout := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&timeout)), 0, 0) // a signal may cut it short
}

// fromClients opens a batch of what comes from clients and hands it on.
func (l *lane) fromClients() int {
	n := 0
	for s := l.g.udp; s != nil; s = s.other {
		n += l.fromSocket(s)
	}
	return n
}

func (l *lane) fromSocket(s *socket) int {
	n, err := l.in.receive(s)
	if err != nil {
		l.g.log.Warn("udp", logging.Err, err)
		time.Sleep(acceptPause)
		return 0
	}
	now := time.Now()
	for i := range n {
		if from, datagram := l.in.datagram(i); len(datagram) > 0 {
			l.fromPeer(now, from, datagram)
		}
	}
	l.out.flush()
	return n
}

// fromPeer gives a datagram to the channel at its address, unless it belongs to a handshake: a client may
// begin a new one where it has a channel.
func (l *lane) fromPeer(now time.Time, addr netip.AddrPort, datagram []byte) {
	switch dtls.ContentType(datagram[0]) {
	case dtls.ApplicationData, dtls.AlertRecord:
		channel := l.g.handshakes.peers.get(addr)
		if channel == nil && l.stray(now, addr, datagram) {
			return
		}
		if channel != nil {
			kept := l.kept[:copy(l.kept[:], datagram)]
			if !channel.receive(l.out, now, addr, datagram) && !l.stray(now, addr, kept) {
				channel.session.counters.refused.Add(1)
			}
			return
		}
	}
	l.g.handshakes.receive(addr, datagram)
}

// fromHost seals a batch of what the host has for clients and sends it.
func (l *lane) fromHost() (n int, err error) {
	var h header
	now := time.Now()
	for n < batchSize {
		buf := l.out.room()
		size, err := l.g.host.read(buf[headroom : headroom+maxPacket])
		if err != nil {
			return n, fmt.Errorf("tun: %w", err)
		}
		if size == 0 {
			break
		}
		n++
		if !parseHeader(buf[headroom:headroom+size], &h) {
			continue // IPv6 neighbour discovery and the like
		}
		if s := l.g.sessions.inner.get(h.dst); s != nil {
			s.toClient(l.out, now, buf, size)
		}
	}
	l.out.flush()
	return n, nil
}

// toClient sends the packet of n bytes at buf[headroom:], which is out's room, by the channel that data
// takes now.
func (s *session) toClient(out *outBatch, now time.Time, buf []byte, n int) {
	defer s.contain()
	channel, up := s.machine.DataChannel()
	if !up {
		s.counters.dropped.Add(1)
		return
	}
	if c := s.capture.Load(); c != nil {
		c.see(now, true, false, channel, buf[headroom:headroom+n])
	}
	if channel == tunnel.DTLS {
		if n > largeSegment && s.ofPhone() && s.narrow.sends(now, s.machine.LastHeard(channel), buf[headroom:headroom+n]) {
			s.g.wg.Go(s.judgeWay)
		}
		if d := s.dtls.Load(); d == nil || !d.queue(out, now, buf, n) {
			s.counters.dropped.Add(1)
		}
		return
	}
	s.sent(tunnel.CSTP, now, n)
	if c := s.cstp.Load(); c == nil || !c.send(cstp.AppendFrame(nil, cstp.Data, buf[headroom:headroom+n])) {
		s.unsent(n)
	}
}

// sent notes that an inner packet of n bytes leaves by a channel.
func (s *session) sent(channel tunnel.Channel, now time.Time, n int) {
	s.machine.Spoke(channel, now)
	s.counters.toPackets.Add(1)
	s.counters.toBytes.Add(uint64(n))
}

// unsent takes back what sent noted.
func (s *session) unsent(n int) {
	s.counters.toPackets.Add(^uint64(0))
	s.counters.toBytes.Add(-uint64(n))
	s.counters.dropped.Add(1)
}

// fromClient checks a packet that came out of a session's tunnel and hands it on, to another session or to
// the host: its source must be the session's own address, and the session's filter must permit it. out is
// nil but on the lane.
func (s *session) fromClient(out *outBatch, now time.Time, channel tunnel.Channel, packet []byte) {
	if s.machine.Heard(channel, now) {
		s.turned()
	}
	var h header
	own := parseHeader(packet, &h) && s.owns(h.src)
	permitted := own && s.filter.Load().permits(&h)
	if own && registers(&h) {
		s.registering(&h, permitted)
	}
	if !permitted {
		s.counters.refused.Add(1)
		if c := s.capture.Load(); c != nil {
			c.see(now, false, true, channel, packet)
		}
		return
	}
	if c := s.capture.Load(); c != nil {
		c.see(now, false, false, channel, packet)
	}
	s.counters.fromPackets.Add(1)
	s.counters.fromBytes.Add(uint64(len(packet)))
	if h.protocol == protoTCP && s.ofPhone() && s.narrow.acknowledges(packet, &h) {
		s.g.wg.Go(s.judgeWay)
	}
	if to := s.g.sessions.inner.get(h.dst); to == nil || to == s || !s.g.hairpin(out, now, to, packet) {
		if err := s.g.host.write(packet); err != nil {
			s.counters.dropped.Add(1)
		}
	}
}

// turned notes that data takes another channel now, which has another timer.
func (s *session) turned() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if channel, _ := s.machine.DataChannel(); channel == tunnel.DTLS {
		s.dtlsWorks()
	}
	s.rearm()
}
