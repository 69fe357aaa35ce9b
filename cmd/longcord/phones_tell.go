package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
)

// tellCommand is "phones restart" and "phones reset".
func (p *program) tellCommand(action control.PhoneAction) *cobra.Command {
	var all, dryRun, yes, asJSON bool
	short, long := "Have phones read their files again and register anew", `The phone unregisters, fetches its file and registers; a tunnel stays up. A phone in a
call does so when the call is over.`
	if action == control.ResetPhone {
		short, long = "Have phones boot", `The phone boots, as after a power cut: its tunnel ends and is made anew, for which a
phone that logs in by password and does not keep it needs its user. A phone in a call
does so when the call is over.`
	}
	c := &cobra.Command{
		Use: string(action) + " SEP…", Short: short,
		Long: long + `

Phones are told by SIP or SCCP, ten a second. Exit code 1: one of them could not be reached, did
not answer, or declined.`,
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usage(errors.New("name phones, or all of them with --all"))
			}
			return p.tell(c.Context(), args, action, dryRun, yes, asJSON)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every phone of the inventory")
	changeFlags(c, &dryRun, &yes)
	jsonFlag(c, &asJSON)
	return c
}

// tell has the phones told that are named, or all, and waits for what becomes of it.
func (p *program) tell(ctx context.Context, names []string, action control.PhoneAction, dryRun, yes, asJSON bool) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	phones, err := client.Phones(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(phones, func(phone control.Phone) bool { return phone.Name == name }) {
			return usage(fmt.Errorf("there is no Device %q", name), "longcord phones list")
		}
	}
	var some []string
	for _, phone := range phones {
		if len(names) == 0 || slices.Contains(names, phone.Name) {
			some = append(some, fmt.Sprintf("to be told to %s: %s, registered: %s", action, phone.Name, registered(phone)))
		}
	}
	if dryRun || action == control.ResetPhone && !yes {
		printLines(p.err, "", some)
	}
	if dryRun {
		return nil
	}
	if action == control.ResetPhone {
		if err := p.confirm(yes); err != nil {
			return err
		}
	}
	told, err := client.Tell(ctx, names, action)
	if err == nil {
		told, err = p.awaitTold(ctx, client, told)
	}
	if err != nil {
		return err
	}
	return p.printTold(told, asJSON)
}

// awaitTold waits until each phone has answered, or will only be told after its call.
func (p *program) awaitTold(ctx context.Context, client *control.Client, told []control.Telling) ([]control.Telling, error) {
	const often = 200 * time.Millisecond
	ticker := time.NewTicker(often)
	defer ticker.Stop()
	for slices.ContainsFunc(told, func(t control.Telling) bool { return !t.Settled() && t.State != "in-call" }) {
		select {
		case <-ctx.Done():
			return told, ctx.Err()
		case <-ticker.C:
		}
		now, err := client.Tellings(ctx)
		if err != nil {
			return told, err
		}
		for i := range told {
			at := slices.IndexFunc(now, func(t control.Telling) bool { return t.Phone == told[i].Phone })
			if at >= 0 {
				told[i] = now[at]
			}
		}
	}
	return told, nil
}

func (p *program) printTold(told []control.Telling, asJSON bool) error {
	var bad error
	for _, t := range told {
		if t.Settled() && t.State != "taken" {
			bad = notWell(errQuiet)
		}
	}
	if asJSON {
		return errors.Join(p.printJSON(map[string]any{"schema": 1, "tellings": told}), bad)
	}
	var rows [][]string
	for _, t := range told {
		rows = append(rows, []string{t.Phone, string(t.Action), tellingWords(t)})
	}
	return errors.Join(p.table([]string{"NAME", "TOLD", "RESULT"}, rows), bad)
}

// tellingWords says what became of a telling.
func tellingWords(t control.Telling) string {
	words := map[string]string{
		"queued": "its turn comes", "in-call": "is told after its call", "asked": "has not answered yet", "taken": "does it",
		"declined": "declines", "silent": "does not answer", "not-reached": "cannot be reached",
	}[t.State]
	if t.Why != "" {
		words += ": " + t.Why
	}
	return words
}

// fileState says whether a phone runs the file that it should.
func fileState(phone control.Phone) string {
	switch {
	case phone.ShouldRun == "":
		return "-"
	case phone.Runs == phone.ShouldRun:
		return "current"
	case phone.Runs != "":
		return "behind"
	}
	return "unknown"
}

// fileRows say which file a phone runs, and what it was told.
func fileRows(phone control.Phone) [][]string {
	var rows [][]string
	if phone.ShouldRun != "" {
		rows = append(rows, []string{"file", fileState(phone)}, []string{"should run", phone.ShouldRun})
	}
	if phone.Runs != "" {
		rows = append(rows, []string{"runs", phone.Runs})
	}
	if t := phone.Told; t != nil {
		rows = append(rows, []string{"told", fmt.Sprintf("%s at %s, %s", t.Action, t.Since.Local().Format(time.DateTime), tellingWords(*t))})
	}
	return rows
}

// printApplied says what a change did, and what it means for phones.
func (p *program) printApplied(applied control.Applied, dryRun, asJSON bool) error {
	if asJSON {
		return p.printJSON(map[string]any{
			"schema": 1, "dry_run": dryRun, "created": applied.Created, "changed": applied.Changes.Changed, "deleted": applied.Deleted,
			"certificates_revoked": applied.Revoked, "pushed": applied.Pushed,
		})
	}
	if err := p.printChanges(applied.Changes, dryRun, false); err != nil {
		return err
	}
	if applied.Revoked > 0 {
		fmt.Fprintln(p.out, "certificates revoked:", applied.Revoked)
	}
	if text := pushedWords(applied.Pushed); text != "" {
		fmt.Fprintln(p.out, text)
	}
	return nil
}

func pushedWords(pushed control.Pushed) string {
	n := len(pushed.NewFiles)
	if n == 0 {
		return ""
	}
	text := fmt.Sprintf("%d phones have a new file", n)
	if n == 1 {
		text = "1 phone has a new file"
	}
	switch {
	case pushed.Aside:
		return text + "; no call manager runs here: your PBX has to tell them"
	case !pushed.Told:
		return text + ", not told: longcord phones restart tells them"
	}
	var now, later, away, others int
	for _, t := range pushed.Tellings {
		switch {
		case t.State == "in-call":
			later++
		case t.Again:
			away++
		case t.Settled() && t.State != "taken":
			others++
		default:
			now++
		}
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{
		{now, "told now"}, {later, "told after the call"}, {away, "not reached, told when it registers"},
		{others, "not told, longcord phones show says why"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return text + ": " + strings.Join(parts, ", ")
}
