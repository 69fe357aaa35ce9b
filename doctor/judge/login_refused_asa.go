package judge

import (
	"cmp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The ASA hides names that it does not know. While a phone comes in they are of strangers who try passwords, as every
// gateway on the Internet has them.
var _ = rule(func(c *Case) {
	phoneIn := len(c.asaPhoneUsers()) > 0
	for _, f := range c.asaEvents(fact.ASALoginRefused) {
		switch f.Get("number") {
		case "722048", "722050":
			c.Find(lasting(finding.AnyConnectNotAllowed.With(cmp.Or(f.Get("policy"), "of "+f.Get("user"))), f), f)
		default:
			if phoneIn && f.Get("user") == "*****" {
				continue
			}
			c.Find(lasting(finding.LoginRefused.With(cmp.Or(asaKnown(f.Get("user")), "a phone")), f), f)
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
