package inventory

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// Values of TunnelGroup.Authentication, the ASA's.
const (
	AuthenticateAAA         = "aaa" // also what an empty field means
	AuthenticateCertificate = "certificate"
	AuthenticateBoth        = "aaa certificate"
)

// TakesPassword reports whether a login to the group needs a password.
func (o *TunnelGroup) TakesPassword() bool { return o.Authentication != AuthenticateCertificate }

// NeedsCertificate reports whether a login to the group needs a client certificate.
func (o *TunnelGroup) NeedsCertificate() bool {
	return o.Authentication == AuthenticateCertificate || o.Authentication == AuthenticateBoth
}

// MaxClientKey is the most bits that an RSA key of a client or its issuer may have, as on the ASA.
const MaxClientKey = 4096

// maxRevocations is the most that the lists of one authority may take as PEM text, in bytes: some ten
// thousand entries. A record in the store holds no more.
const maxRevocations = 512 << 10

// Extensions that say of a certificate or a list what we do not look at.
var (
	nameConstraints   = asn1.ObjectIdentifier{2, 5, 29, 30}
	distributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	deltaList         = asn1.ObjectIdentifier{2, 5, 29, 27}
)

// Issuers returns the certificates of the authority. Each has been found fit to issue client certificates,
// but for its dates.
func (o *CertificateAuthority) Issuers() ([]*x509.Certificate, error) {
	blocks, err := pemBlocks(o.Certificate, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	var issuers []*x509.Certificate
	for i, der := range blocks {
		issuer, err := x509.ParseCertificate(der)
		if err == nil {
			err = fitToIssue(issuer)
		}
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i+1, err)
		}
		issuers = append(issuers, issuer)
	}
	return issuers, nil
}

// fitToIssue refuses what cannot be an issuer's certificate. Some authorities of phones have certificates
// without basic constraints; those are let pass when they are signed by themselves.
func fitToIssue(c *x509.Certificate) error {
	key, isRSA := c.PublicKey.(*rsa.PublicKey)
	switch {
	case c.BasicConstraintsValid && !c.IsCA, !c.BasicConstraintsValid && string(c.RawSubject) != string(c.RawIssuer):
		return fmt.Errorf("%q is no authority's certificate: it may issue none", c.Subject.CommonName)
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("%q may not sign certificates: its key usage says so", c.Subject.CommonName)
	case isRSA && key.N.BitLen() > MaxClientKey:
		return fmt.Errorf("%q has a key of %d bits; at most %d are taken", c.Subject.CommonName, key.N.BitLen(), MaxClientKey)
	case hasExtension(c, nameConstraints):
		return fmt.Errorf("%q limits the names that it may certify, which is not looked at here", c.Subject.CommonName)
	}
	return nil
}

func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}

// RevocationLists returns the lists of the authority. Each has been signed by one of its certificates.
func (o *CertificateAuthority) RevocationLists() ([]*x509.RevocationList, error) {
	if o.CRL == "" {
		return nil, nil
	}
	issuers, err := o.Issuers()
	if err != nil {
		return nil, err
	}
	blocks, err := pemBlocks(o.CRL, "X509 CRL")
	if err != nil {
		return nil, err
	}
	var lists []*x509.RevocationList
	for i, der := range blocks {
		list, err := x509.ParseRevocationList(der)
		if err == nil {
			err = fitToRevoke(list, issuers)
		}
		if err != nil {
			return nil, fmt.Errorf("list %d: %w", i+1, err)
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// fitToRevoke refuses a list of somebody else, and one that is only a part of what has been revoked: what
// it does not name would be let in.
func fitToRevoke(list *x509.RevocationList, issuers []*x509.Certificate) error {
	for _, e := range list.Extensions {
		if e.Id.Equal(distributionPoint) || e.Id.Equal(deltaList) {
			return errors.New("it holds a part of the revoked certificates only; give the complete list")
		}
		if e.Critical {
			return fmt.Errorf("its critical extension %s is not known", e.Id)
		}
	}
	signed := slices.ContainsFunc(issuers, func(issuer *x509.Certificate) bool {
		return string(list.RawIssuer) == string(issuer.RawSubject) && list.CheckSignatureFrom(issuer) == nil
	})
	if !signed {
		return fmt.Errorf("%q has issued it, which is none of the authority's certificates, or its signature is wrong", list.Issuer.CommonName)
	}
	return nil
}

// pemBlocks returns what the blocks of a PEM text hold. Text between them is passed over.
func pemBlocks(text, kind string) ([][]byte, error) {
	var blocks [][]byte
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != kind {
			return nil, fmt.Errorf("PEM block %d is %q, not %s", len(blocks)+1, block.Type, kind)
		}
		blocks = append(blocks, block.Bytes)
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("no PEM block %s in it", kind)
	}
	return blocks, nil
}

func (v *validation) certificateAuthority(o *CertificateAuthority) {
	if o.Own {
		if o.Certificate != "" || o.CRL != "" || o.Manufacturer {
			v.refuse("own", "leave out certificate, crl and manufacturer", "is this house's own authority, which is kept here")
		}
		return
	}
	if o.Certificate == "" {
		v.refuse("certificate", "name a file with the authority's certificate as certificateFile", "is missing")
		return
	}
	if _, err := o.Issuers(); err != nil {
		v.refuse("certificate", "give the certificate that signed the clients' certificates", "%v", err)
		return
	}
	if len(o.CRL) > maxRevocations {
		v.refuse("crl", "leave out certificates that have expired", "has %d bytes; at most %d are allowed", len(o.CRL), maxRevocations)
		return
	}
	if _, err := o.RevocationLists(); err != nil {
		v.refuse("crl", "give the list that this authority publishes", "%v", err)
	}
}

// groupAuthorities checks whose certificates a tunnel group takes.
func (v *validation) groupAuthorities(o *TunnelGroup) {
	v.twice("certificateAuthorities", o.CertificateAuthorities)
	for _, name := range o.CertificateAuthorities {
		refers(v, "certificateAuthorities", name, v.set.CertificateAuthorities, KindCertificateAuthority)
	}
	if o.NeedsCertificate() && len(o.CertificateAuthorities) == 0 {
		v.refuse("certificateAuthorities", "name the CertificateAuthority that has issued the clients' certificates",
			"is empty, and authentication %q needs a certificate", o.Authentication)
	}
}

// Authorities returns the authorities of a tunnel group. References to what does not exist are passed
// over: Validate refuses them.
func (s *Set) Authorities(group *TunnelGroup) []*CertificateAuthority {
	var authorities []*CertificateAuthority
	for _, name := range group.CertificateAuthorities {
		if authority, ok := s.CertificateAuthorities[name]; ok {
			authorities = append(authorities, authority)
		}
	}
	return authorities
}
