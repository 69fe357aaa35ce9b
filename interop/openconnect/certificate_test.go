//go:build interop

package openconnect_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/loginserver"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/stage/verify"
)

// authority is one that signs with SHA-1, as the phones' factory does, below a root that nobody declares.
var authority = testcert.NewAuthority("Nobody's Root", sha1).Authority("Office CA", sha1)

func sha1(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }

// written is a client certificate in files, with who issued it if all is set.
func written(t *testing.T, pair tls.Certificate, all bool) (certificate, key string) {
	t.Helper()
	leaf, private := testcert.PEM(pair)
	if all {
		for _, der := range pair.Certificate[1:] {
			leaf += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		}
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	for name, text := range map[string]string{certificate: leaf, key: private} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// startCertified is a gateway with groups that take certificates, and one that asks for a code.
func startCertified(t *testing.T, settings *tls.Config) *loginserver.Server {
	t.Helper()
	own := testcert.RSA("127.0.0.1")
	settings.Certificates = []tls.Certificate{own}
	settings.ClientAuth, settings.ClientCAs = tls.RequestClientCert, x509.NewCertPool()
	settings.ClientCAs.AddCert(authority.Certificate)
	people := verify.Group{Name: "People", Aliases: []string{"people"}, LegacyPhones: true, Certificate: true, NoPassword: true}
	codes := verify.Group{Name: "Codes", Aliases: []string{"codes"}, LegacyPhones: true, SecondFactor: "Code:"}
	groups := map[string]verify.Group{
		"/people": people, "/codes": codes,
		"/both":      {Name: "Both", LegacyPhones: true, Certificate: true},
		"/challenge": {Name: "Challenge", LegacyPhones: true},
	}
	return loginserver.Start(t, loginserver.Config{
		TLS: settings,
		Verify: verify.Config{
			Group:       func(_, path string) (verify.Group, bool) { g, ok := groups[path]; return g, ok },
			Listed:      []verify.Group{{Name: "Guests", Aliases: []string{"guests"}, LegacyPhones: true}, people, codes},
			Certificate: verify.HashOf(own.Certificate[0]),
		},
		Authorities: []verify.Authority{{Name: "office", Issuers: []*x509.Certificate{authority.Certificate}}},
		Check:       checkCertified,
	})
}

// A code of ours is any that openconnect makes: six digits. TOTP itself is judged elsewhere.
func checkCertified(a verify.Authenticate) verify.Result {
	in := verify.Result{Verdict: verify.Accepted, Token: secret.New(loginToken)}
	known := a.Password.Reveal() == "pw" && (a.User == "test" || a.User == "anna")
	switch {
	case a.Group == "People" && a.Certificate != nil:
		return in
	case a.Group == "Both" && a.Certificate != nil && known:
		return in
	case a.Group == "Codes" && known && len(a.SecondFactor.Reveal()) == 6:
		return in
	case a.Group == "Challenge" && a.State == "handle & <more>" && a.User == "test" && len(a.SecondFactor.Reveal()) == 6:
		return in
	case a.Group == "Challenge" && a.State == "" && known:
		return verify.Result{Verdict: verify.Challenged, Prompt: "Your code, please.", State: "handle & <more>"}
	}
	return verify.Result{}
}

// speaking are the versions of TLS that a client may come with.
func speaking() map[string]struct {
	settings *tls.Config
	args     []string
} {
	return map[string]struct {
		settings *tls.Config
		args     []string
	}{
		"TLS 1.3": {&tls.Config{MinVersion: tls.VersionTLS12}, nil},
		"TLS 1.2": {&tls.Config{MaxVersion: tls.VersionTLS12}, nil},
		"TLS 1.0": {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}},
			[]string{"--gnutls-priority", "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SHA1:+RSA:%COMPAT"}},
	}
}

// TestTwoCertificates: openconnect meets the one that it can verify, is let in with both, and stays with the
// ECDSA one although it has refused it before; one that may be a phone meets the other after that.
func TestTwoCertificates(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	tls12 := "NORMAL:-VERS-ALL:+VERS-TLS1.2"
	rsa := []string{"--gnutls-priority", tls12 + ":-ECDHE-ECDSA"}
	ecdsaPin, rsaPin := pinOf(t, o, office.URL), pinOf(t, o, office.URL, rsa...)
	if ecdsaPin == rsaPin {
		t.Fatalf("with and without ECDSA it meets %s", rsaPin)
	}
	for _, c := range []struct {
		flags []string
		kind  string
	}{{nil, "-(ECDSA-"}, {rsa, "-(RSA-"}, {nil, "-(ECDSA-"}} {
		tunnel := connect(t, o, password, c.flags...)
		if line := tunnel.Wait("Connected to HTTPS on"); !strings.Contains(line, c.kind) {
			t.Errorf("with %v it says %q, want %s", c.flags, line, c.kind)
		}
		pings(t, o)
		tunnel.Signal(syscall.SIGINT)
		tunnel.Ended()
		waitSessions(t, o, 0)
	}
	if pin := pinOf(t, o, office.URL, "--gnutls-priority", tls12); pin != rsaPin {
		t.Errorf("one that went away without TLS 1.3 meets %s, want %s", pin, rsaPin)
	}
	if pin := pinOf(t, o, office.URL); pin != ecdsaPin {
		t.Errorf("one with TLS 1.3 meets %s afterwards, want %s", pin, ecdsaPin)
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	good := authority.Issue("anna", nil)
	stranger := testcert.NewAuthority("Office CA", nil).Impostor().Issue("anna", nil)
	old := authority.Issue("anna", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	for name, c := range map[string]struct {
		path  string
		shows *tls.Certificate
		all   bool
		args  []string
		in    bool
		says  string
	}{
		"certificate":           {"/people", &good, false, nil, true, ""},
		"with its issuer":       {"/people", &good, true, nil, true, ""},
		"form":                  {"/people", &good, false, []string{"--no-xmlpost"}, true, ""},
		"chosen by alias":       {"/", &good, false, []string{"--authgroup", "people"}, true, ""},
		"chosen by alias, form": {"/", &good, false, []string{"--no-xmlpost", "--authgroup", "people"}, true, ""},
		"and password":          {"/both", &good, false, nil, true, ""},
		"and password, form":    {"/both", &good, false, []string{"--no-xmlpost"}, true, ""},
		"none":                  {"/people", nil, false, nil, false, "Your certificate is missing or not accepted here."},
		"none, form":            {"/people", nil, false, []string{"--no-xmlpost"}, false, "Your certificate is missing or not accepted here."},
		"none, both wanted":     {"/both", nil, false, nil, false, "Your certificate is missing or not accepted here."},
		"nobody's":              {"/people", &stranger, false, nil, false, "Your certificate is missing or not accepted here."},
		"expired":               {"/people", &old, false, nil, false, "Your certificate is missing or not accepted here."},
		"not needed":            {"/codes", &good, false, []string{"--token-mode=totp", "--token-secret=base32:GEZDGNBVGY3TQOJQ"}, true, ""},
	} {
		for version, speak := range speaking() {
			t.Run(name+", "+version, func(t *testing.T) {
				t.Parallel()
				s := startCertified(t, speak.settings)
				args := append(append([]string{}, speak.args...), c.args...)
				if c.shows != nil {
					certificate, key := written(t, *c.shows, c.all)
					args = append(args, "-c", certificate, "-k", key)
				}
				out, ok := logIn(t, "https://"+s.Addr()+c.path, "pw", append(args, "--no-system-trust")...)
				if ok != c.in || !strings.Contains(out, c.says) || c.in && !strings.Contains(out, "webvpn="+loginToken+"'") {
					t.Errorf("openconnect is in: %v; it says\n%s", ok, out)
				}
			})
		}
	}
}

// TestSecondFactor: openconnect fills in the code by itself wherever we ask for one.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	token := []string{"--token-mode=totp", "--token-secret=base32:GEZDGNBVGY3TQOJQ"}
	for name, c := range map[string]struct {
		path string
		args []string
	}{
		"second field":                  {"/codes", nil},
		"second field, form":            {"/codes", []string{"--no-xmlpost"}},
		"second field, chosen by alias": {"/", []string{"--authgroup", "codes"}},
		"second form":                   {"/challenge", nil},
		"second form, form":             {"/challenge", []string{"--no-xmlpost"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startCertified(t, &tls.Config{MinVersion: tls.VersionTLS12})
			out, ok := logIn(t, "https://"+s.Addr()+c.path, "pw", append(append([]string{}, token...), c.args...)...)
			if !ok || !strings.Contains(out, "webvpn="+loginToken+"'") {
				t.Errorf("openconnect has no cookie:\n%s", out)
			}
		})
	}
	for name, args := range map[string][]string{
		"user name from elsewhere": {"-F", "main:username=anna", "--token-mode=totp", "--token-secret=base32:GEZDGNBVGY3TQOJQ"},
		"code from elsewhere":      {"-F", "main:secondary_password=123456"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startCertified(t, &tls.Config{MinVersion: tls.VersionTLS12})
			if out, ok := logIn(t, "https://"+s.Addr()+"/codes", "pw", args...); !ok {
				t.Errorf("openconnect has no cookie:\n%s", out)
			}
		})
	}
}

// TestTunnelByCertificate: openconnect shows a certificate to a whole office. One of the office opens what
// the policy permits; the factory's opens the files and no more, by TLS of today and of old.
func TestTunnelByCertificate(t *testing.T) {
	t.Parallel()
	const phone = "CP-8861-SEP020000001001"
	factory := testcert.NewAuthority("Cisco Manufacturing CA", sha1)
	oldTLS := []string{"--gnutls-priority", "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SHA1:+RSA:%COMPAT", "--dtls-ciphers", "AES128-SHA"}
	for name, c := range map[string]struct {
		by      *testcert.Authority
		flags   []string
		enrols  bool
		version string
	}{
		"office's":           {authority, nil, false, "TLS 1.3"},
		"office's, TLS 1.0":  {authority, oldTLS, false, "TLS 1.0"},
		"factory's":          {factory, nil, true, "TLS 1.3"},
		"factory's, TLS 1.0": {factory, oldTLS, true, "TLS 1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := office.New(t, "--legacy-phones", "--auth", "certificate")
			inventory, err := os.ReadFile(o.Path("inventory.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			declared := strings.Replace(string(inventory), "certificateAuthorities: [phones]", "certificateAuthorities: [phones, factory]", 1) +
				"\n---\nkind: CertificateAuthority\nname: factory\ncertificateFile: factory.pem\nmanufacturer: true\n"
			for file, text := range map[string]string{"inventory.yaml": declared, "certificates/phones.pem": authority.PEM(), "factory.pem": factory.PEM()} {
				if err := os.WriteFile(o.Path(file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o.Serve()
			certificate, key := written(t, c.by.Issue(phone, nil), false)
			o.OpenConnect(o.Client, "ignored", "ignored", append(c.flags, "-c", certificate, "-k", key)...)
			sessions, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list", "--json")
			for _, want := range []string{`"user": "` + phone + `"`, `"phone": "SEP020000001001"`, fmt.Sprintf(`"enrolment": %v`, c.enrols), `"tls_version": "` + c.version + `"`} {
				if err != nil || !strings.Contains(sessions, want) {
					t.Errorf("sessions list lacks %s: %v\n%s", want, err, sessions)
				}
			}
			file, err := o.Run(o.Client, "", office.Peer(t, "curl"), "-sS", "--max-time", "20", "http://"+office.Inside+":6970/SEP020000001001.cnf.xml")
			if err != nil || !strings.Contains(file, "<device") {
				t.Errorf("the phone's file: %v\n%s", err, file)
			}
			if tftp, err := o.Run(o.Client, "", office.Peer(t, "curl"), "-sS", "--max-time", "20", "tftp://"+office.Inside+"/SEP020000001001.cnf.xml"); err != nil || tftp != file {
				t.Errorf("the phone's file by TFTP: %v, %d bytes of %d", err, len(tftp), len(file))
			}
			for what, args := range map[string][]string{
				"a host inside":    {"ping", "-c", "2", "-W", "5", office.Desk},
				"the call manager": {"timeout", "5", "bash", "-c", "exec 3<>/dev/tcp/" + office.Inside + "/5060"},
			} {
				if out, err := o.Run(o.Client, "", args[0], args[1:]...); (err == nil) == c.enrols {
					t.Errorf("%s is reached: %v\n%s", what, err == nil, out)
				}
			}
		})
	}
}

// TestIssuerNotNamed: openconnect shows its certificate even if the gateway does not name its issuer.
func TestIssuerNotNamed(t *testing.T) {
	t.Parallel()
	for version, speak := range speaking() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := startCertified(t, speak.settings)
			certificate, key := written(t, testcert.NewAuthority("Elsewhere", nil).Issue("anna", nil), false)
			out, ok := logIn(t, "https://"+s.Addr()+"/people", "pw", append(speak.args, "-c", certificate, "-k", key)...)
			if ok || !strings.Contains(out, "Your certificate is missing or not accepted here.") {
				t.Errorf("openconnect is in: %v\n%s", ok, out)
			}
			if !slices.ContainsFunc(s.Actions(), func(a verify.Action) bool {
				report, is := a.(verify.Report)
				return is && report.Reason == verify.BadCertificate
			}) {
				t.Errorf("the gateway has not seen the certificate: %v", s.Actions())
			}
		})
	}
}
