//go:build interop

package doctor_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
)

// takesLogins is what a gateway says to a phone that has the right group URL. s_server sends it from a file.
const takesLogins = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" +
	"Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure\r\nSet-Cookie: webvpnlogin=1; secure\r\n\r\n"

// server is a TLS server of somebody else, at 127.0.0.1.
type server struct {
	dir, port   string
	certificate tls.Certificate
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// certified writes a certificate and its key to a folder.
func certified(t *testing.T, dir string, c tls.Certificate) (certificate, key string) {
	t.Helper()
	certificate, key = testcert.PEM(c)
	return write(t, dir, "cert.pem", certificate), write(t, dir, "key.pem", key)
}

var accepting = regexp.MustCompile(`ACCEPT \S*:(\d+)`)

// opensslServer starts s_server, which takes one connection after the other.
func opensslServer(t *testing.T, certificate tls.Certificate, args ...string) server {
	t.Helper()
	s := server{dir: t.TempDir(), certificate: certificate}
	write(t, s.dir, "phones", takesLogins)
	file, key := certified(t, s.dir, certificate)
	cmd := exec.Command(office.Peer(t, "openssl"), append([]string{"s_server", "-accept", "127.0.0.1:0", "-cert", file, "-key", key, "-HTTP"}, args...)...)
	cmd.Dir = s.dir
	p := office.LaunchCommand(t, cmd)
	s.port = accepting.FindStringSubmatch(p.Wait("ACCEPT"))[1]
	return s
}

// gnutlsServer starts gnutls-serv.
func gnutlsServer(t *testing.T, certificate tls.Certificate, priority string) server {
	t.Helper()
	s := server{dir: t.TempDir(), certificate: certificate, port: fmt.Sprint(office.Port())}
	file, key := certified(t, s.dir, certificate)
	p := office.Launch(t, office.Peer(t, "gnutls-serv"), "--http", "--disable-client-cert", "--port", s.port,
		"--x509certfile", file, "--x509keyfile", key, "--priority", priority)
	p.Wait("listening on IPv4")
	return s
}

// spare is the hash of a certificate that nobody presents.
var spare = verify.HashOf([]byte("spare")).String()

// file writes a phone's file for the server and returns its path.
func (s server) file(t *testing.T, path, hash string) string {
	t.Helper()
	d := &cnf.Device{
		Protocol: cnf.SIP, Pool: cnf.DevicePool{CallManagers: []cnf.CallManager{{Host: "10.20.0.1"}}},
		VPN: &cnf.VPNGroup{URLs: []string{"https://127.0.0.1:" + s.port + path}, MTU: 1290, FailConnectTime: 30,
			CertificateHashes: []string{hash, spare}, EnableHostIDCheck: true},
	}
	if err := d.Stamp(); err != nil {
		t.Fatal(err)
	}
	content, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return write(t, t.TempDir(), "SEP.cnf.xml", string(content))
}

func (s server) hash() string { return verify.HashOf(s.certificate.Certificate[0]).String() }

func here(cmd *exec.Cmd) error { return cmd.Start() }

var authority = testcert.NewAuthority("An Authority", nil)

func issued(change func(*x509.Certificate)) tls.Certificate {
	return authority.Issue("vpn", func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		if change != nil {
			change(c)
		}
	})
}

// TestOpenSSL walks up to s_server in its many moods, as an old phone and as a new one.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	const old, fresh = "CP-7962G", "CP-8861"
	ca := write(t, t.TempDir(), "ca.pem", authority.PEM())
	good := issued(nil)
	for name, c := range map[string]struct {
		certificate tls.Certificate
		args        []string
		model       string
		path        string // of the group URL; empty: /phones
		hash        string // in the phone's file; empty: the right one
		verdict     string
		codes       string
		progress    string
	}{
		"healthy":                   {certificate: good, model: fresh, verdict: "ok", progress: "nobody was logged in"},
		"healthy, TLS 1.0":          {certificate: good, args: []string{"-tls1", "-cipher", "ALL:@SECLEVEL=0"}, model: fresh, verdict: "ok", progress: "TLS 1.0 with"},
		"healthy, TLS 1.0, old":     {certificate: good, args: []string{"-tls1", "-cipher", "ALL:@SECLEVEL=0"}, model: old, verdict: "ok", progress: "TLS 1.0 with TLS_RSA_WITH_AES_"},
		"another certificate":       {certificate: good, model: fresh, hash: verify.HashOf(authority.Certificate.Raw).String(), verdict: "fault", codes: "certificate-hash-mismatch"},
		"TLS 1.2 for an old phone":  {certificate: good, args: []string{"-no_tls1", "-no_tls1_1"}, model: old, verdict: "fault", codes: "tls-version", progress: "takes TLS 1.3"},
		"TLS 1.0 by security level": {certificate: good, model: old, verdict: "fault", codes: "tls-version"},
		"TLS 1.3 alone":             {certificate: good, args: []string{"-tls1_3"}, model: fresh, verdict: "fault", codes: "tls-version"},
		"no cipher for an old phone": {certificate: good, args: []string{"-tls1", "-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0"}, model: old, verdict: "fault", codes: "tls-cipher",
			progress: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
		"no cipher for a new phone": {certificate: good, args: []string{"-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"}, model: fresh, verdict: "fault", codes: "tls-cipher"},
		"another host": {certificate: issued(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"gw.example.net"} }),
			model: fresh, verdict: "fault", codes: "host-id-mismatch", progress: "names gw.example.net"},
		"wildcard": {certificate: issued(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"*.0.0.1"} }),
			model: fresh, verdict: "fault", codes: "host-id-mismatch"},
		"another URL": {certificate: good, model: fresh, path: "/nothing", verdict: "fault", codes: "group-url-mismatch"},
		"a certificate is wanted": {certificate: good, args: []string{"-tls1_2", "-Verify", "1", "-CAfile", ca}, model: fresh, verdict: "insufficient",
			progress: "An Authority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := opensslServer(t, c.certificate, c.args...)
			if c.path == "" {
				c.path = "/phones"
			}
			if c.hash == "" {
				c.hash = s.hash()
			}
			r := judge(t, here, "", "--file", s.file(t, c.path, c.hash), "--model", c.model)
			r.expect(t, c.verdict, c.codes)
			if !strings.Contains(r.progress, c.progress) {
				t.Errorf("%q is not told:\n%s", c.progress, r.progress)
			}
		})
	}
}

// TestExpired walks up to a certificate whose time is over. Phones do not look at it; others do.
func TestExpired(t *testing.T) {
	t.Parallel()
	s := opensslServer(t, issued(func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}))
	r := judge(t, here, "", "--file", s.file(t, "/phones", s.hash()))
	if r.codes() != "certificate-expired" {
		t.Errorf("found %q\n%+v\n%s", r.codes(), r.Findings, r.progress)
	}
}

// TestGnuTLS walks up to gnutls-serv, which knows nothing of phones.
func TestGnuTLS(t *testing.T) {
	t.Parallel()
	good := issued(nil)
	for name, c := range map[string]struct{ priority, model, codes string }{
		"no gateway for phones": {"NORMAL", "CP-8861", "group-url-mismatch"},
		"TLS 1.0, old":          {"NORMAL:-VERS-ALL:+VERS-TLS1.0", "CP-7962G", "group-url-mismatch"},
		"TLS 1.2, old":          {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "CP-7962G", "tls-version"},
		"TLS 1.3":               {"NORMAL:-VERS-ALL:+VERS-TLS1.3", "CP-8861", "tls-version"},
		"no RSA":                {"NORMAL:-VERS-ALL:+VERS-TLS1.0:-RSA", "CP-7962G", "tls-cipher"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := gnutlsServer(t, good, c.priority)
			judge(t, here, "", "--file", s.file(t, "/phones", s.hash()), "--model", c.model).expect(t, "fault", c.codes)
		})
	}
}

// TestNobody walks up to a port where nobody is.
func TestNobody(t *testing.T) {
	t.Parallel()
	judge(t, here, "", "--url", "https://127.0.0.1:"+fmt.Sprint(office.Port())+"/phones").expect(t, "fault", "gateway-unreachable")
}
