package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
)

// blockCommand keeps a user out of the VPN and ends the sessions there are.
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

// phonesBlockCommand ends everything that a phone may do, in one act.
func (p *program) phonesBlockCommand() *cobra.Command {
	var dryRun, yes bool
	c := &cobra.Command{
		Use:   "block SEP…",
		Short: "Lost or stolen: end all that a phone may do",
		Long: `Ends all that a phone may do, in one act: its sessions and registrations end within a
second, logins by password and by certificate are refused, it gets no more files, and
its lines get new passwords, because whoever holds it knows the old ones. "unblock"
lets it in again; it then fetches its file anew.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			set, err := client.Set(c.Context())
			if err != nil {
				return err
			}
			plan, err := control.Blocking(set, args[0])
			if err != nil {
				return usage(err, "longcord phones list")
			}
			fmt.Fprintf(p.err, "to be blocked: %s\n", catalog.Ref{Kind: inventory.KindDevice, Name: args[0]})
			return p.carryOut(c, client, plan, dryRun, yes)
		},
	}
	changeFlags(c, &dryRun, &yes)
	return c
}

// carryOut shows a plan, asks, and applies it.
func (p *program) carryOut(c *cobra.Command, client *control.Client, plan control.PhoneChange, dryRun, yes bool) error {
	for _, note := range plan.Notes {
		fmt.Fprintf(p.err, "  %s\n", note)
	}
	changes, err := client.Apply(c.Context(), plan.Objects, catalog.Options{DryRun: true}, control.ExpectAny)
	if err != nil {
		return err
	}
	if dryRun || changes.Empty() {
		return p.printChanges(changes, dryRun, false)
	}
	if err := p.confirm(yes); err != nil {
		return err
	}
	if changes, err = client.Apply(c.Context(), plan.Objects, catalog.Options{}, control.ExpectAny); err != nil {
		return err
	}
	return p.printChanges(changes, false, false)
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
