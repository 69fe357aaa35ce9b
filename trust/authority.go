package trust

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"
)

// CreateAuthority makes an authority for clients: a self-signed RSA-2048 certificate with SHA-256 that may
// sign others and lists of revoked ones.
func CreateAuthority(name string, now time.Time, lifetime time.Duration) (Pair, error) {
	template := validFor(name, now, lifetime)
	template.IsCA, template.MaxPathLenZero = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	pair, err := makePair(template, nil)
	if err != nil {
		return Pair{}, fmt.Errorf("trust: create authority %q: %w", name, err)
	}
	return pair, nil
}

// IssueClient makes a client's certificate, signed by an authority that CreateAuthority made. The name is
// a user's or, on phones, CP-<model>-SEP<MAC>.
func IssueClient(authority Pair, name string, now time.Time, lifetime time.Duration) (Pair, error) {
	issuer, err := authority.Load()
	if err != nil {
		return Pair{}, fmt.Errorf("trust: issue certificate for %q: %w", name, err)
	}
	template := validFor(name, now, lifetime)
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} // phones have web pages, too
	pair, err := makePair(template, &signer{issuer.Leaf, issuer.PrivateKey.(crypto.Signer)})
	if err != nil {
		return Pair{}, fmt.Errorf("trust: issue certificate for %q: %w", name, err)
	}
	return pair, nil
}

// validFor is the part of a certificate that all of them have.
func validFor(name string, now time.Time, lifetime time.Duration) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-early).Truncate(time.Second).UTC(),
		NotAfter:              now.Add(lifetime).Truncate(time.Second).UTC(),
		SignatureAlgorithm:    x509.SHA256WithRSA,
		BasicConstraintsValid: true,
	}
}

// signer is who signs a certificate.
type signer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// makePair makes a key and signs its certificate; without a signer by itself.
func makePair(template *x509.Certificate, by *signer) (Pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Pair{}, err
	}
	if by == nil {
		by = &signer{template, key}
	}
	return signPair(template, key, by)
}

func signPair(template *x509.Certificate, key crypto.Signer, by *signer) (Pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		return Pair{}, err
	}
	return pairOf(der, key)
}
