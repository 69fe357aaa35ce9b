package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The gateway says that it has no address, or what openconnect is told when it has none.
var _ = rule(func(c *Case) {
	pool := "of ocserv"
	for _, o := range c.ocservFiles() {
		if p, _, ok := o.pool(); ok {
			pool = p.String()
		}
	}
	for _, f := range c.All(fact.OcservNoLease) {
		found := finding.AddressPoolExhausted.With(pool)
		if c.entered(f, fact.OcservAddress) {
			found = aside(found)
		}
		c.Find(found, f)
	}
	for _, f := range c.All(fact.ClientRefused) {
		if reason := strings.ToLower(f.Get("reason")); strings.Contains(reason, "no address") || strings.Contains(reason, "no assigned address") {
			c.Find(finding.AddressPoolExhausted.With("of the gateway").As(finding.Likely), f)
		}
	}
}, finding.AddressPoolExhausted)
