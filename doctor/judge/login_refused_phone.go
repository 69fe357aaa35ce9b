package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The phone says that the gateway did not take user name and password.
var _ = rule(func(c *Case) {
	user := value(c, "user", fact.PhoneLoginRefused)
	if user == "" {
		user = device(c)
	}
	for _, f := range c.All(fact.PhoneLoginRefused) {
		c.Find(finding.LoginRefused.With(user).As(finding.Likely), f)
	}
	for _, f := range c.All(fact.PhoneLoginReply) {
		if status := f.Get("status"); status == "401" || status == "403" {
			c.Find(finding.LoginRefused.With(user).As(finding.Likely), f)
		}
	}
}, finding.LoginRefused)
