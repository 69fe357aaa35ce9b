package judge

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/longcord/longcord/doctor/fact"
)

// success is a fact that shows that something works, and whom it names; nobody: it is about the one who speaks.
type success struct {
	fact.Fact
	names []string // users, phones and lines, in lower case
	at    []string // its addresses
}

// successes are all that the evidence has.
func (c *Case) successes() (all []success) {
	for _, s := range signs {
		if s.says != worked {
			continue
		}
		for _, f := range c.Of(s.kind, s.having...) {
			each := success{Fact: f}
			if source, _, _ := strings.Cut(string(f.Kind), "."); source != "phone" && source != "client" {
				each.names, each.at = valuesOf(f, "user", "device", "line"), valuesOf(f, "client", "address", "public", "from")
			}
			all = append(all, each)
		}
	}
	return all
}

func valuesOf(f fact.Fact, names ...string) (values []string) {
	for _, name := range names {
		if value := f.Get(name); value != "" {
			values = append(values, strings.ToLower(value))
		}
	}
	return values
}

// same reports whether a line may be about who has this: it names them or, where it names no user, one of their addresses;
// or it names nobody.
func (s success) same(text string) bool {
	switch user := lossName.MatchString(text) || lossOf.MatchString(text); {
	case len(s.names)+len(s.at) == 0, mentions(text, s.names):
		return true
	case user && len(s.names) > 0:
		return false
	default:
		return mentions(text, s.at) || !user && !abroad(text)
	}
}

// lost asks about the first line of each source which tells that what was seen to work no longer does: it stands below a
// success, names who had it or nobody, no finding rests on it, and no success of the same one stands below it.
func (c *Case) lost() {
	all := c.successes()
	for _, s := range c.file.Sources {
		for _, l := range s.Losses {
			if c.loses(s, l, all) {
				c.Need(fmt.Sprintf("line %d of %s tells of a failure after what worked: %q. Send what follows it, and what the other side logged at that time", l.Line, s.Name, l.Text))
				break
			}
		}
	}
}

func (c *Case) loses(s fact.Source, l fact.Loss, all []success) bool {
	text := strings.ToLower(l.Text)
	concerned := false
	for _, w := range all {
		if w.Source == s.Name && w.Line == l.Line { // it says itself that something works
			return false
		}
		if !w.same(text) {
			continue
		}
		here := w.Source == s.Name
		if here && max(w.Line, w.Last) > l.Line || !here && !l.Time.IsZero() && w.Time.After(l.Time) {
			return false
		}
		concerned = concerned || here
	}
	return concerned && !c.rests(s.Name, l)
}

// rests reports whether a finding rests on such a line: numbers do not count, because what is said again is kept once.
func (c *Case) rests(source string, l fact.Loss) bool {
	text := wordsOf(fact.Cut(l.Text))
	return slices.ContainsFunc(c.found, func(f found) bool {
		for _, e := range f.Evidence {
			if e.Source == source && (e.Line == l.Line || wordsOf(e.Text) == text) {
				return true
			}
		}
		return false
	})
}

// wordsOf is a text without its digits.
func wordsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, text)
}

var (
	lossName    = regexp.MustCompile(`(?i)\b(?:user(?:name)?|uname|peer|endpoint|aor|sip|for)(?: ?= ?| ?: ?| )[<'"]+([\w@+-][\w.@+-]*)|\busername = ([\w.@-]+)|\b(?:endpoint|contact) ([\w.+-]+)(?:/\S+)? (?:is now|has been)|\((\w+)\)$`)
	lossOf      = regexp.MustCompile(`(?i)\b(?:main|worker|sec-mod)\[([^\]]+)\]|\b(?:SIP|PJSIP|SCCP)/([\w.+]+)|(SEP[0-9A-Fa-f]{12})|LOCAL\\([\w.]+)`)
	lossAddress = regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b`)
)

// abroad reports whether a line names an address outside. Those inside may be of servers.
func abroad(text string) bool {
	return slices.ContainsFunc(lossAddress.FindAllString(text, -1), func(text string) bool {
		a, err := netip.ParseAddr(text)
		return err == nil && !a.IsPrivate()
	})
}

// mentions reports whether one of the names stands in a text, in lower case, as a word.
func mentions(text string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		for rest := text; ; {
			before, after, ok := strings.Cut(rest, name)
			if !ok {
				return false
			}
			if !strings.ContainsAny(last(before), wordLetters) && !strings.ContainsAny(after[:min(1, len(after))], wordLetters) {
				return true
			}
			rest = after
		}
	})
}

const wordLetters = "abcdefghijklmnopqrstuvwxyz0123456789"

func last(text string) string { return text[max(0, len(text)-1):] }
