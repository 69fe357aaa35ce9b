package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// An ocserv that refuses its settings does not run, so nobody answers on its port.
var _ = rule(func(c *Case) {
	if f, ok := c.First(fact.OcservNotStarted); ok && !c.Has(fact.OcservLogin) {
		c.Find(finding.GatewayUnreachable.With("that ocserv should be").As(finding.Likely), f)
	}
}, finding.GatewayUnreachable)
