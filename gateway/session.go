package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
	dtlsengine "github.com/longcord/longcord/stage/tunnel/dtls"
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
	phones bool // its tunnel group is for phones

	settling  sync.Mutex // held while the session gets what it holds in store, pool and host, or gives it back
	gone      bool       // it holds nothing any more, for good
	accounted bool       // its beginning was told to the accountant

	before *session // that it takes the place of, until it has its record; guarded by the registry's mutex
	vain   bool     // it has no record and never gets one; likewise

	armed int64 // the second in which the wheel wakes it, zero if it does not; guarded by the wheel's mutex

	mu      sync.Mutex
	machine *tunnel.Session
	peer    netip.AddrPort // of the CSTP channel, now or last; of the login before the first
	granted granted        // at the last CONNECT
	had     [2]bool        // which channels were up before, for those who are told
	lost    bool           // they were told that it waits without a channel
	watch   *time.Timer    // until somebody looks whether packets take DTLS; nil: nobody does
	cause   tunnel.Cause   // of its end

	address  atomic.Pointer[netip.Addr] // inner; nil before the first CONNECT
	address6 atomic.Pointer[netip.Addr] // inner IPv6; nil: none
	filter   atomic.Pointer[filter]
	cstp     atomic.Pointer[cstpChannel]
	dtls     atomic.Pointer[dtlsChannel]

	capture atomic.Pointer[capture] // nil: nobody looks
	barred  atomic.Pointer[barred]  // nil: its registrations get through, or it sends none

	narrow   narrow
	counters counters
}

// counters count inner packets; from is out of the session's tunnel, to is into it.
type counters struct {
	fromPackets, fromBytes, toPackets, toBytes atomic.Uint64
	refused, dropped                           atomic.Uint64
}

// newSession makes a session that has no channel yet.
func newSession(g *Gateway, name string, record sessionRecord, set *inventory.Set, now time.Time) *session {
	s := &session{g: g, name: name, record: record, peer: record.Peer}
	s.log = g.log.With(logging.Session, record.ID, logging.User, record.User)
	if record.Device != "" {
		s.log = s.log.With(logging.Phone, record.Device)
	}
	group := set.TunnelGroups[record.TunnelGroup]
	config := tunnel.SessionConfig{Login: record.Began}
	if group != nil {
		s.phones = group.Phones
		config.Timers = record.timers(set, group)
	}
	config.Tell = !s.phones
	s.machine = tunnel.NewSession(config, now)
	return s
}

// innerAddress is not valid before the first CONNECT.
func (s *session) innerAddress() netip.Addr {
	if addr := s.address.Load(); addr != nil {
		return *addr
	}
	return netip.Addr{}
}

// innerAddresses are all that the session has.
func (s *session) innerAddresses() (all []netip.Addr) {
	for _, addr := range []*netip.Addr{s.address.Load(), s.address6.Load()} {
		if addr != nil {
			all = append(all, *addr)
		}
	}
	return all
}

// owns reports whether a packet that came out of the session's tunnel may have come from an address.
func (s *session) owns(src netip.Addr) bool {
	addr := s.address.Load()
	if src.Is6() {
		addr = s.address6.Load()
	}
	return addr != nil && *addr == src
}

// samePhone reports whether a login is by the phone that this session belongs to.
func (s *session) samePhone(login sessionRecord) bool {
	return login.Device != "" && s.record.Device == login.Device && s.record.UserAgent == login.UserAgent
}

func (s *session) dead() bool { return s.cstp.Load() == nil && s.dtls.Load() == nil }

// carry reads the CSTP channel until it ends.
func (s *session) carry(from io.Reader, channel *cstpChannel) {
	defer s.contain()
	err := s.readCSTP(from, channel)
	channel.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cstp.CompareAndSwap(channel, nil) {
		s.machine.ChannelDown(time.Now(), tunnel.CSTP)
		s.rearm()
		s.channelDown(tunnel.CSTP, transportClosing, err)
	}
}

// notNow tells a client to come back with its cookie: what is wrong is not its fault.
func notNow(reason string) *cstp.Refusal {
	return &cstp.Refusal{Status: http.StatusServiceUnavailable, Phrase: "Service Unavailable", Reason: reason}
}

// grant is open, contained.
func (s *session) grant(ctx context.Context, c *conn, group *inventory.TunnelGroup, request cstp.Request) (channel *cstpChannel, err error) {
	defer s.contain()
	err = errGone // unless open returns
	return s.open(ctx, c, group, request)
}

// open grants a CONNECT: an address, an answer, a place for the DTLS channel to come.
func (s *session) open(ctx context.Context, c *conn, group *inventory.TunnelGroup, request cstp.Request) (*cstpChannel, error) {
	s.settling.Lock()
	defer s.settling.Unlock()
	if s.gone {
		refusal := cstp.CookieRefused
		return nil, &refusal
	}
	policy, err := s.policyOf(c.set, group)
	if err != nil {
		s.log.Warn("connect refused", logging.Err, err)
		return nil, notNow("Configuration changed")
	}
	if err := s.settle(ctx, c, group, request, &policy); err != nil {
		return nil, err
	}
	f, err := s.filterOf(c.set, group)
	if err != nil {
		s.log.Warn("connect refused", logging.Err, err)
		return nil, notNow("Configuration changed")
	}
	id := [cstp.SessionIDLen]byte(randomBytes(cstp.SessionIDLen))
	state := c.tls.ConnectionState()
	link := tunnel.Link{TLSSuite: state.CipherSuite, PSK: state.Version >= tls.VersionTLS12, IPv6: c.peer.Addr().Is6()}
	link.MTU, link.Proven = s.wayTo(c)
	policy.Age, policy.Rekey = time.Since(s.record.Began), spread(policy.Rekey)
	answer := tunnel.Negotiate(request, policy, link, id)
	dtls, err := dtlsConfig(c, answer.DTLS, request)
	if err != nil {
		return nil, err
	}
	reply, err := answer.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	g := granted{tls: state.Version, suite: state.CipherSuite, old: c.weak, mtu: answer.MTU, way: link.Proven, noDTLS: s.g.whyNoDTLS(policy, request, answer)}
	channel, err := s.openCSTP(c, policy.Timers, answer, reply, f, dtls, request, g)
	if err == nil {
		s.judgeGrant(policy, request, g.noDTLS)
		s.g.followed(s.record.UserAgent, request.UserAgent)
		s.begins()
	}
	if set := s.g.config.Inventory(); err == nil && set != c.set {
		s.refilter(set) // it changed meanwhile, and the sessions may have been held to it already
	}
	return channel, err
}

// wayTo is what TCP knows of the way to the client, and what it has proven there: on this connection, if a
// reply has filled packets, else on the one before from the same address. Zero: nothing.
func (s *session) wayTo(c *conn) (mtu, proven int) {
	mtu, segments := pathMTU(c.raw)
	if c.filled {
		return mtu, min(mtu, segments)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peer.Addr() == c.peer.Addr() {
		proven = s.granted.way
	}
	return mtu, proven
}

// settle gives the session its addresses, and the policy with them.
func (s *session) settle(ctx context.Context, c *conn, group *inventory.TunnelGroup, request cstp.Request, policy *tunnel.Policy) error {
	r := s.g.sessions
	addr, err := r.addressOf(ctx, s, c.set, group)
	var none *exhausted
	switch {
	case errors.As(err, &none):
		r.lackOf(s, none)
		s.noAddress(c.peer.Addr())
		refusal := cstp.NoAddress
		return &refusal
	case err != nil:
		s.log.Error("connect refused", logging.Err, err)
		return notNow("Try again")
	}
	policy.Address = netip.PrefixFrom(addr, r.pools.with(addr).network.Bits())
	policy.Address6 = r.address6Of(s, c.set, group, request)
	return nil
}

// openCSTP makes a connection the session's CSTP channel, in place of any before it.
func (s *session) openCSTP(c *conn, timers tunnel.Timers, answer cstp.Answer, reply []byte, f *filter, dtls *dtlsengine.Config, request cstp.Request, granted granted) (*cstpChannel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.machine.Retime(timers)
	replaces := s.cstp.Load() != nil
	actions, err := s.machine.ChannelUp(time.Now(), tunnel.CSTP)
	if err != nil {
		refusal := cstp.CookieRefused
		return nil, &refusal
	}
	s.do(actions)
	s.rearm()
	// The DTLS side must know the id before the client does: its hello may overtake the answer.
	s.g.handshakes.expect(s, dtls)
	channel := newCSTPChannel(c, reply)
	s.filter.Store(f)
	s.peer = c.peer
	s.cstp.Store(channel)
	s.granted = granted
	s.watchDTLS()
	s.cstpUp(c, answer, request, replaces)
	if c.weak {
		s.usedLegacy(tls.VersionName(c.tls.ConnectionState().Version))
	}
	channel.begin() // and the client knows that it may speak
	return channel, nil
}

// readCSTP hands on what comes over the CSTP channel, until it ends or is the session's no more.
func (s *session) readCSTP(from io.Reader, channel *cstpChannel) error {
	reader := cstp.NewReader(from, tls10.MaxRecord)
	for {
		t, payload, err := reader.Next()
		if err != nil {
			return err
		}
		if s.cstp.Load() != channel { // replaced, or the session has ended and its address is another's
			return errReplaced
		}
		if t == cstp.Data {
			s.fromClient(nil, time.Now(), tunnel.CSTP, payload)
			continue
		}
		s.control(tunnel.CSTP, t, payload)
	}
}

var errReplaced = errors.New("gateway: the connection is the session's no more")

// control passes a control frame to the machine. It may be called by the packet path: what takes long
// when the session ends by it is left to a goroutine.
func (s *session) control(channel tunnel.Channel, t cstp.Type, payload []byte) {
	ended, err := s.act(func(now time.Time) ([]tunnel.Action, error) {
		if t == cstp.Disconnect {
			s.saysFarewell(cstp.ParseFarewell(payload))
		}
		return s.machine.Received(now, channel, t, payload)
	})
	if err != nil {
		s.counters.refused.Add(1)
		s.log.Debug("frame refused", logging.Channel, channel.String(), logging.Err, err)
	}
	if ended {
		s.g.wg.Go(func() { s.g.sessions.remove(s) })
	}
}

// advance lets the machine act on the time.
func (s *session) advance() {
	defer s.contain()
	ended, _ := s.act(func(now time.Time) ([]tunnel.Action, error) {
		if wake := s.machine.Wake(); wake.IsZero() || now.Before(wake) {
			return nil, nil
		}
		before, _ := s.machine.DataChannel()
		actions := s.machine.Advance(now)
		if after, up := s.machine.DataChannel(); up && after != before {
			s.log.Warn("nothing comes by the channel; data takes another", "silent", before.String(), logging.Channel, after.String())
			s.watchDTLS()
		}
		return actions, nil
	})
	if ended {
		s.g.sessions.remove(s)
	}
}

// act tells the machine of an event and carries out what it answers. When the session has ended by it,
// the caller has the registry remove it.
func (s *session) act(event func(now time.Time) ([]tunnel.Action, error)) (ended bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	actions, err := event(time.Now())
	s.rearm()
	return s.do(actions), err
}

// rearm has the wheel wake the session when its machine wants to be. mu is held.
func (s *session) rearm() { s.g.sessions.wheel.arm(s, s.machine.Wake()) }

// do carries out the machine's actions and reports whether the last of them was the end. mu is held.
func (s *session) do(actions []tunnel.Action) (ended bool) {
	for _, a := range actions {
		switch a := a.(type) {
		case tunnel.Send:
			s.sendControl(a)
		case tunnel.CloseChannel:
			s.closeChannel(a.Channel)
			reason := transportClosing
			if a.Dead {
				reason = dpdFailure
			}
			s.channelDown(a.Channel, reason, nil)
		case tunnel.End:
			ended = true
			s.isOver(a)
		}
	}
	return ended
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
	s.unwatchDTLS()
	s.capture.Load().end()
}

// contain is deferred wherever a session is worked for: a panic there ends this session and nothing else.
func (s *session) contain() {
	if p := recover(); p != nil {
		s.broken(p)
	}
}

// broken ends a session after a panic. Nobody knows in which state that left machine and channels, so they
// are let go without being asked.
func (s *session) broken(p any) {
	s.log.Error("session ended by a panic", "panic", p, "stack", string(debug.Stack()))
	s.g.sessions.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if channel := s.cstp.Swap(nil); channel != nil {
		channel.conn.hangUp()
		s.g.sessions.channels[tunnel.CSTP].goes()
	}
	if channel := s.dtls.Swap(nil); channel != nil {
		channel.leave()
		s.g.sessions.channels[tunnel.DTLS].goes()
	}
	s.unwatchDTLS()
}
