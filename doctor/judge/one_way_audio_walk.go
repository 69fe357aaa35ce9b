package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// In a call each side counts what it hears. What the other side counts is known only from its reports.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkCall) {
		if f.Get("outcome") != "talked" || f.Get("sent") == "0" {
			continue
		}
		if f.Get("received") == "0" {
			c.Find(finding.OneWayAudio.With(f.Get("line"), f.Get("number")), f)
		}
		if f.Get("reports") != "0" && f.Get("heard") == "0" {
			c.Find(finding.OneWayAudio.With(f.Get("number"), f.Get("line")).As(finding.Likely), f)
		}
	}
}, finding.OneWayAudio)
