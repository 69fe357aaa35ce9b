package read

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pattern is a regular expression that looks for texts first, of which whatever it matches has one. Nearly no line has
// any, and to look for them takes a twentieth of the time that matching does.
type pattern struct {
	*regexp.Regexp
	begins []string // not nil: what it matches begins with one of these, at the beginning of the text
	needs  []string // not nil: and has one of these somewhere; in lower case where folded
	folded bool     // without regard to case
	all    *marks   // finds needs, where they are many or folded; it disregards case
}

// compile is regexp.MustCompile for patterns that lines are held against.
func compile(expression string) *pattern {
	p := &pattern{Regexp: regexp.MustCompile(expression)}
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		panic(err) // regexp.MustCompile has parsed it
	}
	tree = tree.Simplify()
	p.begins = beginnings(tree)
	if p.needs, p.folded = needed(tree); p.folded || len(p.needs) > 3 {
		p.all = newMarks()
		p.mark(p.all, 1)
		p.all.finish()
	}
	return p
}

// mark adds the texts that the pattern looks for to a search for many.
func (p *pattern) mark(all *marks, bit uint64) {
	for _, each := range p.needs {
		all.add(each, bit)
	}
}

// may reports whether the pattern can match text: false is certain.
func (p *pattern) may(text string) bool {
	switch {
	case p.begins != nil && !hasPrefix(text, p.begins):
		return false
	case p.needs == nil || shortest(p.begins) > 3:
		return true
	case p.all != nil:
		return p.all.in(text) != 0 || p.folded && !ascii(text)
	}
	for _, each := range p.needs {
		if strings.Contains(text, each) {
			return true
		}
	}
	return false
}

func hasPrefix(text string, any []string) bool {
	for _, each := range any {
		if strings.HasPrefix(text, each) {
			return true
		}
	}
	return false
}

// ascii reports whether text is of ASCII only. Two other characters are in their case like a letter of ASCII, which marks
// do not know: the long s, and the sign for kelvin.
func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (p *pattern) MatchString(text string) bool { return p.may(text) && p.Regexp.MatchString(text) }

func (p *pattern) FindString(text string) string {
	if !p.may(text) {
		return ""
	}
	return p.Regexp.FindString(text)
}

func (p *pattern) FindStringSubmatch(text string) []string {
	if !p.may(text) {
		return nil
	}
	return p.Regexp.FindStringSubmatch(text)
}

func (p *pattern) FindStringSubmatchIndex(text string) []int {
	if !p.may(text) {
		return nil
	}
	return p.Regexp.FindStringSubmatchIndex(text)
}

func (p *pattern) FindAllStringSubmatch(text string, n int) [][]string {
	if !p.may(text) {
		return nil
	}
	return p.Regexp.FindAllStringSubmatch(text, n)
}

func (p *pattern) FindAllStringSubmatchIndex(text string, n int) [][]int {
	if !p.may(text) {
		return nil
	}
	return p.Regexp.FindAllStringSubmatchIndex(text, n)
}

func (p *pattern) ReplaceAllString(text, by string) string {
	if !p.may(text) {
		return text
	}
	return p.Regexp.ReplaceAllString(text, by)
}

// patterns finds in one pass over a text which of up to 64 patterns can match it.
type patterns struct {
	all    *marks
	always uint64 // patterns that need no text
	folded uint64 // those that disregard case
}

func patternsOf(list ...*pattern) *patterns {
	if len(list) > 64 {
		panic("doctor/read: more than 64 patterns in one list")
	}
	p := &patterns{all: newMarks()}
	for i, each := range list {
		bit := uint64(1) << i
		each.mark(p.all, bit)
		if each.needs == nil {
			p.always |= bit
		}
		if each.folded {
			p.folded |= bit
		}
	}
	p.all.finish()
	return p
}

// may returns those that can match text, as bits in their order.
func (p *patterns) may(text string) uint64 {
	found := p.all.in(text) | p.always
	if found&p.folded != p.folded && !ascii(text) {
		found |= p.folded
	}
	return found
}

// maxNeeds bounds the texts that are looked for before one pattern.
const maxNeeds = 128

// needed returns texts of which everything that the expression matches has one, the longest that there are, and whether
// case does not matter; nil: there are none.
func needed(e *syntax.Regexp) (texts []string, folded bool) {
	switch e.Op {
	case syntax.OpLiteral:
		text, fold := string(e.Rune), e.Flags&syntax.FoldCase != 0
		if fold {
			if text = strings.ToLower(text); !ascii(text) {
				return nil, false
			}
		}
		return []string{text}, fold
	case syntax.OpCharClass:
		return someOf(e.Rune), false
	case syntax.OpCapture, syntax.OpPlus:
		return needed(e.Sub[0])
	case syntax.OpRepeat:
		if e.Min > 0 {
			return needed(e.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range e.Sub {
			if more, fold := needed(sub); shortest(more) > shortest(texts) {
				texts, folded = more, fold
			}
		}
	case syntax.OpAlternate:
		for _, sub := range e.Sub {
			more, fold := needed(sub)
			if more == nil || len(texts)+len(more) > maxNeeds {
				return nil, false
			}
			texts, folded = append(texts, more...), folded || fold
		}
	}
	if folded {
		for i, each := range texts {
			if texts[i] = strings.ToLower(each); !ascii(each) {
				return nil, false
			}
		}
	}
	return texts, folded
}

// someOf are the characters of a small class.
func someOf(ranges []rune) (texts []string) {
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] > 4 || len(texts) > 8 || ranges[i+1] > unicode.MaxASCII {
			return nil
		}
		for c := ranges[i]; c <= ranges[i+1]; c++ {
			texts = append(texts, string(c))
		}
	}
	return texts
}

func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	n := len(texts[0])
	for _, each := range texts {
		n = min(n, len(each))
	}
	return n
}

// beginnings returns texts with one of which everything begins that the expression matches, where that is the beginning
// of the text; nil: it may match elsewhere, or begin with too much.
func beginnings(e *syntax.Regexp) []string {
	switch {
	case e.Op == syntax.OpCapture:
		return beginnings(e.Sub[0])
	case e.Op == syntax.OpConcat && e.Sub[0].Op == syntax.OpBeginText && len(e.Sub) > 1:
		return firsts(e.Sub[1])
	case e.Op == syntax.OpAlternate:
		var texts []string
		for _, sub := range e.Sub {
			more := beginnings(sub)
			if more == nil {
				return nil
			}
			texts = append(texts, more...)
		}
		return texts
	}
	return nil
}

// firsts returns the texts with one of which the expression begins; nil: there are too many, or none.
func firsts(e *syntax.Regexp) []string {
	switch e.Op {
	case syntax.OpLiteral:
		if e.Flags&syntax.FoldCase == 0 {
			return []string{string(e.Rune)}
		}
	case syntax.OpCharClass:
		return someOf(e.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return firsts(e.Sub[0])
	case syntax.OpConcat:
		return firsts(e.Sub[0])
	case syntax.OpAlternate:
		var texts []string
		for _, sub := range e.Sub {
			more := firsts(sub)
			if more == nil || len(texts)+len(more) > 12 {
				return nil
			}
			texts = append(texts, more...)
		}
		return texts
	}
	return nil
}
