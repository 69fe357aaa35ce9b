package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/doctor"
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/finding"
)

// way is a way to come by facts other than to read files. It is taken when its flags are given.
type way struct {
	asked   func() bool
	collect func(ctx context.Context, to *fact.Collector, args []string) error
}

// doctorWays are the ways, each in a file of its own; they add their flags to c.
func (p *program) doctorWays(c *cobra.Command, files *doctorFiles) []way {
	return []way{p.doctorAs(c, files), p.doctorSystem(c, files)}
}

func (p *program) doctorCommand() *cobra.Command {
	var (
		asJSON, strict, anonymous bool
		from, facts, bundle       string
		files                     doctorFiles
		ways                      []way
	)
	c := &cobra.Command{
		Use:   "doctor FILE…|SEP…|USER",
		Short: "Say what is wrong, and who can mend it: from logs and configurations of anybody's equipment",
		Long: `The doctor reads what it is given, any mixture of it judged together: logs and files
of phones, configurations, logs and "show" output of gateways and call managers,
recordings of packets, whole folders, archives as they are. It needs nothing of
Longcord's on the other side. Nothing leaves this machine, and nothing is written
that was not asked for.

A phone of our running system is named by its device name or its user, and asked
about: what it does now, what is known to be wrong, whether it is fit to go home. A
file of that name goes first. --system asks about the system as a whole.

With --as it is the phone instead, from where this machine stands, against anybody's
servers: it lives the steps in their order up to the first that breaks, and says
first what it touches.

"longcord doctor ask asa" says what to collect from an ASA, ready to paste; so do
cucm, ocserv, asterisk and phone. "-" stands for standard input.

Exit codes: 0 no fault was found; 1 a fault; 2 something could not be read; 3 it cannot
be told from what was given, and what else to send stands there.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if anonymous && facts == "" && bundle == "" {
				return usage(errors.New("--anonymous changes what --facts or --bundle write, and neither is given"))
			}
			if err := files.check(); err != nil {
				return err
			}
			saved, err := p.collected(c.Context(), from, args, ways, &files, bundle != "")
			if c.Context().Err() != nil {
				return usage(errEnded)
			}
			if err != nil {
				return err
			}
			report := judge.Facts(saved, version())
			if err := saveFacts(saved, facts, bundle, anonymous); err != nil {
				return err
			}
			if asJSON {
				if err := p.printJSON(report); err != nil {
					return err
				}
			} else {
				doctor.Print(p.out, saved, report, p.style())
				p.saidWhereSaved(bundle, anonymous)
			}
			return diagnosisExit(report, strict)
		},
	}
	files.flags(c)
	c.Flags().BoolVar(&strict, "strict", false, "end with 1 for warnings, too")
	c.Flags().StringVar(&from, "from", "", "judge again what --facts or --bundle wrote to this `FILE`")
	c.Flags().StringVar(&facts, "facts", "", "write what was collected to this new `FILE`, without secrets")
	c.Flags().StringVar(&bundle, "bundle", "", "write one new `FILE` to send to somebody: what was collected and the lines around it, without secrets")
	c.Flags().BoolVar(&anonymous, "anonymous", false, "put other names and public addresses in the place of those in --facts and --bundle")
	jsonFlag(c, &asJSON)
	ways = p.doctorWays(c, &files)
	c.AddCommand(p.doctorExplainCommand(), p.doctorAskCommand())
	return c
}

// collected returns the facts to judge: saved ones, those of the ways that were asked for, or those in files.
func (p *program) collected(ctx context.Context, from string, args []string, ways []way, files *doctorFiles, excerpts bool) (*fact.File, error) {
	asked := slices.DeleteFunc(slices.Clone(ways), func(w way) bool { return !w.asked() })
	if from != "" {
		if len(args) > 0 || len(asked) > 0 {
			return nil, usage(errors.New("--from judges one saved file, and nothing besides"))
		}
		return p.savedFacts(from)
	}
	if len(asked) > 1 {
		return nil, usage(errors.New("--as and --system are two questions; ask one after the other"))
	}
	if len(args) == 0 && len(asked) == 0 {
		return nil, usage(errors.New("nothing is given to look at"),
			"longcord doctor FILE…, or - for standard input", "what to collect says: longcord doctor ask phone (or asa, cucm, ocserv, asterisk)")
	}
	collector := fact.NewCollector(version(), strings.Join(args, ", "))
	for _, w := range asked {
		if err := w.collect(ctx, collector, args); err != nil {
			return nil, err
		}
	}
	if len(asked) == 0 {
		if err := p.readAll(ctx, collector, args, files, excerpts); err != nil {
			return nil, err
		}
	}
	return collector.File(), nil
}

func (p *program) savedFacts(name string) (*fact.File, error) {
	r := p.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, usage(err)
		}
		defer file.Close()
		r = file
	}
	saved, err := fact.Read(r)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, err), "give logs and other files as they are: longcord doctor "+name)
	}
	return saved, nil
}

// saveFacts writes what was asked for.
func saveFacts(f *fact.File, facts, bundle string, anonymous bool) error {
	if anonymous {
		f = f.Anonymous()
	}
	if bundle != "" {
		if err := writeFacts(bundle, f); err != nil {
			return err
		}
	}
	if facts == "" {
		return nil
	}
	bare := *f
	bare.Excerpts = nil
	return writeFacts(facts, &bare)
}

// writeFacts writes them to a file that is not there yet.
func writeFacts(name string, f *fact.File) error {
	var text strings.Builder
	if err := encodeJSON(&text, f); err != nil {
		return err
	}
	if err := writeNew(name, text.String()); err != nil {
		return usage(err, "name a file that is not there yet, so that nothing is lost")
	}
	return nil
}

func (p *program) saidWhereSaved(bundle string, anonymous bool) {
	if bundle == "" {
		return
	}
	fmt.Fprintf(p.err, "%s can be sent. It is text: look through it before.\n", bundle)
	if !anonymous {
		fmt.Fprintf(p.err, "Names and addresses are in it; with --anonymous they are others.\n")
	}
}

// diagnosisExit is the exit code of a report, whose text has said everything.
func diagnosisExit(r *judge.Report, strict bool) error {
	switch r.Verdict {
	case judge.Fault:
		return &failure{code: exitNotWell, err: errQuiet}
	case judge.Insufficient:
		return &failure{code: exitCannotTell, err: errQuiet}
	}
	warned := slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Severity == finding.Warning })
	if strict && warned {
		return &failure{code: exitNotWell, err: errQuiet}
	}
	return nil
}

// style is how standard output shows a report.
func (p *program) style() doctor.Style {
	width, terminal := terminalWidth(p.out)
	return doctor.Style{Width: width, Colour: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// terminalWidth returns the columns of a terminal; 0 when it does not say, or is none.
func terminalWidth(out io.Writer) (width int, terminal bool) {
	file, ok := out.(*os.File)
	if !ok || !isatty.IsTerminal(file.Fd()) {
		return 0, false
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n, true
	}
	if size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ); err == nil {
		return int(size.Col), true
	}
	return 0, true
}

func (p *program) doctorExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Print the page that explains a finding; without a code, list all of them",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				var rows [][]string
				for _, d := range finding.All() {
					rows = append(rows, []string{d.Code, d.Step.String(), string(d.Severity)})
				}
				return p.table([]string{"CODE", "STEP", "SEVERITY"}, rows)
			}
			page, err := doctor.Explain(args[0])
			var unknown *doctor.UnknownCodeError
			if errors.As(err, &unknown) {
				var hints []string
				for _, near := range unknown.Near {
					hints = append(hints, "longcord doctor explain "+near)
				}
				return usage(err, append(hints, "all of them: longcord doctor explain")...)
			}
			if err != nil {
				return err
			}
			fmt.Fprint(p.out, page)
			return nil
		},
	}
}

func (p *program) doctorAskCommand() *cobra.Command {
	var topics []string
	for _, q := range doctor.Questions() {
		topics = append(topics, q.Topic)
	}
	return &cobra.Command{
		Use:   "ask " + strings.Join(topics, "|"),
		Short: "Say what to collect, line by line, ready to paste",
		Long: `Prints commands that collect what the doctor wants to see. On a terminal it says before
and after them where they are typed and what to do with the answers; into a file or a
pipe only the commands go, and the words to standard error.`,
		Args: cobra.MaximumNArgs(1), ValidArgs: topics,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("name what you can ask: " + strings.Join(topics, ", ")))
			}
			q, ok := doctor.Ask(args[0])
			if !ok {
				return usage(fmt.Errorf("what to ask of %q is not known; of these it is: %s", args[0], strings.Join(topics, ", ")))
			}
			for _, line := range q.Before {
				fmt.Fprintln(p.err, line)
			}
			fmt.Fprintln(p.err)
			for _, line := range q.Paste {
				fmt.Fprintln(p.out, line)
			}
			fmt.Fprintln(p.err)
			for _, line := range q.After {
				fmt.Fprintln(p.err, line)
			}
			return nil
		},
	}
}
