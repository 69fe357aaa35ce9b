package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Old protocols in use.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.facts[fact.ASASession] {
			if f.Get("phone") == "true" && f.Get("tls") == "TLSv1.0" {
				c.Find(finding.LegacyInUse.With(f.Get("group"), "a phone"), f)
			}
		}
	}
}, finding.LegacyInUse)
