// Package judge turns facts into findings. It is a pure function: it reads no clock, no file and no network.
//
// A rule is one file: what it may find, and a function over the case. See rule.
package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

// Verdict is how it all came out.
type Verdict string

// Verdicts. OK is earned; see earn. Warnings and notes alone are OK, and what is only possible is a note beside it. Such a
// fault carries no verdict.
const (
	Fault        Verdict = "fault"
	OK           Verdict = "ok"
	Insufficient Verdict = "insufficient"
)

// Report is what the doctor says, as --json prints it.
type Report struct {
	Schema    int               `json:"schema"` // 1
	Version   string            `json:"version"`
	Subject   string            `json:"subject"`
	Verdict   Verdict           `json:"verdict"`
	Findings  []finding.Finding `json:"findings"` // in story order, faults first within a step
	NotJudged []NotJudged       `json:"not_judged"`
	Needs     []string          `json:"needs"` // what else to send, in the imperative
}

// NotJudged is a step that nothing can be said about, because an earlier one is broken.
type NotJudged struct {
	Step    stage.Step `json:"step"`
	Because stage.Step `json:"because"`
}

// Rule finds some of the findings.
type Rule struct {
	Finds []finding.Declaration
	Judge func(*Case)
}

var rules, lateRules []Rule

// rule adds a rule, where it stands: var _ = rule(…).
func rule(judge func(*Case), finds ...finding.Declaration) struct{} {
	rules = append(rules, Rule{finds, judge})
	return struct{}{}
}

// lateRule adds a rule that goes by what the others have found.
func lateRule(judge func(*Case), finds ...finding.Declaration) struct{} {
	lateRules = append(lateRules, Rule{finds, judge})
	return struct{}{}
}

// Found reports whether a rule can find this code.
func Found(code string) bool {
	return slices.ContainsFunc(slices.Concat(rules, lateRules), func(r Rule) bool {
		return slices.ContainsFunc(r.Finds, func(d finding.Declaration) bool { return d.Code == code })
	})
}

// Facts judges what was collected. version is of the program that judges.
func Facts(f *fact.File, version string) *Report {
	c := newCase(f)
	for _, r := range rules {
		r.Judge(c)
	}
	c.noteOthers()
	c.early = len(c.found)
	for _, r := range lateRules {
		r.Judge(c)
	}
	c.explain()
	c.noteDoubts()
	r := &Report{
		Schema: 1, Version: version, Subject: f.Subject,
		Findings: c.findings(), NotJudged: c.notJudged(), Needs: []string{},
	}
	r.Needs = append(r.Needs, c.needs...)
	r.Verdict = c.verdict(r.Findings)
	return r
}

func (c *Case) verdict(found []finding.Finding) Verdict {
	for _, f := range found {
		if f.Severity == finding.Fault && f.Certainty != finding.Possible {
			return Fault
		}
	}
	if len(c.needs) > 0 {
		return Insufficient
	}
	return OK
}

// findings returns what was found without what is moot, each once, in story order.
func (c *Case) findings() []finding.Finding {
	all := []finding.Finding{}
	for _, f := range c.found {
		if !c.moot(f) {
			all = append(all, f.Finding)
		}
	}
	slices.SortStableFunc(all, func(a, b finding.Finding) int {
		return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(rank(a), rank(b)), strings.Compare(a.Code, b.Code))
	})
	for i := range all {
		all[i] = all[i].On(c.platforms()...)
		all[i].Fix = c.asaWords(all[i].Fix)
	}
	return all
}

// moot reports whether something else was found that makes a finding not worth saying, and not of another phone.
func (c *Case) moot(f found) bool {
	d, _ := finding.Lookup(f.Code)
	return slices.ContainsFunc(c.found, func(cause found) bool {
		return cause.Certainty != finding.Possible && slices.Contains(d.MootedBy, cause.Code) && !cause.about.apart(f.about)
	})
}

// rank orders severities and then certainties, worst and strongest first.
func rank(f finding.Finding) int {
	severities := []finding.Severity{finding.Fault, finding.Warning, finding.Note}
	certainties := []finding.Certainty{finding.Certain, finding.Likely, finding.Possible}
	return slices.Index(severities, f.Severity)*len(certainties) + slices.Index(certainties, f.Certainty)
}
