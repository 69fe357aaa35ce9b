package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/finding"
)

// outcome is how one case came out.
type outcome struct {
	of     *testCase
	hits   []string // expected findings that were made, strong enough
	weak   []string // expected and found, with less certainty than the evidence carries
	missed []string // expected and not found
	alarms []string // found above note, neither expected nor allowed
	said   judge.Verdict
}

func (o *outcome) verdictRight() bool { return slices.Contains(o.of.Verdict, o.said) }

// misleads reports whether the doctor said something that is not so: the wrong verdict or a false alarm. That it cannot tell
// sends nobody astray.
func (o *outcome) misleads() bool {
	return len(o.alarms) > 0 || !o.verdictRight() && o.said != judge.Insufficient
}

// weigh holds a report against what its case expects.
func weigh(c *testCase, report *judge.Report) *outcome {
	o := &outcome{of: c, said: report.Verdict}
	found := make(map[string]finding.Certainty) // the strongest of each code
	for _, f := range report.Findings {
		if had, ok := found[f.Code]; !ok || slices.Index(certainties, f.Certainty) < slices.Index(certainties, had) {
			found[f.Code] = f.Certainty
		}
	}
	var wanted []string
	for _, e := range c.Findings {
		wanted = append(wanted, e.Code)
		switch certainty, ok := found[e.Code]; {
		case !ok:
			o.missed = append(o.missed, e.Code)
		case !e.met(certainty):
			o.weak = append(o.weak, fmt.Sprintf("%s (%s, not %s)", e.Code, certainty, e.AtLeast))
		default:
			o.hits = append(o.hits, e.Code)
		}
	}
	for _, f := range report.Findings {
		if f.Severity != finding.Note && !slices.Contains(wanted, f.Code) && !slices.Contains(c.Allowed, f.Code) {
			o.alarms = append(o.alarms, fmt.Sprintf("%s (%s)", f.Code, f.Certainty))
		}
	}
	return o
}

// tally sums outcomes.
type tally struct{ cases, hits, weak, missed, alarms, verdicts, misled int }

func (t *tally) add(o *outcome) {
	t.cases++
	t.hits += len(o.hits)
	t.weak += len(o.weak)
	t.missed += len(o.missed)
	t.alarms += len(o.alarms)
	if o.verdictRight() {
		t.verdicts++
	}
	if o.misleads() {
		t.misled++
	}
}

// row is a line of the table. What is found with too little certainty counts as not found.
func (t *tally) row(name string) string {
	found := t.hits + t.weak
	return fmt.Sprintf("%s\t%d\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t", name, t.cases, percent(found, found+t.alarms),
		percent(t.hits, found+t.missed), percent(t.verdicts, t.cases), t.missed, t.weak, t.alarms, t.misled)
}

func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %%", 100*n/of)
}

// write prints the table by category, and then each case that came out wrong.
func write(w io.Writer, outcomes []*outcome) error {
	all, by := &tally{}, make(map[string]*tally)
	var categories []string
	for _, o := range outcomes {
		if by[o.of.category] == nil {
			by[o.of.category] = &tally{}
			categories = append(categories, o.of.category)
		}
		by[o.of.category].add(o)
		all.add(o)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	rows := []string{"category\tcases\tprecision\trecall\tverdict right\tmissed\ttoo weak\tfalse alarms\tmisled\t"}
	for _, category := range categories {
		rows = append(rows, by[category].row(category))
	}
	rows = append(rows, all.row("all"))
	if _, err := fmt.Fprintln(table, strings.Join(rows, "\n")); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, o := range outcomes {
		if line := o.line(); line != "" {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// line says what went wrong with the case, or nothing.
func (o *outcome) line() string {
	var says []string
	if len(o.missed) > 0 {
		says = append(says, "misses "+strings.Join(o.missed, ", "))
	}
	if len(o.weak) > 0 {
		says = append(says, "is too weak on "+strings.Join(o.weak, ", "))
	}
	if len(o.alarms) > 0 {
		says = append(says, "alarms falsely "+strings.Join(o.alarms, ", "))
	}
	if !o.verdictRight() {
		says = append(says, fmt.Sprintf("verdict %s, not %s", o.said, o.wanted()))
	}
	if len(says) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s", o.of, strings.Join(says, "; "))
}

func (o *outcome) wanted() string {
	var all []string
	for _, v := range o.of.Verdict {
		all = append(all, string(v))
	}
	return strings.Join(all, " or ")
}
