package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The ASA's own word that its certificate has ended.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ASACertificateEnds) {
		if f.Get("ended") != "true" || !strings.Contains(strings.ToLower(f.Get("kind")), "id") {
			continue
		}
		certainty := finding.Possible
		for _, b := range c.asas() {
			for _, bound := range b.all(fact.ASAGlobal, "setting", "ssl trust-point") {
				if strings.Fields(bound.Get("value") + " -")[0] == f.Get("trustpoint") {
					certainty = finding.Certain
				}
			}
		}
		c.Find(finding.CertificateExpired.With("the ASA (trustpoint "+f.Get("trustpoint")+")", "before this message").As(certainty), f)
	}
}, finding.CertificateExpired)
