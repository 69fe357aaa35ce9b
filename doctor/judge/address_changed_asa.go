package judge

import (
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone that comes back within minutes and gets another address has lost its registration and its call. Phones of one user
// are told apart by where they come from.
var _ = rule(func(c *Case) {
	last := map[string]fact.Fact{}
	for _, f := range c.asaEvents(fact.ASAAddress) {
		user := f.Get("user")
		before, ok := last[user]
		last[user] = f
		if !ok || before.Get("address") == f.Get("address") || before.Get("public") != f.Get("public") || asaKnown(user) == "" {
			continue
		}
		if apart := f.Time.Sub(before.Time); f.Time.IsZero() || before.Time.IsZero() || apart < 0 || apart > 10*time.Minute || f.Get("phone") != "true" {
			continue
		}
		c.Find(finding.AddressChanged.With(user, before.Get("address")+", then "+f.Get("address")), before, f)
	}
}, finding.AddressChanged)
