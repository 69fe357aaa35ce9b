package doctor

import (
	"fmt"
	"io"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

// Style is how a report is shown.
type Style struct {
	Width  int  // columns after which lines are broken; 0: never
	Colour bool // with the colours of a terminal
}

// Print writes the report as people read it: the sentence, then the evidence by step, what to do, and what to send.
func Print(out io.Writer, f *fact.File, r *judge.Report, s Style) {
	p := &printer{out: out, style: s}
	p.headline(f, r)
	for step := stage.Provision; step <= stage.Diagnose; step++ {
		p.step(step, r)
	}
	p.notJudged(r)
	if len(r.Needs) > 0 {
		p.line("")
		if r.Verdict == judge.Insufficient {
			p.line("To tell it:")
		} else {
			p.line("To tell more:")
		}
		for _, need := range r.Needs {
			p.item(2, fact.Printable(need))
		}
	}
	p.sources(f)
}

type printer struct {
	out   io.Writer
	style Style
}

func (p *printer) headline(f *fact.File, r *judge.Report) {
	switch main, more := faults(r); {
	case r.Verdict == judge.Fault:
		says := fact.Printable(main.Says)
		if others := alternatives(r.Findings, main); len(others) > 0 {
			for _, other := range others {
				says += "; or " + fact.Printable(other.Says)
			}
			more -= len(others)
		}
		p.wrapped(0, 0, p.coloured(red, "Fault")+" at the step "+main.Step.String()+": "+says+"."+furtherFaults(more))
	case r.Verdict == judge.Insufficient:
		p.wrapped(0, 0, p.coloured(yellow, "Cannot tell")+" what is wrong from what was given.")
	default:
		warnings := 0
		for _, f := range r.Findings {
			if f.Severity == finding.Warning {
				warnings++
			}
		}
		says := "No fault is in " + understood(f) + "."
		if warnings > 0 {
			says += " " + counted(warnings, "warning") + "."
		}
		p.wrapped(0, 0, p.coloured(green, "OK")+": "+says)
	}
}

// understood says what a verdict of no fault is about: what was given, or the smaller part of its lines that is known.
func understood(f *fact.File) string {
	known, lines := 0, 0
	for _, s := range f.Sources {
		if s.Known > 0 {
			known, lines = known+s.Known, lines+s.Lines
		}
	}
	if 2*known >= lines {
		return "what was given"
	}
	return fmt.Sprintf("the %d of %d lines that are known here; look at the others yourself", known, lines)
}

// faults returns the finding that carries the verdict, and how many other faults there are that do.
func faults(r *judge.Report) (main finding.Finding, more int) {
	found := false
	for _, f := range r.Findings {
		if f.Severity != finding.Fault || f.Certainty == finding.Possible {
			continue
		}
		if found {
			more++
		} else {
			main, found = f, true
		}
	}
	return main, more
}

// alternatives returns the other findings of which one may be the cause in the place of f: none of them is certain, and
// all speak of the same step.
func alternatives(all []finding.Finding, f finding.Finding) []finding.Finding {
	if f.Severity != finding.Fault || f.Certainty == finding.Certain {
		return nil
	}
	var others []finding.Finding
	for _, other := range all {
		if other.Step != f.Step || other.Severity != finding.Fault || other.Code == f.Code && other.Subject == f.Subject {
			continue
		}
		if other.Certainty == finding.Certain {
			return nil
		}
		if other.Certainty == f.Certainty {
			others = append(others, other)
		}
	}
	return others
}

func furtherFaults(n int) string {
	if n <= 0 {
		return ""
	}
	return " " + counted(n, "further fault") + " below."
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// mostEvidence is how many lines of evidence people read of one finding. The others are in the JSON document.
const mostEvidence = 6

func (p *printer) step(step stage.Step, r *judge.Report) {
	first := true
	for _, f := range r.Findings {
		if f.Step != step {
			continue
		}
		p.line("")
		if first {
			p.line(step.String())
			first = false
		}
		p.finding(f, len(alternatives(r.Findings, f)) > 0)
	}
}

func (p *printer) notJudged(r *judge.Report) {
	if len(r.NotJudged) == 0 {
		return
	}
	var steps []string
	for _, n := range r.NotJudged {
		steps = append(steps, n.Step.String())
	}
	p.line("")
	p.wrapped(0, 2, fmt.Sprintf("Not judged: %s, which need %s.", strings.Join(steps, ", "), r.NotJudged[0].Because))
}

func (p *printer) finding(f finding.Finding, alternative bool) {
	colour := map[finding.Severity]string{finding.Fault: red, finding.Warning: yellow}[f.Severity]
	label := string(f.Severity)
	if alternative {
		label = "either this " + label
	}
	if f.Certainty != finding.Certain {
		label += ", " + string(f.Certainty)
	}
	p.wrapped(2, 4, p.coloured(colour, label)+": "+fact.Printable(f.Says)+" ["+f.Code+"]")
	if len(f.Evidence) > 0 {
		p.line("    because")
	}
	for i, e := range f.Evidence {
		if i == mostEvidence {
			p.line(fmt.Sprintf("      … and %s more", counted(len(f.Evidence)-i, "line")))
			break
		}
		where := e.Source
		if e.Line > 0 {
			where += fmt.Sprintf(":%d", e.Line)
		}
		p.wrapped(6, 8, p.coloured(dim, fact.Cut(where)+":")+" "+fact.Cut(e.Text))
	}
	p.line("    what to do")
	for _, fix := range f.Fix {
		p.item(6, fact.Printable(fix))
	}
	p.wrapped(4, 6, p.coloured(dim, "more: longcord doctor explain "+f.Code))
}

// mostSources is how many inputs are listed in which nobody found anything. One that was not read to its end is always listed.
const mostSources = 5

// sources says what was recognised, one line each.
func (p *printer) sources(f *fact.File) {
	if len(f.Sources) == 0 {
		return
	}
	p.line("")
	p.line("Looked at:")
	unknown := 0
	for _, s := range f.Sources {
		if len(s.Formats) == 0 && !s.Partly {
			if unknown++; unknown > mostSources {
				continue
			}
		}
		p.wrapped(2, 4, fact.Cut(s.Name)+": "+whatItIs(s))
	}
	if more := unknown - mostSources; more > 0 {
		p.wrapped(2, 4, fmt.Sprintf("… and %s in which nothing is known", counted(more, "other input")))
	}
}

func whatItIs(s fact.Source) string {
	var parts []string
	switch {
	case len(s.Formats) > 0:
		parts = append(parts, strings.Join(s.Formats, "; "))
	case s.Problem == "" && s.Lines == 0:
		parts = append(parts, "it is empty")
	case s.Problem == "":
		parts = append(parts, "nothing in it is known here")
	}
	if s.Lines > 0 {
		parts = append(parts, counted(s.Lines, "line"))
		if s.Known > 0 {
			parts[len(parts)-1] += fmt.Sprintf(", %d understood", s.Known)
		}
	}
	if s.Problem != "" {
		parts = append(parts, s.Problem)
	}
	return fact.Cut(strings.Join(parts, ", "))
}

// Colours, as terminals have them.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	dim    = "2"
)

func (p *printer) coloured(colour, text string) string {
	if !p.style.Colour || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (p *printer) line(text string) { fmt.Fprintln(p.out, text) }

func (p *printer) item(indent int, text string) { p.wrapped(indent, indent+2, "- "+text) }

// wrapped writes text at this indentation, and what goes on in the next lines at the other.
func (p *printer) wrapped(first, next int, text string) {
	fmt.Fprintln(p.out, wrap(text, first, next, p.style.Width))
}

// leastWidth is the narrowest terminal for which lines are broken; below it words would stand alone.
const leastWidth = 30

// wrap breaks text between words so that lines are at most width columns wide, where words allow it.
func wrap(text string, first, next, width int) string {
	if width < leastWidth {
		return strings.Repeat(" ", first) + text
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", first))
	column, begun := first, false
	for word := range strings.FieldsSeq(text) {
		w := columns(word)
		switch {
		case !begun:
		case column+1+w > width:
			b.WriteString("\n" + strings.Repeat(" ", next))
			column = next
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += w
		begun = true
	}
	return b.String()
}

// columns returns how wide a word is, without the colours in it.
func columns(word string) int {
	n, inColour := 0, false
	for _, r := range word {
		switch {
		case r == 0x1b:
			inColour = true
		case inColour:
			inColour = r != 'm'
		default:
			n++
		}
	}
	return n
}
