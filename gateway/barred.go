package gateway

import (
	"fmt"
	"net/netip"

	"github.com/longcord/longcord/finding"
)

// barred is where a phone's registrations stop: at a call manager that its filter does not let it reach.
type barred struct {
	server   netip.AddrPort
	protocol string
}

// registers reports whether a packet goes where call managers listen: SIP, SIP with TLS, SCCP, SCCP with TLS.
func registers(h *header) bool {
	switch h.port {
	case 5060, 5061, 2000, 2443:
		return !h.later && (h.protocol == protoTCP || h.protocol == protoUDP)
	}
	return false
}

// registering notes whether the filter lets a phone's registration through. Phones send it again and again; only what
// differs from before is looked at. A phone that has yet to get a certificate is kept from it on purpose.
func (s *session) registering(h *header, permitted bool) {
	at := s.barred.Load()
	if !permitted == (at != nil) || !s.ofPhone() || s.record.Enrolment {
		return
	}
	server := netip.AddrPortFrom(h.dst, h.port)
	var now *barred
	switch {
	case !permitted:
		now = &barred{server, map[uint8]string{protoTCP: "tcp", protoUDP: "udp"}[h.protocol]}
	case server != at.server: // another call manager lets it in; this one still does not
		return
	}
	if s.barred.CompareAndSwap(at, now) {
		s.g.wg.Go(s.judgeRegistration)
	}
}

// judgeRegistration says where a phone's registrations stop, as long as they do.
func (s *session) judgeRegistration() {
	defer s.contain()
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.barred.Load()
	if at == nil {
		s.clear(finding.RegistrationACL)
		return
	}
	policy := s.policy()
	list := "access list " + policy.Filter
	what := fmt.Sprintf("%s %d", at.protocol, at.server.Port())
	f := finding.RegistrationACL.With(at.server.Addr(), fmt.Sprintf("%s of group policy %s denies %s to it", list, policy.Name, what))
	f.Fix = []string{fmt.Sprintf(
		"add an entry to %s, before what denies it: `{action: permit, protocol: %s, destination: %s/%d, ports: %q}`, and apply the inventory; `longcord show access-list` counts what each entry decides",
		list, at.protocol, at.server.Addr(), at.server.Addr().BitLen(), fmt.Sprint(at.server.Port()))}
	s.raise(f, fmt.Sprintf("sends %s to %s from %v, which is refused", what, at.server.Addr(), s.innerAddress()))
}
