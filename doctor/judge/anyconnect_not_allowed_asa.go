package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The protocol of phones is called svc before 8.4 and ssl-client since.
var _ = rule(func(c *Case) {
	for _, f := range c.Of(fact.ClientRefused, "reason", "unauthorized connection mechanism") { // in the client's window
		c.Find(finding.AnyConnectNotAllowed.With("of the user").As(finding.Likely), f)
	}
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			f, ok := b.setting(g.policy, "vpn-tunnel-protocol")
			if !ok || strings.HasPrefix(f.Get("value"), "no") {
				continue
			}
			words := strings.Fields(strings.ToLower(f.Get("value")))
			if !slices.Contains(words, "svc") && !slices.Contains(words, "ssl-client") {
				c.Find(g.as(finding.AnyConnectNotAllowed.With(g.policy)), append(g.why, f)...)
			}
		}
	}
}, finding.AnyConnectNotAllowed)
