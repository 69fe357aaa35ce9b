package gateway

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// What disturbs phones in their tunnels and is the doing of whoever runs the gateway. People's computers live with it, and
// are not spoken of.

// ofPhone reports whether the session is a phone's, by its login.
func (s *session) ofPhone() bool { return s.record.Device != "" }

// raise puts a finding on the board that is about this phone, until it is cleared or was not met again for a day.
func (s *session) raise(f finding.Finding, why string) {
	f.Subject = s.record.Device
	s.g.config.Findings.RaiseFor(remembered, f.Because("gateway", 0, s.record.Device+": "+why))
}

func (s *session) clear(all ...finding.Declaration) {
	for _, d := range all {
		s.g.config.Findings.Clear(d, s.record.Device)
	}
}

// judgeGrant says what an answer to CONNECT keeps from a phone; why is why it offers no DTLS, and empty when it does.
func (s *session) judgeGrant(policy tunnel.Policy, request cstp.Request, why string) {
	if !s.ofPhone() {
		return
	}
	if policy.IdleTimeout == 0 {
		s.clear(finding.IdleTimeout)
	}
	if policy.SessionTimeout == 0 {
		s.clear(finding.SessionTimeout)
	}
	asked := len(request.CipherSuites)+len(request.CipherSuites12) > 0
	switch {
	case why == "" || !asked:
		s.clear(finding.DTLSDisabled, finding.DTLSCipherMismatch)
	case s.g.udp == nil || !policy.DTLS:
		s.clear(finding.DTLSCipherMismatch)
		s.raise(finding.DTLSDisabled.With("the gateway"), why)
	default:
		s.clear(finding.DTLSDisabled)
		s.raise(finding.DTLSCipherMismatch.With("the gateway", why), "asked for DTLS")
	}
}

// judgeEnd says that a timer ended a phone's session. mu is held.
func (s *session) judgeEnd(end tunnel.End, lasted time.Duration) {
	if !s.ofPhone() {
		return
	}
	switch end.Cause {
	case tunnel.IdleTimeout:
		idle := time.Since(s.machine.Report().Idle).Round(time.Second)
		s.raise(finding.IdleTimeout.With(s.record.Device, idle), "ended after "+lasted.Round(time.Second).String())
	case tunnel.SessionTimeout:
		s.raise(finding.SessionTimeout.With(s.record.Device, lasted.Round(time.Second)), "ended")
	}
}

// judgeAddress says that a phone gets another address than before; the zero Addr is none.
func (s *session) judgeAddress(before, now netip.Addr) {
	switch {
	case !s.ofPhone():
	case before == now:
		s.clear(finding.AddressChanged)
	case before.IsValid():
		from := cmp.Or(s.record.User, s.record.Device)
		s.raise(finding.AddressChanged.With(s.record.Device, before.String()+", now "+now.String()), "logged in as "+from)
	}
}
