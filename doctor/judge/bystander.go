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

// graver makes a fault of a warning that keeps somebody from working.
func graver(f finding.Finding) finding.Finding {
	f.Severity = finding.Fault
	return f
}

// entered reports whether somebody came in after a failure of theirs, as these kinds of facts tell it: the user whom it
// names or, where it names none, anybody.
func (c *Case) entered(f fact.Fact, kinds ...fact.Kind) bool {
	return slices.ContainsFunc(kinds, func(k fact.Kind) bool { return c.later(k, f, "user") })
}

// phonesName is how many call the users of their phones; a number alone is a line.
var phonesName = regexp.MustCompile(`(?i)phone|sep[0-9a-f]{12}|^[0-9]{2,6}$`)

// sessions are what tells that somebody came in at a gateway.
var sessions = []fact.Kind{fact.OcservLogin, fact.AAAAccepted, fact.ASAEntered, fact.ASAAddress, fact.ASASession}

// whose returns the user of a fact and the address outside, as far as they are told. An ASA hides names that it does not know.
func whose(f fact.Fact) (user, address string) {
	return strings.Trim(f.Get("user"), "*"), cmp.Or(f.Get("client"), f.Get("address"), f.Get("public"))
}

// passerby reports whether somebody fails where others have sessions, while neither the user nor the address has one, and the
// name is not like a phone's: everybody's gateway on the Internet is tried so.
func (c *Case) passerby(f fact.Fact) bool {
	user, address := whose(f)
	return c.oneOfMany(f) && !slices.ContainsFunc(c.All(sessions...), func(in fact.Fact) bool {
		has, from := whose(in)
		if in.Kind == fact.ASAAddress {
			from = in.Get("public")
		}
		return in.Source == f.Source && (user != "" && strings.EqualFold(has, user) || address != "" && from == address)
	})
}

// oneOfMany reports whether a fact is about a user whose name is not like a phone's, where others have sessions.
func (c *Case) oneOfMany(f fact.Fact) bool {
	user, _ := whose(f)
	if phonesName.MatchString(user) || len(c.phonesOf[strings.ToLower(user)]) > 0 {
		return false
	}
	return slices.ContainsFunc(c.All(sessions...), func(in fact.Fact) bool {
		has, _ := whose(in)
		return in.Source == f.Source && (user == "" || !strings.EqualFold(has, user))
	})
}

// ofPasserby makes a note of what is found of a passerby, and asks whether that is a phone: unless nobody knows the name, and
// phones come in.
func (c *Case) ofPasserby(found finding.Finding, f fact.Fact) finding.Finding {
	if !c.passerby(f) {
		return found
	}
	user, _ := whose(f)
	phonesIn := slices.ContainsFunc(c.All(sessions...), func(in fact.Fact) bool {
		has, _ := whose(in)
		return in.Source == f.Source && (in.Get("phone") == "true" || deviceName.MatchString(has))
	})
	if user != "" || !phonesIn {
		c.Need(asWhom(f))
	}
	return aside(found)
}

// asWhom asks whether somebody who is refused is a phone.
func asWhom(f fact.Fact) string {
	return "say as whom the phones log in: " + cmp.Or(asaKnown(f.Get("user")), "somebody") + " is refused, and others come in"
}

// dead is what is found of somebody who stopped answering, as these kinds of facts tell who came in: who came back had lost its
// way for a while, as a phone whose plug was pulled; who stays away beside others may be a computer.
func (c *Case) dead(who string, f fact.Fact, in ...fact.Kind) finding.Finding {
	found := finding.DeadPeer.With(who).As(finding.Likely)
	switch {
	case c.entered(f, in...):
		return aside(found)
	case c.oneOfMany(f):
		c.Need("say as whom the phones log in: " + who + " stopped answering, as a computer does that is closed, and others did not")
		return aside(found)
	}
	return found
}
