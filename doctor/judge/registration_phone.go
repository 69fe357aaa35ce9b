package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What the call manager answers a phone that registers. One 401 asks for the password; the next says that it is wrong.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneRegisterRefused) {
		c.Find(finding.RegistrationRefused.With(device(c), "it says \""+f.Get("text")+"\"").As(finding.Likely), f)
	}
	replies := c.All(fact.PhoneRegisterReply)
	if slices.ContainsFunc(replies, func(f fact.Fact) bool { return f.Get("status") < "300" }) {
		return
	}
	for _, f := range replies {
		switch status := f.Get("status"); {
		case (status == "401" || status == "407") && f.Count > 0:
			c.Find(finding.RegistrationRefused.With(device(c), "it answers "+status+" again and again, so the secret is wrong").As(finding.Likely), f)
		case status == "403" || status == "404" || status == "603":
			c.Find(finding.RegistrationRefused.With(device(c), "it answers "+status).As(finding.Likely), f)
		}
	}
}, finding.RegistrationRefused)
