package fleet

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// How long the thread may be away.
const (
	leastNap = 30 * time.Microsecond // sleeping for less costs more than it saves
	mostNap  = time.Millisecond      // while clients talk: what arrives waits in the socket for so long
	idleWait = 100                   // milliseconds, while nobody talks
	sweep    = time.Second           // between looks at every client's timers
	chunk    = 8                     // packets that share one sending time

	mostBatches = 4 // of one socket between two looks at the clock
)

// loop is the packet thread. It owns the sockets, the clients' halves of tunnel and DTLS, and all
// counters; others give it orders.
type loop struct {
	fleet    *Fleet
	sockets  []*socket // of the clients
	inside   *socket
	poll     int // epoll over all of them and bell
	bell     int // rings when there is an order
	orders   chan func()
	stopped  chan struct{}
	stopping bool

	in      *receiver
	out     *sender
	shaking map[*client]bool // whose handshake is under way
	swept   time.Time
	now     time.Time

	talk  *talking // nil: nobody talks
	talks uint32
}

func newLoop(f *Fleet) (l *loop, err error) {
	l = &loop{
		fleet: f, poll: -1, bell: -1, orders: make(chan func(), 1024), stopped: make(chan struct{}),
		in: newReceiver(), out: newSender(), shaking: map[*client]bool{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.closeSockets())
		}
	}()
	if l.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return l, fmt.Errorf("epoll: %w", err)
	}
	if l.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return l, fmt.Errorf("eventfd: %w", err)
	}
	if err := l.watch(l.bell, bellIndex); err != nil {
		return l, err
	}
	if l.inside, err = listen(f.config.Inside, f.config.Far, false); err != nil {
		return l, err
	}
	l.inside.arrive = l.fromInside
	if err := l.watch(l.inside.fd, insideIndex); err != nil {
		return l, err
	}
	if f.config.Sources.IsValid() {
		if err := l.share(); err != nil {
			return l, err
		}
	}
	go l.run()
	return l, nil
}

// What stands in an epoll event: the number of a client's socket, or one of these.
const (
	bellIndex   = -1
	insideIndex = -2
)

func (l *loop) watch(fd, index int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(index)}
	if err := unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// share opens the one socket of all clients.
func (l *loop) share() error {
	s, err := l.listen(netip.AddrPortFrom(netip.IPv4Unspecified(), 0), true)
	if err != nil {
		return err
	}
	s.clients = make(map[[4]byte]*client, len(l.fleet.clients))
	for _, c := range l.fleet.clients {
		c.socket, s.clients[c.source.As4()] = s, c
	}
	return nil
}

// open gives a client a socket of its own, unless it has one.
func (l *loop) open(c *client) error {
	if c.socket != nil {
		return nil
	}
	local := netip.IPv4Unspecified()
	if c.gateway.Addr().Is6() {
		local = netip.IPv6Unspecified()
	}
	s, err := l.listen(netip.AddrPortFrom(local, 0), false)
	if err != nil {
		return err
	}
	c.socket, s.only = s, c
	return nil
}

func (l *loop) listen(local netip.AddrPort, shared bool) (*socket, error) {
	s, err := listen(l.fleet.config.Outside, local, shared)
	if err != nil {
		return nil, err
	}
	s.arrive = l.fromOutside
	l.sockets = append(l.sockets, s)
	return s, l.watch(s.fd, len(l.sockets)-1)
}

// order has the thread run f, and returns when it has.
func (l *loop) order(f func()) {
	done := make(chan struct{})
	l.post(func() { f(); close(done) })
	select {
	case <-done:
	case <-l.stopped:
	}
}

// post has the thread run f, some time soon.
func (l *loop) post(f func()) {
	select {
	case l.orders <- f:
		ring := [8]byte{1}
		_, _ = unix.Write(l.bell, ring[:]) // a full counter rings as well
	case <-l.stopped:
	}
}

// close ends the thread.
func (l *loop) close() error {
	l.order(func() { l.stopping = true })
	<-l.stopped
	return l.closeSockets()
}

func (l *loop) closeSockets() error {
	var errs []error
	for _, s := range append(l.sockets, l.inside) {
		if s != nil {
			errs = append(errs, unix.Close(s.fd))
		}
	}
	for _, fd := range []int{l.poll, l.bell} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}

func (l *loop) run() {
	runtime.LockOSThread() // never unlocked: the thread's timer slack is not what others expect
	defer close(l.stopped)
	if err := sleepExactly(); err != nil {
		l.fleet.log.Warn("timers are not exact", "err", err)
	}
	for !l.stopping {
		l.now = time.Now()
		for range len(l.orders) {
			(<-l.orders)()
		}
		l.timers()
		if l.talk == nil {
			l.wait(idleWait)
			continue
		}
		t := l.talk
		t.send()
		l.take()
		l.out.flush()
		if d := t.pause(); d >= leastNap {
			nap(min(d, mostNap))
		}
	}
}

// take takes in what has come while clients talk, but not for so long that sending suffers.
func (l *loop) take() {
	if len(l.sockets) != 1 {
		l.wait(0)
		return
	}
	for _, s := range [...]*socket{l.inside, l.sockets[0]} {
		for range mostBatches {
			if !l.in.drain(s) {
				break
			}
		}
	}
}

// wait takes in what has come on any socket, and waits for it so many milliseconds.
func (l *loop) wait(milliseconds int) {
	var events [64]unix.EpollEvent
	l.out.flush()
	n, err := unix.EpollWait(l.poll, events[:], milliseconds)
	if err != nil {
		return // interrupted
	}
	l.now = time.Now()
	for _, e := range events[:n] {
		switch e.Fd {
		case bellIndex:
			var rings [8]byte
			_, _ = unix.Read(l.bell, rings[:]) // orders are looked for anyway
		case insideIndex:
			l.in.drain(l.inside)
		default:
			l.in.drain(l.sockets[e.Fd])
		}
	}
	l.out.flush()
}

// timers lets time pass for handshakes and, now and then, for every client.
func (l *loop) timers() {
	for c := range l.shaking {
		if wake := c.handshake.Wake(); !wake.IsZero() && !l.now.Before(wake) {
			c.shake(c.handshake.Advance(l.now))
		}
	}
	if l.now.Sub(l.swept) < sweep {
		return
	}
	l.swept = l.now
	for _, c := range l.fleet.clients {
		if c.half != nil {
			c.do(c.half.Advance(l.now))
		}
	}
}

// fromOutside takes a datagram of the gateway.
func (l *loop) fromOutside(a *arrival) {
	c := a.socket.only
	if c == nil {
		c = a.socket.clients[a.local]
	}
	if c != nil {
		c.received(a)
	}
}

// fromInside takes what came out of a tunnel.
func (l *loop) fromInside(a *arrival) {
	if l.talk != nil {
		l.talk.wentUp(a)
	}
}
