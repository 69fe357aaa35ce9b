package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/internal/nearest"
	"github.com/longcord/longcord/inventory"
)

func (p *program) phonesModelsCommand() *cobra.Command {
	var asJSON bool
	var feature string
	words := append([]string{"sip", "sccp"}, slices.Collect(maps.Keys(inventory.FeatureNames))...)
	slices.Sort(words)
	c := &cobra.Command{
		Use:   "models [MODEL]",
		Short: "List what phone models can do: the Phone Feature List",
		Long: `Lists what phone models can do, in the columns of the Phone Feature List of CUCM's
Unified Reporting. Of one model it also says the ways through its menus, and how sure
each fact is. A PhoneModel in the inventory adds a model or corrects one; while the
system does not run, only what this program brings is known.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if feature != "" && !slices.Contains(words, feature) {
				hint := "the features are: " + strings.Join(words, ", ")
				if near := nearest.Word(feature, words); near != "" {
					hint = fmt.Sprintf("did you mean %q?", near)
				}
				return usage(fmt.Errorf("--feature %s: no such feature", feature), hint)
			}
			models, err := p.models(c, args)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "models": modelsJSON(models, feature)})
			}
			if len(args) > 0 && feature == "" {
				return p.printModel(models[0])
			}
			return p.printFeatures(models, feature)
		},
	}
	c.Flags().StringVar(&feature, "feature", "", "only rows of this `FEATURE`: "+strings.Join(words, ", "))
	jsonFlag(c, &asJSON)
	return c
}

// models returns the models asked for, with what the running system's inventory knows of them if it runs.
func (p *program) models(c *cobra.Command, args []string) ([]inventory.Model, error) {
	set := inventory.NewSet()
	if client, err := p.client(); err == nil {
		if running, err := client.Set(c.Context()); err == nil {
			set = running
		}
	}
	if len(args) == 0 {
		return set.Models(), nil
	}
	model, ok := set.Model(args[0])
	if !ok {
		hint := "longcord phones models lists those that are known; a PhoneModel in the inventory adds one"
		var names []string
		for _, m := range set.Models() {
			names = append(names, strings.TrimPrefix(m.Name, "CP-"))
		}
		if near := nearest.Word(strings.TrimPrefix(strings.ToUpper(args[0]), "CP-"), names); near != "" {
			hint = fmt.Sprintf("did you mean CP-%s?", near)
		}
		return nil, usage(fmt.Errorf("%s: no such model is known", args[0]), hint)
	}
	return []inventory.Model{model}, nil
}

// modelJSON is a model as scripts see it.
type modelJSON struct {
	Model       string                `json:"model"`
	Number      int                   `json:"number"`
	Family      inventory.Family      `json:"family"`
	VPN         bool                  `json:"vpn"`
	Protocols   []string              `json:"protocols"`
	FactoryLoad string                `json:"factory_load,omitempty"`
	Keys        inventory.KeyPresses  `json:"keys"`
	Notes       []inventory.ModelNote `json:"notes"`
	Declared    bool                  `json:"declared"`
	Features    []inventory.Feature   `json:"features"`
}

// modelsJSON leaves out models that have nothing of the feature asked for.
func modelsJSON(models []inventory.Model, feature string) []modelJSON {
	all := []modelJSON{}
	for _, m := range models {
		rows := m.Features(feature)
		if len(rows) == 0 && len(models) > 1 {
			continue
		}
		all = append(all, modelJSON{
			Model: m.Name, Number: m.Number, Family: m.Family, VPN: m.VPN, Protocols: m.Protocols(), FactoryLoad: m.FactoryLoad,
			Keys: m.Keys, Notes: slices.Concat([]inventory.ModelNote{}, m.Notes), Declared: m.UserDeclared, Features: slices.Concat([]inventory.Feature{}, rows),
		})
	}
	return all
}

func (p *program) printFeatures(models []inventory.Model, feature string) error {
	var rows [][]string
	for _, m := range models {
		for _, f := range m.Features(feature) {
			rows = append(rows, []string{f.Product, f.Protocol, f.Feature, f.Parameter, f.Certainty})
		}
	}
	return p.table([]string{"PRODUCT", "PROTOCOL", "FEATURE", "PARAMETER", "CERTAINTY"}, rows)
}

func (p *program) printModel(m inventory.Model) error {
	if err := p.printFeatures([]inventory.Model{m}, ""); err != nil {
		return err
	}
	rows := [][]string{
		{"number", fmt.Sprint(m.Number)}, {"family", string(m.Family)}, {"after factory reset asks for", m.FactoryLoad},
		{"VPN menu", m.Keys.VPNMenu}, {"alternate TFTP", m.Keys.AlternateTFTP}, {"erase trust list", m.Keys.EraseTrustList}, {"factory reset", m.Keys.FactoryReset},
	}
	for _, note := range m.Notes {
		rows = append(rows, []string{note.Field + " is " + note.Certainty, note.Says})
	}
	fmt.Fprintln(p.out)
	return p.table([]string{m.Name}, slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" && !strings.Contains(row[0], " is ") }))
}
