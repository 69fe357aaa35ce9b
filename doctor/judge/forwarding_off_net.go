package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A later line switches it on again, as the files of sysctl do.
var _ = rule(func(c *Case) {
	if f, ok := c.Last(fact.Forwarding); ok && f.Get("on") == "0" {
		c.Find(finding.ForwardingOff.With(), f)
	}
}, finding.ForwardingOff)
