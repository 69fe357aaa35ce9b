package testcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"sync/atomic"
	"time"
)

// Authority issues client certificates.
type Authority struct {
	Certificate *x509.Certificate
	key         crypto.Signer
	algorithm   x509.SignatureAlgorithm
	issuers     []*x509.Certificate // between it and the root, itself first; none for a root
}

var serial atomic.Int64

// NewAuthority makes a self-signed authority. change may alter its certificate before it is signed, and
// its SignatureAlgorithm is what the authority signs with: SHA1WithRSA is as the phones' own.
func NewAuthority(name string, change func(*x509.Certificate)) *Authority {
	return newAuthority(nil, name, change, authorityKey())
}

// Authority makes one below this one.
func (a *Authority) Authority(name string, change func(*x509.Certificate)) *Authority {
	return newAuthority(a, name, change, authorityKey())
}

func newAuthority(above *Authority, name string, change func(*x509.Certificate), key crypto.Signer) *Authority {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		SignatureAlgorithm: x509.SHA256WithRSA, BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if change != nil {
		change(template)
	}
	made := &Authority{key: key, algorithm: template.SignatureAlgorithm}
	if above == nil {
		above = &Authority{Certificate: template, key: made.key, algorithm: made.algorithm}
	} else {
		made.issuers = above.issuers
	}
	made.Certificate = sign(template, above, made.key.Public())
	if above.Certificate != template {
		made.issuers = append([]*x509.Certificate{made.Certificate}, made.issuers...)
	}
	return made
}

// Impostor makes another authority by the same name.
func (a *Authority) Impostor() *Authority {
	return newAuthority(nil, a.Certificate.Subject.CommonName, func(c *x509.Certificate) { c.SignatureAlgorithm = a.algorithm }, impostorKey())
}

// Making an RSA key takes longer than most tests, so all authorities share one, and all impostors.
var (
	authorityKey = sync.OnceValue(makeKey)
	impostorKey  = sync.OnceValue(makeKey)
)

func sign(template *x509.Certificate, by *Authority, public crypto.PublicKey) *x509.Certificate {
	template.SignatureAlgorithm = by.algorithm
	der, err := x509.CreateCertificate(rand.Reader, template, by.Certificate, public, by.key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return certificate
}

// Issue makes a client's certificate, with the authorities between it and the root behind it. change may
// alter it before it is signed.
func (a *Authority) Issue(name string, change func(*x509.Certificate)) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(12 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	if change != nil {
		change(template)
	}
	leaf := sign(template, a, key().Public())
	pair := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key(), Leaf: leaf}
	for _, issuer := range a.issuers {
		pair.Certificate = append(pair.Certificate, issuer.Raw)
	}
	return pair
}

// IssueEC is Issue for a key on P-256.
func (a *Authority) IssueEC(name string) tls.Certificate {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	leaf := sign(&x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(12 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}, a, private.Public())
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: private, Leaf: leaf}
}

// Revoke makes the list that revokes these certificates, good until next.
func (a *Authority) Revoke(next time.Time, certificates ...tls.Certificate) *x509.RevocationList {
	return a.RevokeWith(next, func(*x509.RevocationList) {}, certificates...)
}

// RevokeWith is Revoke with a change to the list before it is signed.
func (a *Authority) RevokeWith(next time.Time, change func(*x509.RevocationList), certificates ...tls.Certificate) *x509.RevocationList {
	number := serial.Add(1)
	template := &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: next.Add(-24 * time.Hour), NextUpdate: next, SignatureAlgorithm: a.algorithm,
	}
	for _, c := range certificates {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: template.ThisUpdate})
	}
	change(template)
	der, err := x509.CreateRevocationList(rand.Reader, template, a.Certificate, a.key)
	if err != nil {
		panic(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		panic(err)
	}
	return list
}

// PEM returns the authority's certificate.
func (a *Authority) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate.Raw}))
}

// ListPEM returns a list as PEM.
func ListPEM(list *x509.RevocationList) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list.Raw}))
}
