package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A filter that permits nothing: the tunnel comes up, and nothing of the office is in it.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			filter, _ := b.setting(g.policy, "vpn-filter")
			name, named := strings.CutPrefix(filter.Get("value"), "value ")
			if list, ok := b.last(fact.ASAAccessList, "list", name, "permits", "false"); ok && named && b.whole() {
				c.Find(finding.RegistrationUnreachable.With("any address, because the vpn-filter "+name+" of group policy "+g.policy+" permits none").As(finding.Likely), filter, list)
			}
		}
	}
}, finding.RegistrationUnreachable)
