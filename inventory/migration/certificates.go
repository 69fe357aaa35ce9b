package migration

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/trust"
)

// certificates are those that were given or found, with keys where there are any.
type certificates struct {
	found []*found
	keys  []givenKey
}

// found is a certificate with its issuers.
type found struct {
	leaf   *x509.Certificate
	chain  []*x509.Certificate // leaf first
	key    secret.String
	from   position
	object *inventory.Certificate // nil until somebody needs it
}

type givenKey struct {
	signer crypto.Signer
	text   secret.String
}

// certificateName is the same for a certificate from whichever source: what it is for, and the beginning
// of its SHA-1 fingerprint.
func certificateName(c *x509.Certificate) string {
	name := c.Subject.CommonName
	if name == "" && len(c.DNSNames) > 0 {
		name = c.DNSNames[0]
	}
	sum := sha1.Sum(c.Raw)
	const suffix = 9
	name = plainName(name)
	if len(name) > inventory.MaxName-suffix {
		name = name[:inventory.MaxName-suffix]
	}
	return strings.TrimLeft(fmt.Sprintf("%s-%X", name, sum[:4]), "-")
}

// take takes what a file holds of certificates and keys, and reports whether it holds any.
func (c *certificates) take(b *builder, s Source, passphrase secret.String) (bool, error) {
	if pkcs12, ok := trust.FindPKCS12(s.Content); ok {
		pair, err := trust.ParsePKCS12(pkcs12, passphrase)
		if err != nil {
			return true, fmt.Errorf("%s: %w", s.Name, err)
		}
		chain, err := trust.ParseChain(pair.Certificate)
		if err != nil {
			return true, fmt.Errorf("%s: %w", s.Name, err)
		}
		c.add(&found{leaf: chain[0], chain: chain, key: pair.Key, from: position{file: s.Name}})
		return true, nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(s.Content), []byte("-----BEGIN ")) || bytes.Contains(s.Content, []byte("\n-----BEGIN ")) {
		return true, c.takePEM(s)
	}
	if certificate, err := x509.ParseCertificate(s.Content); err == nil {
		c.add(&found{leaf: certificate, chain: []*x509.Certificate{certificate}, from: position{file: s.Name, line: 0}})
		return true, nil
	}
	return false, nil
}

// takePEM takes the blocks of a PEM text. A certificate that signed the one before it belongs to its chain.
func (c *certificates) takePEM(s Source) error {
	var last *found
	rest := s.Content
	for {
		var block *pem.Block
		before := len(s.Content) - len(rest)
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		begin := before + max(0, bytes.Index(s.Content[before:], []byte("-----BEGIN ")))
		line := 1 + bytes.Count(s.Content[:begin], []byte("\n"))
		switch {
		case block.Type == "CERTIFICATE":
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", s.Name, line, err)
			}
			if last != nil && last.chain[len(last.chain)-1].CheckSignatureFrom(certificate) == nil && !bytes.Equal(certificate.Raw, last.leaf.Raw) {
				last.chain = append(last.chain, certificate)
				continue
			}
			last = c.add(&found{leaf: certificate, chain: []*x509.Certificate{certificate}, from: position{file: s.Name, line: line}})
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			text := secret.New(string(pem.EncodeToMemory(block)))
			signer, err := trust.ParseKey(text)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", s.Name, line, err)
			}
			c.keys = append(c.keys, givenKey{signer, text})
		}
	}
}

// add takes a certificate, or what is new about one that is known: its key, its issuers.
func (c *certificates) add(f *found) *found {
	for _, known := range c.found {
		if !bytes.Equal(known.leaf.Raw, f.leaf.Raw) {
			continue
		}
		if known.key.IsZero() {
			known.key = f.key
		}
		if len(known.chain) < len(f.chain) {
			known.chain = f.chain
		}
		return known
	}
	c.found = append(c.found, f)
	return f
}

// match gives certificates the keys that were given apart.
func (c *certificates) match() {
	for _, f := range c.found {
		for _, key := range c.keys {
			public, ok := key.signer.Public().(interface{ Equal(crypto.PublicKey) bool })
			if f.key.IsZero() && ok && public.Equal(f.leaf.PublicKey) {
				f.key = key.text
			}
		}
	}
}

// declare makes an object of a certificate, once, and returns its name.
func (f *found) declare(b *builder) string {
	if f.object != nil {
		return f.object.Name
	}
	f.object = &inventory.Certificate{Name: certificateName(f.leaf), Certificate: pemText(f.chain), Key: f.key}
	b.add(f.object, f.from)
	return f.object.Name
}

func pemText(chain []*x509.Certificate) string {
	var text bytes.Buffer
	for _, certificate := range chain {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	return text.String()
}
