package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

const asaPhoneLicence = "AnyConnect for Cisco VPN Phone"

// The table of licences says what is missing; a pair's table counts before that of one unit.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		table := func(feature, scope string) (fact.Fact, bool) {
			return b.last(fact.ASALicence, "feature", feature, "scope", scope)
		}
		counts := func(feature string) (fact.Fact, bool) {
			if f, ok := table(feature, "failover"); ok {
				return f, true
			}
			return table(feature, "unit")
		}
		if f, ok := counts("phone"); ok && f.Get("value") == "Disabled" {
			c.Find(finding.LicenseMissing.With(b.name, asaPhoneLicence), f)
		}
		f, ok := counts("premium")
		peers, number := asaNumber(f)
		if _, essentials := b.webvpn("anyconnect-essentials"); !ok || !number || essentials {
			continue
		}
		switch phones := c.asaPhones(); {
		case peers == 0:
			c.Find(finding.LicenseMissing.With(b.name, f.Get("name")), f)
		case phones > peers:
			c.Find(finding.LicenseMissing.With(b.name, f.Get("name")).As(finding.Likely), f)
		}
	}
	for _, f := range c.asaEvents(fact.ASALicenceRefused) {
		what := f.Get("licence")
		switch lower := strings.ToLower(what); {
		case strings.Contains(lower, "phone"):
			what = asaPhoneLicence
		case strings.Contains(lower, "mobile"):
			continue // of telephones that run AnyConnect as an app
		}
		c.Find(lasting(finding.LicenseMissing.With("the ASA", what), f), f)
	}
}, finding.LicenseMissing)
