package callmanager

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

// remembered is how long a finding about a registration stands that nobody meets again.
const remembered = 24 * time.Hour

// isRefused tells of a registration that was refused.
func (m *Manager) isRefused(d register.Denied) {
	f := finding.RegistrationRefused.With(d.Line, d.Why)
	m.config.Findings.RaiseFor(remembered, f.Because("call manager", 0, d.Why))
	m.log.Warn("registration refused", "line", d.Line, "why", d.Why, logging.Finding, f.Code)
}

// isIn takes that back, and looks whether the phone is where it says it is: media goes there, and is lost behind a
// translation of addresses.
func (m *Manager) isIn(b register.Binding) {
	m.config.Findings.Clear(finding.RegistrationRefused, b.Line)
	who, seen := cmp.Or(b.Device, b.Line), b.Flow.Peer.Addr().Unmap()
	claimed, ok := contactAddress(b.Contact)
	if !ok || claimed == seen {
		m.config.Findings.Clear(finding.NATInTheWay, who)
		return
	}
	f := finding.NATInTheWay.With(seen, who+" says that it is at "+claimed.String()+", and comes from "+seen.String())
	f.Subject = who
	if m.config.Findings.RaiseFor(remembered, f.Because("call manager", 0, "Contact: "+b.Contact)) {
		m.log.Warn("addresses are translated", logging.Phone, b.Device, "line", b.Line, logging.Finding, f.Code, "says", f.Says)
	}
}

// contactAddress returns the address in a Contact; none where a name stands.
func contactAddress(contact string) (netip.Addr, bool) {
	a, err := sip.ParseAddress(contact)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(a.URI.Host)
	return addr.Unmap(), err == nil && !addr.IsUnspecified()
}
