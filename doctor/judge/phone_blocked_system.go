package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone that is blocked is kept out by everything, and nothing else needs an explanation.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SystemPhone) {
		if f.Get("blocked") == "true" {
			c.Find(finding.PhoneBlocked.With(f.Get("device")), f)
		}
	}
}, finding.PhoneBlocked)
