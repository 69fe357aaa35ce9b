package judge

import (
	"regexp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// vpnAgent is in the names of programs that want a tunnel; all others are browsers and scanners.
var vpnAgent = regexp.MustCompile(`(?i)cisco|anyconnect|secure client|\bip ?phone client`)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservUnknownClient) {
		if agent := f.Get("agent"); vpnAgent.MatchString(agent) {
			c.Find(finding.ClientDialect.With(agent, "this ocserv has no class for it; phones have one from 1.2.0 on"), f)
		}
	}
}, finding.ClientDialect)
