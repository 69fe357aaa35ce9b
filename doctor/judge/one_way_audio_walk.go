package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// In a call each side counts what it hears. What the other side hears and sends is known only from its reports, which go
// the way of its voice.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkCall) {
		if f.Get("outcome") != "talked" || f.Get("sent") == "0" {
			continue
		}
		us, them := at(f.Get("line"), f.Get("local")), at(f.Get("number"), f.Get("remote"))
		if f.Get("received") == "0" {
			c.Find(finding.OneWayAudio.With(us, them), f)
		}
		if f.Get("reports") != "0" && f.Get("heard") == "0" {
			c.Find(finding.OneWayAudio.With(them, us).As(finding.Likely), f)
		}
	}
}, finding.OneWayAudio)

// at names a line and where its voice goes, which says between whom to look.
func at(line, address string) string {
	if address == "" {
		return line
	}
	return line + " at " + address
}
