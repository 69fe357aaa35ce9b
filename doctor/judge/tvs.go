package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The phone asked a trust verification service and got no answer that it could use.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneTVSFailed) {
		if !c.later(fact.PhoneTVSAnswered, f) {
			c.Find(finding.TVSUnreachable.With(f.Get("server")), f)
		}
	}
}, finding.TVSUnreachable)
