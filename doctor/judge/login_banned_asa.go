package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.asaEvents(fact.ASALockedOut) {
		c.Find(c.ofPasserby(lasting(graver(finding.LoginBanned.With(f.Get("user"))), f), f), f)
	}
}, finding.LoginBanned)
