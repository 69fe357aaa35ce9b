//go:build interop

package openconnect_test

import (
	"context"
	"crypto/tls"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/loginserver"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/stage/verify"
)

const loginToken = "dG9rZW4gdG9rZW4gdG9rZW4gdG9rZW4gdG9rZW4gdG8="

func startLoginServer(t *testing.T, settings *tls.Config) *loginserver.Server {
	t.Helper()
	cert := testcert.RSA("127.0.0.1")
	settings.Certificates = []tls.Certificate{cert}
	return loginserver.Start(t, loginserver.Config{
		TLS: settings,
		Verify: verify.Config{
			Group: func(_, path string) (verify.Group, bool) {
				return verify.Group{Name: "Staff", LegacyPhones: true, Banner: "Welcome."}, path == "/staff"
			},
			Listed: []verify.Group{
				{Name: "Phones", Aliases: []string{"phones"}, Phones: true, LegacyPhones: true},
				{Name: "Guests", Aliases: []string{"guests"}},
			},
			Certificate: verify.HashOf(cert.Certificate[0]),
		},
		Check: func(a verify.Authenticate) verify.Result {
			if a.User == "test" && a.Password.Reveal() == "p w&+%é" {
				return verify.Result{Verdict: verify.Accepted, Token: secret.New(loginToken)}
			}
			return verify.Result{}
		},
	})
}

// logIn runs openconnect until it has, or has not, a cookie.
func logIn(t *testing.T, url, password string, args ...string) (output string, ok bool) {
	t.Helper()
	pin := exec.Command(office.Peer(t, "openconnect"), "--authenticate", url) // says the fingerprint it would have to trust
	said, _ := pin.CombinedOutput()
	_, after, found := strings.Cut(string(said), "--servercert ")
	if !found {
		t.Fatalf("openconnect names no fingerprint:\n%s", said)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	args = append([]string{"--authenticate", "--user", "test", "--passwd-on-stdin", "--servercert", strings.Fields(after)[0]}, args...)
	cmd := exec.CommandContext(ctx, office.Peer(t, "openconnect"), append(args, url)...)
	cmd.Stdin = strings.NewReader(password + "\n")
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func group(s *loginserver.Server) (name string) {
	for _, action := range s.Actions() {
		if a, ok := action.(verify.Authenticate); ok {
			name = a.Group
		}
	}
	return name
}

func TestLogin(t *testing.T) {
	t.Parallel()
	tls10 := func() *tls.Config {
		return &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
			CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}
	}
	modern := func() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
	for name, c := range map[string]struct {
		settings *tls.Config
		path     string
		group    string
		args     []string
	}{
		"XML":                {modern(), "/staff", "Staff", nil},
		"XML, TLS 1.2":       {&tls.Config{MaxVersion: tls.VersionTLS12}, "/staff", "Staff", nil},
		"XML, TLS 1.0":       {tls10(), "/staff", "Staff", []string{"--gnutls-priority", "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SHA1:+RSA:%COMPAT"}},
		"XML, first group":   {modern(), "/", "Phones", []string{"--authgroup", "phones"}},
		"XML, chosen group":  {modern(), "/", "Guests", []string{"--authgroup", "guests"}},
		"form":               {modern(), "/staff", "Staff", []string{"--no-xmlpost"}},
		"form, chosen group": {modern(), "/", "Guests", []string{"--no-xmlpost", "--authgroup", "guests"}},
		"XML, other name":    {modern(), "/staff", "Staff", []string{"--useragent", "AnyConnect Linux_64 4.10.07061"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startLoginServer(t, c.settings)
			out, ok := logIn(t, "https://"+s.Addr()+c.path, "p w&+%é", c.args...)
			if !ok || !strings.Contains(out, "webvpn="+loginToken+"'") {
				t.Errorf("openconnect has no cookie:\n%s", out)
			}
			if got := group(s); got != c.group {
				t.Errorf("logged in to group %q, want %q", got, c.group)
			}
		})
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"XML": nil, "form": {"--no-xmlpost"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startLoginServer(t, &tls.Config{MinVersion: tls.VersionTLS12})
			out, ok := logIn(t, "https://"+s.Addr()+"/staff", "wrong", args...)
			if ok || !strings.Contains(out, "Login failed.") {
				t.Errorf("openconnect is not told in words:\n%s", out)
			}
		})
	}
}

func TestUnknownURL(t *testing.T) {
	t.Parallel()
	s := startLoginServer(t, &tls.Config{MinVersion: tls.VersionTLS12})
	out, ok := logIn(t, "https://"+s.Addr()+"/typo", "x")
	if ok || !strings.Contains(out, "404") || group(s) != "" {
		t.Errorf("a wrong URL led to group %q:\n%s", group(s), out)
	}
}
