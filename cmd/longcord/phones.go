package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
)

func (p *program) phonesCommand() *cobra.Command {
	c := &cobra.Command{Use: "phones", Short: "Daily work with phones"}
	c.AddCommand(p.phonesListCommand(), p.phonesShowCommand(), p.phonesAddCommand(), p.phonesRemoveCommand(), p.phonesModelsCommand(),
		p.phonesInviteCommand(), p.phonesReadyCommand(),
		p.tellCommand(control.RestartPhone), p.tellCommand(control.ResetPhone),
		p.phonesReplaceCommand(), p.phonesBlockCommand(), p.unblockCommand(inventory.KindDevice, "SEP…", "phone"))
	return c
}

func (p *program) phonesAddCommand() *cobra.Command {
	var phone control.NewPhone
	c := &cobra.Command{
		Use:   "add SEP… --model MODEL --line NUMBER",
		Short: "Add a phone and its line",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			phone.Device = args[0]
			client, err := p.client()
			if err != nil {
				return err
			}
			set, err := client.Set(c.Context())
			if err != nil {
				return err
			}
			objects, err := phone.Objects(set)
			if err != nil {
				return usage(err, "name one with --profile, see: longcord get CommonPhoneProfile")
			}
			changes, err := client.Apply(c.Context(), objects, catalog.Options{}, control.ExpectNew)
			if err != nil {
				return err
			}
			return p.printChanges(changes, false, false)
		},
	}
	f := c.Flags()
	f.StringVar(&phone.Model, "model", "", "`MODEL` as on the phone, such as CP-8861")
	f.StringVar(&phone.Protocol, "protocol", "", "`PROTOCOL` of its load, SIP or SCCP (default SIP)")
	f.StringVar(&phone.Line, "line", "", "directory `NUMBER`; made with a fresh secret unless it is there")
	f.StringVar(&phone.DisplayName, "name", "", "`NAME` of its user")
	f.StringVar(&phone.Profile, "profile", "", "common phone `PROFILE` (default the only one that fits the model)")
	f.StringVar(&phone.Site, "site", "", "`SITE` (default the only one)")
	for _, required := range []string{"model", "line"} {
		_ = c.MarkFlagRequired(required) // fails for unknown flags only
	}
	return c
}

func (p *program) phonesRemoveCommand() *cobra.Command {
	var dryRun, yes bool
	c := &cobra.Command{
		Use:   "remove SEP…",
		Short: "Remove a phone and the lines that no other phone has",
		Long:  `The certificates that the phone has of this house are revoked, too, as after "delete" and "apply --prune".`,
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			set, err := client.Set(c.Context())
			if err != nil {
				return err
			}
			return p.deleteObjects(c.Context(), control.Removal(set, args[0]), dryRun, yes)
		},
	}
	changeFlags(c, &dryRun, &yes)
	return c
}

func (p *program) phonesListCommand() *cobra.Command {
	var asJSON, unknown bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the phones and what they do now, or those that nobody has added",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			if unknown {
				return p.listStrangers(c.Context(), client, asJSON)
			}
			phones, err := client.Phones(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "phones": phones})
			}
			var rows [][]string
			for _, phone := range phones {
				rows = append(rows, []string{phone.Name, phone.Model, strings.Join(phone.Lines, ","), registered(phone), reached(phone), fileState(phone), phone.Description})
			}
			return p.table([]string{"NAME", "MODEL", "LINES", "REGISTERED", "VPN", "FILE", "DESCRIPTION"}, rows)
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&unknown, "unknown", false, "list phones that asked for files or tried to register and are not in the inventory, with the command that adds each")
	return c
}

func (p *program) listStrangers(ctx context.Context, client *control.Client, asJSON bool) error {
	strangers, err := client.Strangers(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(map[string]any{"schema": 1, "phones": strangers})
	}
	var rows [][]string
	for _, s := range strangers {
		rows = append(rows, []string{s.Name, s.Address, s.Last.Local().Format(time.DateTime), strings.Join(s.Asked, ", "), s.Add})
	}
	return p.table([]string{"NAME", "ADDRESS", "LAST ASKED", "ASKED FOR", "ADD WITH"}, rows)
}

// registered says from where a phone is registered, or that it is not.
func registered(phone control.Phone) string {
	if len(phone.Registrations) == 0 {
		return "no"
	}
	return phone.Registrations[0].Contact
}

// reached says what a phone does with VPN.
func reached(phone control.Phone) string {
	switch {
	case phone.Session != nil && phone.Session.Transport != "":
		return phone.Session.Transport
	case phone.Session != nil:
		return phone.Session.State
	case phone.VPN:
		return "no session"
	}
	return "none"
}

func (p *program) phonesShowCommand() *cobra.Command {
	var asJSON, live, raw bool
	c := &cobra.Command{
		Use:   "show SEP…",
		Short: "Show one phone and what it does now",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			if live || raw {
				return p.showLive(c.Context(), client, args[0], raw, asJSON)
			}
			phone, err := client.Phone(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "phone": phone})
			}
			return p.printPhone(phone)
		},
	}
	c.Flags().BoolVar(&live, "live", false, "ask the phone itself, by its web pages")
	c.Flags().BoolVar(&raw, "raw", false, "with --live: print its pages as they came")
	jsonFlag(c, &asJSON)
	return c
}

// fetcher says who fetched a file, as far as that is known.
func fetcher(d control.Delivery) string {
	switch {
	case d.Own:
		return "the phone"
	case d.Other:
		return "another MAC address"
	}
	return "unproven"
}

func (p *program) printPhone(phone control.Phone) error {
	rows := [][]string{
		{"model", phone.Model}, {"description", phone.Description}, {"lines", strings.Join(phone.Lines, ", ")}, {"VPN", reached(phone)},
	}
	for _, r := range phone.Registrations {
		rows = append(rows, []string{"registered", fmt.Sprintf("%s at %s until %s", r.Line, r.Contact, r.Expires.Format(time.DateTime))})
	}
	rows = append(rows, fileRows(phone)...)
	for _, d := range phone.Deliveries {
		rows = append(rows, []string{"fetched", fmt.Sprintf("%s %s by %s to %s at %s, %s", d.File, d.VersionStamp, d.Transport, d.Peer, d.Complete.Local().Format(time.DateTime), fetcher(d))})
	}
	if s := phone.Session; s != nil {
		rows = append(rows, sessionRows(*s, time.Now())...)
	}
	return p.table([]string{phone.Name}, rows)
}
