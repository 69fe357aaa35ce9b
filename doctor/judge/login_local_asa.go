package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Phones that log in to the local database while nobody is in it. Where those who manage the ASA do so, too, their names were
// taken out of what was sent, and those of phones with them.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		if !b.whole() || len(b.facts[fact.ASAUser]) > 0 {
			continue
		}
		managed := false
		for _, f := range b.all(fact.ASAGlobal, "setting", "aaa") {
			managed = managed || strings.Contains(f.Get("value"), "LOCAL")
		}
		for _, g := range b.phoneGroups() {
			how, asked := b.last(fact.ASAGroup, "group", g.name, "setting", "authentication")
			server, ok := b.last(fact.ASAGroup, "group", g.name, "setting", "authentication-server-group")
			if managed || asked && how.Get("value") != "aaa" || !ok || server.Get("value") != "LOCAL" {
				continue
			}
			c.Find(g.as(finding.LoginRefused.With("phones of tunnel group "+g.name).As(finding.Likely)), server)
		}
	}
}, finding.LoginRefused)
