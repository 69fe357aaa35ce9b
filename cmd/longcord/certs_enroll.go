package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
)

func (p *program) certsEnrollCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "enroll", Short: "Take phones from passwords to certificates of their own",
		Long: `A phone that logs in to the VPN by its own certificate (LSC) comes back by itself after a
power cut, and has no password that could be guessed. start orders phones to get one;
they do so when they next start, inside or through their tunnel. Then each shows that it
has it (status), and switch gives those, and no others, the login by certificate. Every
step may be repeated: it goes on where it stands.`,
	}
	c.AddCommand(p.enrollStartCommand(), p.enrollStatusCommand(), p.enrollCancelCommand(), p.enrollSwitchCommand())
	return c
}

// enrollFlags are what an order needs.
type enrollFlags struct {
	order          control.EnrolmentOrder
	all, remove    bool
	noPush, dryRun bool
	asJSON         bool
}

func (p *program) enrollStartCommand() *cobra.Command {
	var f enrollFlags
	c := &cobra.Command{
		Use: "start SEP…|--all", Short: "Order phones to get a certificate",
		Long: `With --auth string each phone gets a number that somebody types on it: Settings >
Security > LSC > Update. null takes the phone's word for who it is: whoever in the office
calls itself by its name gets its certificate until the order is carried out, or its time
is over. certificate takes the LSC or the manufacturer's certificate that the phone has,
mic the manufacturer's alone; that needs a CertificateAuthority with manufacturer: true.
--all are the phones with VPN that have no certificate yet. Phones are told to restart,
unless somebody has to type on them.`,
		RunE: func(c *cobra.Command, args []string) error {
			if f.all == (len(args) > 0) {
				return usage(errors.New("name phones, or all that need a certificate with --all"))
			}
			return p.enrollStart(c.Context(), args, f)
		},
	}
	c.Flags().StringVar(&f.order.Proof, "auth", control.ProofPassword, "`HOW` a phone proves who it is: string, null, certificate or mic")
	c.Flags().StringVar(&f.order.Key, "key", "rsa-2048", "`KEY` that the phone makes: rsa-1024 to rsa-4096, ec-256, ec-384, ec-521")
	c.Flags().DurationVar(&f.order.For, "for", 14*24*time.Hour, "`TIME` for which the order stands")
	c.Flags().BoolVar(&f.all, "all", false, "every phone with VPN that has no certificate")
	c.Flags().BoolVar(&f.remove, "delete", false, "have phones delete their certificate instead")
	c.Flags().BoolVar(&f.noPush, "no-push", false, "do not tell phones to restart")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would happen, and change nothing")
	jsonFlag(c, &f.asJSON)
	return c
}

func (p *program) enrollStart(ctx context.Context, phones []string, f enrollFlags) error {
	if !slices.Contains([]string{control.ProofPassword, control.ProofNothing, control.ProofCertificate, control.ProofMIC}, f.order.Proof) {
		return usage(fmt.Errorf("--auth %s: string, null, certificate or mic", f.order.Proof))
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	before, err := client.Enrolments(ctx)
	if err != nil {
		return err
	}
	if f.all {
		for _, e := range before {
			if e.Login != "" && e.Ordered == "" && (e.State == "none" || e.State == "expired" || e.State == "revoked") {
				phones = append(phones, e.Phone)
			}
		}
	}
	if len(phones) == 0 {
		return p.printEnrolments(nil, f.asJSON, "no phone needs a certificate")
	}
	if f.dryRun {
		return p.printEnrolments(named(before, phones), f.asJSON, fmt.Sprintf("would be ordered to enrol by %s: %d phones", f.order.Proof, len(phones)))
	}
	f.order.Operation = "install"
	if f.remove {
		f.order.Operation = "delete"
	}
	after, err := client.StartEnrolments(ctx, phones, f.order)
	if err != nil {
		return err
	}
	if err := p.printEnrolments(named(after, phones), f.asJSON, fmt.Sprintf("ordered to enrol by %s: %d phones", f.order.Proof, len(phones))); err != nil {
		return err
	}
	p.tellToRestart(ctx, client, phones, f)
	return nil
}

// tellToRestart has phones come at once, unless somebody has to type on them first. Those that cannot be told
// come when they start.
func (p *program) tellToRestart(ctx context.Context, client *control.Client, phones []string, f enrollFlags) {
	switch {
	case f.order.Proof == control.ProofPassword:
		fmt.Fprintln(p.err, "hint: type each phone's number on it: Settings > Security > LSC > Update")
	case f.noPush:
		fmt.Fprintln(p.err, "hint: phones come when they next start: longcord phones restart SEP…")
	default:
		if _, err := client.Tell(ctx, phones, control.RestartPhone); err != nil {
			fmt.Fprintf(p.err, "hint: phones could not be told to restart (%v); they come when they next start\n", err)
		}
	}
}

func named(all []control.Enrolment, phones []string) []control.Enrolment {
	return slices.DeleteFunc(slices.Clone(all), func(e control.Enrolment) bool { return !slices.Contains(phones, e.Phone) })
}

func (p *program) enrollStatusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "status [SEP…]", Short: "Show who has a certificate, who not yet, and what is waited for",
		Long: `proved: the phone has shown that it has the key of its certificate; confirmed: it has only
said so. NEXT is what has to happen now.`,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			all, err := p.enrolmentsOf(c.Context(), client, args)
			if err != nil {
				return err
			}
			return p.printEnrolments(all, asJSON, "")
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) printEnrolments(all []control.Enrolment, asJSON bool, says string) error {
	if asJSON {
		if all == nil {
			all = []control.Enrolment{}
		}
		return p.printJSON(map[string]any{"schema": 1, "enrolments": all})
	}
	if says != "" {
		fmt.Fprintln(p.out, says)
	}
	if len(all) == 0 {
		return nil
	}
	var rows [][]string
	for _, e := range all {
		until := ""
		if !e.NotAfter.IsZero() {
			until = e.NotAfter.UTC().Format(time.DateOnly)
		}
		rows = append(rows, []string{e.Phone, e.State, until, e.Login, e.Password, nextOf(e)})
	}
	return p.table([]string{"PHONE", "LSC", "UNTIL", "VPN LOGIN", "TYPE", "NEXT"}, rows)
}

// nextOf is what has to happen next with a phone.
func nextOf(e control.Enrolment) string {
	switch {
	case e.Hindered != "" && (e.Ordered != "" || e.State != "proved" && e.Login != ""):
		return e.Hindered + ": " + e.Remedy
	case e.Failed >= 5:
		return "its proof failed five times: start anew"
	case e.Ordered == "install" && e.Password != "":
		return "somebody types the number on it"
	case e.Ordered == "fetch":
		return "it restarts and shows its certificate"
	case e.Ordered != "":
		return "it restarts (" + e.Ordered + ", by " + e.Proof + ")"
	case e.State == "proved" && e.Login != "" && e.Login != "Certificate":
		return "certs enroll switch"
	case e.State == "proved" || e.Login == "":
		return ""
	}
	return "certs enroll start"
}

func (p *program) enrollCancelCommand() *cobra.Command {
	var dryRun, asJSON bool
	c := &cobra.Command{
		Use: "cancel SEP…", Short: "Take orders to enrol back", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			all, err := p.enrolmentsOf(c.Context(), client, args)
			if err != nil {
				return err
			}
			ordered := []string{}
			for _, e := range all {
				if e.Ordered != "" {
					ordered = append(ordered, e.Phone)
				}
			}
			if !dryRun && len(ordered) > 0 {
				if err := client.CancelEnrolments(c.Context(), ordered); err != nil {
					return err
				}
			}
			switch {
			case asJSON:
				return p.printJSON(map[string]any{"schema": 1, "dry_run": dryRun, "taken_back": ordered})
			case len(ordered) == 0:
				fmt.Fprintln(p.out, "no order stands for these phones")
			case dryRun:
				fmt.Fprintf(p.out, "orders that would be taken back: %s\n", strings.Join(ordered, ", "))
			default:
				fmt.Fprintf(p.out, "orders taken back: %s\n", strings.Join(ordered, ", "))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would happen, and change nothing")
	jsonFlag(c, &asJSON)
	return c
}

// enrolmentsOf is how it stands with phones that are named, or with all when none is.
func (p *program) enrolmentsOf(ctx context.Context, client *control.Client, phones []string) ([]control.Enrolment, error) {
	all, err := client.Enrolments(ctx)
	if err != nil || len(phones) == 0 {
		return all, err
	}
	for _, phone := range phones {
		if !slices.ContainsFunc(all, func(e control.Enrolment) bool { return e.Phone == phone }) {
			return nil, usage(fmt.Errorf("%s is no Device", phone), "longcord phones list")
		}
	}
	return named(all, phones), nil
}

func (p *program) certsRenewCommand() *cobra.Command {
	f := enrollFlags{order: control.EnrolmentOrder{Proof: control.ProofCertificate, Key: "rsa-2048", For: 14 * 24 * time.Hour}}
	c := &cobra.Command{
		Use: "renew SEP…", Short: "Have phones get a new certificate by the one they have", Args: cobra.MinimumNArgs(1),
		Long: `The one before stays good until it ends or is revoked. Phones do this by themselves half a
year before their certificate ends.`,
		RunE: func(c *cobra.Command, args []string) error { return p.enrollStart(c.Context(), args, f) },
	}
	c.Flags().StringVar(&f.order.Key, "key", "rsa-2048", "`KEY` that the phone makes: rsa-1024 to rsa-4096, ec-256, ec-384, ec-521")
	c.Flags().BoolVar(&f.noPush, "no-push", false, "do not tell phones to restart")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would happen, and change nothing")
	jsonFlag(c, &f.asJSON)
	return c
}

func (p *program) certsRevokeCommand() *cobra.Command {
	var dryRun, yes, asJSON bool
	c := &cobra.Command{
		Use: "revoke SEP…", Short: "Revoke every certificate of phones", Args: cobra.MinimumNArgs(1),
		Long: `At once: sessions that were opened by a certificate end, and no gateway of this house lets it
in again. A phone that logs in by certificate alone has to get a new one inside the office
(certs enroll start). Others who let phones in by certificate need the new list: certs crl.`,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			all, err := client.Enrolments(c.Context())
			if err != nil {
				return err
			}
			gone := slices.DeleteFunc(named(all, args), func(e control.Enrolment) bool { return e.Serial == "" || e.State == "revoked" || e.State == "expired" })
			for _, e := range gone {
				fmt.Fprintf(p.err, "to be revoked: %s (%s), serial %s\n", e.Phone, e.Name, e.Serial)
			}
			if len(gone) == 0 {
				return usage(errors.New("none of these has a certificate that counts"), "longcord certs enroll status")
			}
			if !dryRun {
				if err := p.confirm(yes); err != nil {
					return err
				}
			}
			n := 0
			if !dryRun {
				if n, err = client.RevokeCertificates(c.Context(), args); err != nil {
					return err
				}
			}
			switch {
			case asJSON:
				return p.printJSON(map[string]any{"schema": 1, "dry_run": dryRun, "certificates": gone, "revoked": n})
			case !dryRun:
				fmt.Fprintf(p.out, "certificates revoked: %d\n", n)
			}
			return nil
		},
	}
	changeFlags(c, &dryRun, &yes)
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) certsCRLCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "crl", Short: "Print the authority of phones' certificates and what it has revoked, as PEM", Args: cobra.NoArgs,
		Long: `For others who let phones in by their certificates, such as the RADIUS server of 802.1X. The
list is good for seven days. Gateways of this house need none: CertificateAuthority with
own: true is always up to date.`,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			list, err := client.RevocationList(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.printRevoked(list)
			}
			_, err = p.out.Write(list)
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// revokedCertificate is one entry of the list for scripts.
type revokedCertificate struct {
	Serial string    `json:"serial" doc:"in hex"`
	At     time.Time `json:"at"`
}

// printRevoked prints an authority and its list as one JSON document.
func (p *program) printRevoked(text []byte) error {
	authority, rest := pem.Decode(text)
	if authority == nil {
		return errors.New("no certificate in what the running system gives")
	}
	block, _ := pem.Decode(rest)
	if block == nil {
		return errors.New("no revocation list in what the running system gives")
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return fmt.Errorf("revocation list: %w", err)
	}
	revoked := []revokedCertificate{}
	for _, e := range list.RevokedCertificateEntries {
		revoked = append(revoked, revokedCertificate{e.SerialNumber.Text(16), e.RevocationTime})
	}
	return p.printJSON(map[string]any{
		"schema": 1, "authority": string(pem.EncodeToMemory(authority)), "revocation_list": string(pem.EncodeToMemory(block)),
		"issued": list.ThisUpdate, "next": list.NextUpdate, "revoked": revoked,
	})
}
