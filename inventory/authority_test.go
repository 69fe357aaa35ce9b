package inventory_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
)

func TestCertificateAuthority(t *testing.T) {
	t.Parallel()
	maker := testcert.NewAuthority("Cisco Manufacturing CA", func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })
	office := testcert.NewAuthority("CAPF-1", nil)
	bare := testcert.NewAuthority("CAPF-old", func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA, c.KeyUsage = false, false, 0 })
	client, clientKey := testcert.PEM(office.Issue("CP-8861-SEP001122334455", nil))
	limited := testcert.NewAuthority("limited", func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.net"} })
	signsNothing := testcert.NewAuthority("signs nothing", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })
	list := func(a *testcert.Authority) string { return testcert.ListPEM(a.Revoke(time.Now().Add(time.Hour))) }
	for name, c := range map[string]struct {
		object inventory.CertificateAuthority
		says   string // empty: nothing is wrong
	}{
		"this house's own":                  {inventory.CertificateAuthority{Own: true}, ""},
		"this house's own and another's":    {inventory.CertificateAuthority{Own: true, Certificate: office.PEM()}, "own"},
		"SHA-1 with its list":               {inventory.CertificateAuthority{Certificate: maker.PEM(), CRL: list(maker)}, ""},
		"two with two lists":                {inventory.CertificateAuthority{Certificate: maker.PEM() + office.PEM(), CRL: list(office) + list(maker)}, ""},
		"self-signed, no basic constraints": {inventory.CertificateAuthority{Certificate: bare.PEM()}, ""},
		"nothing":                           {inventory.CertificateAuthority{}, "certificate: is missing"},
		"no PEM":                            {inventory.CertificateAuthority{Certificate: "x"}, "certificate: no PEM block CERTIFICATE in it"},
		"a key":                             {inventory.CertificateAuthority{Certificate: clientKey}, `certificate: PEM block 1 is "PRIVATE KEY", not CERTIFICATE`},
		"a client's certificate":            {inventory.CertificateAuthority{Certificate: office.PEM() + client}, `certificate: certificate 2: "CP-8861-SEP001122334455" is no authority's`},
		"limits names":                      {inventory.CertificateAuthority{Certificate: limited.PEM()}, `certificate: certificate 1: "limited" limits the names`},
		"may not sign":                      {inventory.CertificateAuthority{Certificate: signsNothing.PEM()}, `certificate: certificate 1: "signs nothing" may not sign`},
		"another's list":                    {inventory.CertificateAuthority{Certificate: maker.PEM(), CRL: list(office)}, `crl: list 1: "CAPF-1" has issued it`},
		"list that is no list":              {inventory.CertificateAuthority{Certificate: maker.PEM(), CRL: maker.PEM()}, `crl: PEM block 1 is "CERTIFICATE", not X509 CRL`},
		"part of a list":                    {inventory.CertificateAuthority{Certificate: office.PEM(), CRL: part(t, office)}, "crl: list 1: it holds a part"},
		"list beyond bounds":                {inventory.CertificateAuthority{Certificate: office.PEM(), CRL: strings.Repeat("x", 600<<10)}, "crl: has 614400 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := inventory.NewSet()
			c.object.Name = "a"
			must(t, set.Add(&c.object))
			problems := set.Validate()
			switch {
			case c.says == "" && len(problems) > 0:
				t.Errorf("refused: %v", problems[0])
			case c.says != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), `CertificateAuthority "a": `+c.says)):
				t.Errorf("got %v, want %s", problems, c.says)
			}
		})
	}
}

// part is a list that says it holds only some of the authority's certificates.
func part(t *testing.T, a *testcert.Authority) string {
	t.Helper()
	return testcert.ListPEM(a.RevokeWith(time.Now().Add(time.Hour), func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}}}
	}, tls.Certificate{Leaf: a.Certificate}))
}

func TestGroupAuthentication(t *testing.T) {
	t.Parallel()
	authority := testcert.NewAuthority("CAPF-1", nil).PEM()
	for name, c := range map[string]struct {
		spoil func(*inventory.Set)
		says  string // empty: nothing is wrong
	}{
		"certificate": {func(s *inventory.Set) {
			s.TunnelGroups["phones"].Authentication = inventory.AuthenticateCertificate
			s.VPNProfiles["profile"].ClientAuthentication = inventory.ByCertificate
		}, ""},
		"both": {func(s *inventory.Set) { s.TunnelGroups["phones"].Authentication = inventory.AuthenticateBoth }, ""},
		"no authority": {func(s *inventory.Set) {
			s.TunnelGroups["phones"].Authentication, s.TunnelGroups["phones"].CertificateAuthorities = inventory.AuthenticateBoth, nil
		}, `TunnelGroup "phones": certificateAuthorities: is empty`},
		"dangling authority": {func(s *inventory.Set) { s.TunnelGroups["phones"].CertificateAuthorities = []string{"capff"} },
			`TunnelGroup "phones": certificateAuthorities: names the CertificateAuthority "capff", which does not exist`},
		"unknown word": {func(s *inventory.Set) { s.TunnelGroups["phones"].Authentication = "certificat" },
			`TunnelGroup "phones": authentication: "certificat" is not a value`},
		"phones send a password, the group takes none": {func(s *inventory.Set) {
			s.TunnelGroups["phones"].Authentication = inventory.AuthenticateCertificate
		}, `CommonPhoneProfile "common": vpnProfile: its phones log in by "User And Password", and tunnel group "phones" takes certificates only`},
		"phones send no password, the group wants one": {func(s *inventory.Set) {
			s.VPNProfiles["profile"].ClientAuthentication = inventory.ByCertificate
		}, `CommonPhoneProfile "common": vpnProfile: its phones log in by "Certificate", and tunnel group "phones" wants a password`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := office(t)
			must(t, set.Add(&inventory.CertificateAuthority{Name: "capf", Certificate: authority}))
			set.TunnelGroups["phones"].CertificateAuthorities = []string{"capf"}
			c.spoil(set)
			problems := set.Validate()
			switch {
			case c.says == "" && len(problems) > 0:
				t.Errorf("refused: %v", problems[0])
			case c.says != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), c.says)):
				t.Errorf("got %v, want %s", problems, c.says)
			}
		})
	}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// FuzzCertificateAuthority: whatever is declared, it is taken or refused, and what is taken was signed.
func FuzzCertificateAuthority(f *testing.F) {
	office := testcert.NewAuthority("CAPF-1", nil)
	list := office.Revoke(time.Now().Add(time.Hour))
	f.Add(office.Certificate.Raw, list.Raw)
	f.Add(list.Raw, office.Certificate.Raw)
	f.Fuzz(func(t *testing.T, certificate, revoked []byte) {
		a := inventory.CertificateAuthority{Name: "a", Certificate: block("CERTIFICATE", certificate), CRL: block("X509 CRL", revoked)}
		lists, err := a.RevocationLists()
		if err != nil {
			return
		}
		issuers, err := a.Issuers()
		if err != nil || lists[0].CheckSignatureFrom(issuers[0]) != nil {
			t.Errorf("a list is taken that nobody has signed: %v", err)
		}
	})
}

// TestAuthorityCut: a certificate or a list that was cut is refused, wherever.
func TestAuthorityCut(t *testing.T) {
	t.Parallel()
	office := testcert.NewAuthority("CAPF-1", nil)
	list := office.Revoke(time.Now().Add(time.Hour)).Raw
	for n := range office.Certificate.Raw {
		if _, err := (&inventory.CertificateAuthority{Certificate: block("CERTIFICATE", office.Certificate.Raw[:n])}).Issuers(); err == nil {
			t.Errorf("a certificate cut at %d is taken", n)
		}
	}
	for n := range list {
		a := inventory.CertificateAuthority{Certificate: office.PEM(), CRL: block("X509 CRL", list[:n])}
		if _, err := a.RevocationLists(); err == nil {
			t.Errorf("a list cut at %d is taken", n)
		}
	}
}
