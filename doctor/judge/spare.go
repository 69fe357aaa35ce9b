package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone that knows one certificate is locked out when that one is replaced.
var _ = rule(func(c *Case) {
	for _, vpn := range c.All(fact.SEPVPN) {
		different := map[string]bool{}
		var on []fact.Fact
		for _, h := range c.All(fact.FileHash) {
			if h.Source == vpn.Source {
				different[h.Get("sha1")] = true
				on = append(on, h)
			}
		}
		if vpn.Get("whole") == "true" && len(different) == 1 {
			c.Find(finding.NoSpareCertificate.With(gateway(c)), on...)
		}
	}
}, finding.NoSpareCertificate)
