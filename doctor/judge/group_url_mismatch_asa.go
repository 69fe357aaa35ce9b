package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A group URL that is there and switched off, and a group of phones that has none.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phoneGroups() {
			at, ok := b.last(fact.ASAGroup, "group", g.name, "setting", "webvpn-attributes")
			if _, has := b.last(fact.ASAGroup, "group", g.name, "setting", "group-url"); has {
				continue
			}
			if !ok && b.whole() {
				at, ok = b.last(fact.ASAGroup, "group", g.name)
			}
			if ok {
				c.Find(finding.GroupURLMismatch.With(c.phonesURL("https://GATEWAY/PHONES")).As(finding.Likely), at)
			}
		}
		for _, f := range b.all(fact.ASAGroup, "setting", "group-url") {
			if url, state, _ := strings.Cut(f.Get("value"), " "); state == "disable" {
				c.Find(finding.GroupURLMismatch.With(url).As(finding.Likely), f)
			}
		}
	}
}, finding.GroupURLMismatch)
