package judge

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// aside makes of a finding a note about somebody who is in no trouble, or in none any more: there is nothing to mend.
func aside(f finding.Finding) finding.Finding {
	f = f.As(finding.Possible)
	f.Severity = finding.Note
	return f
}

// entered reports whether somebody came in after a failure of theirs, as these kinds of facts tell it: the user whom it
// names or, where it names none, anybody.
func (c *Case) entered(f fact.Fact, kinds ...fact.Kind) bool {
	user := f.Get("user")
	return slices.ContainsFunc(c.All(kinds...), func(in fact.Fact) bool {
		return below(in, f) && (user == "" || strings.EqualFold(in.Get("user"), user))
	})
}

// phonesName is how many call the users of their phones; a number alone is a line.
var phonesName = regexp.MustCompile(`(?i)phone|sep[0-9a-f]{12}|^[0-9]{2,6}$`)

// passerby reports whether somebody fails where others have sessions, while neither the user nor the address has one, and the
// name is not like a phone's: everybody's gateway on the Internet is tried so.
func (c *Case) passerby(f fact.Fact) bool {
	user, address := f.Get("user"), cmp.Or(f.Get("client"), f.Get("address"))
	return c.oneOfMany(f) && !slices.ContainsFunc(c.All(fact.OcservLogin, fact.AAAAccepted), func(in fact.Fact) bool {
		return in.Source == f.Source && (user != "" && strings.EqualFold(in.Get("user"), user) || address != "" && in.Get("client") == address)
	})
}

// oneOfMany reports whether a fact is about a user whose name is not like a phone's, where others have sessions.
func (c *Case) oneOfMany(f fact.Fact) bool {
	user := f.Get("user")
	if phonesName.MatchString(user) || len(c.phonesOf[strings.ToLower(user)]) > 0 {
		return false
	}
	return slices.ContainsFunc(c.All(fact.OcservLogin, fact.AAAAccepted), func(in fact.Fact) bool {
		return in.Source == f.Source && (user == "" || !strings.EqualFold(in.Get("user"), user))
	})
}

// asWhom asks whether somebody who is refused is a phone.
func asWhom(f fact.Fact) string {
	return "say as whom the phones log in: " + cmp.Or(f.Get("user"), "somebody") + " is refused, and others come in"
}
