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
	taken := func(line string) bool {
		return slices.ContainsFunc(replies, func(f fact.Fact) bool { return f.Get("status") < "300" && f.Get("line") == line })
	}
	for _, f := range c.All(fact.PhoneNoCallManager) {
		if !slices.ContainsFunc(replies, func(reply fact.Fact) bool { return below(reply, f) && reply.Get("status") < "300" }) {
			c.Find(finding.RegistrationUnreachable.With("the address in the phone's file").As(finding.Likely), f)
		}
	}
	for _, f := range replies {
		if taken(f.Get("line")) {
			continue
		}
		switch status := f.Get("status"); {
		case (status == "401" || status == "407") && f.Count > 0:
			c.Find(finding.RegistrationRefused.With(device(c), "it answers "+status+" again and again, so the secret is wrong").As(finding.Likely), f)
		case status == "403" || status == "404" || status == "603":
			c.Find(finding.RegistrationRefused.With(device(c), "it answers "+status).As(finding.Likely), f)
		}
	}
}, finding.RegistrationRefused, finding.RegistrationUnreachable)
