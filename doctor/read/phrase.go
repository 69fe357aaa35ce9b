package read

import (
	"regexp"

	"github.com/longcord/longcord/doctor/fact"
)

// phrase is a message that a program prints, and what it tells. Its named groups are the fact's values.
type phrase struct {
	is    *regexp.Regexp
	tells fact.Kind // empty: the message is known, and nothing is wrong
	with  []string  // more values, pairs of name and value
}

// says compiles a phrase. The pattern is matched anywhere in a message unless it says otherwise.
func says(pattern string, tells fact.Kind, with ...string) phrase {
	return phrase{regexp.MustCompile(pattern), tells, with}
}

// spoken adds what the first phrase that fits tells, together with more values, and reports whether one does.
func spoken(in *fact.Input, phrases []phrase, message string, l Line, more ...string) bool {
	for _, p := range phrases {
		m := p.is.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		if p.tells == "" {
			return true
		}
		values := append(append([]string{}, more...), p.with...)
		for i, name := range p.is.SubexpNames() {
			if name != "" && m[i] != "" {
				values = append(values, name, m[i])
			}
		}
		in.Add(p.tells, l.Number, l.Raw, l.Time, values...)
		return true
	}
	return false
}
