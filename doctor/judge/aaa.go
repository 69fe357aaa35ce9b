package judge

import (
	"cmp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What servers that know users say. A server is asked by others than VPN gateways, too; who is let in later has no trouble
// any more.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.AAARefused) {
		found := finding.LoginRefused.With(cmp.Or(f.Get("user"), "a phone"))
		if f.Get("vpn") != "true" {
			found = found.As(finding.Likely)
		}
		for _, in := range c.Of(fact.AAAAccepted, "user", f.Get("user")) {
			if below(in, f) {
				found = found.As(finding.Possible)
			}
		}
		c.Find(found, f)
	}
	for _, f := range c.All(fact.AAADropped) {
		server := cmp.Or(f.Get("program"), "that is asked")
		c.Find(finding.AAAServerDead.With("("+server+")", "it throws away what "+cmp.Or(f.Get("client"), "the gateway")+" asks, because "+f.Get("reason")).As(finding.Likely), f)
	}
	for _, f := range c.All(fact.AAANoAnswer) {
		c.Find(finding.AAAServerDead.With(cmp.Or(f.Get("server"), "that the gateway asks"), f.Get("reason")).As(finding.Likely), f)
	}
}, finding.LoginRefused, finding.AAAServerDead)
