// Package finding is the register of things that can be wrong. Each is declared once, with its code,
// the step it belongs to, one sentence, the remedy, and the findings that make it moot; running parts
// raise and clear them, the doctor judges facts into the same ones, and every screen shows them under
// the same code.
//
// Declare one with Define beside the others of its step, in codes_STEP.go; make it with Declaration.With.
// What runs keeps what is wrong with it now on a Board.
package finding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/longcord/longcord/stage"
)

// Severity says how bad a finding is.
type Severity string

// Severities, worst first.
const (
	Fault   Severity = "fault"   // something does not work
	Warning Severity = "warning" // it works, and will not for ever
	Note    Severity = "note"    // worth knowing
)

// Certainty says how far the evidence carries.
type Certainty string

// Certainties, strongest first.
const (
	Certain  Certainty = "certain"
	Likely   Certainty = "likely"
	Possible Certainty = "possible"
)

// Platform is whose equipment a remedy is typed into.
type Platform string

// Platforms that remedies are known for. Longcord's own stand in Declaration.Fix.
const (
	Longcord Platform = "longcord"
	ASA      Platform = "asa"      // Cisco ASA: configuration and exec commands
	CUCM     Platform = "cucm"     // Cisco Unified Communications Manager: menu paths
	Ocserv   Platform = "ocserv"   // ocserv.conf, occtl
	IOS      Platform = "ios"      // IOS with CME (telephony-service, voice register)
	Asterisk Platform = "asterisk" // chan_sip, chan_pjsip, chan-sccp
	Kamailio Platform = "kamailio" // kamailio.cfg, kamctl
	Phone    Platform = "phone"    // keys pressed on the phone
)

// Declaration is one thing that can be wrong. Codes are stable: scripts rely on them.
type Declaration struct {
	Code     string
	Step     stage.Step
	Severity Severity
	Args     []string // what the arguments are, in the order of With: pages show them in capitals
	Says     string   // one sentence, with fmt verbs by index (%[1]s) for the arguments
	Fix      []string // imperative sentences for our own system, or for any; the same arguments
	MootedBy []string // codes that, when found and not of another phone, make this one not worth saying

	// Elsewhere are the imperative sentences for other people's equipment, the same arguments.
	Elsewhere map[Platform][]string
	// Messages are lines, exactly as other people's equipment prints them, that lead here. They head the finding's
	// page, and the doctor who is given one of them alone must name this code.
	Messages []string
}

// Finding is a declaration that came true, as people and scripts see it.
type Finding struct {
	Code      string     `json:"code"`
	Step      stage.Step `json:"step"`
	Severity  Severity   `json:"severity"`
	Certainty Certainty  `json:"certainty"`
	Says      string     `json:"says"`
	Evidence  []Evidence `json:"evidence"`
	Fix       []string   `json:"fix"`
	Docs      string     `json:"docs"`

	Subject string `json:"-"` // what it is about: the first argument given to With

	args []any
	told bool // its words are its own
}

// Evidence is one line that a finding rests on.
type Evidence struct {
	Source string `json:"source"`         // file name, actor or command
	Line   int    `json:"line,omitempty"` // 1-based; 0 when the source has no lines
	Text   string `json:"text"`
}

var register = map[string]Declaration{}

// Define enters d into the register. It panics on a code that is taken or incomplete, which is a
// mistake of ours and shows at start-up.
func Define(d Declaration) Declaration {
	if _, taken := register[d.Code]; taken || d.Code == "" || d.Says == "" || d.Step == 0 || len(d.Fix) == 0 {
		panic(fmt.Sprintf("finding: %q is declared twice or incompletely", d.Code))
	}
	register[d.Code] = d
	return d
}

// Lookup returns the declaration with this code.
func Lookup(code string) (Declaration, bool) {
	d, ok := register[code]
	return d, ok
}

// All returns every declaration, by step and then by code.
func All() []Declaration {
	all := make([]Declaration, 0, len(register))
	for _, d := range register {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Declaration) int {
		if a.Step != b.Step {
			return int(a.Step - b.Step)
		}
		return strings.Compare(a.Code, b.Code)
	})
	return all
}

// With makes a finding of the declaration, certain unless changed, with args in its sentences.
func (d Declaration) With(args ...any) Finding {
	f := Finding{
		Code: d.Code, Step: d.Step, Severity: d.Severity, Certainty: Certain,
		Says: format(d.Says, args), Evidence: []Evidence{}, Docs: "docs/errors/" + d.Code + ".md",
		args: args,
	}
	for _, fix := range d.Fix {
		f.Fix = append(f.Fix, format(fix, d.toType(args)))
	}
	if len(args) > 0 {
		f.Subject = fmt.Sprint(args[0])
	}
	return f
}

// Unnamed stands for an argument that nobody knows. The sentence speaks of it in these words; a remedy, which somebody
// types, has the argument's name in capitals in its place. Words that begin with an article or a preposition, such as
// "the phone", are taken for unnamed, too.
type Unnamed string

// toType returns the arguments as they stand in what somebody types.
func (d Declaration) toType(args []any) []any {
	args = slices.Clone(args)
	for i, arg := range args {
		_, unnamed := arg.(Unnamed)
		if words, ok := arg.(string); ok {
			first, _, more := strings.Cut(words, " ")
			unnamed = more && slices.Contains([]string{"the", "a", "an", "every", "of", "in"}, first)
		}
		if unnamed && i < len(d.Args) {
			args[i] = strings.ToUpper(strings.ReplaceAll(d.Args[i], " ", "-"))
		}
	}
	return args
}

// Told returns a finding in words of its own: another program told it, or it is about somebody whom the declaration does not speak of.
func Told(d Declaration, says string, fix []string) Finding {
	return Finding{
		Code: d.Code, Step: d.Step, Severity: d.Severity, Certainty: Certain, Says: says, Fix: fix,
		Evidence: []Evidence{}, Docs: "docs/errors/" + d.Code + ".md", Subject: says, told: true,
	}
}

// As returns the finding with another certainty than certain.
func (f Finding) As(c Certainty) Finding {
	f.Certainty = c
	return f
}

func format(sentence string, args []any) string {
	if !strings.Contains(sentence, "%") {
		return sentence
	}
	return fmt.Sprintf(sentence, args...)
}

// Because adds one line of evidence and returns the finding.
func (f Finding) Because(source string, line int, text string) Finding {
	f.Evidence = append(f.Evidence, Evidence{Source: source, Line: line, Text: text})
	return f
}
