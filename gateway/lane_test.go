package gateway

import (
	"crypto/tls"
	"golang.org/x/sys/unix"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
)

// null is a packet device that allocates nothing: it counts what is written and hands out what it is given.
type null struct {
	wrote  chan int
	give   chan []byte
	closed chan struct{}
	once   sync.Once
}

func newNull() *null {
	return &null{wrote: make(chan int, 1), give: make(chan []byte), closed: make(chan struct{})}
}

func (*null) Name() string { return "null0" }

func (n *null) Read(packet []byte) (int, error) {
	select {
	case p := <-n.give:
		return copy(packet, p), nil
	case <-n.closed:
		return 0, os.ErrClosed
	}
}

func (n *null) Write(packet []byte) (int, error) {
	select {
	case n.wrote <- len(packet):
	default: // nobody waits
	}
	return len(packet), nil
}

func (n *null) Close() error { n.once.Do(func() { close(n.closed) }); return nil }

// path is a gateway with one session and a null device.
type path struct {
	*null
	w    *world
	c    *client
	d    *channel
	addr netip.AddrPort // of the client's socket
	buf  []byte         // where the client seals
	up   []byte
}

func openPath(t testing.TB, suite dtlswire.Suite) *path {
	t.Helper()
	p := &path{null: newNull()}
	p.w = open(t, withUsers("anna", "boris"), func(_ *world, c *Config) {
		c.Log = nil
		c.OpenTUN = func(tun.Settings) (tun.Device, error) { return p.null, nil }
	})
	config := modern()
	if !suite.GCM() {
		config = &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}
	}
	p.c = p.w.dial(config)
	request := p.c.offer(p.c.cookie(phoneURL, "anna"))
	if !suite.GCM() {
		request.CipherSuites, request.CipherSuites12 = []string{"AES128-SHA"}, nil
	}
	if err := p.c.connect(request); err != nil {
		t.Fatal(err)
	}
	p.d = p.c.dtls(p.w.socket())
	p.addr = unmapped(p.d.sock.LocalAddr().(*net.UDPAddr).AddrPort())
	p.buf = make([]byte, 2000)
	p.up = toFiles(p.c.answer.Address.String())
	return p
}

// sealed is the packet in a new datagram.
func (p *path) sealed(t testing.TB) []byte {
	head := p.d.conn.Headroom()
	p.buf[head] = byte(cstp.Data)
	copy(p.buf[head+1:], p.up)
	datagram, err := p.d.conn.Seal(p.buf, 1+len(p.up))
	if err != nil {
		t.Fatal(err)
	}
	return datagram
}

var pathSuites = map[string]dtlswire.Suite{"AES128-GCM": dtlswire.AES128GCM, "AES128-SHA": dtlswire.AES128SHA}

func TestDense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		delay  time.Duration
		n      int
		within time.Duration
		want   bool
	}{
		{500 * time.Microsecond, 10, 500 * time.Microsecond, true},
		{500 * time.Microsecond, 1, 50 * time.Microsecond, true}, // the first of many
		{500 * time.Microsecond, 1, 10 * time.Millisecond, false},
		{500 * time.Microsecond, 0, 0, false},
		{0, 1000, time.Millisecond, false},
	} {
		if got := (&lane{delay: c.delay}).dense(c.n, c.within); got != c.want {
			t.Errorf("%d packets within %v and a delay of %v: %v want %v", c.n, c.within, c.delay, got, c.want)
		}
	}
}

// TestNapLength: a nap is as long as it takes the present rate to bring company, and never longer than allowed.
func TestNapLength(t *testing.T) {
	t.Parallel()
	const delay = 500 * time.Microsecond
	for _, c := range []struct {
		n            int
		within, want time.Duration
	}{
		{2, 500 * time.Microsecond, delay}, // 4000 a second
		{company, delay, delay},
		{2 * company, delay, delay / 2},
		{40, 500 * time.Microsecond, company * delay / 40}, // 80,000 a second
	} {
		if got := (&lane{delay: delay}).budget(c.n, c.within); got != c.want {
			t.Errorf("%d packets within %v: a nap of %v, want %v", c.n, c.within, got, c.want)
		}
	}
}

// TestGoesFirst: the lane's thread goes before others while it keeps up, and not when it is told to give way;
// without the permission it is an ordinary one.
func TestGoesFirst(t *testing.T) {
	t.Parallel()
	l := secondLane(t, open(t).g)
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	policy := func() uint32 {
		attr, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return attr.Policy
	}
	const ordinary, roundRobin = 0, 2
	l.goFirst(true)
	want := uint32(roundRobin)
	if l.denied {
		want = ordinary
	}
	if got := policy(); got != want || l.first != (want == roundRobin) {
		t.Errorf("policy %d, first %v, denied %v", got, l.first, l.denied)
	}
	l.goFirst(false)
	if got := policy(); got != ordinary || l.first {
		t.Errorf("after it gave way: policy %d, first %v", got, l.first)
	}
}

// TestNaps: a lane that naps between packets loses none and stops when told.
func TestNaps(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"), func(_ *world, c *Config) { c.BatchDelay = time.Millisecond })
	c := w.tunnel(phoneURL, "anna")
	d := c.dtls(w.socket())
	address := c.answer.Address.String()
	down := packet(files, address, protoUDP, 4000, 172)
	for range 20 {
		for range 10 { // at once, so that they are dense
			d.send(cstp.Data, toFiles(address))
			w.fromHost(down)
		}
		for range 10 {
			w.toHost()
			if got := d.message(cstp.Data); got != string(down) {
				t.Fatalf("the client gets % x", got)
			}
		}
	}
	w.counted(func(s SessionInfo) bool {
		return s.FromPackets == 200 && s.ToPackets == 200 && s.Refused+s.Dropped == 0
	})
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

func BenchmarkFromClient(b *testing.B) {
	for name, suite := range pathSuites {
		b.Run(name, func(b *testing.B) {
			p := openPath(b, suite)
			l := secondLane(b, p.w.g)
			b.ReportAllocs()
			b.SetBytes(int64(len(p.up)))
			for b.Loop() {
				l.fromPeer(time.Now(), p.addr, p.sealed(b)) // sealing is part of it, and costs as much as opening
			}
			if refused := p.c.session().counters.refused.Load(); refused > 0 {
				b.Errorf("%d packets are refused", refused)
			}
		})
	}
}

func BenchmarkToClient(b *testing.B) {
	for name, suite := range pathSuites {
		b.Run(name, func(b *testing.B) {
			p := openPath(b, suite)
			down := packet(files, p.c.answer.Address.String(), protoUDP, 4000, 172)
			out, s := secondLane(b, p.w.g).out, p.c.session()
			b.ReportAllocs()
			b.SetBytes(int64(len(down)))
			for b.Loop() {
				buf := out.room()
				s.toClient(out, time.Now(), buf, copy(buf[headroom:], down)) // into the client's socket, which overflows
			}
		})
	}
}

// secondLane is a lane that does not run, for measurements beside the gateway's own.
func secondLane(b testing.TB, g *Gateway) *lane {
	b.Helper()
	l, err := newLane(g)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.close() })
	return l
}
