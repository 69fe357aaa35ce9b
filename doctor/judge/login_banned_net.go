package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservBanned) {
		found := finding.LoginBanned.With(f.Get("address"))
		if c.passerby(f) {
			found = aside(found)
		}
		c.Find(found, f)
	}
}, finding.LoginBanned)
