package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone's file says how it logs in, and the tunnel group what it asks for. A phone that is told to use a password may
// show its certificate all the same (inferred), so that way round is only a note.
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
				found := finding.LoginRefused.With("phones of tunnel group " + g.name).As(finding.Likely)
				switch {
				case len(words) != 1:
				case method == "2" && words[0] == "aaa":
					c.Find(found, group, f)
				case (method == "0" || method == "1") && words[0] == "certificate":
					found.Severity, found.Certainty = finding.Note, finding.Possible
					c.Find(found, group, f)
				}
			}
		}
	}
}, finding.LoginRefused)
