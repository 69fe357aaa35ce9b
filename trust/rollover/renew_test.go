package rollover_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/rollover"
)

// authority issues certificates as one on the Internet does.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	issued      int
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return &authority{key: key, certificate: &x509.Certificate{Subject: pkix.Name{CommonName: "Authority"}, IsCA: true, BasicConstraintsValid: true}}
}

func (a *authority) issue(now time.Time, lifetime time.Duration) (trust.Pair, error) {
	a.issued++
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return trust.Pair{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(int64(a.issued)), DNSNames: []string{"vpn.example.net"}, NotBefore: now, NotAfter: now.Add(lifetime),
	}, a.certificate, key.Public(), a.key)
	if err != nil {
		return trust.Pair{}, err
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	return trust.Pair{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Key:         secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))),
	}, err
}

// TestIssuedCertificates lets an authority's certificates, of 90 and of 6 days, be renewed for two years.
// A phone that is away for longer than one of them lives is not locked out: the spare is presented then.
func TestIssuedCertificates(t *testing.T) {
	t.Parallel()
	for _, lifetime := range []time.Duration{90 * day, 6 * day} {
		w, a := newWorld(t, 2), newAuthority(t)
		w.issued = func() (trust.Pair, error) { return a.issue(w.now, lifetime) }
		spared, changes, presented := 0, 0, w.presented()
		for w.now.Year() < 2028 {
			w.now = w.now.Add(6 * time.Hour)
			w.come(first)
			if m := w.now.Month(); m < time.May || m > time.November {
				w.come(second) // in summer it lies in a drawer
			} else {
				delete(w.said, second)
			}
			w.meet(second)
			w.keeper.Renew(t.Context())
			w.advance()
			if w.found("certificate-expired") || w.found("no-spare-certificate") {
				t.Fatalf("%s: %+v\n%+v", w.now.Format(time.DateOnly), w.board.Findings(), w.status())
			}
			if w.presented() != presented {
				presented = w.presented()
				changes++
				if leaf, err := w.set.Certificates[presented].Leaf(); err != nil || leaf.Issuer.CommonName != "Authority" {
					spared++
				}
			}
			if n := len(w.set.VPNGateways["gateway"].Certificates); n > 6 {
				t.Fatalf("%s: phones' files have %d hashes: %v", w.now.Format(time.DateOnly), n, w.set.VPNGateways["gateway"].Certificates)
			}
		}
		if changes < 6 || spared != 2 || a.issued > 2*changes+4 {
			t.Errorf("lifetime %s: %d changes, %d of them to the spare, %d certificates issued", lifetime, changes, spared, a.issued)
		}
	}
}

// TestRefusedIssue: an authority that refuses is not asked again and again.
func TestRefusedIssue(t *testing.T) {
	t.Parallel()
	w, asked := newWorld(t, 1), 0
	w.issued = func() (trust.Pair, error) { asked++; return trust.Pair{}, errors.New("the name is not yours") }
	w.come(first)
	for range 100 {
		w.now = w.now.Add(time.Minute)
		w.keeper.Renew(t.Context())
		w.advance()
	}
	if asked != 1 || w.status().State != rollover.None {
		t.Errorf("asked %d times within two hours; state %s", asked, w.status().State)
	}
	said := func() (all []finding.Finding) {
		for _, f := range w.board.Findings() {
			if f.Code == finding.CertificateNotObtained.Code {
				all = append(all, f.Finding)
			}
		}
		return all
	}
	if all := said(); len(all) != 1 || len(all[0].Evidence) != 1 || !strings.Contains(all[0].Evidence[0].Text, "the name is not yours") {
		t.Errorf("the board says %+v", all)
	}
	w.issued = func() (trust.Pair, error) { return create("vpn.example.net", w.now, 90*day) }
	w.now = w.now.Add(6 * time.Hour)
	w.keeper.Renew(t.Context())
	if all := said(); len(all) != 0 || w.status().State != rollover.Staged {
		t.Errorf("it is obtained, and the board says %+v; state %s", all, w.status().State)
	}
}
