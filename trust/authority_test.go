package trust

import (
	"crypto/x509"
	"testing"
	"time"
)

func TestAuthority(t *testing.T) {
	t.Parallel()
	now := time.Now()
	authority, err := CreateAuthority("Phones of the office", now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	client, err := IssueClient(authority, "CP-8861-SEP001122334455", now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	root, err := authority.Load()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := client.Load()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root.Leaf)
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Errorf("the client's certificate is not good: %v", err)
	}
	if leaf.Leaf.Subject.CommonName != "CP-8861-SEP001122334455" || leaf.Leaf.IsCA || leaf.Leaf.SerialNumber.Cmp(root.Leaf.SerialNumber) == 0 {
		t.Errorf("the client's certificate is %s, serial %v, CA %v", leaf.Leaf.Subject, leaf.Leaf.SerialNumber, leaf.Leaf.IsCA)
	}
	other, err := IssueClient(client, "CP-8861-SEP001122334466", now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := other.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loaded.Leaf.Verify(x509.VerifyOptions{Roots: roots}); err == nil {
		t.Error("a client's certificate issues others that are good")
	}
	if _, err := IssueClient(Pair{}, "x", now, time.Hour); err == nil {
		t.Error("nobody issues a certificate")
	}
}
