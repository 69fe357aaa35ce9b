package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Certificates that a map gives to another group than that of the URL.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		groups := b.phoneGroups()
		for _, f := range b.facts[fact.ASACertificateRule] {
			text := strings.ToLower(f.Get("text"))
			if !strings.Contains(text, "sep") && !strings.Contains(text, "cp-") && !strings.Contains(text, "capf") && !strings.Contains(text, "cisco manufacturing ca") && !strings.Contains(text, "cap-rtp") {
				continue
			}
			for _, g := range groups {
				if g.name == f.Get("group") {
					groups = nil // it leads where the URL does
				}
			}
			if len(groups) > 0 {
				c.Find(groups[0].as(finding.CertificateMapWrong.With(f.Get("group"), groups[0].name).As(finding.Likely)), f)
			}
		}
	}
}, finding.CertificateMapWrong)
