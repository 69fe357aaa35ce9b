package judge

import (
	"cmp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The phone asked a trust verification service and got no answer that it could use.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneTVSFailed) {
		if !c.later(fact.PhoneTVSAnswered, f) {
			c.Find(finding.TVSUnreachable.With(f.Get("server")), f)
		}
	}
}, finding.TVSUnreachable)

// A service that does not know a certificate may be all that a phone's refusal needs, or be about a server of no account.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.TVSUnknown) {
		name := "the certificate " + cmp.Or(f.Get("serial"), "of unknown number") + ", issued by " + cmp.Or(f.Get("issuer"), "nobody that is told") + ","
		c.Find(finding.TrustListMismatch.With(name, "a server").As(finding.Possible), f)
	}
}, finding.TrustListMismatch)
