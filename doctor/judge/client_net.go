package judge

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What clients do not believe of the gateway's certificate. Phones compare a hash and, where told, the name.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ClientDistrust) {
		if c.elsewhere(f.Get("host")) {
			continue
		}
		host := cmp.Or(f.Get("host"), "the host that was tried")
		switch reason := f.Get("reason"); {
		case strings.Contains(reason, "expired"):
			c.Find(finding.CertificateExpired.With(host, "before somebody looked").As(finding.Likely), f)
		case strings.Contains(reason, "hostname"):
			found := finding.HostIDMismatch.With(host).As(finding.Likely)
			if name, _, _ := strings.Cut(host, ":"); isAddress(name) && c.later(fact.ClientUp, f) { // tried by its address, with a yes to the question: a phone has a name
				found = aside(found)
			}
			c.Find(found, f)
		default:
			c.Find(finding.CertificateNotYetValid.With(host, "a date to come").As(finding.Likely), f)
		}
	}
}, finding.CertificateExpired, finding.HostIDMismatch, finding.CertificateNotYetValid)

func isAddress(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil
}

// A gateway that wants Host Scan wants it of everybody who logs in so, and phones cannot run it.
var _ = rule(func(c *Case) {
	if f, ok := c.Last(fact.ClientHostScan); ok && !c.later(fact.ClientUp, f) {
		c.Find(finding.HostScanOnPhones.With(finding.Unnamed("of the login that was tried")).As(finding.Likely), f)
	}
}, finding.HostScanOnPhones)

// Sessions that came back with another address, and sessions that the gateway ended. A limit that it announced is what ended
// them, when it says nothing else.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ClientMoved) {
		c.Find(finding.AddressChanged.With("the client", f.Get("was")+", then "+f.Get("now")), f)
	}
	for _, f := range c.All(fact.ClientCertificateRefused) {
		if reason := f.Get("reason"); outOfDate.MatchString(reason) {
			c.Find(finding.ClientCertificateExpired.With("who was tried", "it "+reason), f)
		} else {
			c.Find(finding.ClientCertificateUntrusted.With("who was tried", "the gateway says: "+reason).As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.ClientEnded) {
		limit, limited := c.First(fact.ClientLimit)
		switch reason := strings.ToLower(f.Get("reason")); {
		case strings.Contains(reason, "idle"):
			c.Find(finding.IdleTimeout.With("the client", "the time that is set"), f)
		case strings.Contains(reason, "time exceeded"), strings.Contains(reason, "session expired"), strings.Contains(reason, "session timeout"):
			c.Find(finding.SessionTimeout.With("the client", "the time that is set"), f)
		case reason == "" && limited && limit.Source == f.Source:
			c.Find(finding.SessionTimeout.With("the client", "the time that is set").As(finding.Likely), f, limit)
		default:
			c.Need("send the gateway's log of that moment: it ended the session (ASA: `show logging`; ocserv: `journalctl -u ocserv`)")
		}
	}
}, finding.AddressChanged, finding.ClientCertificateExpired, finding.ClientCertificateUntrusted, finding.IdleTimeout, finding.SessionTimeout)
