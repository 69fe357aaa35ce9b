//go:build interop

// Package openssl_test compares our password hashes and certificates with openssl's.
package openssl_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/trust"
)

func openssl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	path := office.Peer(t, "openssl")
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// password draws printable text of a length.
func password(length int) string {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte('!' + rand.IntN('~'-'!'))
	}
	return string(b)
}

func TestCrypt(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"-1", "-5", "-6"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			for _, length := range []int{1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 200} {
				text := password(length)
				stored := secret.New(openssl(t, text+"\n", "passwd", method, "-stdin"))
				if !login.VerifyPassword(stored, secret.New(text)) {
					t.Errorf("%q is not verified against %s", text, stored.Reveal())
				}
				if login.VerifyPassword(stored, secret.New(text[1:]+"~")) {
					t.Errorf("another password than %q is verified against %s", text, stored.Reveal())
				}
			}
		})
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	for host, option := range map[string]string{"vpn.example.com": "-verify_hostname", "192.0.2.1": "-verify_ip"} {
		pair, err := trust.CreateCertificate(host, time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "certificate.pem")
		if err := os.WriteFile(file, []byte(pair.Certificate), 0o600); err != nil {
			t.Fatal(err)
		}
		openssl(t, "", "verify", "-x509_strict", "-purpose", "sslserver", "-partial_chain", "-CAfile", file, option, host, file)
		text := openssl(t, pair.Certificate, "x509", "-noout", "-text")
		for _, want := range []string{"sha256WithRSAEncryption", "Public-Key: (2048 bit)", "CA:FALSE", "Digital Signature, Key Encipherment"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: openssl does not see %q in\n%s", host, want, text)
			}
		}
	}
}

// TestKeys loads the key files that openssl writes.
func TestKeys(t *testing.T) {
	t.Parallel()
	pair, err := trust.CreateCertificate("vpn.example.com", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	key := pair.Key.Reveal()
	for _, args := range [][]string{{"pkey"}, {"pkey", "-traditional"}, {"pkey", "-text"}} {
		if _, err := (trust.Pair{Certificate: pair.Certificate, Key: secret.New(openssl(t, key, args...))}).Load(); err != nil {
			t.Errorf("openssl %v: %v", args, err)
		}
	}
	for _, args := range [][]string{{"pkey", "-aes128", "-passout", "pass:x"}, {"pkey", "-traditional", "-aes128", "-passout", "pass:x"}} {
		_, err := trust.Pair{Certificate: pair.Certificate, Key: secret.New(openssl(t, key, args...))}.Load()
		if err == nil || !strings.Contains(err.Error(), "has a password") {
			t.Errorf("openssl %v: got %v", args, err)
		}
	}
}

// TestChain loads a chain of three that openssl made, and no other order of it.
func TestChain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	signer := []string{}
	for i, name := range []string{"root", "middle", "leaf"} {
		extension := fmt.Sprintf("basicConstraints=critical,CA:%v", name != "leaf")
		args := append([]string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
			"-keyout", at(name + ".key"), "-out", at(name + ".pem"), "-addext", extension, "-set_serial", fmt.Sprint(i + 1)}, signer...)
		openssl(t, "", args...)
		signer = []string{"-CA", at(name + ".pem"), "-CAkey", at(name + ".key")}
	}
	read := func(name string) string {
		text, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	key := secret.New(read("leaf.key"))
	root, middle, leaf := read("root.pem"), read("middle.pem"), read("leaf.pem")
	if loaded, err := (trust.Pair{Certificate: leaf + middle + root, Key: key}).Load(); err != nil || len(loaded.Certificate) != 3 {
		t.Errorf("chain: %d certificates, %v", len(loaded.Certificate), err)
	}
	for _, wrong := range []string{root + middle + leaf, leaf + root + middle, leaf + root} {
		if _, err := (trust.Pair{Certificate: wrong, Key: key}).Load(); err == nil {
			t.Error("a chain out of order was loaded")
		}
	}
}
