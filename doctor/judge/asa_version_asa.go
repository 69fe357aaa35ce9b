package judge

import "github.com/longcord/longcord/finding"

// Phones' VPN begins with ASA 8.0(4).
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		if v, ok := b.version(); ok && v.before(8, 0, 4) {
			c.Find(finding.ASAVersion.With(v.at.Get("version"), "8.0(4)"), v.at)
		}
	}
}, finding.ASAVersion)
