// Package migration makes an inventory out of what people have: the configuration of an ASA or of
// ocserv, phones out of CUCM, Asterisk's extensions, the files of phones themselves.
//
// Each source has a function that takes Sources, files as they were given, and returns a Result: the
// objects, which pass the inventory's own validation, and Remarks on everything that was not carried over
// or not as it was. Where a rule that narrows access cannot be carried over, what it guarded is closed, not
// open. Nothing is opened, applied or asked for here: includes count when the included file was given too.
package migration

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/inventory"
)

// Source is a file as it was given.
type Source struct {
	Name    string
	Content []byte
}

// Kind says what became of a line.
type Kind string

// The kinds of Remark.
const (
	Lost     Kind = "lost"     // not carried over: somebody has to look at it
	Changed  Kind = "changed"  // carried over, but not as it was
	Settings Kind = "settings" // belongs into longcord.yaml
	Unneeded Kind = "unneeded" // there is nothing to set for it here
	Other    Kind = "other"    // about other things, or not known here
)

// Remark is one thing that was not carried over, or not as it was. Secrets are left out of Text.
type Remark struct {
	Kind Kind   `json:"kind"`
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Text string `json:"text,omitempty"`
	Why  string `json:"why,omitempty"`
}

// String returns the remark on one line, as compilers write theirs.
func (r Remark) String() string {
	s := r.File
	if r.Line > 0 {
		s += fmt.Sprintf(":%d", r.Line)
	}
	if r.Text != "" {
		s += ": " + r.Text
	}
	if r.Why != "" {
		s += ": " + r.Why
	}
	return s
}

// Result is what was made of a source.
type Result struct {
	Objects []inventory.Object // a valid inventory by themselves, but for Outside
	Remarks []Remark           // by file and line
}

// builder gathers a result.
type builder struct {
	set     *inventory.Set
	origins map[origin]position
	remarks []Remark
}

type origin struct {
	kind inventory.Kind
	name string
}

type position struct {
	file string
	line int
	text string
}

func newBuilder() *builder {
	return &builder{set: inventory.NewSet(), origins: map[origin]position{}}
}

// add takes an object; of two with one name the first stays.
func (b *builder) add(o inventory.Object, from position) bool {
	if err := b.set.Add(o); err != nil {
		b.remark(Lost, from, "there is a %s %q already, from %s", o.Kind(), o.ObjectName(), b.origins[origin{o.Kind(), o.ObjectName()}].where())
		return false
	}
	b.origins[origin{o.Kind(), o.ObjectName()}] = from
	return true
}

func (p position) where() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

func (b *builder) remark(kind Kind, at position, why string, args ...any) {
	b.remarks = append(b.remarks, Remark{Kind: kind, File: at.file, Line: at.line, Text: at.text, Why: fmt.Sprintf(why, args...)})
}

// result leaves out what the inventory would refuse, and says so.
func (b *builder) result() Result {
	for {
		problems := b.set.Validate()
		if len(problems) == 0 {
			break
		}
		refused := map[origin][]string{}
		for _, p := range problems {
			says := p.Says
			if p.Field != "" {
				says = p.Field + ": " + says
			}
			o := origin{p.Kind, p.Name}
			refused[o] = append(refused[o], says)
		}
		b.drop(refused)
	}
	slices.SortStableFunc(b.remarks, func(a, c Remark) int { return cmp.Or(cmp.Compare(a.File, c.File), a.Line-c.Line) })
	return Result{Objects: b.set.Objects(), Remarks: b.remarks}
}

// drop takes objects out of the set.
func (b *builder) drop(refused map[origin][]string) {
	kept := inventory.NewSet()
	for _, o := range b.set.Objects() {
		id := origin{o.Kind(), o.ObjectName()}
		if why, gone := refused[id]; gone {
			b.remark(Lost, b.origins[id], "%s %q is left out: %s", id.kind, id.name, strings.Join(why, "; "))
			continue
		}
		if err := kept.Add(o); err != nil {
			panic(err) // each stood in a set before
		}
	}
	b.set = kept
}

// unnamedPhones says what is missing where phones log in by a name that is not their own: a phone at home gets
// its files only when the session is known to be its own.
func (b *builder) unnamedPhones(g *inventory.TunnelGroup, at position) {
	if g.TakesPassword() {
		b.remark(Lost, at, "which phone a user logs in on is not known: name it among devices of the User, or it gets no new files at home; users that are called like their phone need nothing")
	}
}

var notInNames = regexp.MustCompile(`[^0-9A-Za-z._-]+`)

// plainName makes a name out of a text: at most as long as names may be.
func plainName(text string) string {
	name := strings.Trim(notInNames.ReplaceAllString(text, "-"), "-")
	if len(name) > inventory.MaxName {
		name = strings.TrimRight(name[:inventory.MaxName], "-")
	}
	return name
}

// gatewayName is the VPNGateway's for a URL: whichever source it comes from, it is the same.
func gatewayName(url string) string { return plainName(strings.TrimPrefix(url, "https://")) }

func ptr[T any](value T) *T { return &value }
