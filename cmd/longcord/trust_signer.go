package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/trust"
)

func (p *program) trustImportCommand() *cobra.Command {
	var list string
	var passwordStdin, first, force, noPush bool
	c := &cobra.Command{
		Use:   "import-signer FILE…",
		Short: "Take a signer that was made elsewhere, or put the second one's key back",
		Long: `Takes a certificate and its RSA key, PEM or PKCS#12, in one file or two: CUCM's
ITLRecovery, the signer that certutils made, or our own second signer that was kept
elsewhere. It becomes the second of the two signers. With --sign it signs from now on:
phones that hold a list that it signed then follow this system without being touched.
Give that list with --list: phones know the signer by the very names in it.`,
		Example: `  longcord trust import-signer ITLRecovery.p12 --password-stdin --list ITLFile.tlv --sign < passphrase
  longcord trust import-signer signer-2.pem`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			pair, err := p.signerIn(args, passwordStdin)
			if err != nil {
				return err
			}
			order := control.TrustOrder{Certificate: pair.Certificate, Key: pair.Key.Reveal(), NoPush: noPush || first, Force: force}
			if list != "" {
				if order.List, err = os.ReadFile(list); err != nil {
					return usage(err, "give the ITLFile.tlv or CTLFile.tlv that phones hold")
				}
			}
			if !first {
				return p.changeTrust(c, control.TrustImport, order)
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			if _, err := client.ChangeTrust(c.Context(), control.TrustImport, order); err != nil {
				return err
			}
			return p.changeTrust(c, control.TrustPromote, control.TrustOrder{NoPush: noPush, Force: force})
		},
	}
	c.Flags().StringVar(&list, "list", "", "trust list `FILE` that phones hold and that names this signer")
	c.Flags().BoolVar(&passwordStdin, "password-stdin", false, "read the passphrase of a PKCS#12 file from standard input")
	c.Flags().BoolVar(&first, "sign", false, "let it sign trust lists from now on")
	listsFlag(c, &noPush)
	forceFlag(c, &force)
	return c
}

// maxSigner bounds a file that is read, in bytes.
const maxSigner = 1 << 20

// signerIn reads a certificate and its key out of one file or two.
func (p *program) signerIn(files []string, passwordStdin bool) (trust.Pair, error) {
	var text strings.Builder
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return trust.Pair{}, usage(err, "name the files of certificate and key, PEM or PKCS#12")
		}
		if len(content) > maxSigner {
			return trust.Pair{}, usage(fmt.Errorf("%s has %d bytes", name, len(content)), "name the files of certificate and key, PEM or PKCS#12")
		}
		if der, ok := trust.FindPKCS12(content); ok {
			var passphrase secret.String
			if passwordStdin {
				if passphrase, err = readPassword(p.in); err != nil {
					return trust.Pair{}, err
				}
			}
			pair, err := trust.ParsePKCS12(der, passphrase)
			if err != nil {
				return pair, usage(fmt.Errorf("%s: %w", name, err), "give the passphrase with --password-stdin")
			}
			return pair, nil
		}
		text.Write(content)
		text.WriteByte('\n')
	}
	pair := trust.Pair{Certificate: blocks(text.String(), "CERTIFICATE"), Key: secret.New(text.String())}
	if _, err := pair.Load(); err != nil {
		return pair, usage(fmt.Errorf("%s: %w", strings.Join(files, ", "), err), "give certificate and key, PEM or PKCS#12, the key without a password")
	}
	return pair, nil
}

// blocks returns the PEM blocks of a type in a text.
func blocks(text, kind string) string {
	var out strings.Builder
	begin, end := "-----BEGIN "+kind+"-----", "-----END "+kind+"-----"
	for {
		_, rest, ok := strings.Cut(text, begin)
		if !ok {
			return out.String()
		}
		inside, after, ok := strings.Cut(rest, end)
		if !ok {
			return out.String()
		}
		out.WriteString(begin + inside + end + "\n")
		text = after
	}
}

func (p *program) trustExportCommand() *cobra.Command {
	var keep, yes, dryRun bool
	c := &cobra.Command{
		Use:   "export-signer FILE",
		Short: "Write the second signer to a file, and take its key out of the store",
		Long: `Writes certificate and key of the second signer, PEM, to a new file that only its owner
may read, and then takes the key out of the store. Trust lists go on naming it. Whoever
steals this machine and its backups then has one signer only, and the other can take
over. Keep the file where this machine is not: "longcord trust import-signer FILE"
brings it back.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if dryRun {
				fmt.Fprintf(p.out, "the second signer would be written to %s\n", args[0])
				return nil
			}
			if !keep {
				fmt.Fprintln(p.out, "the key of signer-2 leaves the store")
				if err := p.confirm(yes); err != nil {
					return err
				}
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			signer, err := client.TrustSigner(c.Context())
			if err != nil {
				return err
			}
			if err := writeNew(args[0], signer.Certificate+signer.Key); err != nil {
				return usage(err, "name a file that is not there yet, in a folder that you may write to")
			}
			fmt.Fprintf(p.out, "wrote %s\n", args[0])
			if keep {
				return nil
			}
			return p.changeTrust(c, control.TrustForget, control.TrustOrder{})
		},
	}
	c.Flags().BoolVar(&keep, "keep", false, "leave the key in the store, too")
	changeFlags(c, &dryRun, &yes)
	return c
}

// writeNew writes a file that only its owner may read, and sees that it is on the disk. One that is there
// already is left alone.
func writeNew(path, content string) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(0o600))
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
