package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
)

// way is a way to come by facts other than to read files. It is taken when its flags are given.
type way struct {
	asked   func() bool
	collect func(ctx context.Context, to *fact.Collector, args []string) error
}

// doctorWays are the ways, each in a file of its own; they add their flags to c.
func (p *program) doctorWays(*cobra.Command) []way { return nil }

func (p *program) doctorCommand() *cobra.Command {
	var asJSON, strict bool
	var ways []way
	c := &cobra.Command{
		Use:   "doctor FILE…",
		Short: "Say what is wrong, and who can mend it: from logs and configurations of anybody's equipment",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			collector := fact.NewCollector(version(), strings.Join(args, ", "))
			if err := p.collect(c.Context(), collector, ways, args); err != nil {
				return err
			}
			report := judge.Facts(collector.File(), version())
			if asJSON {
				if err := p.printJSON(report); err != nil {
					return err
				}
			} else {
				printDiagnosis(p.out, report)
			}
			return diagnosisExit(report, strict)
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "end with 1 for warnings, too")
	jsonFlag(c, &asJSON)
	ways = p.doctorWays(c)
	return c
}

// collect takes the ways that were asked for, and otherwise reads the files.
func (p *program) collect(ctx context.Context, to *fact.Collector, ways []way, args []string) error {
	other := false
	for _, w := range ways {
		if w.asked() {
			other = true
			if err := w.collect(ctx, to, args); err != nil {
				return err
			}
		}
	}
	if other {
		return nil
	}
	if len(args) == 0 {
		return usage(errors.New("nothing is given to look at"), "longcord doctor FILE…", "longcord doctor --help")
	}
	for _, name := range args {
		if err := p.readFor(ctx, to, name); err != nil {
			return usage(err)
		}
	}
	return nil
}

func (p *program) readFor(ctx context.Context, to *fact.Collector, name string) error {
	var r io.Reader = p.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		r = file
	}
	return read.Input(ctx, to, name, r, read.Options{Now: time.Now()})
}

// diagnosisExit is the exit code of a report, whose text has said everything.
func diagnosisExit(r *judge.Report, strict bool) error {
	switch r.Verdict {
	case judge.Fault:
		return &failure{code: exitNotWell, err: errQuiet}
	case judge.Insufficient:
		return &failure{code: exitCannotTell, err: errQuiet}
	}
	for _, f := range r.Findings {
		if strict && f.Severity == finding.Warning {
			return &failure{code: exitNotWell, err: errQuiet}
		}
	}
	return nil
}

func printDiagnosis(out io.Writer, r *judge.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%s: %s (%s, %s)\n", f.Step, f.Says, f.Code, f.Certainty)
		for _, e := range f.Evidence {
			fmt.Fprintf(out, "    %s:%d: %s\n", e.Source, e.Line, e.Text)
		}
		for _, fix := range f.Fix {
			fmt.Fprintf(out, "    - %s\n", fix)
		}
	}
	for _, n := range r.Needs {
		fmt.Fprintf(out, "needed: %s\n", n)
	}
	fmt.Fprintf(out, "verdict: %s\n", r.Verdict)
}
