package gateway

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	dtlsengine "github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/asa"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// handshakesPerSession bounds how many addresses may try one session id at once: the old and the new one
// of a client that moves, and a neighbour that repeats what it overheard. Beyond it the oldest ends.
const handshakesPerSession = 4

// askFrom is how many handshakes may be under way before clients have to show first that they receive what
// is sent to their address, which takes them one more round trip.
const askFrom = 200

// handshakes brings DTLS channels up: it knows which session ids to expect, and runs one handshake for
// each address that comes with one. Datagrams with unknown ids get no answer.
type handshakes struct {
	g     *Gateway
	peers *table[netip.AddrPort, *dtlsChannel] // established, for the packet path

	mu       sync.Mutex
	expected map[[cstp.SessionIDLen]byte]*expectation
	bySess   map[*session]*expectation
	byAddr   map[netip.AddrPort]*handshake
	underWay int // of byAddr, those that are not done
	askFrom  int // so many under way
	cookies  *dtlsengine.Cookies
}

// expectation is a session that may bring up DTLS.
type expectation struct {
	session *session
	config  dtlsengine.Config
	running []*handshake // oldest first
	failed  error        // of the last one that failed
	came    bool         // one led to a channel
}

// handshake is one under way.
type handshake struct {
	of     *expectation
	peer   *endpoint
	random [dtls.RandomLen]byte // of its ClientHello
	server dtlsengine.Server
	timer  *time.Timer
	done   bool // it has led to a channel
}

func newHandshakes(g *Gateway) *handshakes {
	return &handshakes{
		g: g, peers: newTable[netip.AddrPort, *dtlsChannel](keyOfPort),
		expected: map[[cstp.SessionIDLen]byte]*expectation{},
		bySess:   map[*session]*expectation{},
		byAddr:   map[netip.AddrPort]*handshake{},
		askFrom:  askFrom,
		cookies:  dtlsengine.NewCookies([32]byte(randomBytes(32))),
	}
}

// dtlsConfig is what the DTLS handshake that was agreed on a connection is made with; nil when there is to
// be none.
func dtlsConfig(c *conn, answer cstp.DTLSAnswer, request cstp.Request) (*dtlsengine.Config, error) {
	if answer.PSK() {
		key, err := c.tls.Export(cstp.PSKLabel, cstp.PSKLen)
		return &dtlsengine.Config{SessionID: answer.AppID, PSK: key, Rand: rand.Reader}, err
	}
	version, suite, ok := answer.Suite()
	if !ok {
		return nil, nil
	}
	master, err := request.MasterKey()
	return &dtlsengine.Config{Version: version, Suite: suite, SessionID: answer.SessionID, MasterSecret: master, Rand: rand.Reader}, err
}

// expect makes a session's DTLS channel possible, or without a config, impossible. An earlier id of the
// session ends, and what was under way with it.
func (hs *handshakes) expect(s *session, config *dtlsengine.Config) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.end(s)
	if config == nil {
		return
	}
	of := &expectation{session: s, config: *config}
	hs.bySess[s], hs.expected[of.id()] = of, of
}

func (of *expectation) id() [cstp.SessionIDLen]byte {
	return [cstp.SessionIDLen]byte(of.config.SessionID)
}

// progress says how far the DTLS channel that a session may bring up has come, for people.
func (hs *handshakes) progress(s *session) string {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	of := hs.bySess[s]
	switch {
	case of == nil || of.came:
		return "it has ended, and the client begins no new one"
	case len(of.running) > 0:
		return "its handshake is under way"
	case of.failed != nil:
		return "its handshake failed: " + of.failed.Error()
	}
	return "nothing has come by UDP from the client since it connected"
}

// forget ends what a session expected.
func (hs *handshakes) forget(s *session) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.end(s)
}

func (hs *handshakes) end(s *session) {
	of := hs.bySess[s]
	if of == nil {
		return
	}
	for _, h := range slices.Clone(of.running) {
		hs.stop(h)
	}
	delete(hs.expected, of.id())
	delete(hs.bySess, s)
}

// stands reports whether an expectation is still the session's.
func (hs *handshakes) stands(of *expectation) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.bySess[of.session] == of
}

// receive takes a datagram that belongs to no established channel, or to a handshake.
func (hs *handshakes) receive(addr netip.AddrPort, datagram []byte) {
	if of, channel := hs.step(addr, datagram); channel != nil {
		of.session.dtlsUp(of, channel)
	}
}

// step lets the handshake of an address go on, and returns the channel that is established by it.
func (hs *handshakes) step(addr netip.AddrPort, datagram []byte) (*expectation, *dtlsChannel) {
	var h *handshake
	defer hs.contain(&h)
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h = hs.byAddr[addr]
	if hello, record, ok := dtls.HelloOf(datagram); ok {
		h = hs.begin(addr, hello, record, h)
	}
	if h == nil {
		return nil, nil
	}
	actions, err := h.server.Received(time.Now(), datagram)
	if err != nil {
		h.of.session.log.Debug("dtls handshake", logging.Peer, addr.String(), logging.Err, err)
	}
	return h.of, hs.do(h, actions)
}

// begin returns the handshake that a ClientHello belongs to: the one under way, or a new one. It returns
// nil for the late copy of a hello that has led to a channel, and for one that has to come again with a
// cookie.
func (hs *handshakes) begin(addr netip.AddrPort, hello dtls.ClientHello, record uint64, under *handshake) *handshake {
	id := hello.RoutingID()
	if len(id) != cstp.SessionIDLen {
		return nil
	}
	of := hs.expected[[cstp.SessionIDLen]byte(id)]
	if of == nil {
		return nil
	}
	if under != nil && under.of == of && under.random == hello.Random {
		return under
	}
	if channel := hs.peers.get(addr); channel != nil && channel.random == hello.Random {
		return nil
	}
	if (hs.underWay >= hs.askFrom || len(hello.Cookie) > 0) && !hs.cookies.Valid(addr, hello) {
		_ = hs.g.udp.sendTo(hs.g.udp.endpoint(addr), hs.cookies.Ask(addr, hello, record)) // lost like any datagram
		return nil
	}
	server, err := dtlsengine.NewServer(of.config)
	if err != nil {
		of.session.log.Warn("dtls handshake", logging.Err, err)
		return nil
	}
	if under != nil {
		hs.stop(under)
	}
	if len(of.running) >= handshakesPerSession {
		hs.stop(of.running[0])
	}
	h := &handshake{of: of, peer: hs.g.udp.endpoint(addr), random: hello.Random, server: server}
	h.timer = time.AfterFunc(time.Hour, func() { hs.wake(h) })
	h.timer.Stop() // until it is known when to wake
	of.running = append(of.running, h)
	hs.g.say(asa.HandshakeStarts(addr, "DTLS"))
	hs.byAddr[addr] = h
	hs.underWay++
	return h
}

func (hs *handshakes) wake(h *handshake) {
	defer hs.contain(&h)
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.byAddr[h.peer.AddrPort] == h {
		hs.do(h, h.server.Advance(time.Now()))
	}
}

// contain is deferred where a handshake is worked for: a panic there ends its session and nothing else.
func (hs *handshakes) contain(h **handshake) {
	p := recover()
	switch {
	case p == nil:
	case *h == nil:
		hs.g.log.Error("datagram dropped by a panic", "panic", p)
	default:
		(*h).of.session.broken(p)
	}
}

// do carries out a handshake's actions and returns the channel that is established by it. A handshake
// that waits for nothing, because it is done or its hello was no good, is over. mu is held.
func (hs *handshakes) do(h *handshake, actions []dtlsengine.Action) (channel *dtlsChannel) {
	for _, a := range actions {
		switch a := a.(type) {
		case dtlsengine.Send:
			_ = hs.g.udp.sendTo(h.peer, a.Datagram) // lost like any datagram; it is repeated
		case dtlsengine.Established:
			h.done, h.of.came = true, true
			hs.underWay--
			hs.keyLog(a)
			channel = newDTLSChannel(h.of.session, a.Conn, h.peer, a.ClientRandom)
		case dtlsengine.Failed:
			hs.stop(h)
			h.of.session.log.Info("dtls handshake failed", logging.Peer, h.peer.String(), logging.Err, a.Err)
			hs.g.say(asa.HandshakeFailed(h.peer.AddrPort))
			h.of.failed = a.Err
			return nil
		}
	}
	if wake := h.server.Wake(); wake.IsZero() {
		hs.stop(h)
	} else {
		h.timer.Reset(time.Until(wake))
	}
	return channel
}

func (hs *handshakes) stop(h *handshake) {
	h.timer.Stop()
	h.of.running = slices.DeleteFunc(h.of.running, func(other *handshake) bool { return other == h })
	if hs.byAddr[h.peer.AddrPort] == h {
		delete(hs.byAddr, h.peer.AddrPort)
		if !h.done {
			hs.underWay--
		}
	}
}

// keyLog writes the line that lets Wireshark read the channel.
func (hs *handshakes) keyLog(e dtlsengine.Established) {
	if hs.g.config.KeyLog != nil {
		_, _ = fmt.Fprintf(hs.g.config.KeyLog, "CLIENT_RANDOM %x %x\n", e.ClientRandom, e.MasterSecret)
	}
}

// close stops all timers.
func (hs *handshakes) close() {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for _, h := range hs.byAddr {
		hs.stop(h)
	}
}
