//go:build interop

package curl_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/office"
)

// groups are what the certificate tests add to an office: a group for each way to log in, all with old
// TLS, and authorities for two of them.
const groups = `
---
kind: CertificateAuthority
name: capf
certificateFile: capf.pem
crlFile: capf.crl
---
kind: CertificateAuthority
name: factory
certificateFile: factory.cer
manufacturer: true
---
kind: TunnelGroup
name: certificate
groupURLs: ["https://203.0.113.2/certificate"]
authentication: certificate
certificateAuthorities: [capf, factory]
addressPool: phones
defaultGroupPolicy: phones
phones: true
legacyPhones: true
---
kind: TunnelGroup
name: both
groupURLs: ["https://203.0.113.2/both"]
authentication: aaa certificate
certificateAuthorities: [capf, factory]
addressPool: phones
defaultGroupPolicy: phones
phones: true
legacyPhones: true
---
kind: TunnelGroup
name: password
groupURLs: ["https://203.0.113.2/password"]
addressPool: phones
defaultGroupPolicy: phones
phones: true
legacyPhones: true
`

// certified is an office with those groups and the authorities behind them. The factory signs with SHA-1.
type certified struct {
	*office.Office
	capf, factory *testcert.Authority
	revoked       tls.Certificate
}

// The phones that init declares, and one that it does not. A user's name is that of a certificate where both are wanted.
const (
	certifiedPhone = "CP-8861-SEP020000001001" // logs in by certificate
	declaredPhone  = "CP-8861-SEP020000001002" // by certificate and password
	strangePhone   = "CP-8861-SEP0200000010FF"
)

func openCertified(t *testing.T) certified {
	t.Helper()
	c := certified{Office: office.New(t, "--legacy-phones"), capf: testcert.NewAuthority("CAPF-1", nil)}
	c.factory = testcert.NewAuthority("Cisco Root CA 2048", old).Authority("Cisco Manufacturing CA", old)
	c.revoked = c.capf.Issue(certifiedPhone, nil)
	list := c.capf.Revoke(time.Now().Add(time.Hour), c.revoked)
	inventory, err := os.ReadFile(c.Path("inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"inventory.yaml": append(inventory, groups...),
		"capf.pem":       []byte(c.capf.PEM()),
		"capf.crl":       list.Raw,                  // DER, as authorities publish it
		"factory.cer":    c.factory.Certificate.Raw, // likewise
	} {
		if err := os.WriteFile(c.Path(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.Serve()
	for user, group := range map[string]string{declaredPhone: "both", "anna": "password"} {
		if out, err := c.Longcord("rosebud7\n", "-c", c.Path("longcord.yaml"), "users", "add", user, "--password-stdin", "--group-lock", group); err != nil {
			t.Fatalf("users add: %v\n%s", err, out)
		}
	}
	return c
}

func old(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }

// showing are curl's arguments for a client certificate, with or without who issued it.
func showing(t *testing.T, pair tls.Certificate, all bool) []string {
	t.Helper()
	text, key := testcert.PEM(pair)
	for _, der := range pair.Certificate[1:] {
		if all {
			text += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		}
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"certificate.pem": text, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"--cert", filepath.Join(dir, "certificate.pem"), "--key", filepath.Join(dir, "key.pem")}
}

const (
	form = "HTTP/1.1 200 OK\nContent-Length: 0\nSet-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure\n" +
		"Set-Cookie: webvpnlogin=1; secure\nX-Transcend-Version: 1\n\n"
	refused = "HTTP/1.1 401 Authentication failed\nContent-Length: 0\n" +
		"Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure\n\n"
)

var in = regexp.MustCompile(`^HTTP/1\.1 200 OK\nConnection: Keep-Alive\nContent-Length: 0\nSet-Cookie: webvpn=[A-Za-z0-9+/]{43}=; secure\nX-Transcend-Version: 1\n\n$`)

// TestPhoneLogins is every way in which a phone logs in, and every way in which that fails, at both ends of
// what phones speak, with the bytes of the replies.
func TestPhoneLogins(t *testing.T) {
	c := openCertified(t)
	good, both, stranger := c.capf.Issue(certifiedPhone, nil), c.capf.Issue(declaredPhone, nil), c.capf.Issue(strangePhone, nil)
	nobody := c.capf.Impostor().Issue(declaredPhone, nil)
	expired := c.capf.Issue(declaredPhone, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	right := "username=" + declaredPhone + "&password=rosebud7"
	wrong := "username=" + declaredPhone + "&password=wrong"
	var empty []string
	for _, version := range []struct {
		name  string
		speak []string
	}{
		{"TLS 1.0", []string{"--tlsv1.0", "--tls-max", "1.0", "--ciphers", "AES128-SHA:@SECLEVEL=0"}},
		{"TLS 1.2 as of old", []string{"--tls-max", "1.2", "--ciphers", "AES256-SHA:@SECLEVEL=0"}},
		{"TLS 1.2", []string{"--tls-max", "1.2"}},
		{"TLS 1.3", nil},
	} {
		for _, p := range []struct {
			what  string
			path  string
			shows []string
			form  string
			want  string // empty: let in
		}{
			{"password", "password", empty, "username=anna&password=rosebud7", ""},
			{"wrong password", "password", empty, "username=anna&password=wrong", refused},
			{"password missing", "password", empty, "username=anna", form},
			{"password only: the group has one user", "password", empty, "password=rosebud7", ""},
			{"nothing", "password", empty, "", form},
			{"certificate", "certificate", showing(t, good, true), "", ""},
			{"manufacturer's, leaf only", "certificate", showing(t, c.factory.Issue(certifiedPhone, nil), false), "", ""},
			{"manufacturer's with its issuers", "certificate", showing(t, c.factory.Issue(certifiedPhone, nil), true), "", ""},
			{"manufacturer's, not declared", "certificate", showing(t, c.factory.Issue(strangePhone, nil), true), "", refused},
			{"certificate, not declared", "certificate", showing(t, stranger, true), "", ""},
			{"no certificate", "certificate", empty, "", refused},
			{"nobody's certificate", "certificate", showing(t, nobody, true), "", refused},
			{"expired certificate", "certificate", showing(t, expired, true), "", refused},
			{"revoked certificate", "certificate", showing(t, c.revoked, true), "", refused},
			{"certificate and password", "both", showing(t, both, true), right, ""},
			{"certificate and password only", "both", showing(t, both, true), "password=rosebud7", ""},
			{"certificate and wrong password", "both", showing(t, both, true), wrong, refused},
			{"certificate, password missing", "both", showing(t, both, true), "", form},
			{"another's certificate and password", "both", showing(t, stranger, true), right, refused},
			{"password, certificate missing", "both", empty, right, refused},
			{"password, nobody's certificate", "both", showing(t, nobody, true), right, refused},
			{"password, expired certificate", "both", showing(t, expired, true), right, refused},
			{"password, revoked certificate", "both", showing(t, c.revoked, true), right, refused},
		} {
			args := append(append(append([]string{}, version.speak...), p.shows...), "-X", "POST", "-H", "Content-Length: 0", "https://"+office.Outside+"/"+p.path)
			if p.form != "" {
				args = append(append(append([]string{}, version.speak...), p.shows...), "--data", p.form, "https://"+office.Outside+"/"+p.path)
			}
			got, err := ask(t, c.Office, args...)
			if err != nil || p.want == "" && !in.MatchString(got) || p.want != "" && got != p.want {
				t.Errorf("%s, %s: curl gets %v\n%s\nwant\n%s", version.name, p.what, err, got, p.want)
			}
		}
	}
	c.said(t, "client-certificate-untrusted", "client-certificate-expired", "login-refused")
}

// said expects findings in the running system.
func (c certified) said(t *testing.T, codes ...string) {
	t.Helper()
	out, err := c.Longcord("", "-c", c.Path("longcord.yaml"), "show", "findings")
	for _, code := range codes {
		if err != nil || !strings.Contains(out, code) {
			t.Errorf("no finding %s: %v\n%s", code, err, out)
		}
	}
}

// TestAskedForACertificate: who has none is let in where none is needed, and hears whose would count.
func TestAskedForACertificate(t *testing.T) {
	c := openCertified(t)
	for _, version := range []string{"1.0", "1.2", "1.3"} {
		args := []string{"-v", "--tlsv1.0", "--tls-max", version, "--ciphers", "DEFAULT:@SECLEVEL=0", office.URL}
		out, err := ask(t, c.Office, args...)
		if err != nil || !strings.Contains(out, "Request CERT (13)") || !strings.Contains(out, "HTTP/1.1 200 OK") {
			t.Errorf("TLS %s: %v\n%s", version, err, out)
		}
	}
}
