package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// everything is how a route for all destinations may be written.
var everything = []string{"default", "0.0.0.0/0", "0.0.0.0/0.0.0.0"}

// ocserv sends everything through the tunnel when it has no route, or the route default.
var _ = rule(func(c *Case) {
	for _, o := range c.ocservFiles() {
		routes := o.all("route")
		all := slices.ContainsFunc(routes, func(f fact.Fact) bool { return slices.Contains(everything, f.Get("value")) })
		if len(routes) > 0 && !all {
			c.Find(finding.SplitTunnel.With("of ocserv").As(finding.Likely), routes...)
		}
	}
	for _, f := range c.All(fact.ClientSplit) {
		c.Find(finding.SplitTunnel.With("of the login that was tried").As(finding.Likely), f)
	}
}, finding.SplitTunnel)
