package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// An ASA whose VPN is on interfaces that are all shut down.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		var down []fact.Fact
		for _, name := range b.outside() {
			i := slices.IndexFunc(b.facts[fact.ASAInterfaceDown], func(f fact.Fact) bool { return strings.EqualFold(f.Get("name"), name) })
			if i < 0 {
				down = nil
				break
			}
			down = append(down, b.facts[fact.ASAInterfaceDown][i])
		}
		if len(down) > 0 {
			c.Find(finding.GatewayUnreachable.With(b.name), down...)
		}
	}
}, finding.GatewayUnreachable)
