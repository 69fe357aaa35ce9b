package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/inventory/migration"
)

func (p *program) importCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import",
		Short: "Make an inventory out of what you have: ASA, CUCM, ocserv, Asterisk, phones' files",
		Long: `Makes an inventory file out of what another system wrote, and lists what was not carried
over. It reads only what it is given, asks nobody and applies nothing: look at the file,
see with "longcord plan -f FILE" what it will do to phones, then "longcord apply -f FILE".

The inventory goes to standard output, without secrets unless --with-secrets is given;
with -o FILE it goes, secrets included, into a new file that only its owner can read.
The list goes to standard error. A rule that narrows access and cannot be carried over
closes what it guarded; the list says so.

Exit codes: 0 an inventory was made, however long the list is; 2 a file cannot be read.`,
	}
	c.AddCommand(p.importASACommand(), p.importCUCMCommand(), p.importOcservCommand(), p.importAsteriskCommand(), p.importSEPCommand())
	return c
}

// importing are the flags of every import.
type importing struct {
	output          string
	secrets, asJSON bool
	passphraseStdin bool
	passphraseFile  string
}

func (i *importing) flags(c *cobra.Command) {
	c.Flags().StringVarP(&i.output, "output", "o", "", "write the inventory with its secrets into a new `FILE`")
	c.Flags().BoolVar(&i.secrets, "with-secrets", false, "with keys, passwords' hashes and lines' secrets on standard output, too")
	jsonFlag(c, &i.asJSON)
	c.MarkFlagsMutuallyExclusive("output", "with-secrets")
}

// passphraseFlags are those of imports that read PKCS#12.
func (i *importing) passphraseFlags(c *cobra.Command) {
	c.Flags().BoolVar(&i.passphraseStdin, "passphrase-stdin", false, "read the passphrase of PKCS#12 files from standard input")
	c.Flags().StringVar(&i.passphraseFile, "passphrase-file", "", "read it from a `FILE`")
	c.MarkFlagsMutuallyExclusive("passphrase-stdin", "passphrase-file")
}

func (p *program) passphrase(i importing) (secret.String, error) {
	switch {
	case i.passphraseStdin:
		return p.password(true)
	case i.passphraseFile != "":
		text, err := os.ReadFile(i.passphraseFile)
		if err != nil {
			return secret.String{}, usage(err)
		}
		return secret.New(strings.TrimRight(string(text), "\r\n")), nil
	}
	return secret.String{}, nil
}

func (p *program) importASACommand() *cobra.Command {
	var i importing
	var phones []string
	c := &cobra.Command{
		Use:   "asa FILE…",
		Short: "The configuration of a Cisco ASA, with its certificate and key",
		Long: `Reads what "more system:running-config" prints ("show running-config" hides keys), as it
was captured on a terminal, and beside it certificates and keys: PEM, or what
"crypto ca export NAME pkcs12 PASSPHRASE" prints. With the ASA's own certificate and key
the gateway has the same name and the same hash, and phones do not notice the change.

Which tunnel groups are for phones the ASA does not say; names that speak of phones are
taken for it, or those that --phones names.`,
		Example: `  longcord import asa running-config.txt vpn.p12.txt --passphrase-file passphrase -o asa.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			passphrase, err := p.passphrase(i)
			if err != nil {
				return err
			}
			return p.runImport(i, args, func(sources []migration.Source) (migration.Result, error) {
				return migration.ASA(sources, migration.ASAOptions{PhoneGroups: phones, Passphrase: passphrase})
			})
		},
	}
	i.flags(c)
	i.passphraseFlags(c)
	c.Flags().StringSliceVar(&phones, "phones", nil, "a `TUNNELGROUP` that phones use; may be given again")
	return c
}

func (p *program) importCUCMCommand() *cobra.Command {
	var i importing
	var options migration.CUCMOptions
	c := &cobra.Command{
		Use:   "cucm FILE|DIR…",
		Short: "Phones and VPN settings out of Cisco Unified CM",
		Long: `Reads what Bulk Administration exports of phones (CSV with its headings, or the TAR of it),
answers of AXL for phones, VPN gateways, groups, profiles and common phone profiles, and
the certificates of Phone-VPN-trust. Columns and elements are found by their names.

CUCM gives out no passwords of lines. --new-secrets makes them, for phones that are to
register here; without, lines have none and phones register where they did. Phones' own
files say more than these lists: see "longcord import sep".`,
		Example: `  longcord import cucm phones.tar gateway.pem -o cucm.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.runImport(i, args, func(sources []migration.Source) (migration.Result, error) {
				return migration.CUCM(sources, options)
			})
		},
	}
	i.flags(c)
	c.Flags().BoolVar(&options.NewSecrets, "new-secrets", false, "make a secret for each line, to register here")
	return c
}

func (p *program) importOcservCommand() *cobra.Command {
	var i importing
	var options migration.OcservOptions
	c := &cobra.Command{
		Use:   "ocserv FILE|DIR…",
		Short: "The configuration of ocserv, its users, certificate and key",
		Long: `Reads ocserv.conf and, beside it, what it names: the password file, certificate and key, the
folders config-per-user and config-per-group. Files are told apart by the names that
ocserv.conf gives them, so a copy of /etc/ocserv does as it is. Users keep their
passwords.

ocserv has no group URLs: what clients call becomes https://HOST/, and https://HOST/svc
for phones where cisco-svc-client-compat is on.`,
		Example: `  longcord import ocserv /etc/ocserv --host vpn.example.net -o ocserv.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if options.Passphrase, err = p.passphrase(i); err != nil {
				return err
			}
			return p.runImport(i, args, func(sources []migration.Source) (migration.Result, error) {
				return migration.Ocserv(sources, options)
			})
		},
	}
	i.flags(c)
	i.passphraseFlags(c)
	c.Flags().StringVar(&options.Host, "host", "", "`NAME` that clients call (default the one in the certificate)")
	return c
}

func (p *program) importAsteriskCommand() *cobra.Command {
	var i importing
	c := &cobra.Command{
		Use:   "asterisk FILE|DIR…",
		Short: "Extensions of Asterisk or FreePBX, with their secrets",
		Long: `Reads sip.conf, pjsip.conf and sccp.conf with templates and what they include, and the list
of extensions that FreePBX exports as CSV. Extensions become lines with their secrets, phones of
sccp.conf devices. Included files count when they are given too, whatever folder they are in.`,
		Example: `  longcord import asterisk /etc/asterisk/pjsip.conf /etc/asterisk/pjsip.auth.conf -o lines.yaml
  longcord import asterisk extensions.csv -o lines.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.runImport(i, args, migration.Asterisk)
		},
	}
	i.flags(c)
	return c
}

func (p *program) importSEPCommand() *cobra.Command {
	var i importing
	var models []string
	c := &cobra.Command{
		Use:   "sep FILE|DIR…",
		Short: "Phones' own files, SEP….cnf.xml, with the gateway's certificates",
		Long: `Reads phones' files, plain or signed (.sgn), and the certificates of the gateways that they
name: PEM, DER or PKCS#12. Each file becomes the template of its device, so everything in it
stays: call managers, buttons, settings of the product. URLs, certificate hashes and VPN
settings become VPN gateways, groups and profiles, and lines with their passwords lines.

A gateway of which no certificate is given is refused, because without one phones would get
a file that leads nowhere. A file does not say which model its phone is: the load says so
more or less, --model exactly.`,
		Example: `  longcord import sep /tftpboot gateway.pem --model SEP001122334455=CP-8861 -o phones.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			passphrase, err := p.passphrase(i)
			if err != nil {
				return err
			}
			options := migration.SEPOptions{Models: map[string]string{}, Passphrase: passphrase}
			for _, text := range models {
				device, model, found := strings.Cut(text, "=")
				if !found {
					device, model = "", text
				}
				options.Models[strings.ToUpper(device)] = model
			}
			return p.runImport(i, args, func(sources []migration.Source) (migration.Result, error) {
				return migration.SEP(sources, options)
			})
		},
	}
	i.flags(c)
	i.passphraseFlags(c)
	c.Flags().StringSliceVar(&models, "model", nil, "`[SEP…=]MODEL` of one phone, or of all others; may be given again")
	return c
}

func (p *program) runImport(i importing, args []string, made func([]migration.Source) (migration.Result, error)) error {
	sources, err := p.sources(args)
	if err != nil {
		return usage(err)
	}
	result, err := made(sources)
	if err != nil {
		return usage(err, "longcord import --help")
	}
	return p.printImport(i, result)
}

// What an import reads at most: larger things are not what people have.
const (
	maxSource   = 64 << 20 // bytes of one file
	maxSources  = 20_000   // files
	maxAllBytes = 256 << 20
)

// sources reads files, and those in folders.
func (p *program) sources(args []string) (sources []migration.Source, err error) {
	total := 0
	take := func(name string) error {
		content, err := p.readLimited(name)
		if err != nil {
			return err
		}
		total += len(content)
		sources = append(sources, migration.Source{Name: name, Content: content})
		if len(sources) > maxSources || total > maxAllBytes {
			return fmt.Errorf("%s: more than %d files or %d MiB in all; import them in parts", name, maxSources, maxAllBytes>>20)
		}
		return nil
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() {
			if err := take(arg); err != nil {
				return nil, err
			}
			continue
		}
		err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			return take(path)
		})
		if err != nil {
			return nil, err
		}
	}
	return sources, nil
}

func (p *program) readLimited(name string) ([]byte, error) {
	in := p.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	content, err := io.ReadAll(io.LimitReader(in, maxSource+1))
	if err == nil && len(content) > maxSource {
		err = fmt.Errorf("%s: has more than %d MiB", name, maxSource>>20)
	}
	return content, err
}

func (p *program) printImport(i importing, result migration.Result) error {
	if len(result.Objects) == 0 {
		p.printRemarks(result.Remarks)
		return usage(errors.New("nothing was found that an inventory could hold"), "longcord import --help")
	}
	if i.output != "" {
		if err := writeSecret(i.output, result.Objects); err != nil {
			return usage(err, "name a file that does not exist yet")
		}
	}
	text, err := file.Encode(result.Objects, i.secrets)
	if err != nil {
		return err
	}
	if i.asJSON {
		document := map[string]any{"schema": 1, "objects": counted(result.Objects), "not_carried_over": append([]migration.Remark{}, result.Remarks...)}
		if i.output == "" {
			document["inventory"] = string(text)
		}
		return p.printJSON(document)
	}
	if i.output == "" {
		if _, err := p.out.Write(text); err != nil {
			return err
		}
	}
	p.printRemarks(result.Remarks)
	p.printMade(i, result.Objects)
	return nil
}

// writeSecret writes an inventory with its secrets into a new file of the owner's.
func writeSecret(name string, objects []inventory.Object) error {
	text, err := file.Encode(objects, true)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return errors.Join(err, out.Sync(), out.Close())
}

// counted returns how many objects there are of each kind.
func counted(objects []inventory.Object) map[inventory.Kind]int {
	counts := map[inventory.Kind]int{}
	for _, o := range objects {
		counts[o.Kind()]++
	}
	return counts
}

func (p *program) printMade(i importing, objects []inventory.Object) {
	counts := counted(objects)
	var made []string
	for _, kind := range inventory.Kinds() {
		if n := counts[kind]; n > 0 {
			made = append(made, fmt.Sprintf("%d %s", n, kind))
		}
	}
	fmt.Fprintf(p.err, "carried over: %s\n", strings.Join(made, ", "))
	switch {
	case i.output != "":
		fmt.Fprintf(p.err, "  next: longcord plan -f %s\n", i.output)
	case !i.secrets && slices.ContainsFunc(objects, hasSecret):
		fmt.Fprintln(p.err, "  hint: keys and passwords were left out; give -o FILE, which only you can read, or --with-secrets")
	}
}

func hasSecret(o inventory.Object) bool {
	return slices.ContainsFunc(o.Secrets(), func(s *secret.String) bool { return !s.IsZero() })
}

// headings are what is listed line by line, in this order.
var headings = []struct {
	kind migration.Kind
	says string
}{
	{migration.Lost, "not carried over"},
	{migration.Changed, "carried over, but not as it was"},
	{migration.Settings, "belongs into longcord.yaml"},
}

func (p *program) printRemarks(remarks []migration.Remark) {
	for _, heading := range headings {
		first := true
		for _, r := range remarks {
			if r.Kind != heading.kind {
				continue
			}
			if first {
				fmt.Fprintf(p.err, "%s:\n", heading.says)
				first = false
			}
			r.File, r.Text = legible(r.File), legible(r.Text)
			fmt.Fprintf(p.err, "  %s\n", r)
		}
	}
	p.printCounted(remarks, migration.Unneeded, "nothing to set here for")
	p.printCounted(remarks, migration.Other, "about other things, or not known here")
}

// printCounted prints how many lines there are of a kind, by the first word of each.
func (p *program) printCounted(remarks []migration.Remark, kind migration.Kind, says string) {
	counts := map[string]int{}
	total := 0
	for _, r := range remarks {
		if r.Kind != kind {
			continue
		}
		word, _, _ := strings.Cut(r.Text, " ")
		counts[word]++
		total++
	}
	if total == 0 {
		return
	}
	const most = 12
	words := mostFrequent(counts)
	shown := make([]string, 0, most+1)
	for _, word := range words[:min(len(words), most)] {
		shown = append(shown, fmt.Sprintf("%s (%d)", legible(word), counts[word]))
	}
	if len(words) > most {
		shown = append(shown, "…")
	}
	fmt.Fprintf(p.err, "%s: %d lines: %s; --json lists each\n", says, total, strings.Join(shown, ", "))
}

func mostFrequent(counts map[string]int) []string {
	words := make([]string, 0, len(counts))
	for word := range counts {
		words = append(words, word)
	}
	slices.SortFunc(words, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	return words
}
