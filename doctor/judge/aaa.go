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
		if f.Get("user") != "" && c.entered(f, fact.AAAAccepted) {
			found = aside(found)
		}
		c.Find(c.ofPasserby(found, f), f)
	}
	for _, f := range c.All(fact.AAADropped) {
		server := cmp.Or(f.Get("program"), "that is asked")
		found := finding.AAAServerDead.With("("+server+")", "it throws away what "+cmp.Or(f.Get("client"), "the gateway")+" asks, because "+f.Get("reason"))
		c.Find(c.unlessAnswered(found, f), f)
	}
	for _, f := range c.All(fact.AAANoAnswer) {
		c.Find(c.unlessAnswered(finding.AAAServerDead.With(cmp.Or(f.Get("server"), "that the gateway asks"), f.Get("reason")), f), f)
	}
}, finding.LoginRefused, finding.AAAServerDead)

// unlessAnswered is likely, unless a VPN was answered later on: then the server is there, or another one is.
func (c *Case) unlessAnswered(found finding.Finding, f fact.Fact) finding.Finding {
	for _, kind := range []fact.Kind{fact.AAAAccepted, fact.AAARefused} {
		if c.later(kind, f) {
			return aside(found)
		}
	}
	return found.As(finding.Likely)
}
