package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ASAServerDead) {
		c.Find(lasting(finding.AAAServerDead.With(f.Get("server"), f.Get("reason")), f), f)
	}
}, finding.AAAServerDead)
