package trust

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/longcord/longcord/internal/secret"
)

// ErrPassphrase: the passphrase of a PKCS#12 file is another. Give the one that it was exported with.
var ErrPassphrase = errors.New("the passphrase does not open it")

const (
	pkcs12Begin = "-----BEGIN PKCS12-----"
	pkcs12End   = "-----END PKCS12-----"
	// MaxPKCS12 bounds a file that is read, in bytes.
	MaxPKCS12 = 1 << 20
)

// pkcs12Version stands near the beginning of such files in DER: the number 3.
var pkcs12Version = []byte{0x02, 0x01, 0x03}

// FindPKCS12 returns the DER bytes of a PKCS#12 file: the file itself, or what `crypto ca export NAME
// pkcs12` of an ASA prints, base64 between two marks. False: there is none.
func FindPKCS12(content []byte) ([]byte, bool) {
	if len(content) > MaxPKCS12 {
		return nil, false
	}
	if len(content) > 8 && content[0] == 0x30 && bytes.Contains(content[:8], pkcs12Version) {
		return content, true
	}
	_, text, ok := bytes.Cut(content, []byte(pkcs12Begin))
	if !ok {
		return nil, false
	}
	text, _, ended := bytes.Cut(text, []byte(pkcs12End))
	if !ended {
		return nil, false
	}
	var digits []byte
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); !bytes.HasPrefix(line, []byte("---")) { // "---End - This line not part of the pkcs12---"
			digits = append(digits, line...)
		}
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(digits)))
	n, err := base64.StdEncoding.Decode(der, digits)
	return der[:n], err == nil && n > 0
}

// ParsePKCS12 returns the certificate of a PKCS#12 file (DER, see FindPKCS12), its issuers as far as they
// are in it, and its key. It returns ErrPassphrase when the passphrase is wrong.
func ParsePKCS12(der []byte, passphrase secret.String) (Pair, error) {
	if len(der) > MaxPKCS12 {
		return Pair{}, fmt.Errorf("trust: PKCS#12 of %d bytes; at most %d are read", len(der), MaxPKCS12)
	}
	key, leaf, others, err := pkcs12.DecodeChain(der, passphrase.Reveal())
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return Pair{}, fmt.Errorf("trust: PKCS#12: %w", ErrPassphrase)
	case err != nil:
		return Pair{}, fmt.Errorf("trust: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return Pair{}, fmt.Errorf("trust: PKCS#12: a %T cannot sign", key)
	}
	text, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return Pair{}, fmt.Errorf("trust: PKCS#12: %w", err)
	}
	pair := Pair{Key: secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})))}
	for _, certificate := range inOrder(leaf, others) {
		pair.Certificate += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	_, err = pair.Load()
	return pair, err
}

// inOrder returns the leaf, who signed it, who signed that one, and so on. Files hold them in any order.
func inOrder(leaf *x509.Certificate, others []*x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	for last := leaf; len(chain) <= len(others); last = chain[len(chain)-1] {
		var signer *x509.Certificate
		for _, other := range others {
			if !bytes.Equal(other.Raw, last.Raw) && bytes.Equal(last.RawIssuer, other.RawSubject) && last.CheckSignatureFrom(other) == nil {
				signer = other
			}
		}
		if signer == nil {
			break
		}
		chain = append(chain, signer)
	}
	return chain
}

// ParseKey reads a private key, PEM without a password.
func ParseKey(text secret.String) (crypto.Signer, error) { return parseKey(text.Reveal()) }
