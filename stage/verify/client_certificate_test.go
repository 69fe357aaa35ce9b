package verify

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testcert"
)

func oldSignature(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }

// parsed is a chain as TLS hands it on.
func parsed(t *testing.T, pair tls.Certificate) []*x509.Certificate {
	t.Helper()
	var chain []*x509.Certificate
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, c)
	}
	return chain
}

const mic = "CP-7962G-SEP001122334455"

// TestCheckClient has chains as phones and people send them.
func TestCheckClient(t *testing.T) {
	t.Parallel()
	now := time.Now()
	root := testcert.NewAuthority("Cisco Root CA 2048", oldSignature)
	maker := root.Authority("Cisco Manufacturing CA", oldSignature)
	office := testcert.NewAuthority("CAPF-1", nil)
	impostor := office.Impostor()
	old := testcert.NewAuthority("CAPF-0", func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-48*time.Hour), now.Add(-time.Hour) })
	shallow := testcert.NewAuthority("Shallow", func(c *x509.Certificate) { c.MaxPathLenZero = true })
	deep := shallow.Authority("Deep", nil)
	constrained := office.Authority("Constrained", func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.net"}
	})
	notCA := office.Issue("CP-8861-SEP0000000000FF", nil)

	gone := office.Issue("CP-8861-SEP000000000001", nil)
	goneMaker := root.Authority("Gone", nil)
	authorities := []Authority{
		{Name: "manufacturer", Manufacturer: true, Issuers: []*x509.Certificate{root.Certificate},
			Lists: []*x509.RevocationList{root.Revoke(now.Add(time.Hour), tls.Certificate{Leaf: goneMaker.Certificate})}},
		{Name: "office", Issuers: []*x509.Certificate{office.Certificate},
			Lists: []*x509.RevocationList{office.Revoke(now.Add(time.Hour), gone)}},
		{Name: "old", Issuers: []*x509.Certificate{old.Certificate}},
		{Name: "shallow", Issuers: []*x509.Certificate{shallow.Certificate}},
	}
	stranger := []Authority{{Name: "middle", Manufacturer: true, Issuers: []*x509.Certificate{maker.Certificate}}}

	leaf := maker.Issue(mic, nil)
	leafOnly := tls.Certificate{Certificate: leaf.Certificate[:1]}
	for name, c := range map[string]struct {
		sent        tls.Certificate
		authorities []Authority
		authority   string // empty: refused
		says        string
	}{
		"SHA-1 from leaf to root":          {leaf, authorities, "manufacturer", ""},
		"leaf only, its issuer known":      {leafOnly, stranger, "middle", ""},
		"leaf only, its issuer unknown":    {leafOnly, authorities, "", `no authority here has issued it; its issuer is "Cisco Manufacturing CA"`},
		"LSC":                              {office.Issue(mic, nil), authorities, "office", ""},
		"key on P-256":                     {office.IssueEC(mic), authorities, "office", ""},
		"issuer's name and another key":    {impostor.Issue(mic, nil), authorities, "", "no authority here has issued it"},
		"self-signed":                      {testcert.RSA("CAPF-1"), authorities, "", "no authority here"},
		"expired":                          {office.Issue(mic, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }), authorities, "", "it expired on 20"},
		"not yet valid":                    {office.Issue(mic, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }), authorities, "", "it is valid from 20"},
		"expired issuer":                   {old.Issue(mic, nil), authorities, "", `its issuer "CAPF-0": it expired on 20`},
		"revoked":                          {gone, authorities, "", "office has revoked it"},
		"revoked issuer that was sent":     {goneMaker.Issue(mic, nil), authorities, "", "manufacturer has revoked it"},
		"deeper than the authority allows": {deep.Issue(mic, nil), authorities, "", "no authority here"},
		"issuer that limits names":         {constrained.Issue("user", nil), authorities, "", "no authority here"},
		"issued by a client's certificate": {issuedBy(notCA, office), authorities, "", "no authority here"},
		"no common name":                   {office.Issue("", nil), authorities, "", "no common name"},
		"key usage without signature":      {office.Issue(mic, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), authorities, "", "no digital signature"},
		"no key usage at all":              {office.Issue(mic, func(c *x509.Certificate) { c.KeyUsage = 0 }), authorities, "office", ""},
		"for clients and servers":          {office.Issue(mic, uses(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)), authorities, "office", ""},
		"for servers only":                 {office.Issue(mic, uses(x509.ExtKeyUsageServerAuth)), authorities, "", "no client authentication"},
		"critical extension nobody knows":  {office.Issue(mic, unknownExtension), authorities, "", "its critical extension 1.2.3 is not known"},
		"nothing":                          {tls.Certificate{}, authorities, "", "none was sent"},
		"no authority":                     {office.Issue(mic, nil), nil, "", "no authority here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := CheckClient(now, parsed(t, c.sent), c.authorities)
			var refused *CertificateError
			switch {
			case c.authority != "" && (err != nil || got.Authority != c.authority || got.Name != mic):
				t.Errorf("got %+v, %v; want it from %s", got, err, c.authority)
			case c.authority == "" && !errors.As(err, &refused):
				t.Errorf("got %+v, %v; want it refused", got, err)
			case c.authority == "" && !strings.Contains(refused.Says, c.says):
				t.Errorf("refused because %q, want %q", refused.Says, c.says)
			case c.authority == "" && refused.Outdated != (strings.Contains(c.says, "expired") || strings.Contains(c.says, "valid from")):
				t.Errorf("outdated is %v for %q", refused.Outdated, refused.Says)
			case c.authority == "" && got != ClientCertificate{}:
				t.Errorf("refused, and yet it proves %+v", got)
			}
			if c.authority != "" && got.Manufacturer != (c.authority == "manufacturer" || c.authority == "middle") {
				t.Errorf("%s is taken for a manufacturer: %v", got.Authority, got.Manufacturer)
			}
		})
	}
}

func uses(purposes ...x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = purposes }
}

func unknownExtension(c *x509.Certificate) {
	c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
}

// issuedBy makes a certificate that a client has signed with its own.
func issuedBy(client tls.Certificate, above *testcert.Authority) tls.Certificate {
	self := above.Authority("CP-8861-SEP0000000000FF", func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature })
	return self.Issue(mic, nil)
}

// TestStaleList: a list that should have been renewed still refuses whom it names, and lets the others in.
func TestStaleList(t *testing.T) {
	t.Parallel()
	now := time.Now()
	office := testcert.NewAuthority("CAPF-1", nil)
	good, gone := office.Issue("good", nil), office.Issue("gone", nil)
	authorities := []Authority{{Name: "office", Issuers: []*x509.Certificate{office.Certificate}, Lists: []*x509.RevocationList{
		office.Revoke(now.Add(-48*time.Hour), good), // older: what it names may be in order again
		office.Revoke(now.Add(-time.Hour), gone),
	}}}
	got, err := CheckClient(now, parsed(t, good), authorities)
	if err != nil || got.Stale.IsZero() || got.Stale.After(now) {
		t.Errorf("good certificate under a stale list: %+v, %v", got, err)
	}
	if _, err := CheckClient(now, parsed(t, gone), authorities); err == nil {
		t.Error("a stale list does not refuse what it names")
	}
}

// TestChainWithoutEnd: issuers that sign each other cost little and lead nowhere.
func TestChainWithoutEnd(t *testing.T) {
	t.Parallel()
	office := testcert.NewAuthority("Ring", nil)
	pair := office.Issue("client", nil)
	for range 100 {
		pair.Certificate = append(pair.Certificate, office.Authority("Ring", nil).Certificate.Raw, office.Certificate.Raw)
	}
	if _, err := CheckClient(time.Now(), parsed(t, pair), nil); err == nil {
		t.Error("a ring of issuers is taken for an authority")
	}
}

// FuzzCheckClient: nothing that parses as a certificate gets anybody in whom the authority has not
// signed.
func FuzzCheckClient(f *testing.F) {
	root := testcert.NewAuthority("Cisco Root CA 2048", oldSignature)
	leaf := root.Authority("Cisco Manufacturing CA", oldSignature).Issue(mic, nil)
	f.Add(leaf.Certificate[0], leaf.Certificate[1])
	f.Add(leaf.Certificate[1], leaf.Certificate[0])
	authorities := []Authority{{Name: "a", Issuers: []*x509.Certificate{root.Certificate}, Lists: []*x509.RevocationList{root.Revoke(time.Now())}}}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var sent []*x509.Certificate
		for _, der := range [][]byte{first, second} {
			if c, err := x509.ParseCertificate(der); err == nil {
				sent = append(sent, c)
			}
		}
		got, err := CheckClient(time.Now(), sent, authorities)
		if err == nil && got.Name != mic && got.Name != "Cisco Manufacturing CA" {
			t.Errorf("let in as %q", got.Name)
		}
	})
}
