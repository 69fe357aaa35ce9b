package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/nearest"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
)

func (p *program) applyCommand() *cobra.Command {
	var name string
	var options catalog.Options
	var yes, asJSON, noPush bool
	c := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Create and change objects of the inventory, all or nothing",
		Long: `Creates and changes what the file names and deletes nothing, unless --prune is given:
then what the file does not name goes too, of the kinds it contains. An object in the
file replaces the stored one as a whole: a field left out has its default again, only
a secret left out keeps its value. Nothing changes unless the whole inventory would
be valid. "longcord plan" says beforehand what it does to phones.

Phones whose file changed are told: idle ones at once, others after their call, those
that cannot be reached when they register again.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			f, err := p.readInventory(name)
			if err != nil {
				return usage(err)
			}
			if options.Prune && !options.DryRun {
				if err := p.confirmPrune(c.Context(), client, f, yes); err != nil {
					return err
				}
			}
			applied, err := client.ApplyAndPush(c.Context(), f.Objects, options, control.ExpectAny, !noPush)
			if err != nil {
				return inFile(err, f)
			}
			return p.printApplied(applied, options.DryRun, asJSON)
		},
	}
	c.Flags().StringVarP(&name, "file", "f", "", "inventory `FILE`, - for standard input")
	_ = c.MarkFlagRequired("file") // fails for unknown flags only
	c.Flags().BoolVar(&options.Force, "force", false, "also what would keep phones out of the VPN: certificates whose hash they do not have")
	c.Flags().BoolVar(&options.Prune, "prune", false, "delete what the file does not name, of the kinds it contains")
	c.Flags().BoolVar(&noPush, "no-push", false, "leave it to \"phones restart\" to tell phones whose file changed")
	changeFlags(c, &options.DryRun, &yes)
	jsonFlag(c, &asJSON)
	return c
}

// changeFlags are the flags of commands that may cut phones off.
func changeFlags(c *cobra.Command, dryRun, yes *bool) {
	c.Flags().BoolVar(dryRun, "dry-run", false, "say what would happen, and change nothing")
	c.Flags().BoolVar(yes, "yes", false, "do not ask")
}

func (p *program) readInventory(name string) (*file.File, error) {
	f, err := p.parseInventory(name)
	if err == nil && len(f.Objects) == 0 {
		return nil, fmt.Errorf("%s is empty: it holds no object", f.Name)
	}
	return f, err
}

func (p *program) parseInventory(name string) (*file.File, error) {
	if name != "-" {
		return file.Read(name)
	}
	text, err := p.readFile(name)
	if err != nil {
		return nil, err
	}
	return file.Parse("standard input", text, file.NoFiles)
}

// confirmPrune lists what would be deleted, and asks.
func (p *program) confirmPrune(ctx context.Context, client *control.Client, f *file.File, yes bool) error {
	would, err := client.Apply(ctx, f.Objects, catalog.Options{Prune: true, DryRun: true}, control.ExpectAny)
	if err != nil {
		return inFile(err, f)
	}
	if len(would.Deleted) == 0 {
		return nil
	}
	return p.confirmDeletion(would.Deleted, yes)
}

func (p *program) confirmDeletion(refs []catalog.Ref, yes bool) error {
	shown, more := few(refs)
	for _, ref := range shown {
		fmt.Fprintf(p.err, "to be deleted: %s\n", ref)
	}
	if more > 0 {
		fmt.Fprintf(p.err, "to be deleted: … and %d more\n", more)
	}
	return p.confirm(yes)
}

// inFile turns what the running system refused into problems of the file that was read.
func inFile(err error, f *file.File) error {
	var refusal *control.Refusal
	if !errors.As(err, &refusal) || len(refusal.Problems) == 0 {
		return err
	}
	return usage(located(refusal.Problems, f))
}

// located says where in a file problems with its objects are.
func located(all []control.Problem, f *file.File) error {
	problems := make([]inventory.Problem, len(all))
	for i, p := range all {
		problems[i] = inventory.Problem{Kind: p.Kind, Name: p.Name, Field: p.Field, Says: p.Says, Hint: p.Hint}
	}
	return f.Locate(problems)
}

func (p *program) printChanges(changes catalog.Changes, dryRun, asJSON bool) error {
	if asJSON {
		return p.printJSON(map[string]any{
			"schema": 1, "dry_run": dryRun, "created": changes.Created, "changed": changes.Changed, "deleted": changes.Deleted,
		})
	}
	if changes.Empty() {
		fmt.Fprintln(p.out, "nothing to change")
	}
	would := ""
	if dryRun {
		would = "would be "
	}
	for _, each := range []struct {
		action string
		refs   []catalog.Ref
	}{{"created", changes.Created}, {"changed", changes.Changed}, {"deleted", changes.Deleted}} {
		for _, ref := range each.refs {
			fmt.Fprintf(p.out, "%s%s: %s\n", would, each.action, ref)
		}
	}
	return nil
}

func (p *program) deleteCommand() *cobra.Command {
	var dryRun, yes bool
	c := &cobra.Command{
		Use:   "delete KIND NAME",
		Short: "Delete an object of the inventory",
		Long:  `Deletes an object that no other names. The certificates that a phone has of this house are revoked with its Device.`,
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			kind, err := kindOf(args[0])
			if err != nil {
				return err
			}
			return p.deleteObjects(c.Context(), []catalog.Ref{{Kind: kind, Name: args[1]}}, dryRun, yes)
		},
	}
	changeFlags(c, &dryRun, &yes)
	return c
}

// deleteObjects says what will be deleted, asks, and deletes it.
func (p *program) deleteObjects(ctx context.Context, refs []catalog.Ref, dryRun, yes bool) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	if _, err := client.Delete(ctx, refs, true); err != nil {
		return err
	}
	if !dryRun {
		if err := p.confirmDeletion(refs, yes); err != nil {
			return err
		}
	}
	return p.deleted(ctx, client, refs, dryRun)
}

// deleted deletes objects and says what came of it.
func (p *program) deleted(ctx context.Context, client *control.Client, refs []catalog.Ref, dryRun bool) error {
	deleted, err := client.Delete(ctx, refs, dryRun)
	if err != nil {
		return err
	}
	return p.printApplied(deleted, dryRun, false)
}

// kindOf takes a kind in any case, and one of many.
func kindOf(text string) (inventory.Kind, error) {
	var names []string
	for _, kind := range inventory.Kinds() {
		if strings.EqualFold(text, string(kind)) || strings.EqualFold(text, string(kind)+"s") {
			return kind, nil
		}
		names = append(names, string(kind))
	}
	err := fmt.Errorf("%q is not a kind", text)
	if near := nearest.Word(text, names); near != "" {
		return "", usage(err, fmt.Sprintf("did you mean %q?", near))
	}
	return "", usage(err, "the kinds are: "+strings.Join(names, ", "))
}

func (p *program) getCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "get KIND [NAME]",
		Short: "Show objects of the inventory",
		Long:  `Shows one object, or all of a kind, as they stand in inventory files; secrets stay out.`,
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			kind, err := kindOf(args[0])
			if err != nil {
				return err
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			name := strings.Join(args[1:], "")
			if asJSON {
				objects, err := client.Objects(c.Context(), kind, name)
				if err != nil {
					return err
				}
				return p.printJSON(map[string]any{"schema": 1, "objects": objects})
			}
			return p.printExport(c.Context(), client, kind, name, false)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) exportCommand() *cobra.Command {
	var secrets bool
	c := &cobra.Command{
		Use:   "export",
		Short: "Print the inventory as a file that apply takes back",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			return p.printExport(c.Context(), client, "", "", secrets)
		},
	}
	c.Flags().BoolVar(&secrets, "with-secrets", false, "with keys, lines' secrets and users' password hashes in clear")
	return c
}

func (p *program) printExport(ctx context.Context, client *control.Client, kind inventory.Kind, name string, secrets bool) error {
	text, err := client.Export(ctx, kind, name, secrets)
	if err != nil {
		return err
	}
	_, err = p.out.Write(text)
	return err
}
