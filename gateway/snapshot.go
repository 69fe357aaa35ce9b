package gateway

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/longcord/longcord/stage/tunnel"
)

// SessionInfo is one session as people see it.
type SessionInfo struct {
	ID          uint64
	User        string
	Device      string // empty: the session belongs to no phone
	TunnelGroup string
	State       string         // disconnected or connected
	Address     netip.Addr     // inner; not valid before the first CONNECT
	Address6    netip.Addr     // inner IPv6; not valid: none
	Peer        netip.AddrPort // of the CSTP channel, now or last
	Transport   string         // dtls, tls, or empty while disconnected
	DTLSVersion string
	Cipher      string // of the DTLS channel
	UserAgent   string
	Began       time.Time
	Enrolment   bool // opened by a manufacturer's certificate: reaches enrolment and files only

	FromPackets, FromBytes, ToPackets, ToBytes uint64 // inner; from is out of the session's tunnel
	Refused, Dropped                           uint64
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
	s.mu.Lock()
	defer s.mu.Unlock()
	i := SessionInfo{
		ID: s.record.ID, User: s.record.User, Device: s.record.Device, TunnelGroup: s.record.TunnelGroup,
		State: s.machine.State().String(), Address: s.innerAddress(), Peer: s.peer, UserAgent: s.record.UserAgent, Began: s.record.Began,
		Enrolment:   s.record.Enrolment,
		FromPackets: s.counters.fromPackets.Load(), FromBytes: s.counters.fromBytes.Load(),
		ToPackets: s.counters.toPackets.Load(), ToBytes: s.counters.toBytes.Load(),
		Refused: s.counters.refused.Load(), Dropped: s.counters.dropped.Load(),
	}
	if addr := s.address6.Load(); addr != nil {
		i.Address6 = *addr
	}
	if channel, up := s.machine.DataChannel(); up {
		i.Transport = "tls"
		if d := s.dtls.Load(); channel == tunnel.DTLS && d != nil {
			i.Transport, i.DTLSVersion, i.Cipher = "dtls", d.conn.Version().String(), d.conn.Suite().String()
		}
	}
	return i
}
