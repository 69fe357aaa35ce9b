package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservPortTaken) {
		where := f.Get("address")
		if where == "" {
			where = "the port of ocserv"
		}
		c.Find(finding.PortTaken.With(where, "another program"), f)
	}
}, finding.PortTaken)
