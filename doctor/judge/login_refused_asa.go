package judge

import (
	"cmp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.asaEvents(fact.ASALoginRefused) {
		switch f.Get("number") {
		case "722048", "722050":
			c.Find(lasting(finding.AnyConnectNotAllowed.With(cmp.Or(f.Get("policy"), "of "+f.Get("user"))), f), f)
		case "734002":
			found := finding.Told(finding.LoginRefused, f.Get("reason")+" of "+cmp.Or(asaKnown(f.Get("user")), "a phone"), []string{
				"see which of its records applied, and what they look at: `show run dynamic-access-policy-record`, `debug dap trace` while the phone tries; in ASDM under Dynamic Access Policies",
				"give phones a record that goes by their tunnel group, with `action continue` and a `priority` above that of a record which ends connections: phones answer no Host Scan",
			})
			c.Find(c.ofPasserby(lasting(found, f), f), f)
		default:
			found := lasting(finding.LoginRefused.With(cmp.Or(asaKnown(f.Get("user")), "a phone")), f)
			c.Find(c.ofPasserby(found, f), f)
		}
	}
}, finding.LoginRefused, finding.AnyConnectNotAllowed)

// asaKnown returns a user's name, which the ASA may hide.
func asaKnown(user string) string {
	if user == "*****" {
		return ""
	}
	return user
}
