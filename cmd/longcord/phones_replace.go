package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
)

func (p *program) phonesReplaceCommand() *cobra.Command {
	var r control.Replacement
	var dryRun, yes bool
	c := &cobra.Command{
		Use:   "replace OLD NEW",
		Short: "Put a new phone in the place of a broken or lost one",
		Long: `Gives everything of one phone to another: lines, description, profile, site, keys, fixed
address, its user, and what access lists say of it. Lines get new passwords. The old
phone is blocked, or with --remove deleted, which revokes its certificates. Then let the
new phone fetch its file in the office, or invite it with "phones invite".`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			r.Old, r.New = args[0], args[1]
			client, err := p.client()
			if err != nil {
				return err
			}
			set, err := client.Set(c.Context())
			if err != nil {
				return err
			}
			plan, err := r.Change(set)
			if err != nil {
				return usage(err, "longcord phones list")
			}
			fmt.Fprintf(p.err, "%s takes the place of %s:\n", r.New, r.Old)
			if err := p.carryOut(c, client, plan, dryRun, yes); err != nil || dryRun || !r.Remove {
				return err
			}
			return p.deleted(c.Context(), client, []catalog.Ref{{Kind: inventory.KindDevice, Name: r.Old}}, false)
		},
	}
	changeFlags(c, &dryRun, &yes)
	c.Flags().StringVar(&r.Model, "model", "", "`MODEL` of the new phone (default that of the old one)")
	c.Flags().BoolVar(&r.Remove, "remove", false, "delete the old phone instead of blocking it")
	return c
}
