package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
)

func (p *program) certsCommand() *cobra.Command {
	c := &cobra.Command{Use: "certs", Aliases: []string{"cert"}, Short: "Certificates and their hashes"}
	c.AddCommand(p.certsListCommand(), p.certsEnrollCommand(), p.certsRenewCommand(), p.certsRevokeCommand(), p.certsCRLCommand(), p.certsHashCommand(), p.certsImportCommand(), p.certsAuditCommand(), p.certsRolloverCommand())
	return c
}

func (p *program) certsHashCommand() *cobra.Command {
	var match string
	var asJSON bool
	c := &cobra.Command{
		Use:   "hash FILE | https://HOST[:PORT] | HEX | BASE64",
		Short: "Show the hash that stands in phones' files",
		Long: `For each certificate of a file (PEM or DER, - for standard input) or of a gateway, the
SHA-1 fingerprint and the base64 that goes into certHash. A bare fingerprint or
hash is converted the other way. With --match: which certHash of a phone's file it
is; exit code 1 when it is none.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			hashed, err := p.hashes(c.Context(), args[0])
			if err != nil {
				return err
			}
			return p.printHashes(hashed, match, asJSON)
		},
	}
	c.Flags().StringVar(&match, "match", "", "a phone's `SEP….cnf.xml` to look the hash up in")
	jsonFlag(c, &asJSON)
	return c
}

// hashed is a hash, with the certificate it is of where that is known.
type hashed struct {
	Subject   string     `json:"subject,omitempty"`
	Issuer    string     `json:"issuer,omitempty"`
	NotBefore *time.Time `json:"not_before,omitempty"`
	NotAfter  *time.Time `json:"not_after,omitempty"`
	SHA1      string     `json:"certificate_sha1"`
	Hash      string     `json:"certificate_hash"`
	Matches   string     `json:"matches,omitempty"` // which certHash of the phone's file
}

// hashes finds out what kind of thing was named. A file wins over a value that looks the same.
func (p *program) hashes(ctx context.Context, subject string) ([]hashed, error) {
	if strings.HasPrefix(subject, "https://") {
		chain, ecdsa, err := presented(ctx, subject)
		return describe(append(chain, ecdsa...)), err
	}
	text, err := p.readFile(subject)
	if err == nil {
		chain, err := certificates(text)
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", subject, err), "name a certificate as PEM or DER")
		}
		return describe(chain), nil
	}
	if value, parseErr := verify.ParseHash(subject); parseErr == nil {
		return []hashed{{SHA1: value.Hex(), Hash: value.String()}}, nil
	}
	return nil, usage(fmt.Errorf("%s: neither a file that can be read, nor a hash: %v", subject, errors.Unwrap(err)), "longcord certs hash --help")
}

func (p *program) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(p.in)
	}
	return os.ReadFile(name)
}

// certificates reads every certificate of a PEM text, or one in DER.
func certificates(text []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(text, []byte("-----BEGIN")) {
		return x509.ParseCertificates(text)
	}
	var chain []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, errors.New("holds no certificate")
	}
	return chain, nil
}

const dialTimeout = 10 * time.Second

// presented returns the chain that a gateway presents, however old its TLS and whoever signed it; where it
// presents an ECDSA certificate to who can verify it and another to others, both.
func presented(ctx context.Context, text string) (chain, ecdsa []*x509.Certificate, err error) {
	chain, err = presentedTo(ctx, text, &tls.Config{CipherSuites: everySuite()})
	if err != nil || chain[0].PublicKeyAlgorithm != x509.ECDSA {
		return chain, nil, err
	}
	if others, err := presentedTo(ctx, text, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: suitesOfRSA()}); err == nil {
		return others, chain, nil
	}
	return chain, nil, nil
}

// presentedTo returns the chain that a client with this configuration meets, also of a gateway that then wants a
// certificate of the client and refuses it.
func presentedTo(ctx context.Context, text string, config *tls.Config) ([]*x509.Certificate, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, usage(fmt.Errorf("%q is no URL", text), "write https://HOST[:PORT]")
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	config.ServerName, config.InsecureSkipVerify, config.MinVersion = u.Hostname(), true, tls.VersionTLS10
	var chain []*x509.Certificate
	config.VerifyConnection = func(s tls.ConnectionState) error {
		chain = s.PeerCertificates
		return nil
	}
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: config}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	switch {
	case err == nil:
		_ = conn.Close() // it has told what we wanted
	case chain == nil:
		return nil, cannotTell(fmt.Errorf("%s: %w", u.Host, err), "check name, port and the way there")
	}
	return chain, nil
}

func everySuite() []uint16 {
	var all []uint16
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		all = append(all, suite.ID)
	}
	return all
}

// suitesOfRSA are those that an RSA certificate serves.
func suitesOfRSA() []uint16 {
	return slices.DeleteFunc(everySuite(), func(suite uint16) bool { return strings.Contains(tls.CipherSuiteName(suite), "_ECDSA_") })
}

func describe(chain []*x509.Certificate) []hashed {
	all := make([]hashed, len(chain))
	for i, c := range chain {
		hash := verify.HashOf(c.Raw)
		all[i] = hashed{
			Subject: c.Subject.String(), Issuer: c.Issuer.String(), NotBefore: &c.NotBefore, NotAfter: &c.NotAfter, SHA1: hash.Hex(), Hash: hash.String(),
		}
	}
	return all
}

func (p *program) printHashes(all []hashed, match string, asJSON bool) error {
	matched := false
	if match != "" {
		pinned, err := p.pinned(match)
		if err != nil {
			return err
		}
		for i := range all {
			all[i].Matches = pinned[all[i].Hash]
			matched = matched || all[i].Matches != ""
		}
	}
	if asJSON {
		if err := p.printJSON(map[string]any{"schema": 1, "certificates": all}); err != nil {
			return err
		}
	} else {
		p.printHashTexts(all, match)
	}
	if match != "" && !matched {
		return notWell(fmt.Errorf("no certHash of %s is among these: phones with this file will not connect", match))
	}
	return nil
}

func (p *program) printHashTexts(all []hashed, match string) {
	for i, h := range all {
		if h.Subject != "" {
			fmt.Fprintf(p.out, "certificate %d of %d: %s\n", i+1, len(all), h.Subject)
			fmt.Fprintf(p.out, "  issuer    %s\n", h.Issuer)
			fmt.Fprintf(p.out, "  valid     %s to %s\n", h.NotBefore.UTC().Format(time.DateOnly), h.NotAfter.UTC().Format(time.DateOnly))
		}
		fmt.Fprintf(p.out, "  SHA-1     %s\n", h.SHA1)
		fmt.Fprintf(p.out, "  certHash  %s\n", h.Hash)
		if h.Matches != "" {
			fmt.Fprintf(p.out, "  matches   %s of %s\n", h.Matches, match)
		}
	}
}

// pinned returns the names of a phone's certHash elements by the hash they hold.
func (p *program) pinned(name string) (map[string]string, error) {
	text, err := p.readFile(name)
	if err != nil {
		return nil, usage(err)
	}
	device, err := cnf.Parse(text)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, err), "name a phone's configuration file, SEP….cnf.xml")
	}
	names := map[string]string{}
	if device.VPN == nil {
		return names, nil
	}
	for i, text := range device.VPN.CertificateHashes {
		if hash, err := verify.ParseHash(text); err == nil {
			names[hash.String()] = fmt.Sprintf("certHash%d", i+1)
		}
	}
	return names, nil
}
