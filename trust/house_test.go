package trust

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/tlv"
)

func openAuthority(t *testing.T, s store.Store, now time.Time) *Authority {
	t.Helper()
	a, err := OpenAuthority(t.Context(), AuthorityConfig{
		Store: s, Sealer: NewSealer([KeySize]byte{1}), Address: netip.MustParseAddr("10.1.0.5"), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func openStore(t *testing.T) store.Store {
	t.Helper()
	s := memory.New()
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAuthorityMakesItsKeys(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	s := openStore(t)
	a := openAuthority(t, s, now)
	roles := map[Purpose]tlv.Role{
		Signer1: tlv.SAST, Signer2: tlv.SAST, Files: tlv.TFTP, FilesEC: tlv.TFTP, TVS: tlv.TVS, CAPF: tlv.CAPF,
	}
	records := a.Records()
	if len(records) != len(roles) {
		t.Fatalf("%d records, want %d", len(records), len(roles))
	}
	names := map[string]bool{}
	for i, r := range records {
		if r.Purpose != Purposes[i] || r.Role != roles[r.Purpose] || !r.Online || r.Foreign || !r.Since.Equal(now) || !r.Until.IsZero() {
			t.Errorf("record %d is %+v", i, r)
		}
		names[r.Subject] = true
		if r.Subject != r.Issuer || r.Subject != tlv.NameText(r.Certificate.Subject) {
			t.Errorf("%s is %q, issued by %q", r.Purpose, r.Subject, r.Issuer)
		}
		if serial := r.Serial(); len(serial) != 16 || serial[0] == 0 {
			t.Errorf("%s has serial %x", r.Purpose, serial)
		}
		if err := r.Certificate.CheckSignatureFrom(r.Certificate); r.Purpose == CAPF && err != nil {
			t.Error(err)
		}
		if left := r.Certificate.NotAfter.Sub(now); left < 9*year || r.Purpose.IsSigner() && left < 19*year {
			t.Errorf("%s lives for %v", r.Purpose, left)
		}
		if vouched, ok := a.Vouches(r.Issuer, r.Serial()); !ok || vouched.Purpose != r.Purpose {
			t.Errorf("%s is not vouched for by its number", r.Purpose)
		}
		if vouched, ok := a.VouchesFor(r.Certificate); !ok || vouched.Purpose != r.Purpose {
			t.Errorf("%s is not vouched for", r.Purpose)
		}
		pair, err := a.Pair(r.Purpose)
		if err != nil {
			t.Fatal(err)
		}
		switch key := pair.Leaf.PublicKey.(type) {
		case *rsa.PublicKey:
			if key.N.BitLen() != 2048 || r.Purpose == FilesEC {
				t.Errorf("%s has RSA with %d bits", r.Purpose, key.N.BitLen())
			}
		case *ecdsa.PublicKey:
			if r.Purpose != FilesEC || key.Curve != elliptic.P384() {
				t.Errorf("%s has EC %s", r.Purpose, key.Curve.Params().Name)
			}
		}
	}
	if len(names) != len(records) {
		t.Errorf("certificates share a name: %v", names)
	}
	if _, ok := a.Vouches("CN=somebody", []byte{1}); ok {
		t.Error("a stranger is vouched for")
	}
	again := openAuthority(t, s, now.Add(time.Hour)).Records()
	for i := range records {
		if !bytes.Equal(again[i].Certificate.Raw, records[i].Certificate.Raw) || !again[i].Since.Equal(now) {
			t.Errorf("%s is another after a restart", records[i].Purpose)
		}
	}
}

func TestAuthorityIssuesForPhones(t *testing.T) {
	t.Parallel()
	a := openAuthority(t, openStore(t), time.Now())
	pair, err := a.Pair(CAPF)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := pairOf(pair.Certificate[0], pair.PrivateKey.(*rsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	client, err := IssueClient(authority, "CP-8861-SEP001122334455", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := client.Load()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Errorf("the client's certificate is not good: %v", err)
	}
	server, err := a.Pair(FilesEC)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Leaf.VerifyHostname("10.1.0.5"); err != nil {
		t.Error(err)
	}
}

// Two nodes that begin together end with the same keys.
func TestAuthorityOfTwoNodes(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	var both [2]*Authority
	var starting sync.WaitGroup
	for i := range both {
		starting.Go(func() {
			a, err := OpenAuthority(context.Background(), AuthorityConfig{Store: s, Sealer: NewSealer([KeySize]byte{1})})
			if err != nil {
				t.Error(err)
			}
			both[i] = a
		})
	}
	starting.Wait()
	if t.Failed() {
		return
	}
	for i, r := range both[0].Records() {
		if !r.Certificate.Equal(both[1].Records()[i].Certificate) {
			t.Errorf("the nodes have two keys for %s", r.Purpose)
		}
	}
}

func TestAuthorityUnderAnotherMasterKey(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	openAuthority(t, s, time.Now())
	_, err := OpenAuthority(t.Context(), AuthorityConfig{Store: s, Sealer: NewSealer([KeySize]byte{2})})
	if !errors.Is(err, ErrSealed) {
		t.Errorf("got %v, want ErrSealed", err)
	}
	if _, err := OpenAuthority(t.Context(), AuthorityConfig{Store: s}); err == nil {
		t.Error("an authority without a sealer opens")
	}
}
