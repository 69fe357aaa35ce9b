package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory/impact"
)

func (p *program) planCommand() *cobra.Command {
	var name string
	var prune, asJSON bool
	c := &cobra.Command{
		Use:   "plan -f FILE",
		Short: "Say what a change of the inventory will do to phones, before it is made",
		Long: `Says what "longcord apply -f FILE" would create, change and delete, and what that does to
phones: whose session ends, who could not connect again, who needs another password, whose
line could not register, and which elements of whose file change. Nothing is changed.

A phone is judged by the file that it holds: the one that stands for it in the inventory now,
unless it is known to have fetched another. "lost" means that it is kept out until somebody
carries it to the office or types something on it; the reason says what to do instead.

"apply --dry-run" checks the same file and lists the same objects, without the phones.

Exit codes: 0 no phone is lost; 1 some phone is, or apply would refuse the change unless
it is forced, as one that leaves no spare certificate; 2 the file is not valid.`,
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
			plan, err := client.Plan(c.Context(), f.Objects, prune)
			if err != nil {
				return inFile(err, f)
			}
			if err := p.printPlan(plan, asJSON); len(plan.Refused) == 0 || asJSON {
				return err
			}
			return notWell(located(plan.Refused, f))
		},
	}
	c.Flags().StringVarP(&name, "file", "f", "", "inventory `FILE`, - for standard input")
	_ = c.MarkFlagRequired("file") // fails for unknown flags only
	c.Flags().BoolVar(&prune, "prune", false, "as if applied with --prune: delete what the file does not name, of the kinds it contains")
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) printPlan(plan control.Plan, asJSON bool) error {
	lost := len(plan.Lost())
	if asJSON {
		err := p.printJSON(map[string]any{
			"schema": 1, "ok": lost == 0 && len(plan.Refused) == 0, "created": plan.Created, "changed": plan.Changed, "deleted": plan.Deleted,
			"phones": plan.Phones, "refused": plan.Refused,
		})
		if err == nil && (lost > 0 || len(plan.Refused) > 0) {
			err = notWell(errQuiet)
		}
		return err
	}
	if err := p.printChanges(plan.Changes, true, false); err != nil {
		return err
	}
	for _, effect := range impact.Effects() {
		p.printEffect(effect, plan.Phones)
	}
	if lost > 0 {
		return notWell(errors.New(notBack(lost)))
	}
	return nil
}

func notBack(lost int) string {
	if lost == 1 {
		return "1 phone would not come back"
	}
	return fmt.Sprintf("%d phones would not come back", lost)
}

// effectSays is what each effect is called in text.
var effectSays = map[impact.Effect]string{
	impact.Lost: "would not come back", impact.Removed: "goes, as meant", impact.Disconnects: "disconnects, and can come back",
	impact.NewPassword: "needs another password", impact.Unregisters: "loses a line", impact.NewFile: "has another file at its next restart", impact.New: "is new",
}

func (p *program) printEffect(effect impact.Effect, phones []impact.Touched) {
	for _, phone := range phones {
		if phone.Effect != effect {
			continue
		}
		where := ""
		if phone.InSession {
			where = " (in a session)"
		}
		fmt.Fprintf(p.out, "%s%s: %s\n", phone.Device, where, effectSays[effect])
		for _, why := range phone.Why {
			fmt.Fprintf(p.out, "  %s\n", why)
		}
		for _, fix := range phone.Fix {
			fmt.Fprintf(p.out, "  do: %s\n", fix)
		}
		if len(phone.File) > 0 {
			shown, more := few(phone.File)
			text := strings.Join(shown, ", ")
			if more > 0 {
				text += fmt.Sprintf(" and %d more", more)
			}
			fmt.Fprintf(p.out, "  file: %s\n", text)
		}
	}
}
