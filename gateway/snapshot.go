package gateway

import (
	"cmp"
	"crypto/tls"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// SessionInfo is one session as people see it.
type SessionInfo struct {
	ID          uint64
	User        string
	Device      string // empty: the session belongs to no phone
	TunnelGroup string
	GroupPolicy string
	Login       string     // aaa, certificate, or both
	State       string     // disconnected or connected
	Address     netip.Addr // inner; not valid before the first CONNECT
	Address6    netip.Addr // inner IPv6; not valid: none
	UserAgent   string
	Began       time.Time
	Idle        time.Time // when the last packet came or went; zero while disconnected
	Gone        time.Time // since when there is no channel; zero while there is one

	Transport string    // dtls or tls, the channel that packets take; empty while disconnected
	Since     time.Time // when they took to it, if that is known
	CSTP      ChannelInfo
	DTLS      ChannelInfo
	WhyNoDTLS string // empty while packets take DTLS
	MTU       int    // inner; 0 before the first CONNECT
	Old       bool   // TLS or DTLS is of the kind that only old phones may use
	Filter    string // access list; empty: none
	Enrolment bool   // opened by a manufacturer's certificate: reaches enrolment and files only
	Captured  string // who looks at its packets; empty: nobody

	IdleTimeout time.Duration // ends the session when no packet comes or goes for that long; zero: never

	FromPackets, FromBytes, ToPackets, ToBytes uint64 // inner; from is out of the session's tunnel
	Refused, Dropped                           uint64
}

// ChannelInfo is one of a session's channels. Version, Cipher and Peer stay what they were when the
// channel is down.
type ChannelInfo struct {
	Up      bool
	Version string
	Cipher  string
	Peer    netip.AddrPort
	Heard   time.Time // last sign of life; zero while down, and so are the others
	Spoke   time.Time
	Asked   time.Time // when dead-peer detection asked last, if ever
}

// granted is what a CONNECT came to, for people.
type granted struct {
	tls, suite uint16
	old        bool
	mtu        int
	way        int    // bytes of a packet that TCP has proven between client and gateway; zero: not known
	noDTLS     string // why the answer offered none
}

// Sessions lists the sessions, oldest first.
func (g *Gateway) Sessions() []SessionInfo {
	var all []SessionInfo
	for _, s := range g.sessions.all() {
		all = append(all, s.info())
	}
	slices.SortFunc(all, func(a, b SessionInfo) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (s *session) info() SessionInfo {
	failed := s.g.handshakes.progress(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &s.counters
	i := SessionInfo{
		ID: s.record.ID, User: s.record.User, Device: s.record.Device, TunnelGroup: s.record.TunnelGroup,
		State: s.machine.State().String(), Address: s.innerAddress(), UserAgent: s.record.UserAgent, Began: s.record.Began,
		Enrolment: s.record.Enrolment, MTU: s.granted.mtu, Old: s.granted.old,
		FromPackets: n.fromPackets.Load(), FromBytes: n.fromBytes.Load(), ToPackets: n.toPackets.Load(), ToBytes: n.toBytes.Load(),
		Refused: n.refused.Load(), Dropped: n.dropped.Load(),
	}
	if addr := s.address6.Load(); addr != nil {
		i.Address6 = *addr
	}
	if c := s.capture.Load(); c != nil {
		i.Captured = c.by
	}
	s.describePolicy(&i)
	s.describeChannels(&i, s.machine.Report(), failed)
	return i
}

// describePolicy fills in what the inventory says of the session now.
func (s *session) describePolicy(i *SessionInfo) {
	set := s.g.config.Inventory()
	group := set.TunnelGroups[s.record.TunnelGroup]
	if group == nil {
		return
	}
	policy := s.record.groupPolicy(set, group)
	i.IdleTimeout = s.record.timers(set, group).IdleTimeout
	i.GroupPolicy, i.Login = policy.Name, cmp.Or(group.Authentication, inventory.AuthenticateAAA)
	if policy.Filters() {
		i.Filter = policy.Filter
	}
}

// describeChannels fills in how packets go, and if it is not by DTLS why. mu is held.
func (s *session) describeChannels(i *SessionInfo, r tunnel.Report, progress string) {
	i.CSTP = channelInfo(r.Channels[tunnel.CSTP])
	i.CSTP.Peer = s.peer
	if s.granted.tls != 0 {
		i.CSTP.Version, i.CSTP.Cipher = tls.VersionName(s.granted.tls), tls.CipherSuiteName(s.granted.suite)
	}
	if d := s.dtls.Load(); d != nil {
		i.DTLS = channelInfo(r.Channels[tunnel.DTLS])
		i.Old = i.Old || d.conn.Version() == dtls.Version09
		i.DTLS.Version, i.DTLS.Cipher, i.DTLS.Peer = d.conn.Version().String(), d.conn.Suite().String(), d.peer.Load().AddrPort
	}
	if !r.Up {
		i.Gone = r.Gone
		return
	}
	i.Since, i.Idle = r.Since, r.Idle
	if i.Transport = "tls"; r.Data == tunnel.DTLS {
		i.Transport = "dtls"
		return
	}
	i.WhyNoDTLS = cmp.Or(s.granted.noDTLS, progress)
	if i.DTLS.Up {
		i.WhyNoDTLS = "nothing has come by it since " + i.DTLS.Heard.Format(time.DateTime)
	}
}

func channelInfo(r tunnel.ChannelReport) ChannelInfo {
	return ChannelInfo{Up: r.Up, Heard: r.Heard, Spoke: r.Spoke, Asked: r.Asked}
}

// whyNoDTLS says why an answer offers no DTLS; empty when it does.
func (g *Gateway) whyNoDTLS(policy tunnel.Policy, request cstp.Request, answer cstp.Answer) string {
	switch {
	case answer.DTLS.Port != 0:
		return ""
	case g.udp == nil:
		return "the gateway listens on no UDP port"
	case !policy.DTLS:
		return "the group policy has switched it off"
	case len(request.CipherSuites)+len(request.CipherSuites12) == 0:
		return "the client does not ask for it"
	}
	return "the client offers no cipher that it may use here: " + strings.Join(append(request.CipherSuites, request.CipherSuites12...), " ")
}
