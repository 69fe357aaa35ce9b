package inventory

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// Leaf returns the first certificate of the PEM text, which is the one whose hash stands in phones'
// files.
func (o *Certificate) Leaf() (*x509.Certificate, error) {
	for rest := []byte(o.Certificate); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("no PEM block CERTIFICATE in it")
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}

func (v *validation) certificate(o *Certificate) {
	if o.Certificate == "" {
		v.refuse("certificateFile", "name a PEM file, or give the PEM text as certificate", "is missing")
		return
	}
	if _, err := o.Leaf(); err != nil {
		v.refuse("certificate", "it must be PEM text, the gateway's own certificate first", "%v", err)
		return
	}
	if o.Key.IsZero() {
		return // somebody else's, or an exported file without secrets
	}
	if _, err := tls.X509KeyPair([]byte(o.Certificate), []byte(o.Key.Reveal())); err != nil {
		v.refuse("key", "give the private key of this certificate, as PEM without a password",
			"%s", strings.TrimPrefix(err.Error(), "tls: "))
	}
}

// leaf returns the parsed leaf of a certificate by name, or nil when there is none that parses.
func (s *Set) leaf(name string) *x509.Certificate {
	certificate, ok := s.Certificates[name]
	if !ok {
		return nil
	}
	leaf, err := certificate.Leaf()
	if err != nil {
		return nil
	}
	return leaf
}

func hasWildcard(leaf *x509.Certificate) bool {
	for _, name := range append([]string{leaf.Subject.CommonName}, leaf.DNSNames...) {
		if strings.HasPrefix(name, "*.") {
			return true
		}
	}
	return false
}

// namesHost reports whether a phone's host check passes: by the alternative names or, when there are none,
// by the common name.
func namesHost(leaf *x509.Certificate, host string) bool {
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		return strings.EqualFold(leaf.Subject.CommonName, host)
	}
	return leaf.VerifyHostname(host) == nil
}
