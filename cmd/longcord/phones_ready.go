package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory/fitness"
)

func (p *program) phonesReadyCommand() *cobra.Command {
	var all, asJSON bool
	var resolver string
	c := &cobra.Command{
		Use:   "ready [SEP…]",
		Short: "Say whether phones are fit to go home",
		Long: `Looks at each phone before it leaves: whether it has its file as it is now, with the
hashes of the gateway's certificate and of the spare; whether it has registered with
that; its load; its TFTP fields; who can log in; whether the gateway's name leads to it
from outside; and whether the phone will notice that it is outside.

Exit code 1: a phone is not fit; 3: of one it cannot be told.`,
		Example: `  longcord phones ready SEP001122334455 --resolver 9.9.9.9
  longcord phones ready --all`,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			switch {
			case all == (len(args) > 0):
				return usage(errors.New("name phones, or give --all"), "longcord phones ready --all")
			case all:
				phones, err := client.Phones(c.Context())
				if err != nil {
					return err
				}
				for _, phone := range phones {
					if phone.VPN {
						args = append(args, phone.Name)
					}
				}
			}
			judged := []control.Readiness{}
			for _, name := range args {
				one, err := client.Ready(c.Context(), name, resolver)
				if err != nil {
					return err
				}
				judged = append(judged, one)
			}
			return p.printReadiness(judged, asJSON)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every phone whose file names a gateway")
	c.Flags().StringVar(&resolver, "resolver", "", "ask the name server at this `ADDRESS` for the gateway's name, as phones outside do")
	jsonFlag(c, &asJSON)
	return c
}

// printReadiness prints what was found, and returns the exit code that belongs to it.
func (p *program) printReadiness(judged []control.Readiness, asJSON bool) error {
	counts := map[fitness.State]int{}
	for _, one := range judged {
		counts[one.Verdict]++
	}
	if asJSON {
		if err := p.printJSON(map[string]any{"schema": 1, "phones": judged}); err != nil {
			return err
		}
	} else {
		for _, one := range judged {
			p.printChecks(one)
		}
	}
	switch {
	case counts[fitness.Unfit] > 0:
		return &failure{code: exitNotWell, err: errQuiet}
	case counts[fitness.Unknown] > 0:
		return &failure{code: exitCannotTell, err: errQuiet}
	}
	return nil
}

var verdicts = map[fitness.State]string{
	fitness.Fit: "is fit to go home", fitness.Unfit: "is not fit to go home", fitness.Unknown: "may be fit to go home; look at what is marked with ?",
}

var marks = map[fitness.State]string{fitness.Fit: "+", fitness.Unfit: "-", fitness.Unknown: "?"}

func (p *program) printChecks(one control.Readiness) {
	fmt.Fprintf(p.out, "%s %s\n", one.Phone, verdicts[one.Verdict])
	for _, c := range one.Checks {
		code := ""
		if c.Finding != nil {
			code = " (" + c.Finding.Code + ")"
		}
		fmt.Fprintf(p.out, "  %s %-14s %s%s\n", marks[c.State], c.Name, c.Says, code)
		indent := strings.Repeat(" ", len("  + ")+14+1)
		if c.Look != "" {
			fmt.Fprintf(p.out, "%s%s\n", indent, c.Look)
		}
		if c.Finding != nil {
			for _, fix := range c.Finding.Fix {
				fmt.Fprintf(p.out, "%shint: %s\n", indent, fix)
			}
		}
	}
}
