package judge

import (
	"cmp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservTooMany) {
		c.Find(finding.SessionLimit.With(cmp.Or(f.Get("user"), "the gateway")), f)
	}
}, finding.SessionLimit)
