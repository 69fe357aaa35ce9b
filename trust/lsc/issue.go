package lsc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"time"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/trust"
)

// Dates of what is issued. Clocks of phones are behind after a power cut; five years are what CUCM allows at
// most, and a phone that is in nobody's reach must not run out of time.
const (
	early    = 24 * time.Hour
	lifetime = 5 * 365 * 24 * time.Hour
)

// Sign issues a certificate for a device's key. It is in the book before it leaves the house.
func (b *Book) Sign(ctx context.Context, device string, public crypto.PublicKey) ([]byte, error) {
	known, ok := b.config.Inventory().Devices[device]
	if !ok {
		return nil, fmt.Errorf("lsc: no device %q in the inventory", device)
	}
	authority, err := b.config.Authority.Pair(trust.CAPF)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.pending(device)
	if !ok {
		return nil, fmt.Errorf("lsc: nothing is ordered for %s any more", device)
	}
	now := b.config.Now()
	template := template(nameOf(known), device, authority.Leaf, now)
	if _, ec := public.(*ecdsa.PublicKey); ec {
		template.KeyUsage = x509.KeyUsageDigitalSignature
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority.Leaf, public, authority.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("lsc: certificate of %s: %w", device, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("lsc: certificate of %s: %w", device, err)
	}
	o.Signed++
	if err := errors.Join(
		b.keep(ctx, leaf.SerialNumber.Text(16), issued{Device: device, DER: der, Issued: now.UTC(), leaf: leaf}),
		b.keepOrder(ctx, device, o)); err != nil {
		return nil, fmt.Errorf("lsc: certificate of %s: %w", device, err)
	}
	return der, nil
}

// template is a certificate as docs/wire/capf.md#certificate has it.
func template(name, device string, issuer *x509.Certificate, now time.Time) *x509.Certificate {
	until := now.Add(lifetime)
	if until.After(issuer.NotAfter) {
		until = issuer.NotAfter
	}
	var number [16]byte
	_, _ = rand.Read(number[:]) // never fails
	number[0] = number[0]&0x7f | 0x40
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(number[:]),
		Subject: pkix.Name{
			CommonName: name, Organization: issuer.Subject.Organization, OrganizationalUnit: issuer.Subject.OrganizationalUnit,
			Locality: issuer.Subject.Locality, Province: issuer.Subject.Province, Country: issuer.Subject.Country,
		},
		NotBefore: now.Add(-early).Truncate(time.Second).UTC(), NotAfter: until.Truncate(time.Second).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageIPSECEndSystem},
		BasicConstraintsValid: true,
		URIs:                  []*url.URL{{Path: device}},
	}
}

// madeOf is what an authority was put together from.
type madeOf struct {
	revision int
	serial   string // of the CAPF certificate in use
	records  int
}

// Authority vouches for the certificates of this book. The same pointer comes again while nothing has
// changed. Certificates of former CAPF keys count until they expire.
func (b *Book) Authority() *verify.Authority {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ours()
}

// ours is Authority. mu is held.
func (b *Book) ours() *verify.Authority {
	var issuers []*x509.Certificate
	for _, r := range b.config.Authority.Records() {
		if r.Purpose == trust.CAPF {
			issuers = append(issuers, r.Certificate)
		}
	}
	made := madeOf{b.revision, "", len(issuers)}
	if len(issuers) > 0 {
		made.serial = issuers[0].SerialNumber.Text(16)
	}
	if b.authority != nil && b.made == made {
		return b.authority
	}
	a := &verify.Authority{Issuers: issuers}
	for _, issuer := range issuers {
		// No list of ours has to be signed for ourselves, and the key of a former authority may be gone.
		a.Lists = append(a.Lists, &x509.RevocationList{
			RawIssuer: issuer.RawSubject, ThisUpdate: b.config.Now(), RevokedCertificateEntries: b.revokedBy(issuer),
		})
	}
	b.authority, b.made = a, made
	return a
}

// revokedBy are the revoked certificates of an issuer that have not expired, by date. mu is held.
func (b *Book) revokedBy(issuer *x509.Certificate) (all []x509.RevocationListEntry) {
	now := b.config.Now()
	for _, c := range b.certificates {
		if !c.Revoked.IsZero() && now.Before(c.leaf.NotAfter) && string(c.leaf.RawIssuer) == string(issuer.RawSubject) {
			all = append(all, x509.RevocationListEntry{SerialNumber: c.leaf.SerialNumber, RevocationTime: c.Revoked})
		}
	}
	slices.SortFunc(all, func(x, y x509.RevocationListEntry) int { return x.RevocationTime.Compare(y.RevocationTime) })
	return all
}

// listLifetime is how long others may believe a list. They fetch it by hand or by a script.
const listLifetime = 7 * 24 * time.Hour

// RevocationList is the list of the authority in use as PEM, with the authority's certificate before it,
// for others who let phones in by their certificates.
func (b *Book) RevocationList() ([]byte, error) {
	authority, err := b.config.Authority.Pair(trust.CAPF)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.config.Now().Truncate(time.Second).UTC()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(now.Unix()), ThisUpdate: now, NextUpdate: now.Add(listLifetime), RevokedCertificateEntries: b.revokedBy(authority.Leaf),
	}, authority.Leaf, authority.PrivateKey.(crypto.Signer))
	if err != nil {
		return nil, fmt.Errorf("lsc: list of revoked certificates: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Leaf.Raw})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})...), nil
}
