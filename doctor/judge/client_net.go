package judge

import (
	"cmp"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What clients do not believe of the gateway's certificate. Phones compare a hash and, where told, the name.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ClientDistrust) {
		host := cmp.Or(f.Get("host"), "that was tried")
		switch reason := f.Get("reason"); {
		case strings.Contains(reason, "expired"):
			c.Find(finding.CertificateExpired.With(host, "before somebody looked").As(finding.Likely), f)
		case strings.Contains(reason, "hostname"):
			c.Find(finding.HostIDMismatch.With(host).As(finding.Likely), f)
		default:
			c.Find(finding.CertificateNotYetValid.With(host, "a date to come").As(finding.Likely), f)
		}
	}
}, finding.CertificateExpired, finding.HostIDMismatch, finding.CertificateNotYetValid)
