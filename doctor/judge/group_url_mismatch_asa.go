package judge

import (
	"net/url"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A group URL that is there and switched off or not for TLS, a group of phones that has none, and URLs without the port that the VPN
// is on.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phoneGroups() {
			at, ok := b.listed(fact.ASAGroup, "group", g.name, "setting", "webvpn-attributes")
			if _, has := b.last(fact.ASAGroup, "group", g.name, "setting", "group-url"); has {
				continue
			}
			if !ok && b.whole() {
				at, ok = b.last(fact.ASAGroup, "group", g.name)
			}
			if ok {
				c.Find(g.as(finding.GroupURLMismatch.With(c.phonesURL("https://GATEWAY/PHONES")).As(finding.Likely)), at)
			}
		}
		if at, ok := b.webvpn("port"); ok {
			for _, f := range append(c.All(fact.FileURL), b.facts[fact.GatewayGroupURL]...) {
				if u, err := url.Parse(f.Get("url")); err == nil && port(u) != at.Get("value") {
					c.Find(finding.GroupURLMismatch.With(f.Get("url")).As(finding.Likely), f, at)
				}
			}
		}
		for _, f := range b.all(fact.ASAGroup, "setting", "group-url") {
			given, state, _ := strings.Cut(f.Get("value"), " ")
			rest, plain := strings.CutPrefix(given, "http://")
			switch {
			case state == "disable":
				c.Find(finding.GroupURLMismatch.With(given).As(finding.Likely), f)
			case plain && !b.hasURL(f.Get("group"), "https://"):
				c.Find(finding.GroupURLMismatch.With("https://"+rest).As(finding.Likely), f)
			}
		}
	}
}, finding.GroupURLMismatch)

// hasURL reports whether a tunnel group has a group URL that begins like this.
func (b *asaBox) hasURL(group, prefix string) bool {
	return slices.ContainsFunc(b.all(fact.ASAGroup, "group", group, "setting", "group-url"), func(f fact.Fact) bool {
		return strings.HasPrefix(f.Get("value"), prefix)
	})
}
