package rollover_test

import (
	"crypto/x509"
	"net/url"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/trust/rollover"
	"github.com/longcord/longcord/wire/cnf"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	root := testcert.NewAuthority("Root", nil)
	own := testcert.RSA("vpn.example.net")
	elsewhere := root.Issue("elsewhere.example.net", func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.example.net"} })
	issued := root.Issue("vpn.example.net", func(c *x509.Certificate) { c.DNSNames = []string{"vpn.example.net"} })
	leafOf := func(der []byte) *x509.Certificate {
		c, err := x509.ParseCertificate(der)
		must(t, err)
		return c
	}
	now, next, wrongName := leafOf(own.Certificate[0]), leafOf(issued.Certificate[0]), leafOf(elsewhere.Certificate[0])
	rootCertificate := root.Certificate
	hash := func(c *x509.Certificate) string { return verify.HashOf(c.Raw).String() }
	const unknown = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
	gateway, err := url.Parse("https://vpn.example.net/phones")
	must(t, err)
	for what, c := range map[string]struct {
		urls, hashes []string
		check        bool
		next         []*x509.Certificate
		want         rollover.Audited
	}{
		"both":          {[]string{"https://vpn.example.net/phones"}, []string{unknown, hash(now), hash(next)}, true, []*x509.Certificate{next}, rollover.Audited{Outcome: rollover.Stays, Now: "certHash2", New: "certHash3", Spare: true}},
		"now only":      {[]string{"https://vpn.example.net/phones"}, []string{hash(now)}, true, nil, rollover.Audited{Outcome: rollover.Stays, Now: "certHash1"}},
		"not the new":   {[]string{"https://VPN.example.net:443/x"}, []string{hash(now)}, true, []*x509.Certificate{next}, rollover.Audited{Outcome: rollover.WouldLose, Now: "certHash1"}},
		"locked out":    {[]string{"https://other.example.net/", "https://vpn.example.net/phones"}, []string{unknown}, true, []*x509.Certificate{next}, rollover.Audited{Outcome: rollover.LockedOut, Spare: true}},
		"no hash":       {[]string{"https://vpn.example.net/phones"}, nil, true, nil, rollover.Audited{Outcome: rollover.LockedOut}},
		"elsewhere":     {[]string{"https://vpn.example.net:8443/phones"}, []string{hash(now)}, true, nil, rollover.Audited{Outcome: rollover.Apart}},
		"another name":  {[]string{"https://vpn.example.net/phones"}, []string{hash(now), hash(wrongName)}, true, []*x509.Certificate{wrongName}, rollover.Audited{Outcome: rollover.WouldLose, Now: "certHash1", New: "certHash2"}},
		"name is equal": {[]string{"https://vpn.example.net/phones"}, []string{hash(now), hash(wrongName)}, false, []*x509.Certificate{wrongName}, rollover.Audited{Outcome: rollover.Stays, Now: "certHash1", New: "certHash2"}},
	} {
		file := &cnf.Device{VPN: cnf.NewVPNGroup()}
		file.VPN.URLs, file.VPN.CertificateHashes, file.VPN.EnableHostIDCheck = c.urls, c.hashes, c.check
		got := rollover.Audit("SEP001122334455", file, gateway, []*x509.Certificate{now}, nil, c.next)
		if (got.Why == "") != (got.Outcome == rollover.Stays) {
			t.Errorf("%s: outcome %s, because %q", what, got.Outcome, got.Why)
		}
		c.want.Device, got.Why = "SEP001122334455", ""
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", what, got, c.want)
		}
	}
	file := &cnf.Device{VPN: cnf.NewVPNGroup()}
	file.VPN.URLs, file.VPN.CertificateHashes = []string{gateway.String()}, []string{hash(now), hash(rootCertificate)}
	if got := rollover.Audit("x", file, gateway, []*x509.Certificate{now}, nil, []*x509.Certificate{next, rootCertificate}); got.Outcome != rollover.Stays || got.New != "certHash2" {
		t.Errorf("the issuer's hash, and the issuer is sent: %+v", got)
	}
	if got := rollover.Audit("x", file, gateway, []*x509.Certificate{now}, nil, []*x509.Certificate{next}); got.Outcome != rollover.WouldLose {
		t.Errorf("the issuer's hash, and the issuer is not sent: %+v", got)
	}
	beside := leafOf(testcert.ECDSA("vpn.example.net").Certificate[0])
	if got := rollover.Audit("x", file, gateway, []*x509.Certificate{now}, []*x509.Certificate{beside}, nil); got.Outcome != rollover.Unknown {
		t.Errorf("an ECDSA certificate beside, which it does not know: %+v", got)
	}
	file.VPN.CertificateHashes = append(file.VPN.CertificateHashes, hash(beside))
	if got := rollover.Audit("x", file, gateway, []*x509.Certificate{now}, []*x509.Certificate{beside}, nil); got.Outcome != rollover.Stays {
		t.Errorf("an ECDSA certificate beside, which it knows: %+v", got)
	}
	if got := rollover.Audit("x", &cnf.Device{}, gateway, []*x509.Certificate{now}, nil, nil); got.Outcome != rollover.Apart {
		t.Errorf("a phone without VPN: %+v", got)
	}
}
