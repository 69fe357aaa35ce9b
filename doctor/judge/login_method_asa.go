package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone's file says how it logs in, and the tunnel group what it asks for.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phoneGroups() {
			group, ok := b.last(fact.ASAGroup, "group", g.name, "setting", "authentication")
			if !ok {
				continue
			}
			words := strings.Fields(group.Get("value"))
			for _, f := range c.All(fact.SEPVPN) {
				method := f.Get("auth-method")
				byCertificate := method == "2"
				asks := len(words) == 1 && words[0] == "certificate"
				if method != "" && asks != byCertificate && (asks || words[0] == "aaa" && len(words) == 1) {
					c.Find(g.as(finding.LoginRefused.With("phones of tunnel group "+g.name).As(finding.Likely)), group, f)
				}
			}
		}
	}
}, finding.LoginRefused)

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
