// Package testcert makes certificates for tests.
package testcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"time"
)

var key = sync.OnceValue(makeKey)

func makeKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

// RSA returns a self-signed RSA certificate for a host name or address. All share one key, because
// making one takes longer than most tests.
func RSA(host string) tls.Certificate { return selfSigned(host, key(), time.Now().Add(24*time.Hour)) }

// ECDSA returns a self-signed certificate for a host name or address, with a key of its own on P-256.
func ECDSA(host string) tls.Certificate { return ECDSAUntil(host, time.Now().Add(24*time.Hour)) }

// ECDSAUntil is ECDSA for a certificate that ends at a time.
func ECDSAUntil(host string, end time.Time) tls.Certificate {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return selfSigned(host, private, end)
}

func selfSigned(host string, private crypto.Signer, end time.Time) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(sha1.Sum([]byte(host))[0]) + 1),
		Subject:      pkix.Name{CommonName: host},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// PEM returns a certificate and its key as PEM text.
func PEM(c tls.Certificate) (certificate, privateKey string) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
