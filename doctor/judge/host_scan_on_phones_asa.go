package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Host Scan and Cisco Secure Desktop cannot run on a phone; without-csd excepts its group.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		var on fact.Fact
		found := false
		for _, setting := range []string{"csd enable", "hostscan enable"} {
			if f, ok := b.webvpn(setting); ok {
				on, found = f, true
			}
		}
		if !found {
			continue
		}
		for _, g := range b.phoneGroups() {
			at, seen := b.listed(fact.ASAGroup, "group", g.name, "setting", "webvpn-attributes")
			if _, without := b.last(fact.ASAGroup, "group", g.name, "setting", "without-csd"); seen && !without {
				c.Find(g.as(finding.HostScanOnPhones.With(g.name).As(finding.Likely)), on, at)
			}
		}
	}
}, finding.HostScanOnPhones)
