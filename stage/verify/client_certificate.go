package verify

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"
)

// Authority is who vouches for clients.
type Authority struct {
	Name         string
	Manufacturer bool                   // its certificates prove model and MAC address, and nothing about who holds the phone
	Issuers      []*x509.Certificate    // each is trusted by itself, whoever signed it
	Lists        []*x509.RevocationList // what they have revoked; their signatures have been checked
}

// ClientCertificate is a client certificate that an authority vouches for. Its zero value is none.
type ClientCertificate struct {
	Name         string // common name: CP-<model>-SEP<MAC> on phones, else a user's
	Authority    string
	Manufacturer bool
	Serial       string    // in hex, as the authority's lists have it
	Until        time.Time // when it expires
	Stale        time.Time // the list that does not name it should have been renewed by then; zero: it is current, or there is none
}

// CertificateError says why a client certificate is not taken.
type CertificateError struct {
	Name     string // common name that it claims, or whatever else names it
	Outdated bool   // the dates are wrong and nothing else is
	Says     string
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("verify: client certificate %q: %s", e.Name, e.Says)
}

// Limits of a chain that a client may send: real ones have two certificates, and each more costs
// signatures to check before anybody has logged in.
const (
	maxSentIssuers = 4
	maxKeyBits     = 4096 // of RSA, as on the ASA
)

// CheckClient judges the certificates that a client sent, its own first, the others in any order or left
// out. crypto/x509 cannot: it takes no chain with SHA-1, which is what manufacturers and older
// authorities of phones sign with (docs/decisions/client-certificates.md). That the client holds the key
// is for TLS to prove.
func CheckClient(now time.Time, sent []*x509.Certificate, authorities []Authority) (ClientCertificate, error) {
	if len(sent) == 0 {
		return ClientCertificate{}, &CertificateError{Name: "none", Says: "none was sent"}
	}
	leaf := sent[0]
	c := chain{now: now, sent: sent[1:min(len(sent), 1+maxSentIssuers)], authorities: authorities, path: []*x509.Certificate{leaf}}
	if says := unfitClient(leaf); says != "" {
		return ClientCertificate{}, &CertificateError{Name: NameOf(leaf), Says: says}
	}
	if found, ok := c.climb(); ok {
		return found, nil
	}
	if c.refused == nil {
		c.refuse(fmt.Sprintf("no authority here has issued it; its issuer is %q", leaf.Issuer.CommonName), false)
	}
	return ClientCertificate{}, c.refused
}

// NameOf is what a certificate is called in words for people.
func NameOf(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}

// unfitClient says why a certificate cannot be a client's, whoever signed it.
func unfitClient(leaf *x509.Certificate) string {
	purposes := leaf.ExtKeyUsage
	switch {
	case leaf.Subject.CommonName == "":
		return "it has no common name"
	case tooLarge(leaf):
		return fmt.Sprintf("its key has more than %d bits", maxKeyBits)
	case len(leaf.UnhandledCriticalExtensions) > 0:
		return fmt.Sprintf("its critical extension %s is not known", leaf.UnhandledCriticalExtensions[0])
	case leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return "its key usage has no digital signature"
	case len(purposes)+len(leaf.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(purposes, x509.ExtKeyUsageClientAuth) && !slices.Contains(purposes, x509.ExtKeyUsageAny):
		return "its extended key usage has no client authentication"
	}
	return ""
}

func tooLarge(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() > maxKeyBits
}

// chain is the search for a way from a client's certificate to an authority.
type chain struct {
	now         time.Time
	sent        []*x509.Certificate
	authorities []Authority
	path        []*x509.Certificate // from the client's own upwards
	refused     *CertificateError   // the first way that came to an authority and was not good enough
}

// climb goes on from the last certificate of the path, first to an authority, else by what was sent.
func (c *chain) climb() (ClientCertificate, bool) {
	last := c.path[len(c.path)-1]
	for _, authority := range c.authorities {
		for _, issuer := range authority.Issuers {
			if !signed(issuer, last) || tooDeep(issuer, len(c.path)-1) {
				continue
			}
			if found, ok := c.judge(authority, issuer); ok {
				return found, true
			}
		}
	}
	for _, issuer := range c.sent {
		if slices.Contains(c.path, issuer) || !mayIssue(issuer) || tooDeep(issuer, len(c.path)-1) || !signed(issuer, last) {
			continue
		}
		c.path = append(c.path, issuer)
		if found, ok := c.climb(); ok {
			return found, true
		}
		c.path = c.path[:len(c.path)-1]
	}
	return ClientCertificate{}, false
}

// mayIssue reports whether a certificate that a client sent may stand between it and an authority. Unlike
// an authority's own it must say so itself.
func mayIssue(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA && (c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0) &&
		!tooLarge(c) && len(c.UnhandledCriticalExtensions) == 0 && !limitsNames(c)
}

var nameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}

// limitsNames reports name constraints, which crypto/x509 parses and nobody here looks at.
func limitsNames(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(nameConstraints) {
			return true
		}
	}
	return false
}

// tooDeep reports whether so many issuers may not stand between this one and a client.
func tooDeep(issuer *x509.Certificate, between int) bool {
	return issuer.BasicConstraintsValid && issuer.MaxPathLen >= 0 && between > issuer.MaxPathLen
}

// signed takes SHA-1 for good, and nothing older.
func signed(issuer, c *x509.Certificate) bool {
	return bytes.Equal(issuer.RawSubject, c.RawIssuer) &&
		issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// judge looks at dates and revocation of a path that an authority's issuer has signed.
func (c *chain) judge(authority Authority, issuer *x509.Certificate) (ClientCertificate, bool) {
	leaf := c.path[0]
	found := ClientCertificate{
		Name: leaf.Subject.CommonName, Authority: authority.Name, Manufacturer: authority.Manufacturer,
		Serial: leaf.SerialNumber.Text(16), Until: leaf.NotAfter,
	}
	for _, member := range append(slices.Clone(c.path), issuer) {
		if says := outdated(member, c.now); says != "" {
			if member != leaf {
				says = fmt.Sprintf("its issuer %q: %s", NameOf(member), says)
			}
			c.refuse(says, true)
			return found, false
		}
	}
	for _, member := range c.path {
		list := newestList(authority.Lists, member.RawIssuer)
		if list == nil {
			continue
		}
		if revoked(list, member) {
			c.refuse(fmt.Sprintf("%s has revoked it, by the list of %s", authority.Name, list.ThisUpdate.UTC().Format(time.DateOnly)), false)
			return found, false
		}
		if !list.NextUpdate.IsZero() && c.now.After(list.NextUpdate) {
			found.Stale = list.NextUpdate
		}
	}
	return found, true
}

func (c *chain) refuse(says string, outdated bool) {
	if c.refused == nil {
		c.refused = &CertificateError{Name: NameOf(c.path[0]), Outdated: outdated, Says: says}
	}
}

func outdated(c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return "it expired on " + c.NotAfter.UTC().Format(time.DateOnly)
	case now.Before(c.NotBefore):
		return fmt.Sprintf("it is valid from %s, and here it is %s", c.NotBefore.UTC().Format(time.DateTime), now.UTC().Format(time.DateTime))
	}
	return ""
}

// newestList returns the list that an issuer published last, or nil.
func newestList(lists []*x509.RevocationList, issuer []byte) (newest *x509.RevocationList) {
	for _, list := range lists {
		if bytes.Equal(list.RawIssuer, issuer) && (newest == nil || list.ThisUpdate.After(newest.ThisUpdate)) {
			newest = list
		}
	}
	return newest
}

func revoked(list *x509.RevocationList, c *x509.Certificate) bool {
	return slices.ContainsFunc(list.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool {
		return e.SerialNumber.Cmp(c.SerialNumber) == 0
	})
}
