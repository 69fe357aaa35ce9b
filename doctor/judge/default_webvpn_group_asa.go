package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone that ends in the default group, a group URL that leads there, and a group for phones that no URL leads to.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.facts[fact.GatewayGroupURL] {
			if f.Get("group") == asaDefaultGroup {
				c.Find(finding.DefaultWEBVPNGroup.With(f.Get("url")), f)
			}
		}
		for _, f := range b.facts[fact.ASASession] {
			if f.Get("phone") == "true" && f.Get("group") == asaDefaultGroup {
				c.Find(finding.DefaultWEBVPNGroup.With(c.phonesURL()), f)
			}
		}
		for _, g := range b.phoneGroups() {
			at, ok := b.last(fact.ASAGroup, "group", g.name, "setting", "webvpn-attributes")
			if _, has := b.last(fact.ASAGroup, "group", g.name, "setting", "group-url"); has {
				continue
			}
			if !ok && b.whole() {
				at, ok = b.last(fact.ASAGroup, "group", g.name)
			}
			if ok {
				c.Find(finding.DefaultWEBVPNGroup.With(c.phonesURL()).As(finding.Likely), at)
			}
		}
	}
	for _, f := range c.All(fact.ASAEntered) {
		if f.Get("group") == asaDefaultGroup && (f.Get("phone") == "true" || c.onlyPhones(f)) {
			c.Find(finding.DefaultWEBVPNGroup.With(c.phonesURL()), f)
		}
	}
}, finding.DefaultWEBVPNGroup)

// onlyPhones reports whether a client without a name stands in a text that speaks of phones.
func (c *Case) onlyPhones(f fact.Fact) bool {
	if f.Get("user") != "" {
		return false
	}
	for _, other := range c.All(fact.ASAEntered) {
		if other.Source == f.Source && other.Get("phone") == "true" {
			return true
		}
	}
	return false
}

// phonesURL returns the URL that phones use, as far as it is known.
func (c *Case) phonesURL() string {
	for _, k := range []fact.Kind{fact.AskedURL, fact.FileURL} {
		if f, ok := c.First(k); ok && strings.HasPrefix(f.Get("url"), "http") {
			return f.Get("url")
		}
	}
	return "that phones use"
}
