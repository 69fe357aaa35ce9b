package provision

import (
	"strings"

	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phonexml"
)

// Companions returns the files that a phone fetches after its own: those that it names.
func Companions(doc *cnf.Device) []string {
	var names []string
	add := func(name string) {
		if clean, err := Clean(name); name != "" && err == nil {
			names = append(names, clean)
		}
	}
	if doc.SIPProfile != nil {
		add(doc.SIPProfile.DialTemplate)
		add(doc.SIPProfile.SoftKeyFile)
	}
	add(doc.FeaturePolicyFile)
	return names
}

// Dialled returns what a phone dials when its user has entered these digits on a line, the first being 1:
// the first pattern that matches all of them decides. Digits that nothing matches are dialled as they are.
func Dialled(template *phonexml.DialTemplate, line int, digits string) string {
	for _, pattern := range template.Patterns {
		if pattern.Line != nil && int(*pattern.Line) != line {
			continue
		}
		if m, ok := match(elements(pattern.Match), digits); ok {
			return rewrite(pattern.Rewrite, digits, m)
		}
	}
	return digits
}

// element is one part of a pattern.
type element struct {
	literal byte // 0: any
	many    bool // zero or more
}

// elements cuts a pattern up. A comma plays a tone and takes no digit.
func elements(pattern string) []element {
	var cut []element
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == ',':
		case c == '.':
			cut = append(cut, element{})
		case c == '*':
			cut = append(cut, element{many: true})
		case c == '\\' && i+1 < len(pattern):
			i++
			cut = append(cut, element{literal: pattern[i]})
		default:
			cut = append(cut, element{literal: c})
		}
	}
	return cut
}

// matched is what parts of a pattern matched.
type matched struct {
	dots   []byte   // one for each .
	groups []string // runs of literals or of dots, and each *
}

// match reports whether a pattern takes all of digits.
func match(pattern []element, digits string) (matched, bool) {
	taken, ok := lengths(pattern, digits, map[[2]int]bool{})
	if !ok {
		return matched{}, false
	}
	var m matched
	for i, e := range pattern {
		part := digits[:taken[i]]
		digits = digits[taken[i]:]
		if !e.many && e.literal == 0 {
			m.dots = append(m.dots, part[0])
		}
		if i > 0 && !e.many && !pattern[i-1].many && (e.literal == 0) == (pattern[i-1].literal == 0) {
			m.groups[len(m.groups)-1] += part
			continue
		}
		m.groups = append(m.groups, part)
	}
	return m, true
}

// lengths returns how many digits each part takes, the first * as many as it can. Rests that have been tried
// in vain are remembered, so that many stars take no long time.
func lengths(pattern []element, digits string, vain map[[2]int]bool) ([]int, bool) {
	rest := [2]int{len(pattern), len(digits)}
	if len(pattern) == 0 || vain[rest] {
		return nil, digits == "" && !vain[rest]
	}
	least, most := 1, 1
	if pattern[0].many {
		least, most = 0, len(digits)
	}
	for n := most; n >= least; n-- {
		if n > len(digits) || pattern[0].literal != 0 && digits[0] != pattern[0].literal {
			continue
		}
		if after, ok := lengths(pattern[1:], digits[n:], vain); ok {
			return append([]int{n}, after...), true
		}
	}
	vain[rest] = true
	return nil, false
}

// rewrite puts what was matched into a rewrite; an empty one leaves the digits as they are.
func rewrite(text, digits string, m matched) string {
	if text == "" {
		return digits
	}
	var out strings.Builder
	dots := m.dots
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '.' && len(dots) > 0:
			out.WriteByte(dots[0])
			dots = dots[1:]
		case c == '.':
		case c != '%' || i+1 == len(text):
			out.WriteByte(c)
		default:
			i++
			switch n := int(text[i] - '0'); {
			case text[i] == '0':
				out.WriteString(digits)
			case n >= 1 && n <= 5:
				if n <= len(m.groups) {
					out.WriteString(m.groups[n-1])
				}
			default: // %% and %.
				out.WriteByte(text[i])
			}
		}
	}
	return out.String()
}
