package main

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/trust/rollover"
)

func (p *program) certsListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List certificates, what each is for, and when it ends",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			all, err := client.Certificates(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "certificates": all})
			}
			var rows [][]string
			for _, each := range all {
				rows = append(rows, []string{each.Name, each.Use, each.NotAfter.UTC().Format(time.DateOnly), each.Hash, each.Subject})
			}
			return p.table([]string{"NAME", "FOR", "UNTIL", "CERTHASH", "SUBJECT"}, rows)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// certificates are those of the inventory, those of phones, and the house's own, the next to end first.
func (s *system) certificates() []control.Certificate {
	set := s.catalog.Current()
	var all []control.Certificate
	for _, name := range slices.Sorted(maps.Keys(set.Certificates)) {
		c := set.Certificates[name]
		leaf, err := c.Leaf()
		if err != nil {
			continue
		}
		all = append(all, control.Certificate{
			Name: name, Use: useOf(set, name), Subject: leaf.Subject.String(), Hash: verify.HashOf(leaf.Raw).String(),
			NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, KeyHere: !c.Key.IsZero(),
		})
	}
	for _, r := range s.authority.Records() {
		all = append(all, control.Certificate{
			Name: string(r.Purpose), Use: "phones' trust", Subject: r.Certificate.Subject.String(), Hash: verify.HashOf(r.Certificate.Raw).String(),
			NotBefore: r.Certificate.NotBefore, NotAfter: r.Certificate.NotAfter, KeyHere: true,
		})
	}
	for _, p := range s.phoneCertificates.Phones() {
		if c := p.Current(time.Now()); c != nil {
			all = append(all, control.Certificate{
				Name: p.Device, Use: "LSC", Subject: c.Leaf.Subject.String(), Hash: verify.HashOf(c.Leaf.Raw).String(),
				NotBefore: c.Leaf.NotBefore, NotAfter: c.Leaf.NotAfter,
			})
		}
	}
	slices.SortStableFunc(all, func(a, b control.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	return all
}

// useOf says what a Certificate object is for.
func useOf(set *inventory.Set, name string) string {
	use := ""
	for _, gateway := range slices.Sorted(maps.Keys(set.VPNGateways)) {
		g := set.VPNGateways[gateway]
		switch {
		case slices.Contains(rollover.Presented(g), name):
			return "gateway " + gateway
		case slices.Contains(g.Certificates, name):
			use = cmp.Or(use, "spare of gateway "+gateway)
		}
	}
	return cmp.Or(use, "nothing")
}
