package phone

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/loginserver"
	"github.com/longcord/longcord/stage/connect"
	"github.com/longcord/longcord/stage/verify"
)

var loginToken = secret.New("dG9rZW4gdG9rZW4gdG9rZW4gdG9rZW4gdG9rZW4gdG8=")

func hashOf(c tls.Certificate, at int) string { return verify.HashOf(c.Certificate[at]).String() }

// startGateway lets alice with password pw into /PhoneVPN (and /OldPhones with old TLS).
func startGateway(t *testing.T, settings *tls.Config) string {
	t.Helper()
	return loginserver.Start(t, loginserver.Config{
		TLS: settings,
		Verify: verify.Config{Group: func(_, path string) (verify.Group, bool) {
			return verify.Group{Name: path, Phones: true, LegacyPhones: path == "/OldPhones"}, path == "/PhoneVPN" || path == "/OldPhones"
		}},
		Check: func(a verify.Authenticate) verify.Result {
			if a.User == "alice" && a.Password.Reveal() == "pw" {
				return verify.Result{Verdict: verify.Accepted, Token: loginToken}
			}
			if a.User == "crowd" {
				return verify.Result{Verdict: verify.Busy}
			}
			return verify.Result{}
		},
	}).Addr()
}

func oldSettings(c tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}
}

func newSettings(c tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}
}

func loginFor(url string, hashes ...string) loginConfig {
	return loginConfig{url: url, hashes: hashes, checkHost: true, user: "alice", password: secret.New("pw")}
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestLogin(t *testing.T) {
	t.Parallel()
	cert, issuer := testcert.RSA("127.0.0.1"), testcert.RSA("issuer")
	cert.Certificate = append(cert.Certificate, issuer.Certificate[0])
	for name, c := range map[string]struct {
		settings *tls.Config
		profile  tlsProfile
		path     string
		hash     string
		version  uint16
	}{
		"new phone":             {newSettings(cert), tlsNew, "/PhoneVPN", hashOf(cert, 0), tls.VersionTLS12},
		"issuer pinned":         {newSettings(cert), tlsNew, "/PhoneVPN", hashOf(cert, 1), tls.VersionTLS12},
		"old phone":             {oldSettings(cert), tlsOld, "/OldPhones", hashOf(cert, 0), tls.VersionTLS10},
		"new phone, old server": {oldSettings(cert), tlsNew, "/OldPhones", hashOf(cert, 0), tls.VersionTLS10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := startGateway(t, c.settings)
			cfg := loginFor("https://"+address+c.path, hashOf(issuer, 0), c.hash)
			cfg.hashes = []string{"garbage", c.hash}
			cfg.profile = c.profile
			var keys bytes.Buffer
			cfg.keyLog = &keys
			in, err := login(limited(t), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer in.conn.Close()
			if in.cookie != loginToken || in.hash.String() != c.hash || in.host != address {
				t.Errorf("logged in with cookie %v, hash %s, host %s", in.cookie == loginToken, in.hash, in.host)
			}
			if got := in.conn.ConnectionState().Version; got != c.version {
				t.Errorf("TLS %x, want %x", got, c.version)
			}
			if !strings.HasPrefix(keys.String(), "CLIENT_RANDOM ") {
				t.Errorf("key log is %q", keys.String())
			}
			// The connection serves on: an unknown path is answered on it.
			if _, err := in.conn.Write([]byte("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			head := make([]byte, 12)
			if _, err := io.ReadFull(in.conn, head); err != nil || string(head) != "HTTP/1.1 404" {
				t.Errorf("after the login the gateway says %q, %v", head, err)
			}
		})
	}
}

// TestLoginByCertificate shows a certificate to gateways of today and of old.
func TestLoginByCertificate(t *testing.T) {
	t.Parallel()
	cert := testcert.RSA("127.0.0.1")
	authority := testcert.NewAuthority("CAPF-1", nil)
	const name = "CP-7962G-SEP001122334455"
	lsc := authority.Issue(name, nil)
	start := func(settings *tls.Config) string {
		settings.ClientAuth = tls.RequestClientCert
		return loginserver.Start(t, loginserver.Config{
			TLS:         settings,
			Authorities: []verify.Authority{{Name: "office", Issuers: []*x509.Certificate{authority.Certificate}}},
			Verify: verify.Config{Group: func(string, string) (verify.Group, bool) {
				return verify.Group{Name: "phones", Phones: true, LegacyPhones: true, Certificate: true, NoPassword: true}, true
			}},
			Check: func(a verify.Authenticate) verify.Result {
				if a.User == name && a.Certificate.Authority == "office" {
					return verify.Result{Verdict: verify.Accepted, Token: loginToken}
				}
				return verify.Result{}
			},
		}).Addr()
	}
	for what, c := range map[string]struct {
		settings *tls.Config
		profile  tlsProfile
		shows    tls.Certificate
		finding  string // empty: let in
		is       finding.Certainty
		failure  connect.Failure
	}{
		"new phone":      {newSettings(cert), tlsNew, lsc, "", "", 0},
		"old phone":      {oldSettings(cert), tlsOld, lsc, "", "", 0},
		"no certificate": {newSettings(cert), tlsNew, tls.Certificate{}, "client-certificate-untrusted", finding.Certain, connect.Denied},
		"nobody's":       {newSettings(cert), tlsNew, authority.Impostor().Issue(name, nil), "client-certificate-untrusted", finding.Likely, connect.Unusable},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			in, err := login(limited(t), loginConfig{
				url: "https://" + start(c.settings) + "/x", hashes: []string{hashOf(cert, 0)}, checkHost: true, profile: c.profile,
				user: name, certificate: c.shows, byCertificate: true,
			})
			var step *stepError
			switch {
			case c.finding == "" && err != nil:
				t.Fatal(err)
			case c.finding == "":
				in.conn.Close()
			case !errors.As(err, &step) || step.finding.Code != c.finding || step.finding.Certainty != c.is || failureOf(err) != c.failure:
				t.Errorf("got %v, which means %v to the connector", err, failureOf(err))
			}
		})
	}
}

// TestStoredCertificate: a phone keeps its certificate where it keeps its file.
func TestStoredCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if pair, err := storedCertificate(dir); err != nil || pair.Certificate != nil {
		t.Errorf("an empty folder: %d certificates, %v", len(pair.Certificate), err)
	}
	certificate, key := testcert.PEM(testcert.RSA("phone"))
	for name, text := range map[string]string{certificateFile: certificate, keyFile: key} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if pair, err := storedCertificate(dir); err != nil || pair.Leaf.Subject.CommonName != "phone" {
		t.Errorf("a kept one: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := storedCertificate(dir); err == nil {
		t.Error("a broken one is taken for none")
	}
}

// TestLoginLeavesNothing is not parallel: it counts goroutines.
func TestLoginLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after the gateway has stopped
	cert := testcert.RSA("127.0.0.1")
	url := "https://" + startGateway(t, newSettings(cert)) + "/PhoneVPN"
	in, err := login(limited(t), loginFor(url, hashOf(cert, 0)))
	if err != nil {
		t.Fatal(err)
	}
	in.conn.Close()
	for _, cfg := range []loginConfig{loginFor(url), loginFor(url+"s", hashOf(cert, 0))} {
		if _, err := login(limited(t), cfg); err == nil {
			t.Errorf("login to %s with %d hashes succeeds", cfg.url, len(cfg.hashes))
		}
	}
}

func TestLoginFails(t *testing.T) {
	t.Parallel()
	cert := testcert.RSA("127.0.0.1")
	elsewhere := testcert.RSA("vpn.example.net")
	good := startGateway(t, newSettings(cert))
	misnamed := startGateway(t, newSettings(elsewhere))
	old := startGateway(t, oldSettings(cert))
	tls13 := newSettings(cert)
	tls13.MinVersion = tls.VersionTLS13
	modern := startGateway(t, tls13)
	otherSuite := newSettings(cert)
	otherSuite.MaxVersion, otherSuite.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}
	strange := startGateway(t, otherSuite)
	silent := refusing(t)
	change := func(cfg loginConfig, with func(*loginConfig)) loginConfig { with(&cfg); return cfg }
	ok := loginFor("https://"+good+"/PhoneVPN", hashOf(cert, 0))
	for name, c := range map[string]struct {
		cfg     loginConfig
		code    string
		says    string
		failure connect.Failure
	}{
		"name": {loginFor("https://no-such-gateway.invalid/x", "x"), "gateway-name-unresolved", "no-such-gateway.invalid", connect.Unusable},
		"port": {loginFor("https://"+silent+"/x", "x"), "gateway-unreachable", "refused", connect.Unusable},
		"hash": {change(ok, func(c *loginConfig) { c.hashes = []string{hashOf(elsewhere, 0)} }),
			"certificate-hash-mismatch", hashOf(cert, 0), connect.Unusable},
		"host":         {loginFor("https://"+misnamed+"/PhoneVPN", hashOf(elsewhere, 0)), "host-id-mismatch", "names vpn.example.net, not 127.0.0.1", connect.Unusable},
		"path":         {loginFor("https://"+good+"/phonevpn", hashOf(cert, 0)), "group-url-mismatch", "404 Not Found", connect.Unusable},
		"password":     {change(ok, func(c *loginConfig) { c.password = secret.New("no") }), "login-refused", "401 Authentication failed", connect.Denied},
		"no password":  {change(ok, func(c *loginConfig) { c.password = secret.String{} }), "login-refused", "no VPN password was given", connect.Denied},
		"busy":         {change(ok, func(c *loginConfig) { c.user = "crowd" }), "login-refused", "503", connect.Unusable},
		"old on new":   {change(ok, func(c *loginConfig) { c.profile = tlsOld }), "tls-version", "protocol version", connect.Unusable},
		"new on 1.3":   {loginFor("https://"+modern+"/PhoneVPN", hashOf(cert, 0)), "tls-version", "protocol version", connect.Unusable},
		"no suite":     {loginFor("https://"+strange+"/PhoneVPN", hashOf(cert, 0)), "tls-cipher", "handshake failure", connect.Unusable},
		"old TLS, URL": {loginFor("https://"+old+"/PhoneVPN", hashOf(cert, 0)), "group-url-mismatch", "404", connect.Unusable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := login(limited(t), c.cfg)
			var step *stepError
			if !errors.As(err, &step) {
				t.Fatalf("login: %v, want a finding", err)
			}
			if f := step.Finding(); f.Code != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("finding %s: %v; want %s with %q", f.Code, err, c.code, c.says)
			}
			if len(step.finding.Evidence) != 1 || strings.Contains(err.Error(), "pw") {
				t.Errorf("evidence %v for %v", step.finding.Evidence, err)
			}
			if got := failureOf(err); got != c.failure {
				t.Errorf("failure %d, want %d", got, c.failure)
			}
		})
	}
	t.Run("host check off", func(t *testing.T) {
		t.Parallel()
		cfg := loginFor("https://"+misnamed+"/PhoneVPN", hashOf(elsewhere, 0))
		cfg.checkHost = false
		in, err := login(limited(t), cfg)
		if err != nil {
			t.Fatal(err)
		}
		in.conn.Close()
	})
	t.Run("not a URL", func(t *testing.T) {
		t.Parallel()
		if _, err := login(limited(t), loginFor("http://h/")); err == nil || failureOf(err) != connect.Unusable {
			t.Errorf("login: %v", err)
		}
	})
}

// refusing returns an address that nobody listens on.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// serveRaw answers each connection's requests with one of replies each, then hangs up when it is nil.
func serveRaw(t *testing.T, cert tls.Certificate, replies ...string) string {
	t.Helper()
	l, err := tls.Listen("tcp4", "127.0.0.1:0", newSettings(cert))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, reply := range replies {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 4096)
			conn.Read(buffer)
			io.WriteString(conn, reply)
			if strings.Contains(reply, "stay") {
				conn.Read(buffer) // until the phone hangs up
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

const opened = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n" +
	"Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure\r\nSet-Cookie: webvpnlogin=1; secure\r\n\r\n"

// TestLoginReconnects meets a gateway that closes the connection after each reply, as the old ones do.
func TestLoginReconnects(t *testing.T) {
	t.Parallel()
	cert := testcert.RSA("127.0.0.1")
	posted := "HTTP/1.0 200 OK\r\nSet-Cookie: webvpn=tok; secure\r\n\r\n<html>"
	address := serveRaw(t, cert, opened, posted, "stay")
	in, err := login(limited(t), loginFor("https://"+address+"/x", hashOf(cert, 0)))
	if err != nil {
		t.Fatal(err)
	}
	in.conn.Close()
	if in.cookie.Reveal() != "tok" {
		t.Errorf("cookie %q", in.cookie.Reveal())
	}
}

func TestLoginAgainstNonsense(t *testing.T) {
	t.Parallel()
	cert := testcert.RSA("127.0.0.1")
	for name, c := range map[string]struct{ reply, says string }{
		"cut":        {"HTTP/1.1 200 OK\r\nContent-Le", "missing colon"},
		"nothing":    {"", "EOF"},
		"not HTTP":   {"SSH-2.0-x\r\n\r\n", "malformed HTTP"},
		"too much":   {strings.Replace(opened, "Connection: close\r\n", "", 1) + "more", "4 bytes after the end"},
		"short body": {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serveRaw(t, cert, c.reply)
			_, err := login(limited(t), loginFor("https://"+address+"/x", hashOf(cert, 0)))
			var step *stepError
			if !errors.As(err, &step) || step.finding.Code != finding.GatewayUnreachable.Code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("login: %v, want gateway-unreachable with %q", err, c.says)
			}
		})
	}
}

// TestLoginEndsInTime meets gateways that never answer, before and after the handshake.
func TestLoginEndsInTime(t *testing.T) {
	t.Parallel()
	cert := testcert.RSA("127.0.0.1")
	mute, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mute.Close() })
	for name, address := range map[string]string{"no handshake": mute.Addr().String(), "no reply": serveRaw(t, cert, "stay")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
			defer cancel()
			_, err := login(ctx, loginFor("https://"+address+"/x", hashOf(cert, 0)))
			var step *stepError
			if !errors.As(err, &step) || step.finding.Code != finding.GatewayUnreachable.Code {
				t.Errorf("login: %v, want gateway-unreachable", err)
			}
		})
	}
}
