package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/trust/rollover"
	"github.com/longcord/longcord/wire/cnf"
)

// audit is what certs audit was asked.
type audit struct {
	url, server, phones, next string
	asJSON                    bool
}

func (p *program) certsAuditCommand() *cobra.Command {
	var a audit
	c := &cobra.Command{
		Use:   "audit --url URL --tftp ADDR --phones FILE [--new CERT]",
		Short: "Say which phones a new certificate would lock out, on anybody's system",
		Long: `Before a gateway's certificate is renewed, also one of an ASA with a CUCM: fetches the file
of each phone from its file server, by HTTP on port 6970 or by TFTP, and compares the
hashes in it with what the gateway presents and with the new certificate. Nothing is
changed anywhere. Signed files are read without verifying them; encrypted ones cannot
be read.

The phones are all device names SEP… in a file, whatever stands around them, such as an
export of CUCM. Exit code 1: phones are or would be locked out; 3: of some nothing can
be told.`,
		Example: "  longcord certs audit --url https://vpn.example.net/phones --tftp 10.1.0.5 --phones phones.csv --new new.pem",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.audit(c.Context(), a) },
	}
	c.Flags().StringVar(&a.url, "url", "", "the gateway's `URL`, as in phones' files")
	c.Flags().StringVar(&a.server, "tftp", "", "the phones' file server, an `ADDRESS` or name")
	c.Flags().StringVar(&a.phones, "phones", "", "`FILE` with the device names, - for standard input")
	c.Flags().StringVar(&a.next, "new", "", "the new certificate, a PEM or DER `FILE`, and its issuers behind it if they will be sent")
	for _, required := range []string{"url", "tftp", "phones"} {
		_ = c.MarkFlagRequired(required) // fails for unknown flags only
	}
	jsonFlag(c, &a.asJSON)
	return c
}

func (p *program) audit(ctx context.Context, a audit) error {
	gateway, err := url.Parse(a.url)
	if err != nil || gateway.Scheme != "https" || gateway.Hostname() == "" {
		return usage(fmt.Errorf("%q is no https URL", a.url), "write the URL as it stands in phones' files")
	}
	text, err := p.readFile(a.phones)
	if err != nil {
		return usage(err)
	}
	devices := devicesIn(text)
	if len(devices) == 0 {
		return usage(fmt.Errorf("%s names no phone", a.phones), "a phone's name is SEP and its MAC address, such as SEP001122334455")
	}
	var next []*x509.Certificate
	if a.next != "" {
		if next, err = p.chainFile(a.next); err != nil {
			return err
		}
	}
	chain, ecdsa, err := presented(ctx, a.url)
	if err != nil {
		return err
	}
	all := p.auditAll(ctx, a, gateway, devices, chain, ecdsa, next)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return p.printAudit(a, all, chain, next)
}

func (p *program) chainFile(name string) ([]*x509.Certificate, error) {
	text, err := p.readFile(name)
	if err != nil {
		return nil, usage(err)
	}
	chain, err := certificates(text)
	if err == nil && len(chain) == 0 {
		err = errors.New("holds no certificate")
	}
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, err), "name a certificate as PEM or DER")
	}
	return chain, nil
}

var deviceText = regexp.MustCompile(`(?i)\bSEP[0-9A-F]{12}\b`)

// devicesIn returns every device name in a text once, in order.
func devicesIn(text []byte) []string {
	seen := map[string]bool{}
	for _, name := range deviceText.FindAll(text, -1) {
		seen[strings.ToUpper(string(name))] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// atOnce is how many files are fetched at a time: a file server of others has phones to serve.
const atOnce = 8

// auditAll asks about every phone, a few at a time.
func (p *program) auditAll(ctx context.Context, a audit, gateway *url.URL, devices []string, chain, ecdsa, next []*x509.Certificate) []rollover.Audited {
	all := make([]rollover.Audited, len(devices))
	var working sync.WaitGroup
	var mu sync.Mutex
	done, places := 0, make(chan struct{}, atOnce)
	terminal, ok := p.err.(*os.File)
	shown := ok && isatty.IsTerminal(terminal.Fd())
	for i, device := range devices {
		places <- struct{}{}
		working.Go(func() {
			defer func() { <-places }()
			file, err := configFile(ctx, a.server, device)
			all[i] = rollover.Audited{Device: device, Outcome: rollover.Unknown}
			if err != nil {
				all[i].Why = err.Error()
			} else {
				all[i] = rollover.Audit(device, file, gateway, chain, ecdsa, next)
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if shown {
				fmt.Fprintf(p.err, "\r%d of %d phones", done, len(devices))
			} else if done%1000 == 0 {
				fmt.Fprintf(p.err, "%d of %d phones\n", done, len(devices))
			}
		})
	}
	working.Wait()
	if shown {
		fmt.Fprint(p.err, "\r\033[K")
	}
	return all
}

// configFile gets a phone's file, or the signed one where there is no other.
func configFile(ctx context.Context, server, device string) (*cnf.Device, error) {
	name := provision.ConfigFile(device)
	content, _, err := phone.Fetch(ctx, server, name)
	if errors.Is(err, phone.ErrNoFile) {
		content, _, err = phone.Fetch(ctx, server, name+".sgn")
	}
	if errors.Is(err, phone.ErrNoFile) {
		return nil, errors.New("the file server has no file for it that can be read")
	}
	if err != nil {
		return nil, fmt.Errorf("no file server answers at %s", server)
	}
	// A signed file is a header and then the file itself.
	if begins := bytes.Index(content, []byte("<device")); begins > 0 {
		content = content[begins:]
	}
	file, err := cnf.Parse(content)
	if err != nil {
		return nil, errors.New("its file is no configuration of a phone, or encrypted")
	}
	return file, nil
}

func (p *program) printAudit(a audit, all []rollover.Audited, chain, next []*x509.Certificate) error {
	count := map[rollover.Outcome]int{}
	spareless := 0
	for _, each := range all {
		count[each.Outcome]++
		if !each.Spare && each.Outcome != rollover.Apart && each.Outcome != rollover.Unknown {
			spareless++
		}
	}
	if a.asJSON {
		if err := p.printJSON(map[string]any{
			"schema": 1, "url": a.url, "presented": describe(chain), "new": describe(next), "phones": all, "counts": count, "without_spare": spareless,
		}); err != nil {
			return err
		}
	} else {
		p.printAuditText(a, all, count, spareless, chain, next)
	}
	lost := count[rollover.LockedOut] + count[rollover.WouldLose]
	switch {
	case lost > 0 && a.asJSON:
		return notWell(errQuiet)
	case count[rollover.WouldLose] > 0:
		return notWell(fmt.Errorf("%d of %d phones would be locked out by the new certificate, %d are already", count[rollover.WouldLose], len(all), count[rollover.LockedOut]),
			"put the new certificate beside the old one into the VPN gateway of the call manager, apply it to the phones, and ask again before the gateway presents it")
	case lost > 0:
		return notWell(fmt.Errorf("%d of %d phones do not believe what the gateway presents", lost, len(all)), "they have to fetch a new file in the office")
	case count[rollover.Unknown] > 0:
		return cannotTell(fmt.Errorf("of %d of %d phones nothing can be told", count[rollover.Unknown], len(all)))
	}
	return nil
}

func (p *program) printAuditText(a audit, all []rollover.Audited, count map[rollover.Outcome]int, spareless int, chain, next []*x509.Certificate) {
	fmt.Fprintf(p.out, "presented  %s, certHash %s\n", a.url, describe(chain[:1])[0].Hash)
	if len(next) > 0 {
		fmt.Fprintf(p.out, "new        %s, certHash %s\n", a.next, describe(next[:1])[0].Hash)
	}
	for _, each := range all {
		if each.Outcome == rollover.Stays {
			continue
		}
		fmt.Fprintf(p.out, "%s  %s: %s\n", each.Device, each.Outcome, each.Why)
	}
	fmt.Fprintf(p.out, "%d stay, %d would be lost, %d are locked out, %d do not come here, %d cannot be told\n",
		count[rollover.Stays], count[rollover.WouldLose], count[rollover.LockedOut], count[rollover.Apart], count[rollover.Unknown])
	if spareless > 0 {
		fmt.Fprintf(p.out, "%d have no hash of a spare certificate (no-spare-certificate)\n", spareless)
	}
}
