package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/trust/rollover"
)

func (p *program) certsRolloverCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "rollover", Short: "Change a gateway's certificate and keep no phone out",
		Long: `A phone believes only the certificates whose hashes are in the file it holds. So the hash
of the next certificate goes out first (start); when every phone has shown that it holds
a file with it (status), the certificate is presented (commit); at last the one of before
goes out of the files (retire). Until then abort goes back. GATEWAY is a VPNGateway, and
may be left out where there is one.

Without --to the next certificate is the finished spare, whose hash every phone has from
the first day on: nobody has to be waited for.`,
	}
	c.AddCommand(p.rolloverStatusCommand(),
		p.rolloverStepCommand(control.RolloverStart, "Let the hash of the next certificate go out to phones"),
		p.rolloverStepCommand(control.RolloverCommit, "Present the next certificate"),
		p.rolloverStepCommand(control.RolloverAbort, "Go back to the certificate of before"),
		p.rolloverStepCommand(control.RolloverRetire, "Take the certificate of before out of phones' files"))
	return c
}

func (p *program) rolloverStatusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "status [GATEWAY]", Short: "Show which certificate phones meet, and who is ready for the next",
		Long: `Exit code 1 when a roll-over is under way and a phone is not ready, or is kept out.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			all, err := client.Rollovers(c.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			waits := false
			for i, status := range all {
				waits = waits || status.State != rollover.None && len(status.NotReady) > 0
				if !asJSON {
					if i > 0 {
						fmt.Fprintln(p.out)
					}
					if err := p.printRollover(status); err != nil {
						return err
					}
				}
			}
			if asJSON {
				if err := p.printJSON(map[string]any{"schema": 1, "rollovers": all}); err != nil {
					return err
				}
			}
			if waits {
				return notWell(errQuiet)
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) rolloverStepCommand(step control.RolloverStep, short string) *cobra.Command {
	var order control.RolloverOrder
	var yes, asJSON bool
	c := &cobra.Command{
		Use: string(step) + " [GATEWAY]", Short: short, Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			order.Gateway = strings.Join(args, "")
			client, err := p.client()
			if err != nil {
				return err
			}
			if order.Force && !order.DryRun {
				if err := p.confirmForce(c, client, order, yes); err != nil {
					return err
				}
			}
			status, err := client.Rollover(c.Context(), step, order)
			if err != nil {
				return p.notDone(step, order, err)
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "dry_run": order.DryRun, "rollover": status})
			}
			return p.printStep(step, order, status)
		},
	}
	c.Flags().BoolVar(&order.DryRun, "dry-run", false, "say what would happen, and change nothing")
	switch step {
	case control.RolloverStart:
		c.Flags().StringVar(&order.Certificate, "to", "", "the next certificate, a `NAME` that certs import gave (default: the finished spare)")
		c.Flags().BoolVar(&order.SpareOnly, "spare", false, "only make a finished spare and let its hash go out")
		c.Flags().BoolVar(&order.ECDSA, "ecdsa", false, "only make an ECDSA certificate to stand beside the one in use, and let its hash go out")
		c.MarkFlagsMutuallyExclusive("to", "spare", "ecdsa")
	case control.RolloverCommit:
		c.Flags().BoolVar(&order.Force, "force", false, "although phones are kept out: they have to come back to the office")
		c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	}
	jsonFlag(c, &asJSON)
	return c
}

// confirmForce says whom a forced change keeps out, and asks.
func (p *program) confirmForce(c *cobra.Command, client *control.Client, order control.RolloverOrder, yes bool) error {
	order.DryRun = true
	would, err := client.Rollover(c.Context(), control.RolloverCommit, order)
	if err != nil || len(would.NotReady) == 0 {
		return err
	}
	fmt.Fprintf(p.err, "to be kept out, until they have been in the office: %d of %d phones\n", len(would.NotReady), would.Phones)
	p.printLost(would.NotReady, func(line string) { fmt.Fprintln(p.err, line) })
	return p.confirm(yes)
}

func (p *program) printLost(lost []rollover.Loss, print func(string)) {
	shown, more := few(lost)
	for _, l := range shown {
		print(fmt.Sprintf("  %s  last seen %s: %s", l.Device, l.Seen.UTC().Format(time.DateTime), l.Why))
	}
	if more > 0 {
		print(fmt.Sprintf("  … and %d more", more))
	}
}

// notDone says why a step was refused, and what to do about it.
func (p *program) notDone(step control.RolloverStep, order control.RolloverOrder, err error) error {
	var refusal *control.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	if refusal.Status != http.StatusConflict {
		return err
	}
	if step != control.RolloverCommit || len(refusal.Problems) == 0 {
		return notWell(err, strings.TrimSpace("longcord certs rollover status "+order.Gateway))
	}
	lines := []string{"nothing was changed: " + refusal.Detail}
	shown, more := few(refusal.Problems)
	for _, problem := range shown {
		lines = append(lines, fmt.Sprintf("  %s  %s", problem.Name, problem.Says))
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("  … and %d more", more))
	}
	return notWell(errors.New(strings.Join(lines, "\n")),
		"wait for them: a phone is ready when it has fetched its file and registered; longcord phones restart asks it to",
		"--force changes all the same, and keeps these out until they have been in the office")
}

func (p *program) printStep(step control.RolloverStep, order control.RolloverOrder, s rollover.Progress) error {
	would := ""
	if order.DryRun {
		would = "dry run, nothing was changed: "
	}
	switch {
	case order.SpareOnly:
		fmt.Fprintf(p.out, "%sthe hash of a new spare for gateway %s goes out with the next file of each phone\n", would, s.Gateway)
	case order.ECDSA && s.ECDSA != nil:
		fmt.Fprintf(p.out, "%sthe hash of ECDSA certificate %s for gateway %s goes out with the next file of each phone; it is presented when the VPNGateway has ecdsaCertificate: %s\n", would, s.ECDSA.Name, s.Gateway, s.ECDSA.Name)
	case step == control.RolloverStart && s.Next != nil:
		fmt.Fprintf(p.out, "%sthe next certificate of gateway %s is %s; it is presented after: longcord certs rollover commit %s\n", would, s.Gateway, s.Next.Name, s.Gateway)
	case step == control.RolloverCommit:
		fmt.Fprintf(p.out, "%sgateway %s presents another certificate; back: longcord certs rollover abort %s\n", would, s.Gateway, s.Gateway)
	case step == control.RolloverAbort:
		fmt.Fprintf(p.out, "%sgateway %s presents the certificate of before\n", would, s.Gateway)
	case step == control.RolloverRetire:
		fmt.Fprintf(p.out, "%sthe certificate of before goes out of phones' files\n", would)
	}
	if order.DryRun {
		if len(s.NotReady) > 0 {
			fmt.Fprintf(p.out, "not ready: %d of %d phones\n", len(s.NotReady), s.Phones)
			p.printLost(s.NotReady, func(line string) { fmt.Fprintln(p.out, line) })
		}
		return nil
	}
	return p.printRollover(s)
}

// states are the states in words.
var states = map[rollover.State]string{
	rollover.None:    "no roll-over under way",
	rollover.Staged:  "staged: the next certificate's hash goes out to phones",
	rollover.Swapped: "swapped: the next certificate is presented, that of before is still in phones' files",
}

func (p *program) printRollover(s rollover.Progress) error {
	fmt.Fprintf(p.out, "gateway    %s, %s\nstate      %s\n", s.Gateway, s.URL, states[s.State])
	line := func(label string, c *rollover.CertificateInfo) {
		if c != nil {
			fmt.Fprintf(p.out, "%-10s %s, until %s, certHash %s\n", label, c.Name, c.NotAfter.UTC().Format(time.DateOnly), c.Hash)
		}
	}
	line("presented", &s.Presented)
	if s.State == rollover.Staged {
		line("next", s.Next)
	}
	line("before", s.Before)
	if b := s.ECDSA; b != nil {
		line("ecdsa", &b.CertificateInfo)
		shown := "not presented until the VPNGateway has ecdsaCertificate: " + b.Name
		if b.Presented {
			shown = "presented to clients that can verify it"
		}
		fmt.Fprintf(p.out, "           %s; known to %d of %d phones\n", shown, b.Ready, s.Phones)
	}
	for i := range s.Spares {
		line("spare", &s.Spares[i])
	}
	if len(s.Spares) == 0 && s.State == rollover.None {
		fmt.Fprintf(p.out, "spare      none: longcord certs rollover start %s --spare\n", s.Gateway)
	}
	fmt.Fprintf(p.out, "ready      %d of %d phones", s.Ready, s.Phones)
	if n := len(s.NoFile); n > 0 {
		fmt.Fprintf(p.out, "; %d more have no file yet", n)
	}
	fmt.Fprintln(p.out)
	p.printLost(s.NotReady, func(line string) { fmt.Fprintln(p.out, line) })
	for _, r := range s.Refused {
		who := r.Address
		if r.Device != "" {
			who = r.Device + " at " + who
		}
		fmt.Fprintf(p.out, "refused    by %s, %d times, last %s\n", who, r.Count, r.Last.UTC().Format(time.DateTime))
	}
	if len(s.Refused) > 0 && s.State == rollover.Swapped {
		fmt.Fprintf(p.out, "back       longcord certs rollover abort %s\n", s.Gateway)
	}
	for label, at := range map[string]time.Time{"begins": s.Begins, "retires": s.Retires} {
		if !at.IsZero() {
			fmt.Fprintf(p.out, "%-10s by itself on %s\n", label, at.UTC().Format(time.DateOnly))
		}
	}
	return nil
}
