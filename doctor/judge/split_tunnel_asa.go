package judge

import (
	"strings"

	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			f, ok := b.setting(g.policy, "split-tunnel-policy")
			if ok && (strings.HasPrefix(f.Get("value"), "tunnelspecified") || strings.HasPrefix(f.Get("value"), "excludespecified")) {
				c.Find(g.as(finding.SplitTunnel.With(g.policy)), append(g.why, f)...)
			}
		}
	}
}, finding.SplitTunnel)
