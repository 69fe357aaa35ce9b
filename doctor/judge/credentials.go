package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Phones cannot send each character in a user's name.
var _ = rule(func(c *Case) {
	for _, f := range c.Every() {
		if user := f.Get("user"); loginKinds[f.Kind] && strings.ContainsFunc(user, func(r rune) bool { return r <= ' ' || r > '~' }) {
			c.Find(finding.CredentialCharacters.With(user).As(finding.Likely), f)
		}
	}
}, finding.CredentialCharacters)

// loginKinds are the kinds whose value user was typed on a phone.
var loginKinds = map[fact.Kind]bool{fact.PhoneLoginRefused: true, fact.ASALoginRefused: true}
