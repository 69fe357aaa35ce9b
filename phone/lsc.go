package phone

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/longcord/longcord/wire/capf"
)

// lscFile in the state folder holds the phone's LSC and its key, as PEM in one file, so that a power cut
// leaves a pair that fits.
const lscFile = "lsc.pem"

// loadLSC returns the LSC that the phone keeps, or none.
func loadLSC(dir string) (*tls.Certificate, error) {
	text, err := os.ReadFile(filepath.Join(dir, lscFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("phone: stored LSC: %w", err)
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("phone: stored LSC: %w", err)
	}
	return &pair, nil
}

// saveLSC keeps a certificate with the key that was made for it.
func saveLSC(dir string, der []byte, key crypto.Signer) (*tls.Certificate, error) {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("phone: LSC: %w", err)
	}
	if key == nil {
		return nil, errors.New("phone: LSC came, and no key was made for it")
	}
	ours, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("phone: LSC: %w", err)
	}
	if !bytes.Equal(ours, leaf.RawSubjectPublicKeyInfo) {
		return nil, errors.New("phone: LSC is for another key than was made")
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("phone: LSC: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	if err := saveFile(dir, lscFile, text); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// deleteLSC forgets certificate and key.
func deleteLSC(dir string) error {
	if err := os.Remove(filepath.Join(dir, lscFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("phone: LSC: %w", err)
	}
	return syncFolder(dir)
}

// certificate is what the phone shows and logs in with: its LSC, else the manufacturer's, else none.
func (p *Phone) certificate() tls.Certificate {
	if own := p.lsc.Load(); own != nil {
		return *own
	}
	return p.config.Certificate
}

// proofs is the certificate that a phone proves itself to CAPF with, in the form of its messages.
func proofs(pair tls.Certificate, kind capf.CertificateType) (capf.Certificate, crypto.Signer) {
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return capf.Certificate{}, nil
	}
	return capf.Certificate{Type: kind, DER: pair.Certificate[0]}, key
}
