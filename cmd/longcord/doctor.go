package main

import (
	"encoding/json"
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

func (p *program) doctorCommand() *cobra.Command {
	var asJSON, strict bool
	c := &cobra.Command{
		Use:   "doctor FILE…",
		Short: "Say what is wrong, and who can mend it: from logs and configurations of anybody's equipment",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			collector := fact.NewCollector(version(), strings.Join(args, ", "))
			for _, name := range args {
				if err := p.readFor(c, collector, name); err != nil {
					return usage(err)
				}
			}
			report := judge.Facts(collector.File(), version())
			if asJSON {
				enc := json.NewEncoder(p.out)
				enc.SetIndent("", "  ")
				enc.SetEscapeHTML(false)
				if err := enc.Encode(report); err != nil {
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
	return c
}

func (p *program) readFor(c *cobra.Command, collector *fact.Collector, name string) error {
	var r io.Reader = os.Stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		r = file
	}
	return read.Input(c.Context(), collector, name, r, read.Options{Now: time.Now()})
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
