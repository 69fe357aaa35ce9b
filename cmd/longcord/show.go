package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/trust"
)

func (p *program) showCommand() *cobra.Command {
	c := &cobra.Command{Use: "show", Short: "What goes on, and what is wrong"}
	c.AddCommand(p.showAccessListCommand(), p.showListCommand(trust.CTL), p.showFindingsCommand(), p.showListCommand(trust.ITL), p.showSessionDBCommand(), p.showVersionCommand())
	return c
}

func (p *program) showFindingsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "findings",
		Short: "Show what the running system has found wrong and what to do about it",
		Long: `Shows what the running system has found wrong, in the order of a phone's steps, with
the last evidence. A finding goes when its cause has gone; one about a login that
nobody tries again goes after a day. The exit code is 0 whatever is shown; scripts read
the severities of --json.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			all, err := client.Findings(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "findings": all})
			}
			for _, f := range all {
				fmt.Fprintf(p.out, "%s in %s: %s (%s)\n", f.Severity, f.Step, f.Says, f.Code)
				fmt.Fprintf(p.out, "  met %d times, first %s, last %s\n", f.Count, f.First.Format(time.DateTime), f.Last.Format(time.DateTime))
				for _, e := range f.Evidence {
					fmt.Fprintf(p.out, "  because: %s\n", e.Text)
				}
				fmt.Fprintf(p.out, "  hint: %s\n", strings.Join(f.Fix, "\n  hint: "))
			}
			if len(all) == 0 {
				fmt.Fprintln(p.out, "nothing is known to be wrong")
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
