package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone that has fetched the present file, and whose registration is older than that, goes on with what it read before.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SystemPhone) {
		if f.Get("fetched") == "current" && f.Get("file") == "older" && f.Get("registered") == "true" {
			c.Find(finding.VPNNotRestarted.With(f.Get("device")).As(finding.Likely), f)
		}
	}
}, finding.VPNNotRestarted)
