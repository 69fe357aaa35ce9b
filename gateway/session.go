package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// session is one login and what came of it: its cookie, its inner address, its channels. It outlives its
// channels, and a restart of the gateway.
//
// The packet path reads address, filter and the channels without a lock and tells machine what it heard
// and sent. Everything else happens under mu.
type session struct {
	g      *Gateway
	log    *slog.Logger
	name   string // under which the store has it
	record sessionRecord
	old    bool // logged in over old cryptography: only such a connection's fence applies
	phones bool // its tunnel group is for phones

	connecting sync.Mutex // one CONNECT at a time

	mu      sync.Mutex
	machine *tunnel.Session
	peer    netip.AddrPort // of the CSTP channel, now or last

	address atomic.Pointer[netip.Addr]
	filter  atomic.Pointer[filter]
	cstp    atomic.Pointer[cstpChannel]
	dtls    atomic.Pointer[dtlsChannel]

	counters counters
}

// counters count inner packets; from is out of the session's tunnel, to is into it.
type counters struct {
	fromPackets, fromBytes, toPackets, toBytes atomic.Uint64
	refused, dropped                           atomic.Uint64
}

// newSession makes a session that has no channel yet.
func newSession(g *Gateway, name string, record sessionRecord, set *inventory.Set, now time.Time) *session {
	s := &session{g: g, name: name, record: record, old: record.Old}
	s.log = g.log.With(logging.Session, record.ID, logging.User, record.User)
	if record.Device != "" {
		s.log = s.log.With(logging.Phone, record.Device)
	}
	group := set.TunnelGroups[record.TunnelGroup]
	config := tunnel.SessionConfig{Login: record.Began}
	if group != nil {
		s.phones = group.Phones
		if policy := set.GroupPolicies[group.DefaultGroupPolicy]; policy != nil {
			config.Timers = timersOf(policy)
		}
	}
	config.Tell = !s.phones
	s.machine = tunnel.NewSession(config, now)
	return s
}

// serve answers a CONNECT and is the CSTP channel's reader until it ends.
func (s *session) serve(ctx context.Context, c *conn, request cstp.Request) error {
	channel, err := s.open(ctx, c, request)
	if err != nil {
		var refusal *cstp.Refusal
		if errors.As(err, &refusal) {
			return c.refuse(*refusal)
		}
		return err
	}
	err = s.readCSTP(c, channel)
	channel.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cstp.CompareAndSwap(channel, nil) {
		s.machine.ChannelDown(time.Now(), tunnel.CSTP)
		s.log.Info("channel down", logging.Channel, tunnel.CSTP.String(), logging.Err, err)
	}
	return nil
}

// open grants a CONNECT: an address, an answer, a place for the DTLS channel to come.
func (s *session) open(ctx context.Context, c *conn, request cstp.Request) (*cstpChannel, error) {
	s.connecting.Lock()
	defer s.connecting.Unlock()
	policy, f, err := s.policyOf(c.set)
	if err != nil {
		s.log.Warn("connect refused", logging.Err, err)
		return nil, &cstp.Refusal{Status: 503, Phrase: "Service Unavailable", Reason: "Configuration changed"}
	}
	addr, err := s.g.sessions.addressOf(ctx, s)
	if err != nil {
		code := finding.AddressPoolExhausted.With(s.g.pool.String())
		s.log.Error("connect refused", logging.Finding, code.Code, "says", code.Says, logging.Err, err)
		refusal := cstp.NoAddress
		return nil, &refusal
	}
	policy.Address = netip.PrefixFrom(addr, s.g.pool.Bits())
	master, err := request.MasterKey()
	policy.DTLS = policy.DTLS && err == nil
	state := c.tls.ConnectionState()
	id := [cstp.SessionIDLen]byte(randomBytes(cstp.SessionIDLen))
	answer := tunnel.Negotiate(request, policy, tunnel.Link{TLSSuite: state.CipherSuite, MTU: pathMTU(c.tls.NetConn()), IPv6: c.peer.Addr().Is6()}, id)
	reply, err := answer.AppendBinary(nil)
	if err != nil {
		return nil, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	actions, err := s.machine.ChannelUp(now, tunnel.CSTP)
	if err != nil {
		refusal := cstp.CookieRefused
		return nil, &refusal
	}
	s.do(ctx, actions)
	// The DTLS side must know the id before the client does: its hello may overtake the answer.
	s.g.handshakes.expect(s, id, answer.DTLS, master)
	channel := newCSTPChannel(c)
	channel.send(reply)
	s.filter.Store(f)
	s.peer = c.peer
	s.cstp.Store(channel)
	s.log.Info("channel up", logging.Channel, tunnel.CSTP.String(), logging.Stage, stage.Tunnel.String(), logging.Peer, c.peer.String(),
		"address", addr.String(), "tls", tls.VersionName(state.Version), "cipher", tls.CipherSuiteName(state.CipherSuite),
		"mtu", answer.MTU, "dtls", answer.DTLS.CipherSuite+answer.DTLS.CipherSuite12, "agent", request.UserAgent)
	return channel, nil
}

// readCSTP hands on what comes over the CSTP channel.
func (s *session) readCSTP(c *conn, channel *cstpChannel) error {
	c.in.left = math.MaxInt
	reader := cstp.NewReader(c.read, tlsMaxContent)
	for {
		t, payload, err := reader.Next()
		if err != nil {
			return err
		}
		if t == cstp.Data {
			s.fromClient(tunnel.CSTP, payload)
			continue
		}
		if s.cstp.Load() != channel {
			return errReplaced
		}
		s.control(tunnel.CSTP, t, payload)
	}
}

var errReplaced = errors.New("gateway: another connection took the session over")

// control passes a control frame to the machine.
func (s *session) control(channel tunnel.Channel, t cstp.Type, payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	actions, err := s.machine.Received(time.Now(), channel, t, payload)
	if err != nil {
		s.counters.refused.Add(1)
		s.log.Debug("frame refused", logging.Channel, channel.String(), logging.Err, err)
		return
	}
	s.do(context.Background(), actions)
}

// advance lets the machine act on the time.
func (s *session) advance(ctx context.Context, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wake := s.machine.Wake(); !wake.IsZero() && !now.Before(wake) {
		s.do(ctx, s.machine.Advance(now))
	}
}

// end ends the session for good. With tell, clients that are no phones hear of it.
func (s *session) end(ctx context.Context, cause tunnel.Cause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do(ctx, s.machine.End(time.Now(), cause, !s.phones))
}

// do carries out the machine's actions. mu is held.
func (s *session) do(ctx context.Context, actions []tunnel.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case tunnel.Send:
			s.sendControl(a)
		case tunnel.CloseChannel:
			s.closeChannel(a.Channel)
		case tunnel.End:
			s.g.sessions.remove(ctx, s)
			s.log.Info("session ended", "cause", a.Cause.String(), "text", a.Text, "lasted", time.Since(s.record.Began),
				"packets_from", s.counters.fromPackets.Load(), "packets_to", s.counters.toPackets.Load())
		}
	}
}

func (s *session) sendControl(a tunnel.Send) {
	if a.Channel == tunnel.CSTP {
		if channel := s.cstp.Load(); channel != nil {
			channel.send(cstp.AppendFrame(nil, a.Type, a.Payload))
		}
		return
	}
	if channel := s.dtls.Load(); channel != nil {
		channel.sendMessage(a.Type, a.Payload)
	}
}

func (s *session) closeChannel(c tunnel.Channel) {
	if c == tunnel.CSTP {
		if channel := s.cstp.Swap(nil); channel != nil {
			channel.close()
		}
		return
	}
	if channel := s.dtls.Swap(nil); channel != nil {
		channel.close()
	}
}

// closeChannels closes both channels without a word to the client, as a restart does.
func (s *session) closeChannels() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeChannel(tunnel.DTLS)
	s.closeChannel(tunnel.CSTP)
}
