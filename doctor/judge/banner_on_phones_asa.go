package judge

import (
	"strings"

	"github.com/longcord/longcord/finding"
)

// A banner waits for somebody who accepts it.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			if f, ok := b.setting(g.policy, "banner"); ok && strings.HasPrefix(f.Get("value"), "value") {
				c.Find(finding.BannerOnPhones.With(g.policy).As(finding.Possible), f)
			}
		}
	}
}, finding.BannerOnPhones)
