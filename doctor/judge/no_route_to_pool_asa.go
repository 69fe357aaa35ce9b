package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Bytes come from a phone and none go to it: the office does not know the way back.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.facts[fact.ASASession] {
			if f.Get("phone") == "true" && f.Get("tx") == "0" && f.Get("rx") != "0" && f.Get("rx") != "" && !strings.HasPrefix(f.Get("duration"), "0h:00m:") {
				c.Find(finding.NoRouteToPool.With(f.Get("ip"), "the ASA's inside address").As(finding.Likely), f)
			}
		}
	}
}, finding.NoRouteToPool)
