package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

// Case is the facts while they are judged, and what was found so far.
type Case struct {
	file   *fact.File
	byKind map[fact.Kind][]fact.Fact
	found  []found
	early  int // so many of found are what rules made of facts; the rest was told
	needs  []string
	meant  bool // the evidence shows that a phone's VPN is meant

	phonesOf map[string][]string // by user: as whose the evidence knows phones
	speakers map[string][]string // by source: phones that it names
}

// found is a finding, and whom it is about.
type found struct {
	finding.Finding
	about party
}

func newCase(f *fact.File) *Case {
	c := &Case{file: f, byKind: map[fact.Kind][]fact.Fact{}}
	for _, each := range f.Facts {
		c.byKind[each.Kind] = append(c.byKind[each.Kind], each)
	}
	c.learnParties()
	c.meant = c.vpnMeant()
	return c
}

// Now returns when the facts were collected; zero: not known.
func (c *Case) Now() time.Time { return c.file.Collected }

// All returns the facts of these kinds, those of each in the order in which they were read.
func (c *Case) All(kinds ...fact.Kind) []fact.Fact {
	if len(kinds) == 1 {
		return c.byKind[kinds[0]]
	}
	var all []fact.Fact
	for _, k := range kinds {
		all = append(all, c.byKind[k]...)
	}
	return all
}

// Of returns the facts of a kind that have these values, pairs of name and value; the case of letters does not count.
func (c *Case) Of(k fact.Kind, values ...string) []fact.Fact { return having(c.byKind[k], values) }

func having(facts []fact.Fact, values []string) (found []fact.Fact) {
	for _, f := range facts {
		if has(f, values) {
			found = append(found, f)
		}
	}
	return found
}

func has(f fact.Fact, values []string) bool {
	for i := 0; i+1 < len(values); i += 2 {
		if !strings.EqualFold(f.Get(values[i]), values[i+1]) {
			return false
		}
	}
	return true
}

// Has reports whether there is a fact of one of these kinds.
func (c *Case) Has(kinds ...fact.Kind) bool {
	return slices.ContainsFunc(kinds, func(k fact.Kind) bool { return len(c.byKind[k]) > 0 })
}

// Every returns all facts, in the order in which they were read.
func (c *Case) Every() []fact.Fact { return c.file.Facts }

// Failed reports whether something in the evidence says that a thing did not work.
func (c *Case) Failed() bool {
	return slices.ContainsFunc(c.file.Facts, func(f fact.Fact) bool {
		_, failed := fact.SymptomOf(f.Kind)
		return failed
	})
}

// First returns the first fact of a kind.
func (c *Case) First(k fact.Kind) (fact.Fact, bool) {
	if all := c.byKind[k]; len(all) > 0 {
		return all[0], true
	}
	return fact.Fact{}, false
}

// Last returns the last fact of a kind.
func (c *Case) Last(k fact.Kind) (fact.Fact, bool) {
	if all := c.byKind[k]; len(all) > 0 {
		return all[len(all)-1], true
	}
	return fact.Fact{}, false
}

// below reports whether a fact stands further down than another one, in the same source: of what is said again, what is
// said last counts.
func below(f, other fact.Fact) bool {
	return f.Source == other.Source && max(f.Line, f.Last) > max(other.Line, other.Last)
}

// later reports whether a fact of that kind stands below another one, about the same as that: of these values, those that it
// has. So what failed is known to have worked later.
func (c *Case) later(k fact.Kind, than fact.Fact, same ...string) bool {
	return slices.ContainsFunc(c.byKind[k], func(f fact.Fact) bool {
		return below(f, than) && !slices.ContainsFunc(same, func(name string) bool {
			value := than.Get(name)
			return value != "" && !strings.EqualFold(f.Get(name), value)
		})
	})
}

// Sees reports whether equipment of this platform speaks in the evidence.
func (c *Case) Sees(p finding.Platform) bool { return slices.Contains(c.platforms(), p) }

func (c *Case) platforms() []finding.Platform {
	var all []finding.Platform
	for _, s := range c.file.Sources {
		for _, p := range s.Platforms {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// Find adds a finding that rests on these facts. The same finding about the same subject again adds its evidence, and
// the graver and stronger one counts.
func (c *Case) Find(f finding.Finding, on ...fact.Fact) {
	about := c.partyOf(f, on)
	for _, each := range on {
		f = f.Because(each.Source, each.Line, each.Text)
	}
	for i := range c.found {
		same := &c.found[i]
		if same.Code != f.Code || same.Subject != f.Subject {
			continue
		}
		for _, e := range f.Evidence {
			if !slices.Contains(same.Evidence, e) {
				same.Evidence = append(same.Evidence, e)
			}
		}
		same.about.join(about)
		if rank(f) < rank(same.Finding) {
			same.Severity, same.Certainty = f.Severity, f.Certainty
		}
		return
	}
	c.found = append(c.found, found{f, about})
}

// FindAgain adds what somebody else has found: as evidence where rules have found the same, under whatever name, unless
// that is about somebody else; else by itself. A fault of a step after one that is broken already is what follows from
// that, and is left out.
func (c *Case) FindAgain(f finding.Finding, on ...fact.Fact) {
	about := c.partyOf(f, on)
	for _, same := range c.found[:c.early] {
		if same.Code == f.Code && !same.about.apart(about) {
			f.Subject = same.Subject
			c.Find(f, on...)
			return
		}
	}
	if broken := c.broken(about); f.Severity == finding.Fault && broken != 0 && f.Step > broken {
		return
	}
	c.Find(f, on...)
}

// broken returns the first step of which a fault is found for somebody that is more than possible; 0: none.
func (c *Case) broken(who party) (first stage.Step) {
	for _, f := range c.found {
		if f.Severity == finding.Fault && f.Certainty != finding.Possible && !f.about.apart(who) && (first == 0 || f.Step < first) {
			first = f.Step
		}
	}
	return first
}

// Need asks for what else to send, in the imperative.
func (c *Case) Need(ask ...string) {
	for _, each := range ask {
		if !slices.Contains(c.needs, each) {
			c.needs = append(c.needs, each)
		}
	}
}

// explain asks for more where something failed and nothing that was found says why.
func (c *Case) explain() {
	for _, f := range c.file.Facts {
		if s, ok := fact.SymptomOf(f.Kind); ok && !c.explained(s.Step) && !(slices.Contains(triedTunnel, f.Kind) && connected(c, f)) {
			c.Need(s.Ask...)
		}
	}
	if c.broken(party{}) == 0 {
		c.readOn()
		c.earn()
	}
}

// triedTunnel are symptoms that a phone which says that its VPN is connected has no more.
var triedTunnel = []fact.Kind{fact.PhoneVPNFailed, fact.PhoneAttempting}

// readOn asks about what was not read of a source, and about the first line of each that speaks of a failure which nobody can
// read, as long as no fault says why.
func (c *Case) readOn() {
	for _, s := range c.file.Sources {
		if s.Partly {
			c.Need(fmt.Sprintf("send what was not read of %s: %s", s.Name, s.Problem))
		}
		if s.Unread != "" {
			c.Need(fmt.Sprintf("line %d of %s speaks of a failure that cannot be read here: %q. Send what stands around it, and what the other side logged at that time",
				s.UnreadLine, s.Name, s.Unread))
		}
	}
}

// explained reports whether a fault of the same or an earlier step accounts for a symptom. That a warning stands beside
// a failure, or that something is possible, explains nothing.
func (c *Case) explained(step stage.Step) bool {
	return slices.ContainsFunc(c.found, func(f found) bool {
		return f.Severity == finding.Fault && f.Certainty != finding.Possible && f.Step <= step
	})
}

// notJudged returns the steps after the first that a walk found broken.
func (c *Case) notJudged() []NotJudged {
	all := []NotJudged{}
	for _, f := range c.byKind[fact.WalkStep] {
		if f.Get("ok") != "false" {
			continue
		}
		var broken stage.Step
		if err := broken.UnmarshalText([]byte(f.Get("step"))); err != nil {
			break
		}
		for s := broken + 1; s < stage.Diagnose; s++ {
			all = append(all, NotJudged{s, broken})
		}
		break
	}
	return all
}
