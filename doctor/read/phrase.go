package read

import (
	"github.com/longcord/longcord/doctor/fact"
	"math/bits"
)

// phrase is a message that a program prints, and what it tells. Its named groups are the fact's values.
type phrase struct {
	is    *pattern
	tells fact.Kind // empty: the message is known, and nothing is wrong
	with  []string  // more values, pairs of name and value
}

// says compiles a phrase. The pattern is matched anywhere in a message unless it says otherwise.
func says(pattern string, tells fact.Kind, with ...string) phrase {
	return phrase{compile(pattern), tells, with}
}

// phrases are the messages of one program. The first that fits counts.
type phrases struct {
	all   []phrase
	quick *patterns
}

func phrasesOf(all ...phrase) phrases {
	list := make([]*pattern, len(all))
	for i, p := range all {
		list[i] = p.is
	}
	return phrases{all, patternsOf(list...)}
}

// of returns the first phrase that fits a message, and its groups; nil: none does.
func (ps phrases) of(message string) (*phrase, []string) {
	for may := ps.quick.may(message); may != 0; may &= may - 1 {
		p := &ps.all[bits.TrailingZeros64(may)]
		if m := p.is.FindStringSubmatch(message); m != nil {
			return p, m
		}
	}
	return nil, nil
}

// spoken adds what the first phrase that fits tells, together with more values, and reports whether one does.
func spoken(in *fact.Input, ps phrases, message string, l Line, more ...string) bool {
	p, m := ps.of(message)
	if p == nil {
		return false
	}
	p.tell(in, m, l, more...)
	return true
}

// tell adds what the phrase tells with these groups.
func (p *phrase) tell(in *fact.Input, groups []string, l Line, more ...string) {
	if p.tells == "" {
		return
	}
	values := append(append([]string{}, more...), p.with...)
	for i, name := range p.is.SubexpNames() {
		if name != "" && groups[i] != "" {
			values = append(values, name, groups[i])
		}
	}
	in.Add(p.tells, l.Number, l.Raw, l.Time, values...)
}
