package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A group URL that is there and switched off.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.all(fact.ASAGroup, "setting", "group-url") {
			if url, state, _ := strings.Cut(f.Get("value"), " "); state == "disable" {
				c.Find(finding.GroupURLMismatch.With(url).As(finding.Likely), f)
			}
		}
	}
}, finding.GroupURLMismatch)
