package dtls

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

var modes = []Config{
	{Version: dtls.Version09, Suite: dtls.AES128SHA},
	{Version: dtls.Version09, Suite: dtls.AES256SHA},
	{Version: dtls.Version12, Suite: dtls.AES128GCM},
	{Version: dtls.Version12, Suite: dtls.AES256GCM},
	{Version: dtls.Version12, Suite: dtls.ECDHERSAAES128GCM},
	{Version: dtls.Version12, Suite: dtls.ECDHERSAAES256GCM},
	{Version: dtls.Version12, Suite: dtls.PSKChaCha20},
	{Version: dtls.Version12, Suite: dtls.ECDHERSAChaCha20},
	{Version: dtls.Version12, Suite: dtls.AES128SHA},
	{Version: dtls.Version12, Suite: dtls.AES256SHA},
	{PSK: bytes.Repeat([]byte{5}, PSKLen)},
}

func (c Config) name() string {
	if c.PSK != nil {
		return "PSK"
	}
	return fmt.Sprintf("%s %s", c.Version, c.Suite)
}

func (c Config) filled() Config {
	c.SessionID = bytes.Repeat([]byte{7}, SessionIDLen)
	c.MasterSecret = bytes.Repeat([]byte{9}, MasterLen)
	c.Rand = rand.Reader
	return c
}

func eachMode(t *testing.T, f func(t *testing.T, cfg Config)) {
	for _, mode := range modes {
		t.Run(mode.name(), func(t *testing.T) {
			t.Parallel()
			f(t, mode.filled())
		})
	}
}

// world carries datagrams between the two halves; drop decides which get lost.
type world struct {
	t       testing.TB
	now     time.Time
	client  Client
	server  Server
	drop    func(fromClient bool, n int) bool
	sent    map[bool]int
	clientC *Conn
	serverC *Conn
	failed  error
}

func newWorld(t testing.TB, client, server Config) *world {
	t.Helper()
	w := &world{t: t, now: time.Unix(1_700_000_000, 0), sent: map[bool]int{}, drop: func(bool, int) bool { return false }}
	var err error
	if w.client, err = NewClient(client); err != nil {
		t.Fatal(err)
	}
	if w.server, err = NewServer(server); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) do(fromClient bool, actions []Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case Send:
			w.sent[fromClient]++
			if w.drop(fromClient, w.sent[fromClient]) {
				continue
			}
			w.deliver(!fromClient, bytes.Clone(a.Datagram))
		case Established:
			if fromClient {
				w.clientC = a.Conn
			} else {
				w.serverC = a.Conn
			}
		case Failed:
			w.failed = a.Err
		}
	}
}

func (w *world) deliver(toClient bool, datagram []byte) {
	if !toClient {
		actions, _ := w.server.Received(w.now, datagram)
		w.do(false, actions)
		return
	}
	if w.clientC != nil { // established: as the phone does
		if o, err := w.clientC.Open(lastRecord(w.t, datagram)); err == nil && o.Type == dtls.HandshakeRecord {
			actions, err := w.client.Resend()
			if err != nil {
				w.t.Fatal(err)
			}
			w.do(true, actions)
		}
		return
	}
	actions, _ := w.client.Received(w.now, datagram)
	w.do(true, actions)
}

func lastRecord(t testing.TB, datagram []byte) []byte {
	for {
		_, rest, err := dtls.ParseRecord(datagram)
		if err != nil {
			t.Fatal(err)
		}
		if len(rest) == 0 {
			return datagram
		}
		datagram = rest
	}
}

// run lets time pass until both ends are established, one failed, or nobody waits for anything.
func (w *world) run() {
	w.do(true, w.client.Start(w.now))
	for w.failed == nil && (w.clientC == nil || w.serverC == nil) {
		wake := w.client.Wake()
		if s := w.server.Wake(); wake.IsZero() || !s.IsZero() && s.Before(wake) {
			wake = s
		}
		if wake.IsZero() {
			return
		}
		w.now = wake
		w.do(true, w.client.Advance(w.now))
		w.do(false, w.server.Advance(w.now))
	}
}

func TestHandshakeAndData(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, cfg Config) {
		w := newWorld(t, cfg, cfg)
		w.run()
		if w.clientC == nil || w.serverC == nil {
			t.Fatalf("not established: %v", w.failed)
		}
		for _, n := range []int{0, 1, 15, 16, 17, 200, 1290, 1406} {
			exchange(t, w.clientC, w.serverC, n)
			exchange(t, w.serverC, w.clientC, n)
		}
	})
}

func exchange(t *testing.T, from, to *Conn, n int) {
	t.Helper()
	buf := make([]byte, n+from.Overhead())
	for i := range n {
		buf[from.Headroom()+i] = byte(i)
	}
	want := bytes.Clone(buf[from.Headroom() : from.Headroom()+n])
	datagram, err := from.Seal(buf, n)
	if err != nil {
		t.Fatal(err)
	}
	if size := from.Suite().RecordLen(n); len(datagram) != size {
		t.Errorf("a record with %d bytes takes %d, RecordLen says %d", n, len(datagram), size)
	}
	again := bytes.Clone(datagram)
	o, err := to.Open(datagram)
	if err != nil || !bytes.Equal(o.Content, want) || o.Type != dtls.ApplicationData || !o.Newest {
		t.Errorf("open %d bytes: %v, %s, newest %t", n, err, o.Type, o.Newest)
	}
	if _, err := to.Open(again); !errors.Is(err, errReplay) {
		t.Errorf("the same record again: %v", err)
	}
}

// TestLoss drops each datagram of the handshake in turn, and then random ones: it comes up all the same.
func TestLoss(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, cfg Config) {
		for _, lost := range []struct {
			fromClient bool
			n          int
		}{{true, 1}, {false, 1}, {true, 2}, {false, 2}} {
			w := newWorld(t, cfg, cfg)
			w.drop = func(fromClient bool, n int) bool { return fromClient == lost.fromClient && n == lost.n }
			w.run()
			if w.clientC == nil || w.serverC == nil {
				t.Fatalf("without datagram %+v: not established: %v", lost, w.failed)
			}
			exchange(t, w.clientC, w.serverC, 100)
		}
		r := mathrand.New(mathrand.NewPCG(1, 2))
		for range 50 {
			w := newWorld(t, cfg, cfg)
			w.drop = func(bool, int) bool { return r.IntN(10) < 3 }
			w.run()
			if w.clientC == nil {
				continue // unlucky twelve seconds are allowed
			}
			if w.serverC != nil {
				exchange(t, w.clientC, w.serverC, 100)
			}
		}
	})
}

func TestSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, modes[2].filled(), modes[2].filled())
	began := w.now
	w.drop = func(bool, int) bool { return true }
	w.run()
	if !errors.Is(w.failed, ErrSilent) || w.now.Sub(began) < giveUp {
		t.Errorf("after %s: %v", w.now.Sub(began), w.failed)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	good := modes[0].filled()
	for name, change := range map[string]func(*Config){
		"other session id":    func(c *Config) { c.SessionID = bytes.Repeat([]byte{8}, SessionIDLen) },
		"other master secret": func(c *Config) { c.MasterSecret = bytes.Repeat([]byte{8}, MasterLen) },
		"other suite":         func(c *Config) { c.Suite = dtls.AES256SHA },
		"other version":       func(c *Config) { c.Version, c.Suite = dtls.Version12, dtls.AES128GCM },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := good
			change(&bad)
			w := newWorld(t, bad, good)
			w.run()
			if w.failed == nil || w.clientC != nil || w.serverC != nil {
				t.Errorf("established, or without a verdict: %v", w.failed)
			}
		})
	}
}

// TestOtherKey has both ends hold different keys: neither comes up, and no side can tell why.
func TestOtherKey(t *testing.T) {
	t.Parallel()
	good := modes[len(modes)-1].filled()
	bad := good
	bad.PSK = bytes.Repeat([]byte{6}, PSKLen)
	w := newWorld(t, bad, good)
	w.run()
	if !errors.Is(w.failed, ErrSilent) || w.clientC != nil || w.serverC != nil {
		t.Errorf("established, or another verdict: %v", w.failed)
	}
}

// TestLastWord loses the server's last flight several times: the client repeats its own, and the server,
// which is done, answers each time and ends after a while.
func TestLastWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, modes[len(modes)-1].filled(), modes[len(modes)-1].filled())
	w.drop = func(fromClient bool, n int) bool { return !fromClient && n > 1 && n < 5 }
	w.run()
	if w.clientC == nil || w.serverC == nil {
		t.Fatalf("not established: %v", w.failed)
	}
	exchange(t, w.serverC, w.clientC, 100)
	for wake := w.server.Wake(); !wake.IsZero(); wake = w.server.Wake() {
		if actions := w.server.Advance(wake); actions != nil {
			t.Errorf("a server that is done does %v", actions)
		}
	}
}

// TestHelloVerify asks for a cookie before there is a server, as the ASA does.
func TestHelloVerify(t *testing.T) {
	t.Parallel()
	cookies := NewCookies([32]byte{1})
	here, elsewhere := netip.MustParseAddrPort("192.0.2.1:500"), netip.MustParseAddrPort("192.0.2.1:501")
	eachMode(t, func(t *testing.T, cfg Config) {
		w := newWorld(t, cfg, cfg)
		first := w.client.Start(w.now)[0].(Send).Datagram
		hello, record, _ := dtls.HelloOf(first)
		if cookies.Valid(here, hello) {
			t.Error("a hello without cookie is as good as one with it")
		}
		actions, err := w.client.Received(w.now, cookies.Ask(here, hello, record))
		if err != nil {
			t.Fatal(err)
		}
		second := actions[0].(Send).Datagram
		hello, record, _ = dtls.HelloOf(second)
		if !cookies.Valid(here, hello) || cookies.Valid(elsewhere, hello) || record != 1 || helloOf(t, first).Number != 0 || helloOf(t, second).Number != 1 {
			t.Errorf("second hello: record %d, message %d, cookie valid %t, elsewhere %t", record, helloOf(t, second).Number,
				cookies.Valid(here, hello), cookies.Valid(elsewhere, hello))
		}
		if hello.Random[0] ^= 1; cookies.Valid(here, hello) {
			t.Error("the cookie is good for another hello")
		}
		w.do(true, actions)
		if w.clientC == nil || w.serverC == nil {
			t.Fatalf("not established: %v", w.failed)
		}
	})
}

func helloOf(t *testing.T, datagram []byte) dtls.Handshake {
	t.Helper()
	r, _, err := dtls.ParseRecord(datagram)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := dtls.ParseHandshake(r.Fragment)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTampering changes each byte of a record: none opens, and the untouched one still does.
func TestTampering(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, cfg Config) {
		w := newWorld(t, cfg, cfg)
		w.run()
		buf := make([]byte, 40+w.clientC.Overhead())
		datagram, err := w.clientC.Seal(buf, 40)
		if err != nil {
			t.Fatal(err)
		}
		for i := range datagram {
			bad := bytes.Clone(datagram)
			bad[i] ^= 1
			if o, err := w.serverC.Open(bad); err == nil {
				t.Errorf("opened with byte %d changed: %+v", i, o)
			}
		}
		for n := range datagram {
			if o, err := w.serverC.Open(bytes.Clone(datagram[:n])); err == nil {
				t.Errorf("opened when cut at %d: %+v", n, o)
			}
		}
		if _, err := w.serverC.Open(datagram); err != nil {
			t.Errorf("the record itself: %v", err)
		}
	})
}

func TestWindow(t *testing.T) {
	t.Parallel()
	var w window
	for _, s := range []struct {
		sequence      uint64
		fresh, newest bool
	}{
		{5, true, true}, {5, false, false}, {4, true, false}, {4, false, false}, {70, true, true},
		{6, false, false}, {7, true, false}, {69, true, false}, {200, true, true}, {136, false, false}, {137, true, false},
	} {
		if got := w.fresh(s.sequence); got != s.fresh {
			t.Errorf("sequence %d: fresh %t want %t", s.sequence, got, s.fresh)
		}
		if s.fresh {
			if got := w.accept(s.sequence); got != s.newest {
				t.Errorf("sequence %d: newest %t want %t", s.sequence, got, s.newest)
			}
		}
	}
}

func FuzzServer(f *testing.F) {
	for _, name := range recordings {
		for _, d := range load(f, name).datagrams[:4] {
			f.Add(d.payload)
		}
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		for _, mode := range []Config{modes[0], modes[2], modes[len(modes)-1]} {
			s, err := NewServer(mode.filled())
			if err != nil {
				t.Fatal(err)
			}
			actions, _ := s.Received(time.Unix(0, 0), bytes.Clone(datagram))
			for _, a := range actions {
				if _, ok := a.(Established); ok {
					t.Fatal("established by one datagram")
				}
			}
			c, err := NewClient(mode.filled())
			if err != nil {
				t.Fatal(err)
			}
			c.Start(time.Unix(0, 0))
			_, _ = c.Received(time.Unix(0, 0), bytes.Clone(datagram))
		}
	})
}

func BenchmarkSealOpen(b *testing.B) {
	for _, mode := range modes {
		b.Run(mode.name(), func(b *testing.B) {
			w := newWorld(b, mode.filled(), mode.filled())
			w.run()
			buf := make([]byte, 201+w.clientC.Overhead())
			b.ReportAllocs()
			for b.Loop() {
				datagram, err := w.clientC.Seal(buf, 201)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.serverC.Open(datagram); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestAhead: how far a record is beyond the newest can be told without opening it.
func TestAhead(t *testing.T) {
	t.Parallel()
	var w window
	for _, step := range []struct{ sequence, ahead uint64 }{{3, 4}, {4, 1}, {9, 5}, {9, 0}, {2, 0}, {10, 1}} {
		if got := w.ahead(step.sequence); got != step.ahead {
			t.Errorf("record %d is %d ahead want %d", step.sequence, got, step.ahead)
		}
		w.accept(step.sequence)
	}
}
