package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Who mistyped a password and came in afterwards has no trouble any more. What ocserv may ask for besides, a phone cannot
// answer: it sends a user name and a password, or a certificate, once.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservLoginRefused) {
		user := f.Get("user")
		found := finding.LoginRefused.With(cmp.Or(user, "somebody"))
		if c.entered(f, fact.OcservLogin, fact.AAAAccepted) {
			found = aside(found)
		}
		c.Find(c.ofPasserby(found, f), f)
	}
	if f, ok := c.First(fact.OcservLoginOpen); ok && !c.Has(fact.OcservLoginRefused, fact.OcservBanned, fact.OcservNoLease, fact.OcservTooMany) {
		c.Find(finding.LoginRefused.With("somebody").As(finding.Possible), f)
		c.Need("send ocserv's log of such a login at `log-level = 4` (older ones: `ocserv -d 4`), to its end",
			"say what the phone shows, and send its console log of the same time")
	}
	if f, ok := c.First(fact.ClientLoginRefused); ok && !c.later(fact.ClientUp, f) {
		found := finding.LoginRefused.With(finding.Unnamed("the user that was tried"))
		if !slices.ContainsFunc(c.All(fact.ClientLoginRefused), func(f fact.Fact) bool { return strings.Contains(f.Text, "401") }) {
			found = found.As(finding.Likely) // gateways say the same of accounts that are locked, and of servers that are dead
		}
		c.Find(found, f)
	}
	for _, o := range c.ocservFiles() {
		var ways []fact.Fact
		for _, f := range o.all("auth") {
			way := f.Get("value")
			if strings.HasPrefix(way, "gssapi") || strings.HasPrefix(way, "oidc") || strings.Contains(way, "otp=") {
				c.Find(c.ifMeant(finding.LoginRefused.With("every phone").As(finding.Likely)), f)
			}
			ways = append(ways, f)
		}
		if len(ways) > 1 { // each of them is asked, in one login
			c.Find(c.ifMeant(finding.LoginRefused.With("every phone").As(finding.Likely)), ways...)
		}
		if f, ok := o.last("select-group"); ok {
			if _, chosen := o.last("default-select-group"); !chosen {
				if _, by := o.is("select-group-by-url", true); !by {
					c.Find(finding.LoginRefused.With("every phone").As(finding.Possible), f)
				}
			}
		}
	}
}, finding.LoginRefused)
