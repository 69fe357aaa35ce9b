package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
)

// blockCommand keeps a phone or user out of the VPN and ends the sessions there are.
func (p *program) blockCommand(kind inventory.Kind, of, who string) *cobra.Command {
	var dryRun, yes bool
	c := &cobra.Command{
		Use:   "block " + of,
		Short: fmt.Sprintf("Keep a %s out of the VPN, and end the sessions there are", who),
		Long: fmt.Sprintf(`Keeps a %s out of the VPN: sessions end within a second, and logins are refused until
"unblock". A phone that is told so shows a fault, and comes back only when somebody
presses its keys.`, who),
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !dryRun {
				fmt.Fprintf(p.err, "to be blocked: %s\n", catalog.Ref{Kind: kind, Name: args[0]})
				if err := p.confirm(yes); err != nil {
					return err
				}
			}
			return p.setBlocked(c, kind, args[0], true, dryRun)
		},
	}
	changeFlags(c, &dryRun, &yes)
	return c
}

func (p *program) unblockCommand(kind inventory.Kind, of, who string) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "unblock " + of,
		Short: fmt.Sprintf("Let a %s into the VPN again", who),
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.setBlocked(c, kind, args[0], false, dryRun)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would happen, and change nothing")
	return c
}

// setBlocked changes an object as the running system has it.
func (p *program) setBlocked(c *cobra.Command, kind inventory.Kind, name string, blocked, dryRun bool) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	set, err := client.Set(c.Context())
	if err != nil {
		return err
	}
	object, ok := set.Object(kind, name)
	if !ok {
		return usage(fmt.Errorf("there is no %s %q", kind, name), "longcord get "+string(kind))
	}
	switch o := object.(type) {
	case *inventory.Device:
		o.Blocked = blocked
	case *inventory.User:
		o.Blocked = blocked
	}
	changes, err := client.Apply(c.Context(), []inventory.Object{object}, catalog.Options{DryRun: dryRun}, control.ExpectExisting)
	if err != nil {
		return err
	}
	return p.printChanges(changes, dryRun, false)
}
