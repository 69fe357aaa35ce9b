package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/trust"
)

func (p *program) certsImportCommand() *cobra.Command {
	var keyFile string
	var replace, force, passphrase bool
	c := &cobra.Command{
		Use:   "import NAME FILE",
		Short: "Take a certificate into the inventory",
		Long: `Makes a Certificate object of a file (PEM or DER, - for standard input), the gateway's
own certificate first. Without a key it is somebody else's, such as a second gateway's:
a VPNGateway that names it puts its hash into phones' files. A PKCS#12 file, also as an
ASA prints it, brings its key; its passphrase is read from standard input.`,
		Example: `  longcord certs import gateway-2 gateway-2.pem
  longcord certs import gateway-3 gateway-3.pem --key gateway-3.key
  longcord certs import gateway-4 gateway-4.p12 --passphrase-stdin < passphrase.txt`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			object, err := p.certificateFrom(args[0], args[1], keyFile, passphrase)
			if err != nil {
				return err
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			expect := control.ExpectNew
			if replace {
				expect = control.ExpectExisting
			}
			changes, err := client.Apply(c.Context(), []inventory.Object{object}, catalog.Options{Force: force}, expect)
			if err != nil {
				return err
			}
			if err := p.printChanges(changes, false, false); err != nil {
				return err
			}
			chain, err := certificates([]byte(object.Certificate))
			if err != nil {
				return err
			}
			return p.printHashes(describe(chain[:1]), "", false)
		},
	}
	c.Flags().StringVar(&keyFile, "key", "", "its private key, a PEM `FILE` without a password")
	c.Flags().BoolVar(&passphrase, "passphrase-stdin", false, "read the passphrase of a PKCS#12 file from standard input")
	c.Flags().BoolVar(&force, "force", false, "with --replace: also where phones would be kept out, because they do not have its hash")
	c.Flags().BoolVar(&replace, "replace", false, "put it in the place of the one that has this name")
	return c
}

// certificateFrom reads what is to be imported. Whether certificate and key fit is the inventory's to judge.
func (p *program) certificateFrom(name, file, keyFile string, passphrase bool) (*inventory.Certificate, error) {
	text, err := p.readFile(file)
	if err != nil {
		return nil, usage(err)
	}
	if der, ok := trust.FindPKCS12(text); ok {
		return p.certificateOfPKCS12(name, file, der, passphrase)
	}
	chain, err := certificates(text)
	if err == nil && len(chain) == 0 {
		err = errors.New("holds no certificate")
	}
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", file, err), "name a certificate as PEM or DER")
	}
	var all bytes.Buffer
	for _, each := range chain {
		if err := pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: each.Raw}); err != nil {
			return nil, err
		}
	}
	object := &inventory.Certificate{Name: name, Certificate: all.String()}
	if keyFile != "" {
		key, err := p.readFile(keyFile)
		if err != nil {
			return nil, usage(err)
		}
		object.Key = secret.New(string(key))
	}
	return object, nil
}

func (p *program) certificateOfPKCS12(name, file string, der []byte, passphrase bool) (*inventory.Certificate, error) {
	var secretText secret.String
	if passphrase {
		var err error
		if secretText, err = p.password(true); err != nil {
			return nil, err
		}
	}
	pair, err := trust.ParsePKCS12(der, secretText)
	switch {
	case errors.Is(err, trust.ErrPassphrase) && !passphrase:
		return nil, usage(fmt.Errorf("%s has a passphrase", file), "give --passphrase-stdin, and the passphrase on standard input")
	case err != nil:
		return nil, usage(fmt.Errorf("%s: %w", file, err))
	}
	return &inventory.Certificate{Name: name, Certificate: pair.Certificate, Key: pair.Key}, nil
}
