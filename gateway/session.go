package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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

// The defaults of a group policy, the ASA's.
const (
	defaultDPD       = 30
	defaultKeepalive = 20
)

func timersOf(p *inventory.GroupPolicy) tunnel.Timers {
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	or := func(n *int, otherwise int) int {
		if n == nil {
			return otherwise
		}
		return *n
	}
	return tunnel.Timers{
		DPD:                 seconds(or(p.DPDInterval, defaultDPD)),
		Keepalive:           seconds(or(p.KeepAlive, defaultKeepalive)),
		IdleTimeout:         seconds(p.IdleTimeout),
		SessionTimeout:      seconds(p.SessionTimeout),
		DisconnectedTimeout: seconds(p.DisconnectedTimeout),
	}
}

// policyOf is what the inventory grants a session now.
func (s *session) policyOf(set *inventory.Set) (tunnel.Policy, *filter, error) {
	group := set.TunnelGroups[s.record.TunnelGroup]
	if group == nil {
		return tunnel.Policy{}, nil, fmt.Errorf("tunnel group %q is gone", s.record.TunnelGroup)
	}
	policy := set.GroupPolicies[group.DefaultGroupPolicy]
	if policy == nil {
		return tunnel.Policy{}, nil, fmt.Errorf("group policy %q is gone", group.DefaultGroupPolicy)
	}
	p := tunnel.Policy{
		Timers: timersOf(policy), Domain: policy.DefaultDomain, Banner: policy.Banner, MTU: policy.MTU,
		Phones: group.Phones, Legacy: group.LegacyPhones,
		DTLS: s.g.udp != nil && (policy.DTLS == nil || *policy.DTLS),
	}
	if s.g.udp != nil {
		p.DTLSPort = int(s.g.config.DTLS.Port())
	}
	for _, server := range policy.DNSServers {
		addr, err := netip.ParseAddr(server)
		if err != nil {
			return p, nil, fmt.Errorf("group policy %q: DNS server: %w", policy.Name, err)
		}
		p.DNS = append(p.DNS, addr)
	}
	if err := splitOf(&p, policy, group.Phones); err != nil {
		return p, nil, err
	}
	if policy.Filter == "" {
		return p, nil, nil
	}
	list := set.AccessLists[policy.Filter]
	if list == nil {
		return p, nil, fmt.Errorf("access list %q is gone", policy.Filter)
	}
	f, err := compileFilter(list)
	return p, f, err
}

// splitOf reads the split-tunnel policy. Phones get everything through the tunnel whatever is written.
func splitOf(p *tunnel.Policy, policy *inventory.GroupPolicy, phones bool) error {
	if phones {
		return nil
	}
	var networks []netip.Prefix
	for _, text := range policy.SplitTunnelNetworks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("group policy %q: split tunnel network: %w", policy.Name, err)
		}
		networks = append(networks, network)
	}
	switch policy.SplitTunnelPolicy {
	case "tunnelspecified":
		p.SplitInclude = networks
	case "excludespecified":
		p.SplitExclude = networks
	}
	return nil
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

// cstpChannel writes to a session's TLS connection. Packets come from the lane, which must not wait for
// a slow client: they queue, and a goroutine that lives only while there is something to write empties
// the queue.
type cstpChannel struct {
	conn *conn

	mu      sync.Mutex
	queue   [][]byte // each becomes one TLS record
	writing bool
	closing bool
}

// maxQueue is how many packets may wait for a client that reads slowly; at 50 packets a second it is
// five seconds of voice, and more would only be late.
const maxQueue = 256

func newCSTPChannel(c *conn) *cstpChannel { return &cstpChannel{conn: c} }

// send queues bytes and reports whether there was room. It keeps b.
func (c *cstpChannel) send(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || len(c.queue) >= maxQueue {
		return false
	}
	c.queue = append(c.queue, b)
	if !c.writing {
		c.writing = true
		c.conn.g.wg.Go(c.drain)
	}
	return true
}

// drain writes until the queue is empty.
func (c *cstpChannel) drain() {
	for {
		c.mu.Lock()
		queue := c.queue
		c.queue = nil
		if len(queue) == 0 {
			c.writing = false
			closing := c.closing
			c.mu.Unlock()
			if closing {
				c.hangUp()
			}
			return
		}
		c.mu.Unlock()
		for _, b := range queue {
			if err := c.conn.write(b); err != nil {
				c.conn.log.Debug("write", logging.Channel, tunnel.CSTP.String(), logging.Err, err)
				_ = c.conn.tls.NetConn().Close() // the reader sees it and tells the session
				c.mu.Lock()
				c.closing, c.writing, c.queue = true, false, nil
				c.mu.Unlock()
				return
			}
		}
	}
}

// close ends the channel after what is queued has been written.
func (c *cstpChannel) close() {
	c.mu.Lock()
	already := c.closing
	c.closing = true
	writing := c.writing
	c.mu.Unlock()
	if !already && !writing {
		c.hangUp()
	}
}

func (c *cstpChannel) hangUp() {
	_ = c.conn.closeWrite()          // the client may be gone already
	_ = c.conn.tls.NetConn().Close() // ends the reader
}
