package callmanager

import (
	"cmp"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

// remembered is how long a finding about a registration stands that nobody meets again.
const remembered = 24 * time.Hour

// isRefused tells of a registration that was refused. What cannot be the name of a phone or line is noise from the network,
// and stands in the log alone.
func (m *Manager) isRefused(d register.Denied) {
	f := finding.RegistrationRefused.With(d.Line, d.Why)
	if strings.ContainsFunc(d.Line, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		m.log.Warn("registration refused", "line", d.Line, "why", d.Why)
		return
	}
	m.config.Findings.RaiseFor(remembered, f.Because("call manager", 0, d.Why))
	m.log.Warn("registration refused", "line", d.Line, "why", d.Why, logging.Finding, f.Code)
}

// isIn takes that back, and looks whether the phone is where it says it is: media goes there, and is lost behind a
// translation of addresses.
func (m *Manager) isIn(b register.Binding) {
	m.config.Findings.Clear(finding.RegistrationRefused, b.Line)
	if b.Device != "" {
		m.config.Findings.Clear(finding.RegistrationRefused, b.Device)
	}
	who, seen := cmp.Or(b.Device, b.Line), b.Flow.Peer.Addr().Unmap()
	claimed, ok := contactAddress(b.Contact)
	if !ok || claimed == seen {
		m.config.Findings.Clear(finding.NATInTheWay, who)
		return
	}
	f := finding.NATInTheWay.With(seen, who+" says that it is at "+claimed.String()+", and comes from "+seen.String())
	f.Subject = who
	if m.config.Findings.RaiseFor(remembered, f.Because("call manager", 0, "the phone gives its address as "+b.Contact)) {
		m.log.Warn("addresses are translated", logging.Phone, b.Device, "line", b.Line, logging.Finding, f.Code, "says", f.Says)
	}
}

// contactAddress returns the address in a Contact, or the bare one that a phone gives by SCCP; none where a name stands.
func contactAddress(contact string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(contact); err == nil {
		return addr.Unmap(), !addr.IsUnspecified()
	}
	a, err := sip.ParseAddress(contact)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(a.URI.Host)
	return addr.Unmap(), err == nil && !addr.IsUnspecified()
}
