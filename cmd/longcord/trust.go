package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/trust"
)

func (p *program) trustCommand() *cobra.Command {
	c := &cobra.Command{Use: "trust", Short: "What phones believe, and the keys behind it"}
	c.AddCommand(p.trustShowCommand(), p.trustEnableCommand(), p.trustDisableCommand(),
		p.trustImportCommand(), p.trustExportCommand(), p.trustReplaceCommand(), p.trustPromoteCommand())
	return c
}

func (p *program) trustShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the house's keys, their roles and dates, and which phones lag behind",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			status, err := client.Trust(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "trust": status})
			}
			return p.printTrust(status)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) printTrust(status control.TrustStatus) error {
	var rows [][]string
	for _, k := range status.Keys {
		where := "store"
		switch {
		case !k.Until.IsZero():
			where = "gone; TVS vouches for it"
		case !k.KeyHere:
			where = "kept elsewhere"
		}
		if k.Foreign {
			where += ", brought in"
		}
		rows = append(rows, []string{k.Purpose, k.Role, k.Subject, k.Since.Format(time.DateOnly), k.NotAfter.Format(time.DateOnly), where})
	}
	if err := p.table([]string{"PURPOSE", "ROLE", "SUBJECT", "SINCE", "ENDS", "KEY"}, rows); err != nil {
		return err
	}
	if len(status.Behind) > 0 {
		fmt.Fprintf(p.out, "\n%d phones have not fetched their trust list as it is now: %s\n", len(status.Behind), strings.Join(status.Behind, ", "))
	}
	if len(status.Unproven) > 0 {
		fmt.Fprintf(p.out, "of these, somebody has fetched it who is not known to be the phone: %s\n  hint: longcord phones show SEP… says who\n", strings.Join(status.Unproven, ", "))
	}
	if len(status.Without) > 0 {
		fmt.Fprintf(p.out, "\n%d phones are to have a trust list and have fetched none yet: %s\n", len(status.Without), strings.Join(status.Without, ", "))
	}
	return nil
}

// change makes a change of keys and prints how trust stands then.
func (p *program) changeTrust(c *cobra.Command, step control.TrustStep, order control.TrustOrder) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	status, err := client.ChangeTrust(c.Context(), step, order)
	if err != nil {
		return err
	}
	if err := p.printTrust(status); err != nil {
		return err
	}
	if n := len(status.Told); n > 0 {
		fmt.Fprintf(p.out, "%d phones are told to restart, and fetch it then: \"longcord trust show\" says who has not\n", n)
	}
	return nil
}

func (p *program) trustReplaceCommand() *cobra.Command {
	var force, yes, dryRun, noPush bool
	c := &cobra.Command{
		Use:   "replace PURPOSE",
		Short: "Make a new key for a purpose",
		Long: `Makes a new key and certificate for signer-2, files, files-ec, tvs or capf. Trust
lists name it from now on, and phones are told to restart, tunnels staying up, to fetch
theirs; TVS goes on vouching for the old one. Only one changes at a time: the next change
waits until every phone has fetched the list that names this one.
signer-1 is never replaced: let signer-2 sign ("longcord trust promote"), and replace
the one that is second then.`,
		Example: "  longcord trust replace files",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(trust.Purposes, trust.Purpose(args[0])) {
				return usage(fmt.Errorf("there is no purpose %q", args[0]), "signer-2, files, files-ec, tvs or capf")
			}
			fmt.Fprintf(p.out, "a new key for %s; phones learn of it when they restart\n", args[0])
			if dryRun {
				return nil
			}
			if err := p.confirm(yes); err != nil {
				return err
			}
			return p.changeTrust(c, control.TrustReplace, control.TrustOrder{Purpose: trust.Purpose(args[0]), NoPush: noPush, Force: force})
		},
	}
	listsFlag(c, &noPush)
	changeFlags(c, &dryRun, &yes)
	forceFlag(c, &force)
	return c
}

func (p *program) trustPromoteCommand() *cobra.Command {
	var force, yes, dryRun, noPush bool
	c := &cobra.Command{
		Use:   "promote",
		Short: "Let the second signer sign trust lists from now on",
		Long: `The second signer signs, and the first becomes the second. Phones believe both, once
they have fetched a list that names both; until all have, it is refused. Then they are
told to restart, tunnels staying up, to fetch the list that it signs.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintln(p.out, "signer-2 signs trust lists from now on, and signer-1 takes its place")
			if dryRun {
				return nil
			}
			if err := p.confirm(yes); err != nil {
				return err
			}
			return p.changeTrust(c, control.TrustPromote, control.TrustOrder{NoPush: noPush, Force: force})
		},
	}
	listsFlag(c, &noPush)
	changeFlags(c, &dryRun, &yes)
	forceFlag(c, &force)
	return c
}

// listsFlag is for changes that make trust lists new.
func listsFlag(c *cobra.Command, noPush *bool) {
	c.Flags().BoolVar(noPush, "no-push", false, "leave it to \"phones restart\" to have phones fetch their trust list")
}

func forceFlag(c *cobra.Command, force *bool) {
	c.Flags().BoolVar(force, "force", false, "although phones have not fetched their trust list as it is now, and may have to be cured by hand")
}
