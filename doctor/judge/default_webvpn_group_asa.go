package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone that ends in the default group, and a group URL that leads there.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.facts[fact.GatewayGroupURL] {
			if f.Get("group") == asaDefaultGroup {
				c.Find(finding.DefaultWEBVPNGroup.With(f.Get("url")), f)
			}
		}
		for _, f := range b.facts[fact.ASASession] {
			if f.Get("phone") == "true" && f.Get("group") == asaDefaultGroup {
				c.Find(finding.DefaultWEBVPNGroup.With(c.phonesURL("that phones use")), f)
			}
		}
	}
	for _, f := range c.All(fact.ASAEntered) {
		if f.Get("group") == asaDefaultGroup && (f.Get("phone") == "true" || c.onlyPhones(f)) {
			c.Find(finding.DefaultWEBVPNGroup.With(c.phonesURL("that phones use")), f)
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

// phonesURL returns the URL that phones use, or what stands for it.
func (c *Case) phonesURL(otherwise string) string {
	for _, k := range []fact.Kind{fact.AskedURL, fact.FileURL} {
		if f, ok := c.First(k); ok && strings.HasPrefix(f.Get("url"), "http") {
			return f.Get("url")
		}
	}
	return otherwise
}
