//go:build interop

// Package curl_test plays a phone's login by hand, with curl at TLS 1.0 and the suite of old phones.
package curl_test

import (
	"crypto/tls"
	"os/exec"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/loginserver"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/stage/verify"
)

func curl(t *testing.T, args ...string) string {
	t.Helper()
	path := office.Peer(t, "curl")
	out, err := exec.Command(path, append([]string{"-sk", "-i", "-A", "Cisco SVC IPPhone Client v1.0"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %q: %v\n%s", args, err, out)
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n")
}

func TestPhoneLogin(t *testing.T) {
	t.Parallel()
	const (
		in      = "HTTP/1.1 200 OK\nConnection: Keep-Alive\nContent-Length: 0\nSet-Cookie: webvpn=tok; secure\nX-Transcend-Version: 1\n\n"
		unknown = "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n"
	)
	old := []string{"--tlsv1.0", "--tls-max", "1.0", "--ciphers", "AES128-SHA:@SECLEVEL=0"}
	for name, args := range map[string][]string{"TLS 1.0": old, "TLS 1.2": {"--tls-max", "1.2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := loginserver.Start(t, loginserver.Config{
				TLS: &tls.Config{Certificates: []tls.Certificate{testcert.RSA("127.0.0.1")}, MinVersion: tls.VersionTLS10, CipherSuites: []uint16{
					tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA}},
				Verify: verify.Config{Group: func(host, path string) (verify.Group, bool) {
					return verify.Group{Name: "Phones", Phones: true, LegacyPhones: true}, path == "/PhoneVPN"
				}},
				Check: func(a verify.Authenticate) verify.Result {
					if a.User == "test" && a.Password.Reveal() == "s-cret" {
						return verify.Result{Verdict: verify.Accepted, Token: secret.New("tok")}
					}
					return verify.Result{}
				},
			})
			url := "https://" + s.Addr() + "/PhoneVPN"
			post := func(body string) string { return curl(t, append(args, "--data", body, url)...) }
			for what, c := range map[string]struct{ got, want string }{
				"GET":           {curl(t, append(args, url)...), form},
				"right":         {post("username=test&password=s%2Dcret"), in},
				"wrong":         {post("username=test&password=x"), refused},
				"missing field": {post("username=test"), form},
				"no body":       {curl(t, append(args, "-X", "POST", "-H", "Content-Length: 0", url)...), form},
				"other URL":     {curl(t, append(args, url+"s")...), unknown},
			} {
				if c.got != c.want {
					t.Errorf("%s: curl gets\n%s\nwant\n%s", what, c.got, c.want)
				}
			}
		})
	}
}
