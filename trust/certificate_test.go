package trust

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func create(t *testing.T, host string) Pair {
	t.Helper()
	pair, err := CreateCertificate(host, now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestCreateCertificate(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"vpn.example.com", "192.0.2.1", "2001:db8::1"} {
		loaded, err := create(t, host).Load()
		if err != nil {
			t.Fatal(err)
		}
		leaf := loaded.Leaf
		if err := leaf.VerifyHostname(host); err != nil || leaf.Subject.CommonName != host {
			t.Errorf("%s: %v, common name %s", host, err, leaf.Subject.CommonName)
		}
		if leaf.SignatureAlgorithm != x509.SHA256WithRSA || leaf.PublicKey.(interface{ Size() int }).Size() != 256 || leaf.IsCA {
			t.Errorf("%s: %v, %T, CA %v", host, leaf.SignatureAlgorithm, leaf.PublicKey, leaf.IsCA)
		}
		if !leaf.NotBefore.Equal(now.Add(-early)) || !leaf.NotAfter.Equal(now.Add(time.Hour)) {
			t.Errorf("%s: valid from %v to %v", host, leaf.NotBefore, leaf.NotAfter)
		}
	}
	for _, host := range []string{"", "*.example.com", "https://vpn.example.com", "vpn:443", "a b"} {
		if _, err := CreateCertificate(host, now, time.Hour); err == nil {
			t.Errorf("a certificate for %q was made", host)
		}
	}
	if _, err := CreateCertificate("a", now, 0); err == nil {
		t.Error("a certificate without a lifetime was made")
	}
}

func TestCreateECDSACertificate(t *testing.T) {
	t.Parallel()
	pair, err := CreateECDSACertificate("vpn.example.com", now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := pair.Load()
	if err != nil {
		t.Fatal(err)
	}
	leaf := loaded.Leaf
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || leaf.VerifyHostname("vpn.example.com") != nil || leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil {
		t.Errorf("%T, names %v, signed with %v", leaf.PublicKey, leaf.DNSNames, leaf.SignatureAlgorithm)
	}
	if leaf.KeyUsage != x509.KeyUsageDigitalSignature || !leaf.NotBefore.Equal(now.Add(-early)) || !leaf.NotAfter.Equal(now.Add(time.Hour)) {
		t.Errorf("usage %v, valid from %v to %v", leaf.KeyUsage, leaf.NotBefore, leaf.NotAfter)
	}
	for _, host := range []string{"", "*.example.com"} {
		if _, err := CreateECDSACertificate(host, now, time.Hour); err == nil {
			t.Errorf("a certificate for %q was made", host)
		}
	}
	if _, err := CreateECDSACertificate("a", now, 0); err == nil {
		t.Error("a certificate without a lifetime was made")
	}
}

func TestCreateWithSpare(t *testing.T) {
	t.Parallel()
	first, spare, err := CreateWithSpare("vpn.example.com", now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	one, err1 := first.Load()
	two, err2 := spare.Load()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one.Leaf.RawSubjectPublicKeyInfo, two.Leaf.RawSubjectPublicKeyInfo) {
		t.Error("the spare has the same key")
	}
	if err := CheckTime([]*x509.Certificate{two.Leaf}, one.Leaf.NotAfter.Add(time.Minute)); err != nil {
		t.Errorf("the spare ends with the first: %v", err)
	}
}

// TestHandshake uses a certificate of ours for TLS.
func TestHandshake(t *testing.T) {
	t.Parallel()
	pair, err := CreateCertificate("vpn.example.com", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := pair.Load()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(loaded.Leaf)
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	serverDone := make(chan error, 1)
	go func() {
		serverDone <- tls.Server(server, &tls.Config{Certificates: []tls.Certificate{loaded}}).HandshakeContext(context.Background())
	}()
	tlsClient := tls.Client(client, &tls.Config{RootCAs: roots, ServerName: "vpn.example.com", MaxVersion: tls.VersionTLS12})
	if err := errors.Join(tlsClient.Handshake(), <-serverDone); err != nil {
		t.Error(err)
	}
}

// authority is a certificate authority with one leaf, for chains.
func authority(t *testing.T) (leaf Pair, root string) {
	t.Helper()
	rootKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leafKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rootTemplate, err3 := certificateFor("root", now, time.Hour)
	leafTemplate, err4 := certificateFor("leaf", now, time.Hour)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	rootTemplate.IsCA, rootTemplate.KeyUsage, rootTemplate.SignatureAlgorithm = true, x509.KeyUsageCertSign, 0
	leafTemplate.SignatureAlgorithm = 0
	rootDER, err1 := x509.CreateCertificate(rand.Reader, rootTemplate, rootTemplate, rootKey.Public(), rootKey)
	leafDER, err2 := x509.CreateCertificate(rand.Reader, leafTemplate, rootTemplate, leafKey.Public(), rootKey)
	keyDER, err3 := x509.MarshalECPrivateKey(leafKey)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return Pair{text("CERTIFICATE", leafDER), secret.New(text("EC PRIVATE KEY", keyDER))}, text("CERTIFICATE", rootDER)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	leaf, root := authority(t)
	other := create(t, "other")
	damaged := strings.Replace(leaf.Certificate, "M", "!", 1)
	for _, test := range []struct {
		name string
		pair Pair
		is   error
		says string
	}{
		{"leaf alone", leaf, nil, ""},
		{"chain", Pair{"Subject: leaf\n" + leaf.Certificate + "Subject: root\n" + root, leaf.Key}, nil, ""},
		{"reversed", Pair{root + leaf.Certificate, leaf.Key}, ErrOrder, "certificate 1 (CN=root) was not signed by certificate 2 (CN=leaf)"},
		{"foreign root", Pair{leaf.Certificate + other.Certificate, leaf.Key}, ErrOrder, "CN=other"},
		{"foreign key", Pair{leaf.Certificate, other.Key}, ErrKeyMismatch, "CN=leaf"},
		{"nothing", Pair{}, nil, "no PEM block CERTIFICATE"},
		{"key for certificate", Pair{other.Key.Reveal(), other.Key}, nil, `PEM block 1 is "PRIVATE KEY"`},
		{"damaged", Pair{damaged, leaf.Key}, nil, "of 1 PEM blocks 1 are damaged"},
		{"first damaged", Pair{damaged + leaf.Certificate, leaf.Key}, nil, "of 2 PEM blocks 1 are damaged"},
		{"second damaged", Pair{leaf.Certificate + damaged, leaf.Key}, nil, "of 2 PEM blocks 1 are damaged"},
		{"no key", Pair{leaf.Certificate, secret.New(root)}, nil, "no PEM block PRIVATE KEY"},
		{"not DER", Pair{leaf.Certificate, secret.New("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}, nil, "private key: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			loaded, err := test.pair.Load()
			if test.is == nil && test.says == "" {
				if err != nil || loaded.Leaf.Subject.CommonName != "leaf" || len(loaded.Certificate) != strings.Count(test.pair.Certificate, "BEGIN") {
					t.Errorf("got %d certificates, %v", len(loaded.Certificate), err)
				}
				return
			}
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %v with %q", err, test.is, test.says)
			}
		})
	}
}

func TestCheckTime(t *testing.T) {
	t.Parallel()
	loaded, err := create(t, "a").Load()
	if err != nil {
		t.Fatal(err)
	}
	chain := []*x509.Certificate{loaded.Leaf}
	for at, want := range map[time.Time]error{
		now.Add(-early): nil, now.Add(-early - time.Second): ErrNotYetValid,
		now.Add(time.Hour): nil, now.Add(time.Hour + time.Second): ErrExpired,
	} {
		if err := CheckTime(chain, at); !errors.Is(err, want) {
			t.Errorf("at %v: got %v, want %v", at, err, want)
		}
	}
}

func FuzzParseChain(f *testing.F) {
	pair, err := CreateCertificate("a", now, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pair.Certificate)
	f.Add(pair.Certificate + pair.Certificate)
	f.Add("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		chain, err := ParseChain(text)
		if err == nil && len(chain) == 0 {
			t.Error("an empty chain")
		}
	})
}

func TestParseChainCut(t *testing.T) {
	t.Parallel()
	text := create(t, "a").Certificate
	for n := range len(text) - 1 {
		if chain, err := ParseChain(text[:n]); err == nil {
			t.Errorf("cut at %d of %d: %d certificates", n, len(text), len(chain))
		}
	}
}
