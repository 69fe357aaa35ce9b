//go:build interop

package curl_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// ask has curl on the client's host send a phone's request to an office, and returns the whole reply.
func ask(t *testing.T, o *office.Office, args ...string) (string, error) {
	t.Helper()
	weak := filepath.Join(t.TempDir(), "openssl.cnf") // lets it load certificates signed with SHA-1
	if err := os.WriteFile(weak, []byte("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCipherString = DEFAULT:@SECLEVEL=0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"OPENSSL_CONF=" + weak, office.Peer(t, "curl"), "-sSk", "-i", "-A", "Cisco SVC IPPhone Client v1.0", "--max-time", "20"}, args...)
	out, err := o.Run(o.Client, "", "env", args...)
	return strings.ReplaceAll(out, "\r\n", "\n"), err
}

// oldTLS is what a 79xx phone speaks.
var oldTLS = []string{"--tlsv1.0", "--tls-max", "1.0", "--ciphers", "AES128-SHA:@SECLEVEL=0"}

// TestPhoneLoginAtOffice logs in to the whole system as a phone does. At TLS 1.0 OpenSSL, in curl, reads
// the records that the gateway writes by itself.
func TestPhoneLoginAtOffice(t *testing.T) {
	o := office.New(t, "--legacy-phones")
	o.Serve()
	o.AddUser("anna", "rosebud7&+%")
	for name, speak := range map[string][]string{"TLS 1.0": oldTLS, "TLS 1.0, AES-256": {"--tlsv1.0", "--tls-max", "1.0", "--ciphers", "AES256-SHA:@SECLEVEL=0"}, "TLS 1.3": nil} {
		t.Run(name, func(t *testing.T) {
			for what, c := range map[string]struct {
				args []string
				want string // empty: a cookie
			}{
				"GET":           {nil, form},
				"missing field": {[]string{"--data", "username=anna"}, form},
				"wrong":         {[]string{"--data", "username=anna&password=wrong"}, refused},
				"right":         {[]string{"--data", "username=anna&password=rosebud7%26%2B%25"}, ""},
				"other URL":     {[]string{office.URL + "s"}, "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n"},
			} {
				args := append(append([]string{}, speak...), c.args...)
				if what != "other URL" {
					args = append(args, office.URL)
				}
				got, err := ask(t, o, args...)
				if err != nil {
					t.Errorf("%s: %v\n%s", what, err, got)
				} else if c.want == "" && !in.MatchString(got) || c.want != "" && got != c.want {
					t.Errorf("%s: curl gets\n%s\nwant\n%s", what, got, c.want)
				}
			}
		})
	}
}

// TestOldTLSRefused: an office without old phones speaks no old TLS.
func TestOldTLSRefused(t *testing.T) {
	o := office.New(t)
	o.Serve()
	out, err := ask(t, o, append(oldTLS, office.URL)...)
	if err == nil || !strings.Contains(out, "alert") {
		t.Errorf("TLS 1.0 is not refused: %v\n%s", err, out)
	}
	if out, err := ask(t, o, "--ciphers", "AES128-SHA:@SECLEVEL=0", "--tls-max", "1.2", office.URL); err == nil || !strings.Contains(out, "alert") {
		t.Errorf("TLS 1.2 without ECDHE is not refused: %v\n%s", err, out)
	}
	if out, err := ask(t, o, office.URL); err != nil || !strings.HasPrefix(out, "HTTP/1.1 200 OK\n") {
		t.Errorf("TLS of today: %v\n%s", err, out)
	}
}

// TestHTTP10: nobody knows which version of HTTP phones speak. Who speaks the old one, and in TLS offers nothing else, is
// answered in it.
func TestHTTP10(t *testing.T) {
	o := office.New(t, "--legacy-phones")
	o.Serve()
	o.AddUser("anna", "rosebud7")
	for name, speak := range map[string][]string{"TLS 1.0": oldTLS, "TLS 1.3": nil} {
		for what, c := range map[string]struct{ data, want string }{
			"GET": {"", form}, "wrong": {"username=anna&password=wrong", refused},
		} {
			args := append(append([]string{}, speak...), "--http1.0", office.URL)
			if c.data != "" {
				args = append(args, "--data", c.data)
			}
			if got, err := ask(t, o, args...); err != nil || got != strings.Replace(c.want, "HTTP/1.1", "HTTP/1.0", 1) {
				t.Errorf("%s, %s: curl gets %v\n%s", name, what, err, got)
			}
		}
		got, err := ask(t, o, append(append([]string{}, speak...), "--http1.0", office.URL, "--data", "username=anna&password=rosebud7")...)
		if err != nil || !in.MatchString(strings.Replace(got, "HTTP/1.0", "HTTP/1.1", 1)) {
			t.Errorf("%s, right: curl gets %v\n%s", name, err, got)
		}
	}
}
