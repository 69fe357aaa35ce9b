//go:build interop

package openssl_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/pem"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/lsc"
	"github.com/longcord/longcord/wire/capf"
)

const lscPhone = "SEP001122334455"

// lscHouse is a book with one phone, and the folder for openssl's files.
type lscHouse struct {
	t         *testing.T
	dir       string
	authority *trust.Authority
	book      *lsc.Book
}

func newLSCHouse(t *testing.T) *lscHouse {
	t.Helper()
	h := &lscHouse{t: t, dir: t.TempDir()}
	kept := memory.New()
	t.Cleanup(func() { _ = kept.Close() })
	set, sealer := inventory.NewSet(), trust.NewSealer([trust.KeySize]byte{1})
	set.Devices[lscPhone] = &inventory.Device{Name: lscPhone, Model: "CP-8861"}
	var err error
	if h.authority, err = trust.OpenAuthority(t.Context(), trust.AuthorityConfig{Store: kept, Sealer: sealer}); err != nil {
		t.Fatal(err)
	}
	h.book, err = lsc.Open(t.Context(), lsc.Config{Store: kept, Sealer: sealer, Authority: h.authority, Inventory: func() *inventory.Set { return set }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *lscHouse) write(name, kind string, der []byte) string {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// issue has a certificate issued for a key.
func (h *lscHouse) issue(public crypto.PublicKey) []byte {
	h.t.Helper()
	ctx := context.Background()
	_, err := h.book.Start(ctx, lscPhone, lsc.Order{Operation: enrol.Install, Mode: enrol.ByNothing, Key: enrol.DefaultKey, Until: time.Now().Add(time.Hour)})
	if err != nil {
		h.t.Fatal(err)
	}
	der, err := h.book.Sign(ctx, lscPhone, public)
	if err != nil {
		h.t.Fatal(err)
	}
	return der
}

// TestLSCs: openssl reads what we issue, follows it to our authority for the purposes that phones need, and
// finds it on our list once it is revoked.
func TestLSCs(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, public := range map[string]crypto.PublicKey{"RSA": rsaKey.Public(), "EC": ecKey.Public()} {
		t.Run(name, func(t *testing.T) {
			h := newLSCHouse(t)
			leaf := h.write("lsc.pem", "CERTIFICATE", h.issue(public))
			ca, err := h.authority.Pair(trust.CAPF)
			if err != nil {
				t.Fatal(err)
			}
			caFile := h.write("ca.pem", "CERTIFICATE", ca.Certificate[0])
			for _, purpose := range []string{"sslclient", "sslserver"} {
				if out := openssl(t, "", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", caFile, leaf); !strings.HasSuffix(out, ": OK") {
					t.Errorf("%s: %s", purpose, out)
				}
			}
			text := openssl(t, "", "x509", "-in", leaf, "-noout", "-subject", "-ext", "basicConstraints,keyUsage,extendedKeyUsage,subjectAltName", "-nameopt", "RFC2253")
			for _, want := range []string{"CN=CP-8861-" + lscPhone, "CA:FALSE", "Digital Signature", "TLS Web Server Authentication, TLS Web Client Authentication, IPSec End System", "URI:" + lscPhone} {
				if !strings.Contains(text, want) {
					t.Errorf("openssl sees no %q:\n%s", want, text)
				}
			}
			if strings.Count(text, "critical") != 2 {
				t.Errorf("basic constraints and key usage are not both critical:\n%s", text)
			}
			if n, err := h.book.Revoke(context.Background(), lscPhone); n != 1 || err != nil {
				t.Fatalf("revoked %d, %v", n, err)
			}
			list, err := h.book.RevocationList()
			if err != nil {
				t.Fatal(err)
			}
			crl := filepath.Join(h.dir, "crl.pem")
			if err := os.WriteFile(crl, list, 0o600); err != nil {
				t.Fatal(err)
			}
			if out := openssl(t, "", "crl", "-in", crl, "-CAfile", caFile, "-noout"); !strings.Contains(out, "verify OK") {
				t.Errorf("the list: %s", out)
			}
			out, err := exec.Command(office.Peer(t, "openssl"), "verify", "-crl_check", "-CRLfile", crl, "-CAfile", caFile, leaf).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "certificate revoked") {
				t.Errorf("the revoked one: %v\n%s", err, out)
			}
		})
	}
}

// TestProofsOfOpenSSL: certificates and proofs that openssl has made, SHA-1 and SHA-512, RSA and EC, are taken;
// and those that our phone makes hold in openssl's eyes.
func TestProofsOfOpenSSL(t *testing.T) {
	for name, algorithm := range map[string][]string{"RSA": {"rsa:2048"}, "EC": {"ec", "-pkeyopt", "ec_paramgen_curve:P-256"}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := func(name string) string { return filepath.Join(dir, name) }
			openssl(t, "", append([]string{"req", "-x509", "-nodes", "-subj", "/CN=CP-8861-" + lscPhone, "-days", "2", "-keyout", file("key"), "-out", file("cert"), "-newkey"}, algorithm...)...)
			openssl(t, "", "x509", "-in", file("cert"), "-outform", "DER", "-out", file("der"))
			openssl(t, "", "x509", "-in", file("cert"), "-pubkey", "-noout", "-out", file("pub"))
			der, err := os.ReadFile(file("der"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file("data"), append([]byte(lscPhone+"\x00"), der...), 0o600); err != nil {
				t.Fatal(err)
			}
			theirs := enrol.Claim{Device: lscPhone, Certificate: capf.Certificate{Type: capf.MIC, DER: der}}
			ours := theirs
			pair, err := tls.LoadX509KeyPair(file("cert"), file("key"))
			if err != nil {
				t.Fatal(err)
			}
			if err := ours.Prove(pair.PrivateKey.(crypto.Signer)); err != nil {
				t.Fatal(err)
			}
			for digest, proof := range map[string]func(*capf.Proof) *[]byte{
				"-sha1": func(p *capf.Proof) *[]byte { return &p.SHA1 }, "-sha512": func(p *capf.Proof) *[]byte { return &p.SHA512 },
			} {
				openssl(t, "", "dgst", digest, "-sign", file("key"), "-out", file("signature"), file("data"))
				signature, err := os.ReadFile(file("signature"))
				if err != nil {
					t.Fatal(err)
				}
				claim := theirs
				*proof(&claim.Proof) = signature
				if _, err := claim.CheckProof(); err != nil {
					t.Errorf("openssl's %s: %v", digest, err)
				}
				signature[len(signature)-1] ^= 1
				if _, err := claim.CheckProof(); err == nil {
					t.Errorf("openssl's %s with another last bit is taken", digest)
				}
				if err := os.WriteFile(file("ours"), *proof(&ours.Proof), 0o600); err != nil {
					t.Fatal(err)
				}
				if out := openssl(t, "", "dgst", digest, "-verify", file("pub"), "-signature", file("ours"), file("data")); out != "Verified OK" {
					t.Errorf("our %s: %s", digest, out)
				}
			}
		})
	}
}

// TestTrustServerHandshakes: openssl as an old phone, at TLS 1.0 with AES256-SHA, and as a new one; TVS asks for
// a certificate, CAPF for none and speaks first.
func TestTrustServerHandshakes(t *testing.T) {
	h := newLSCHouse(t)
	legacy := false
	local := netip.MustParseAddrPort("127.0.0.1:0")
	s, err := provisioner.NewTrustServer(provisioner.TrustConfig{
		TVS: local, CAPF: local, Enrolments: h.book, Legacy: func() bool { return legacy },
		TVSPair:  func() (tls.Certificate, error) { return h.authority.Pair(trust.TVS) },
		CAPFPair: func() (tls.Certificate, error) { return h.authority.Pair(trust.CAPF) },
		Known:    func() []verify.TVSRecord { return nil },
	})
	if err == nil {
		err = s.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	tvs, enrolment := s.Addresses()
	client := func(at netip.AddrPort, args ...string) string {
		t.Helper()
		cmd := exec.Command(office.Peer(t, "openssl"), append([]string{"s_client", "-connect", at.String()}, args...)...)
		cmd.Stdin = strings.NewReader("")
		out, _ := cmd.CombinedOutput() // s_client's exit code says nothing of the handshake
		return string(out)
	}
	old := []string{"-tls1", "-cipher", "AES256-SHA@SECLEVEL=0"}
	if out := client(tvs, old...); !strings.Contains(out, "Cipher is (NONE)") {
		t.Errorf("TLS 1.0 without an old phone:\n%s", out)
	}
	for _, at := range []netip.AddrPort{tvs, enrolment} {
		if out := client(at, "-tls1_2"); !strings.Contains(out, "Cipher is ECDHE-RSA-AES") {
			t.Errorf("TLS 1.2:\n%s", out)
		}
	}
	legacy = true
	if out := client(tvs, old...); !strings.Contains(out, "Cipher is AES256-SHA") || !strings.Contains(out, "Protocol  : TLSv1\n") {
		t.Errorf("TVS as an old phone:\n%s", out)
	}
	if out := client(tvs, "-tls1_2"); !strings.Contains(out, "No client certificate CA names sent") || !strings.Contains(out, "Client Certificate Types") {
		t.Errorf("TVS asks for no certificate:\n%s", out)
	}
	if out := client(enrolment, "-tls1_2"); strings.Contains(out, "Client Certificate Types") {
		t.Errorf("CAPF asks for a certificate:\n%s", out)
	}
	if out := client(enrolment, append(old, "-quiet", "-ign_eof")...); !strings.Contains(out, "\x55\x01") || !bytes.Contains([]byte(out), []byte{7, 0, 1, 3, 8, 0, 1, 0}) {
		t.Errorf("CAPF does not speak first:\n%q", out)
	}
}
