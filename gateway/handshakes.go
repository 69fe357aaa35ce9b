package gateway

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	dtlsengine "github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// handshakesPerSession bounds how many addresses may try one session id at once: the old and the new one
// of a client that moves, and a neighbour that repeats what it overheard.
const handshakesPerSession = 4

// handshakes brings DTLS channels up: it knows which session ids to expect, and runs one handshake for
// each address that comes with one. Datagrams with unknown ids get no answer.
type handshakes struct {
	g     *Gateway
	peers *table[netip.AddrPort, *dtlsChannel] // established, for the packet path

	mu       sync.Mutex
	expected map[[cstp.SessionIDLen]byte]*expectation
	bySess   map[*session][cstp.SessionIDLen]byte
	byAddr   map[netip.AddrPort]*handshake
}

// expectation is a session that may bring up DTLS.
type expectation struct {
	session *session
	config  dtlsengine.Config
	running int
}

// handshake is one under way.
type handshake struct {
	of     *expectation
	addr   netip.AddrPort
	server *dtlsengine.Server
	timer  *time.Timer
}

func newHandshakes(g *Gateway) *handshakes {
	return &handshakes{
		g: g,
		peers: newTable[netip.AddrPort, *dtlsChannel](func(a netip.AddrPort) uint8 {
			b := a.Addr().As16()
			return b[15] ^ b[14] ^ byte(a.Port()) ^ byte(a.Port()>>8)
		}),
		expected: map[[cstp.SessionIDLen]byte]*expectation{},
		bySess:   map[*session][cstp.SessionIDLen]byte{},
		byAddr:   map[netip.AddrPort]*handshake{},
	}
}

// expect makes a session's DTLS channel possible, or with an answer that offers none, impossible. An
// earlier id of the session ends.
func (hs *handshakes) expect(s *session, id [cstp.SessionIDLen]byte, answer cstp.DTLSAnswer, master []byte) {
	hs.forget(s)
	version, suite, ok := answer.Suite()
	if !ok {
		return
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.bySess[s] = id
	hs.expected[id] = &expectation{session: s, config: dtlsengine.Config{
		Version: version, Suite: suite, SessionID: id[:], MasterSecret: master, Rand: rand.Reader,
	}}
}

// forget ends what a session expected.
func (hs *handshakes) forget(s *session) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	delete(hs.expected, hs.bySess[s])
	delete(hs.bySess, s)
}

// receive takes a datagram that belongs to no established channel, or looks like a handshake.
func (hs *handshakes) receive(addr netip.AddrPort, datagram []byte) {
	id, hello := dtls.SessionID(datagram)
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h := hs.byAddr[addr]
	if hello {
		h = hs.begin(addr, id, h)
	}
	if h == nil {
		return
	}
	actions, err := h.server.Received(time.Now(), datagram)
	if err != nil {
		h.of.session.log.Debug("dtls handshake", logging.Peer, addr.String(), logging.Err, err)
	}
	hs.do(h, actions)
}

// begin returns the handshake that a ClientHello belongs to: the one under way, or a new one.
func (hs *handshakes) begin(addr netip.AddrPort, id []byte, under *handshake) *handshake {
	if len(id) != cstp.SessionIDLen {
		return nil
	}
	of := hs.expected[[cstp.SessionIDLen]byte(id)]
	if of == nil {
		return nil
	}
	if under != nil && under.of == of {
		return under
	}
	if of.running >= handshakesPerSession {
		return nil
	}
	if under != nil {
		hs.stop(under)
	}
	server, err := dtlsengine.NewServer(of.config)
	if err != nil {
		of.session.log.Warn("dtls handshake", logging.Err, err)
		return nil
	}
	h := &handshake{of: of, addr: addr, server: server}
	h.timer = time.AfterFunc(time.Hour, func() { hs.wake(h) })
	h.timer.Stop()
	of.running++
	hs.byAddr[addr] = h
	return h
}

func (hs *handshakes) wake(h *handshake) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.byAddr[h.addr] == h {
		hs.do(h, h.server.Advance(time.Now()))
	}
}

// do carries out a handshake's actions. mu is held.
func (hs *handshakes) do(h *handshake, actions []dtlsengine.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case dtlsengine.Send:
			_, _ = hs.g.udp.WriteToUDPAddrPort(a.Datagram, h.addr) // lost like any datagram; it is repeated
		case dtlsengine.Established:
			hs.stop(h)
			hs.keyLog(a, h.of.config)
			hs.g.wg.Go(func() { h.of.session.dtlsUp(h.addr, a.Conn) })
			return
		case dtlsengine.Failed:
			hs.stop(h)
			h.of.session.log.Info("dtls handshake failed", logging.Peer, h.addr.String(), logging.Err, a.Err)
			return
		}
	}
	if wake := h.server.Wake(); !wake.IsZero() {
		h.timer.Reset(time.Until(wake))
	}
}

func (hs *handshakes) stop(h *handshake) {
	h.timer.Stop()
	h.of.running--
	if hs.byAddr[h.addr] == h {
		delete(hs.byAddr, h.addr)
	}
}

// keyLog writes the line that lets Wireshark read the channel.
func (hs *handshakes) keyLog(e dtlsengine.Established, c dtlsengine.Config) {
	if hs.g.config.KeyLog != nil {
		_, _ = fmt.Fprintf(hs.g.config.KeyLog, "CLIENT_RANDOM %x %x\n", e.ClientRandom, c.MasterSecret)
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
