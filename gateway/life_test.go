package gateway

import (
	"bufio"
	"context"
	crand "crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/vpnauth"
)

// life is a gateway with everything that happens to one in a day.
type life struct {
	*world
	store *failing
	names []string
	count struct{ logins, connects, dtls, packets, back, goodbyes, noRoom, putOff atomic.Int64 }
}

// TestADayOfLife: guests come, talk, send rubbish, come back, get lost and leave, while an operator changes
// the inventory, logs guests off and fills the disk. When all have left, nothing of them is left: no session,
// record, address, handshake, goroutine or memory.
func TestADayOfLife(t *testing.T) { // not in parallel: it counts what the process has
	guests := 80
	if os.Getenv("CI") == "true" {
		guests = 2000
	}
	l := newLife(t)
	l.live(guests / 4) // what is made once is made now
	routines, memory := runtime.NumGoroutine(), l.heap()
	began := time.Now()
	l.live(guests)
	l.until("all goroutines have ended", func() bool { return runtime.NumGoroutine() <= routines })
	if now := l.heap(); now > memory+1<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", memory, now)
	}
	c := &l.count
	t.Logf("%d guests in %v: %d logins, %d put off, %d CONNECTs, %d without room, %d came back, %d DTLS channels, %d packets",
		guests, time.Since(began).Round(time.Second), c.logins.Load(), c.putOff.Load(), c.connects.Load(), c.noRoom.Load(), c.back.Load(),
		c.dtls.Load(), c.packets.Load())
	for what, n := range map[string]*atomic.Int64{
		"logs in": &c.logins, "connects": &c.connects, "brings DTLS up": &c.dtls, "comes back": &c.back, "gets a packet": &c.packets, "says good-bye": &c.goodbyes,
	} {
		if n.Load() < int64(guests)/20 {
			t.Errorf("of %d guests hardly any %s: %d", guests, what, n.Load())
		}
	}
}

func newLife(t *testing.T) *life {
	l := &life{store: &failing{Store: memory.New()}}
	for i := range 24 {
		l.names = append(l.names, fmt.Sprint("guest", i))
	}
	l.world = open(t, withUsers(l.names...), func(w *world, c *Config) {
		c.Store, c.Log = l.store, nil
		w.inventory.Store(l.set("5000-5999"))
	})
	t.Cleanup(func() { l.store.Close() })
	for range store.HistoryEvents { // what the store remembers of the past is not the guests'
		if _, err := l.store.Commit(t.Context(), store.Op{Key: "test/past", Value: make([]byte, 600), Read: store.Any}); err != nil {
			t.Fatal(err)
		}
	}
	go l.echo()
	return l
}

// set is an inventory with rather few addresses, and a filter that an operator likes to change.
func (l *life) set(ports string) *inventory.Set {
	set := declared()
	set.AddressPools["pool"].Network = "10.99.0.0/27"
	set.AddressPools["more"] = &inventory.AddressPool{Name: "more", Network: "10.99.1.0/28"}
	set.AddressPools["six"] = &inventory.AddressPool{Name: "six", Network: "fd00:99::/64"}
	for _, group := range set.TunnelGroups {
		group.AddressPool, group.AddressPools = "", []string{"pool", "more"}
	}
	set.TunnelGroups["staff"].IPv6AddressPool = "six"
	set.GroupPolicies["staff"].Filter = "fence"
	set.AccessLists["fence"].Entries[0].Ports = ports
	return set
}

// live has so many guests visit, then ends what they left behind and looks at what is left.
func (l *life) live(guests int) {
	l.t.Helper()
	var left atomic.Int64
	left.Store(int64(guests))
	ctx, cancel := context.WithCancel(l.t.Context())
	var house, visits sync.WaitGroup
	house.Go(func() { l.operate(ctx) })
	for i := range 48 {
		visits.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				g := &guest{l: l, rnd: rand.New(rand.NewPCG(uint64(n), uint64(i)))}
				g.visit()
				g.leave()
			}
		})
	}
	visits.Wait()
	cancel()
	house.Wait()
	l.store.fails.Store(false)
	l.g.Logoff(l.t.Context(), MustLogIn, everyone)
	l.empty()
}

// empty waits until nothing of the guests is left.
func (l *life) empty() {
	l.t.Helper()
	r, hs := l.g.sessions, l.g.handshakes
	records := func() int {
		list, _, err := l.store.List(l.t.Context(), "gateway/session/")
		if err != nil {
			l.t.Fatal(err)
		}
		return len(list)
	}
	for what, left := range map[string]func() int{
		"sessions": func() int { return len(r.all()) }, "records": records, "addresses": r.pools.held, "answers of the host": l.router.holds,
		"entries by address": func() int { return entries(r.inner) }, "DTLS channels": func() int { return entries(hs.peers) },
		"handshakes": func() int {
			hs.mu.Lock()
			defer hs.mu.Unlock()
			return len(hs.expected) + len(hs.bySess) + len(hs.byAddr) + hs.underWay
		},
	} {
		l.until(fmt.Sprintf("no %s are left", what), func() bool { return left() == 0 })
	}
}

// entries counts what a table holds.
func entries[K comparable, V any](t *table[K, V]) (n int) {
	for i := range t.shard {
		if m := t.shard[i].m.Load(); m != nil {
			n += len(*m)
		}
	}
	return n
}

// heap is what the process holds after a collection. Sessions that have ended are still on the wheel, for a
// minute at most; that is not waited for.
func (l *life) heap() uint64 {
	w := l.g.sessions.wheel
	w.mu.Lock()
	for i := range w.slots {
		w.slots[i] = slices.DeleteFunc(w.slots[i], func(s *session) bool { return s.armed == never })
	}
	w.mu.Unlock()
	var m runtime.MemStats
	for range 3 { // what finalizers and pools let go is collected by the next
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// echo is the host, until the device is closed: what comes from a guest goes back to him.
func (l *life) echo() {
	buf := make([]byte, 3000)
	for {
		n, err := l.host.Read(buf)
		if err != nil {
			return
		}
		var h header
		if !parseHeader(buf[:n], &h) || h.dst.String() != files {
			l.t.Errorf("the host gets % x", buf[:n])
			continue
		}
		_, _ = l.host.Write(packet(files, h.src.String(), protoUDP, 4000, 50))
	}
}

// operate is the operator's day.
func (l *life) operate(ctx context.Context) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for ctx.Err() == nil {
		some := func(s SessionInfo) bool { return s.ID%7 == uint64(rnd.IntN(7)) }
		switch rnd.IntN(8) {
		case 0:
			l.g.Logoff(ctx, MustLogIn, some)
		case 1, 2:
			l.g.Logoff(ctx, MayReturn, some)
		case 3:
			l.g.Logoff(ctx, StayAway, some)
		case 4:
			l.inventory.Store(l.set("5000-5999"))
		case 5:
			l.inventory.Store(l.set("5060"))
		case 6:
			l.store.fails.Store(true)
		}
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
		l.store.fails.Store(false)
	}
}

// guest is one visit. Whatever goes wrong may be the operator's doing, and ends it.
type guest struct {
	l       *life
	rnd     *rand.Rand
	conn    *tls.Conn
	in      *bufio.Reader
	frames  *cstp.Reader
	answer  cstp.Answer
	request cstp.Request
	sock    net.Conn
	dtls    *dtls.Conn
}

func (g *guest) visit() {
	if g.rnd.IntN(8) == 0 {
		g.rubbish()
	}
	cookie, ok := g.logIn()
	if !ok || !g.connect(cookie) {
		return
	}
	if g.rnd.IntN(4) > 0 {
		g.bringDTLSUp()
	}
	for range g.rnd.IntN(4) {
		g.talk()
	}
	if g.rnd.IntN(3) > 0 {
		return
	}
	before := g.answer.Address
	g.leave()
	if g.connect(cookie) {
		g.l.count.back.Add(1)
		if g.answer.Address != before {
			g.l.t.Errorf("came back as %s, was %s", g.answer.Address, before)
		}
		g.talk()
		g.goodbye(cookie)
	}
}

func (g *guest) dial() bool {
	port, _ := g.l.ports()
	raw, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	_ = raw.SetDeadline(time.Now().Add(patience)) // a pipe of TCP takes one
	g.conn = tls.Client(raw, modern())
	g.in = bufio.NewReader(g.conn)
	return true
}

func (g *guest) leave() {
	if g.conn != nil {
		_ = g.conn.Close() // it may be closed by the gateway
	}
	if g.sock != nil {
		_ = g.sock.Close()
	}
	g.conn, g.sock, g.dtls = nil, nil, nil
}

// logIn posts a name and a password, at times a wrong one.
func (g *guest) logIn() (secret.String, bool) {
	if !g.dial() {
		return secret.String{}, false
	}
	name, path, agent := g.l.names[g.rnd.IntN(len(g.l.names))], "/staff", "OpenConnect VPN Agent v9"
	if g.rnd.IntN(2) == 0 {
		path, agent = "/phone", "Cisco SVC IPPhone Client v1.0"
	}
	wrong, password := g.rnd.IntN(10) == 0, "secret of "+name
	if wrong {
		password = "wrong"
	}
	form := vpnauth.Values{{Name: "username", Text: secret.New(name)}, {Name: "password", Text: secret.New(password)}}.AppendForm(nil)
	if _, err := fmt.Fprintf(g.conn, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nContent-Length: %d\r\n\r\n%s", path, host, agent, len(form), form); err != nil {
		return secret.String{}, false
	}
	reply, err := http.ReadResponse(g.in, nil)
	if err != nil {
		return secret.String{}, false
	}
	_ = reply.Body.Close() // it has none, or it is not wanted
	for _, c := range reply.Cookies() {
		if c.Name == vpnauth.SessionCookie && len(c.Value) > 20 {
			if wrong {
				g.l.t.Errorf("%s is let in with a wrong password", name)
			}
			g.l.count.logins.Add(1)
			return secret.New(c.Value), true
		}
	}
	if reply.StatusCode == http.StatusServiceUnavailable {
		g.l.count.putOff.Add(1)
	}
	return secret.String{}, false
}

// connect opens a tunnel, on the connection of the login or on another.
func (g *guest) connect(cookie secret.String) bool {
	if g.conn == nil || g.rnd.IntN(2) == 0 {
		g.leave()
		if !g.dial() {
			return false
		}
	}
	var master [cstp.MasterSecretLen]byte
	crand.Read(master[:])
	g.request = cstp.Request{
		Host: host, UserAgent: "guest", Cookie: cookie, MTU: 1300, BaseMTU: 1400, FullIPv6: g.rnd.IntN(2) == 0,
		MasterSecret: secret.New(hex.EncodeToString(master[:])), CipherSuites12: []string{"AES128-GCM-SHA256"},
	}
	wire, err := g.request.AppendBinary(nil)
	if err != nil {
		g.l.t.Error(err)
		return false
	}
	if _, err := g.conn.Write(wire); err != nil {
		return false
	}
	head, err := cstp.ReadHead(g.in)
	if err != nil {
		return false
	}
	g.answer, err = cstp.ParseAnswer(head)
	var refusal *cstp.Refusal
	if errors.As(err, &refusal) && refusal.Status == http.StatusServiceUnavailable {
		g.l.count.noRoom.Add(1)
	}
	if err != nil {
		return false
	}
	g.frames = cstp.NewReader(g.in, 0)
	g.l.count.connects.Add(1)
	return true
}

func (g *guest) bringDTLSUp() {
	version, suite, ok := g.answer.DTLS.Suite()
	master, err := g.request.MasterKey()
	if !ok || err != nil {
		g.l.t.Errorf("no DTLS in %s: %v", g.answer, err)
		return
	}
	half, err := dtls.NewClient(dtls.Config{Version: version, Suite: suite, SessionID: g.answer.DTLS.SessionID, MasterSecret: master, Rand: crand.Reader})
	if err != nil {
		g.l.t.Error(err)
		return
	}
	_, port := g.l.ports()
	if g.sock, err = net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
		return
	}
	buf := make([]byte, 2000)
	deadline := time.Now().Add(3 * time.Second) // whose session the operator ended is not answered
	for actions := half.Start(time.Now()); time.Now().Before(deadline); {
		for _, a := range actions {
			switch a := a.(type) {
			case dtls.Send:
				datagram := a.Datagram
				if g.rnd.IntN(6) == 0 {
					datagram = g.damaged(datagram)
				}
				_, _ = g.sock.Write(datagram) // lost like any datagram
			case dtls.Established:
				g.dtls = a.Conn
				g.l.count.dtls.Add(1)
				return
			case dtls.Failed:
				return
			}
		}
		wake := half.Wake()
		if wake.IsZero() || wake.After(deadline) {
			wake = deadline
		}
		_ = g.sock.SetReadDeadline(wake)
		if n, err := g.sock.Read(buf); err != nil {
			actions = half.Advance(time.Now())
		} else if actions, err = half.Received(time.Now(), buf[:n]); err != nil {
			actions = nil
		}
	}
}

// talk sends some packets, good, forged and damaged, and waits for an answer to a good one.
func (g *guest) talk() {
	src := g.answer.Address.String()
	forged := toFiles(netip.MustParseAddr(src).Next().String())
	good := packet(src, files, protoUDP, 5060, 100)
	for _, p := range [][]byte{forged, g.damaged(good), g.damaged(packet6("fd00:99::1", "fd00::1", protoUDP, udpHeader(1))), good} {
		g.sendPacket(p)
	}
	if g.dtls != nil {
		g.receiveDTLS()
		return
	}
	for {
		t, _, err := g.frames.Next()
		if err != nil {
			return
		}
		if t == cstp.Data {
			g.l.count.packets.Add(1)
			return
		}
	}
}

func (g *guest) sendPacket(p []byte) {
	if g.dtls == nil {
		_, _ = g.conn.Write(cstp.AppendFrame(nil, cstp.Data, p)) // the reader sees that it is closed
		return
	}
	datagram, err := g.seal(cstp.Data, p)
	if err != nil {
		g.l.t.Error(err)
		return
	}
	if g.rnd.IntN(4) == 0 {
		_, _ = g.sock.Write(g.damaged(datagram))
	}
	_, _ = g.sock.Write(datagram)
}

func (g *guest) seal(t cstp.Type, payload []byte) ([]byte, error) {
	buf := make([]byte, g.dtls.Overhead()+1+len(payload))
	content := cstp.AppendMessage(buf[g.dtls.Headroom():g.dtls.Headroom()], t, payload)
	return g.dtls.Seal(buf, len(content))
}

// receiveDTLS waits a while for a packet: one may be lost, and the operator may have ended the session.
func (g *guest) receiveDTLS() {
	buf := make([]byte, 2000)
	_ = g.sock.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	for {
		n, err := g.sock.Read(buf)
		if err != nil {
			return
		}
		if o, err := g.dtls.Open(buf[:n]); err == nil && len(o.Content) > 0 && cstp.Type(o.Content[0]) == cstp.Data {
			g.l.count.packets.Add(1)
			return
		}
	}
}

// goodbye leaves for good; afterwards the cookie opens nothing.
func (g *guest) goodbye(cookie secret.String) {
	s := g.l.g.sessions.find(cookie)
	_, err := g.conn.Write(cstp.AppendFrame(nil, cstp.Disconnect, []byte{byte(cstp.UserDisconnect)}))
	if s == nil || err != nil {
		return
	}
	for err == nil { // until the gateway has closed
		_, _, err = g.frames.Next()
	}
	s.mu.Lock()
	ended := s.machine.State() == tunnel.Ended // or the operator was faster, and lets it return
	s.mu.Unlock()
	if !ended {
		return
	}
	g.l.count.goodbyes.Add(1)
	if g.leave(); g.connect(cookie) {
		g.l.t.Error("the cookie of a session that ended is good")
	}
}

// rubbish is what strangers send.
func (g *guest) rubbish() {
	if !g.dial() {
		return
	}
	defer g.leave()
	noise := make([]byte, g.rnd.IntN(600))
	crand.Read(noise)
	switch g.rnd.IntN(4) {
	case 0:
		_, _ = g.conn.NetConn().Write(noise)
	case 1:
		_, _ = g.conn.Write(noise)
	case 2:
		_, _ = g.conn.Write([]byte("POST /staff HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 99999999\r\n\r\n" + strings.Repeat("username=&", 100)))
	case 3:
		if g.connect(secret.New(hex.EncodeToString(noise))) {
			g.l.t.Error("any cookie opens a tunnel")
		}
	}
	_, port := g.l.ports()
	if sock, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
		_, _ = sock.Write(noise)
		_ = sock.Close()
	}
}

// damaged is a copy with a few bits turned, or with its end cut off.
func (g *guest) damaged(b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + g.rnd.IntN(3) {
		b[g.rnd.IntN(len(b))] ^= 1 << g.rnd.IntN(8)
	}
	return b[:1+g.rnd.IntN(len(b))]
}
