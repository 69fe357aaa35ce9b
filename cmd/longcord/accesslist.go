package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/wire/asa"
)

func (p *program) showAccessListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "access-list [NAME]",
		Short: "Show how often each entry of the access lists in use decided, as an ASA does",
		Long: `Shows the access lists that sessions were held to since the gateway started, with how often
each entry decided about a packet. The last line stands for what no entry matched. The
counts of a list begin anew when its entries change.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			all, err := client.AccessLists(c.Context())
			if err != nil {
				return err
			}
			if len(args) > 0 {
				all = slices.DeleteFunc(all, func(l control.AccessList) bool { return l.Name != args[0] })
				if len(all) == 0 {
					return usage(fmt.Errorf("no session was held to an access list %q yet", args[0]), "longcord get AccessList lists those that are declared")
				}
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "access_lists": all})
			}
			for _, list := range all {
				fmt.Fprint(p.out, asaAccessList(list))
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func asaAccessList(list control.AccessList) asa.AccessList {
	said := asa.AccessList{Name: list.Name}
	for _, e := range list.Entries {
		line := asa.AccessLine{
			Action: e.Action, Protocol: cmp.Or(e.Protocol, "ip"), Members: slices.Concat(e.Users, e.Devices), ICMPType: e.ICMPType, Hits: e.Hits,
		}
		line.From, _ = netip.ParsePrefix(e.Source) // any is none
		line.To, _ = netip.ParsePrefix(e.Destination)
		if e.Ports != "" {
			line.Low, line.High, _ = e.PortRange() // it is in use, so it was read before
		}
		said.Lines = append(said.Lines, line)
	}
	said.Lines = append(said.Lines, asa.AccessLine{Action: "deny", Protocol: "ip", Hits: list.Denied})
	return said
}
