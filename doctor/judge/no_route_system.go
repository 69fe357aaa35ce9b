package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// That nobody in the office confirms a route to the pool is worth a note. With somebody who is not heard it is the usual
// cause: what the phone says leaves through the gateway, and the answer goes to a router that does not know the pool.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SystemFinding) {
		if f.Get("code") != finding.NoRouteToPool.Code {
			continue
		}
		for _, deaf := range c.All(fact.OwnFinding) {
			if deaf.Get("code") == finding.OneWayAudio.Code {
				told := toldBy(finding.NoRouteToPool, f).As(finding.Likely)
				c.Find(told, f, deaf)
			}
		}
	}
}, finding.NoRouteToPool)
