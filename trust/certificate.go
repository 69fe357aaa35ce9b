package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/secret"
)

const (
	keyBits = 2048 // RSA; what every phone that has VPN can verify
	// early is how long before its making a certificate is valid, for phones whose clock is behind.
	early = 24 * time.Hour
)

var (
	// ErrKeyMismatch: the private key belongs to another certificate. Give the one made for this one.
	ErrKeyMismatch = errors.New("the private key does not belong to the certificate")
	// ErrOrder: the certificates of a chain do not follow one another. Put the gateway's own first, then
	// who signed it, and so on.
	ErrOrder = errors.New("the chain is out of order")
	// ErrExpired: renew the certificate, after its successor's hash has reached every phone.
	ErrExpired = errors.New("the certificate has expired")
	// ErrNotYetValid: set this machine's clock, or wait.
	ErrNotYetValid = errors.New("the certificate is not valid yet")
)

// Pair is a certificate chain and the private key of its first certificate.
type Pair struct {
	Certificate string        // PEM, leaf first
	Key         secret.String // PEM
}

// CreateCertificate makes a self-signed RSA-2048 certificate with SHA-256 for a host name or an IP
// address, valid from a day before now until lifetime after it.
func CreateCertificate(host string, now time.Time, lifetime time.Duration) (Pair, error) {
	if lifetime <= 0 {
		return Pair{}, fmt.Errorf("trust: create certificate for %q: lifetime %v", host, lifetime)
	}
	template, err := certificateFor(host, now, lifetime)
	if err != nil {
		return Pair{}, fmt.Errorf("trust: create certificate for %q: %w", host, err)
	}
	pair, err := makePair(template, nil)
	if err != nil {
		return Pair{}, fmt.Errorf("trust: create certificate for %q: %w", host, err)
	}
	return pair, nil
}

// CreateECDSACertificate is CreateCertificate with a key on P-256, which signs many times as fast. Old phones
// cannot verify it, so it can only stand beside an RSA one.
func CreateECDSACertificate(host string, now time.Time, lifetime time.Duration) (Pair, error) {
	if lifetime <= 0 {
		return Pair{}, fmt.Errorf("trust: create certificate for %q: lifetime %v", host, lifetime)
	}
	template, err := certificateFor(host, now, lifetime)
	if err != nil {
		return Pair{}, fmt.Errorf("trust: create certificate for %q: %w", host, err)
	}
	template.SignatureAlgorithm, template.KeyUsage = x509.ECDSAWithSHA256, x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("trust: create certificate for %q: %w", host, err)
	}
	pair, err := signPair(template, key, &signer{template, key})
	if err != nil {
		return Pair{}, fmt.Errorf("trust: create certificate for %q: %w", host, err)
	}
	return pair, nil
}

func certificateFor(host string, now time.Time, lifetime time.Duration) (*x509.Certificate, error) {
	template := validFor(host, now, lifetime)
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment // the latter for RSA key exchange
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	if host == "" || strings.ContainsAny(host, "*/: ") && template.IPAddresses == nil {
		return nil, errors.New("no host name or IP address")
	}
	return template, nil
}

func newSerial() *big.Int {
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always as long
	return new(big.Int).SetBytes(serial)
}

// CreateWithSpare makes a certificate and its finished successor. Both hashes go into every phone's file
// from the first day, so the change to the spare loses no phone. The spare lives twice as long, or it
// would end together with the one it replaces.
func CreateWithSpare(host string, now time.Time, lifetime time.Duration) (first, spare Pair, err error) {
	if first, err = CreateCertificate(host, now, lifetime); err != nil {
		return Pair{}, Pair{}, err
	}
	if spare, err = CreateCertificate(host, now, 2*lifetime); err != nil {
		return Pair{}, Pair{}, err
	}
	return first, spare, nil
}

// ParseChain reads the certificates of a PEM text, leaf first, and checks that each was signed by the
// next (ErrOrder). Text around the blocks is passed over; blocks of private keys and others are refused.
func ParseChain(text string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("trust: PEM block %d is %q, want CERTIFICATE", len(chain)+1, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("trust: certificate %d: %w", len(chain)+1, err)
		}
		chain = append(chain, certificate)
	}
	if begun := strings.Count(text, "-----BEGIN "); begun != len(chain) {
		return nil, fmt.Errorf("trust: of %d PEM blocks %d are damaged", begun, begun-len(chain))
	}
	if len(chain) == 0 {
		return nil, errors.New("trust: no PEM block CERTIFICATE")
	}
	return chain, checkOrder(chain)
}

func checkOrder(chain []*x509.Certificate) error {
	for i, signer := range chain[1:] {
		if signed := chain[i]; !bytes.Equal(signed.RawIssuer, signer.RawSubject) || signed.CheckSignatureFrom(signer) != nil {
			return fmt.Errorf("trust: %w: certificate %d (%s) was not signed by certificate %d (%s)",
				ErrOrder, i+1, signed.Subject, i+2, signer.Subject)
		}
	}
	return nil
}

// Load checks that a chain and a key are well-formed and belong together, and returns them for a TLS
// listener. Whether the certificate has expired is CheckTime's to say: phones that pinned its hash may
// still come.
func (p Pair) Load() (tls.Certificate, error) {
	chain, err := ParseChain(p.Certificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := parseKey(p.Key.Reveal())
	if err != nil {
		return tls.Certificate{}, err
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(chain[0].PublicKey) {
		return tls.Certificate{}, fmt.Errorf("trust: %w %s", ErrKeyMismatch, chain[0].Subject)
	}
	loaded := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, certificate := range chain {
		loaded.Certificate = append(loaded.Certificate, certificate.Raw)
	}
	return loaded, nil
}

// parseKey reads the first private key of a PEM text; what openssl writes before it (EC PARAMETERS) is
// passed over. Errors never quote the text.
func parseKey(text string) (crypto.Signer, error) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("trust: no PEM block PRIVATE KEY")
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return nil, errors.New("trust: the private key has a password: write it anew without, with openssl pkey")
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		key, err := parseKeyBlock(block)
		if err != nil {
			return nil, fmt.Errorf("trust: private key: %w", err)
		}
		return key, nil
	}
}

func parseKeyBlock(block *pem.Block) (crypto.Signer, error) {
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, fmt.Errorf("%T cannot sign", key)
	}
	return nil, fmt.Errorf("PEM block %q is not known", block.Type)
}

// CheckTime returns ErrExpired or ErrNotYetValid, with the dates, for the first certificate of a chain
// that is not valid now.
func CheckTime(chain []*x509.Certificate, now time.Time) error {
	for _, certificate := range chain {
		if now.After(certificate.NotAfter) {
			return fmt.Errorf("trust: %w: %s ended %s", ErrExpired, certificate.Subject, certificate.NotAfter.Format(time.DateTime))
		}
		if now.Before(certificate.NotBefore) {
			return fmt.Errorf("trust: %w: %s begins %s, and it is %s here", ErrNotYetValid,
				certificate.Subject, certificate.NotBefore.Format(time.DateTime), now.UTC().Format(time.DateTime))
		}
	}
	return nil
}
