package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/stage/provision"
)

func (p *program) phonesInviteCommand() *cobra.Command {
	var good time.Duration
	var list, asJSON bool
	var revoke string
	c := &cobra.Command{
		Use:   "invite SEP…",
		Short: "Let phones in that were never in the office, by a one-time link",
		Long: `Prints a link for each phone. Somebody where the phone is opens it in a browser and
confirms: then the address that the browser came from may fetch the first file of that
one phone for ten minutes, by TFTP and HTTP at the office's outside address. Nobody
else gets an answer there. "longcord carry LINK" on a laptop beside the phone does the
same over TLS.

The first file holds the VPN part alone and no password; the rest comes through the
tunnel. It needs UDP port 69 and TCP port 6970 open at the outside address.`,
		Example: `  longcord phones invite SEP001122334455 --for 2h
  longcord phones invite --list
  longcord phones invite --revoke SEP001122334455`,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			switch {
			case list && revoke == "" && len(args) == 0:
				return p.listInvitations(c, client, asJSON)
			case revoke != "" && !list && len(args) == 0:
				n, err := client.Revoke(c.Context(), revoke)
				if err != nil {
					return err
				}
				fmt.Fprintf(p.out, "revoked: %d\n", n)
				return nil
			case list || revoke != "":
				return usage(errors.New("--list and --revoke stand alone"), "longcord phones invite --list")
			case len(args) == 0:
				return usage(errors.New("no phone is named"), "longcord phones invite SEP001122334455")
			}
			return p.invite(c, client, args, good, asJSON)
		},
	}
	f := c.Flags()
	f.DurationVar(&good, "for", 30*time.Minute, "how long the link can be used, `TIME` such as 30m or 24h, at most 168h")
	f.BoolVar(&list, "list", false, "list the links that can be used or were in the last day")
	f.StringVar(&revoke, "revoke", "", "take back the link with this `ID`, or all of a phone, and shut its door")
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) invite(c *cobra.Command, client *control.Client, phones []string, good time.Duration, asJSON bool) error {
	made := []control.FreshInvitation{}
	for _, phone := range phones {
		one, err := client.Invite(c.Context(), phone, good)
		if err != nil {
			return err
		}
		made = append(made, one)
	}
	if asJSON {
		return p.printJSON(map[string]any{"schema": 1, "invitations": made})
	}
	for _, one := range made {
		p.printInvitation(one)
	}
	return nil
}

func (p *program) printInvitation(i control.FreshInvitation) {
	fmt.Fprintf(p.out, `%s (%s), invitation %s, can be used once until %s:

  %s

With a browser, where the phone is:
  1. Connect the phone to the network there. Open the link in a browser on the same network, by IPv4, and press the
     button. The browser warns of the certificate, which no public authority has signed.
  2. On the phone, within %d minutes, TFTP Server 1: %s
`, i.Phone, i.Model, i.ID, i.Expires.Format("15:04 on 2 January"), i.Link, int(provision.DoorTime.Minutes()), i.Server)
	p.printKeys("     ", i.Keys.AlternateTFTP)
	fmt.Fprintf(p.out, `  3. When the page says that the file has arrived, once more, TFTP Server 1 and TFTP Server 2: %s
     In neither field may %s stay: it answers from everywhere, and the phone would take itself for inside.
  4. The phone finds that it is outside and asks for user and password. If it does not, switch the VPN on.
`, i.Inside, i.Server)
	p.printKeys("     ", i.Keys.VPNMenu)
	fmt.Fprintf(p.out, `  If the file does not arrive: a phone that belonged to another system takes no files but that one's until its trust list is erased.
`)
	p.printKeys("     ", i.Keys.EraseTrustList)
	fmt.Fprintf(p.out, `
With a laptop there, which spares the open Internet:
  longcord carry '%s'

What this is worth: the first file holds no password, and nothing protects it. By the door, whoever controls the home
network or the line can read it, or put another in its place that names a gateway of his and gets what is typed there;
behind a carrier's NAT the same public address is other people's, too, who may read it if they know the phone's MAC
address. By carry, only the home network is left. Where that matters, bring the phone to the office, or let phones log
in by certificate. It ends with the first file that comes through the tunnel.

`, i.Link)
}

// printKeys prints the way through a phone's menus, where it is known.
func (p *program) printKeys(indent, keys string) {
	if keys != "" {
		fmt.Fprintf(p.out, "%s%s\n", indent, keys)
	}
}

func (p *program) listInvitations(c *cobra.Command, client *control.Client, asJSON bool) error {
	all, err := client.Invitations(c.Context())
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(map[string]any{"schema": 1, "invitations": all})
	}
	var rows [][]string
	for _, i := range all {
		rows = append(rows, []string{i.ID, i.Phone, i.By, i.Expires.Format(time.DateTime), fate(i, time.Now())})
	}
	return p.table([]string{"ID", "PHONE", "BY", "EXPIRES", "STATE"}, rows)
}

// fate says what became of an invitation.
func fate(i control.Invitation, now time.Time) string {
	switch {
	case !i.Connected.IsZero():
		return "in its tunnel since " + i.Connected.Format(time.TimeOnly)
	case !i.Delivered.IsZero():
		return "file delivered to " + i.From + " at " + i.Delivered.Format(time.TimeOnly)
	case i.Carried:
		return "carried away by " + i.From + " at " + i.Used.Format(time.TimeOnly)
	case now.Before(i.Until):
		return "door open for " + i.From + " until " + i.Until.Format(time.TimeOnly)
	case !i.Used.IsZero():
		return "door was open for " + i.From + ", and nobody came"
	case now.Before(i.Expires):
		return "not used yet"
	}
	return "expired"
}
