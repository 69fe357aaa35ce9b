package judge

import (
	"cmp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservTooMany) {
		found := finding.SessionLimit.With(cmp.Or(f.Get("user"), "the gateway"))
		if c.entered(f, fact.OcservLogin) {
			found = aside(found)
		}
		c.Find(found, f)
	}
}, finding.SessionLimit)
