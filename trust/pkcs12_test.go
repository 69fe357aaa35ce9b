package trust_test

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/trust"
)

func pkcs12(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "pkcs12", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestPKCS12 reads what openssl wrote, with today's ciphers and with those of old firmware, and finds the
// fingerprint that openssl printed.
func TestPKCS12(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"modern.p12", "asa.txt"} {
		der, ok := trust.FindPKCS12(pkcs12(t, name))
		if !ok {
			t.Fatalf("%s: no PKCS#12 found", name)
		}
		pair, err := trust.ParsePKCS12(der, secret.New("cisco123"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		loaded, err := pair.Load()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := fmt.Sprintf("%X", sha1.Sum(loaded.Certificate[0])); got != "921EC1B455882033194DB3012CE1EDF499391994" || len(loaded.Certificate) != 2 {
			t.Errorf("%s: %d certificates, the first with fingerprint %s", name, len(loaded.Certificate), got)
		}
		if _, err := trust.ParsePKCS12(der, secret.New("wrong")); !errors.Is(err, trust.ErrPassphrase) {
			t.Errorf("%s: wrong passphrase: got %v", name, err)
		}
	}
}

func TestPKCS12Truncated(t *testing.T) {
	t.Parallel()
	whole := pkcs12(t, "modern.p12")
	for cut := range len(whole) {
		der, ok := trust.FindPKCS12(whole[:cut])
		if !ok {
			continue
		}
		if _, err := trust.ParsePKCS12(der, secret.New("cisco123")); err == nil {
			t.Fatalf("a file cut to %d bytes is read", cut)
		}
	}
	text := pkcs12(t, "asa.txt")
	for cut := range len(text) - len("-----END PKCS12-----\n") {
		if _, ok := trust.FindPKCS12(text[:cut]); ok {
			t.Fatalf("an export cut to %d bytes is taken for whole", cut)
		}
	}
}

func FuzzFindPKCS12(f *testing.F) {
	f.Add(pkcs12(f, "modern.p12"))
	f.Add(pkcs12(f, "asa.txt"))
	f.Add([]byte("-----BEGIN PKCS12-----\nMII=\n-----END PKCS12-----"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if der, ok := trust.FindPKCS12(content); ok && len(der) > len(content) {
			t.Errorf("%d bytes out of %d", len(der), len(content))
		}
	})
}
