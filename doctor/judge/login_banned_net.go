package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservBanned) {
		found := graver(finding.LoginBanned.With(f.Get("address")))
		if c.passerby(f) || slices.ContainsFunc(c.Of(fact.OcservLogin, "client", f.Get("address")), func(in fact.Fact) bool { return below(in, f) }) {
			found = aside(found)
		}
		c.Find(found, f)
	}
}, finding.LoginBanned)
