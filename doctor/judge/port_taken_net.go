package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservPortTaken) {
		if slices.ContainsFunc([]fact.Kind{fact.OcservLogin, fact.FileSent, fact.DHCPFiles}, func(k fact.Kind) bool { return c.later(k, f) }) {
			continue // it got the port later, or does what phones need without
		}
		where := f.Get("address")
		if where == "" {
			where = "the port of ocserv"
		}
		c.Find(finding.PortTaken.With(where, "another program"), f)
	}
}, finding.PortTaken)
