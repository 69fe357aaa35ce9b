package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What the call manager answers a phone that registers. One 401 asks for the password; the next says that it is wrong.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneRegisterRefused) {
		if c.cameIn(f) {
			continue
		}
		c.Find(finding.RegistrationRefused.With(device(c), "it says \""+f.Get("text")+"\"").As(finding.Likely), f)
	}
	replies := c.All(fact.PhoneRegisterReply)
	taken := func(line string) bool {
		return slices.ContainsFunc(replies, func(f fact.Fact) bool { return f.Get("status") < "300" && f.Get("line") == line })
	}
	for _, f := range c.All(fact.PhoneNoCallManager) {
		found := finding.RegistrationUnreachable.With("the address in the phone's file").As(finding.Likely)
		if slices.ContainsFunc(replies, func(reply fact.Fact) bool { return reply.Get("status") < "300" }) {
			found = found.As(finding.Possible) // of several call managers one has answered
		}
		if !c.cameIn(f) {
			c.Find(found, f)
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

// cameIn reports whether a phone, as far as it is told which, was registered after what a fact tells.
func (c *Case) cameIn(f fact.Fact) bool {
	return slices.ContainsFunc(c.All(fact.PhoneRegisterReply), func(reply fact.Fact) bool { return below(reply, f) && reply.Get("status") < "300" }) ||
		slices.ContainsFunc(c.All(fact.RegistrarRegistered), func(in fact.Fact) bool {
			return below(in, f) && f.Get("device") != "" && strings.EqualFold(in.Get("line"), f.Get("device"))
		})
}
