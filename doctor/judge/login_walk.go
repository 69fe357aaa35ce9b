package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The gateway was asked for a login by the URL itself. A redirect and a page without cookies are what an ASA has for
// URLs that it does not know; so answers whoever does not serve phones at all.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkGroupURL) {
		found := finding.GroupURLMismatch.With(f.Get("url"))
		switch f.Get("outcome") {
		case "missing":
			c.Find(found, c.withComputers(f)...)
		case "no-cookie", "redirect":
			c.Find(found.As(finding.Likely), c.withComputers(f)...)
		}
	}
}, finding.GroupURLMismatch)

// withComputers adds to why the phone was not taken what a computer got to see in its place: how far the gateway itself
// is right.
func (c *Case) withComputers(f fact.Fact) []fact.Fact {
	return slices.Concat([]fact.Fact{f}, c.All(fact.WalkComputer))
}

// A computer with the phone's credentials, and a line that is the phone's, too.
var _ = rule(func(c *Case) {
	for _, f := range c.Of(fact.WalkComputer, "what", "login") {
		outcome, by := f.Get("outcome"), f.Get("by")
		switch {
		case by == "certificate" && (outcome == "refused" || outcome == "certificate"):
			c.Find(finding.ClientCertificateUntrusted.With(c.file.Subject, "it says "+f.Get("reason")+c.otherIssuer(f.Get("gateway"))).As(finding.Likely), f)
		case outcome == "refused":
			c.Find(finding.LoginRefused.With(f.Get("user")).As(finding.Likely), f)
		}
	}
	for _, f := range c.Of(fact.WalkComputer, "what", "dtls", "outcome", "silent") {
		c.Find(finding.DTLSBlocked.With(f.Get("port")), f)
	}
}, finding.LoginRefused, finding.ClientCertificateUntrusted, finding.DTLSBlocked)

// The one login. That the gateway asks again is how some say that they do not take it.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkLogin) {
		who := c.file.Subject
		switch outcome := f.Get("outcome"); {
		case outcome != "refused" && outcome != "again":
		case f.Get("by") == "certificate":
			c.Find(finding.ClientCertificateUntrusted.With(who, "it says "+f.Get("reply")+c.otherIssuer(f.Get("url"))).As(finding.Likely), f)
		case outcome == "refused":
			c.Find(finding.LoginRefused.With(f.Get("user")), f)
		default:
			c.Find(finding.LoginRefused.With(f.Get("user")).As(finding.Likely), f)
		}
	}
}, finding.LoginRefused, finding.ClientCertificateUntrusted)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkCredential) {
		c.Find(finding.CredentialCharacters.With(f.Get("user")), f)
	}
}, finding.CredentialCharacters)
