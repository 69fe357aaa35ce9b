//go:build interop

package gnutls_test

import (
	"os"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// TestOldSuites offers what openssl has forgotten how to say, to a gateway with old phones.
func TestOldSuites(t *testing.T) {
	o := office.New(t, "--legacy-phones")
	o.Serve()
	const rest = ":+MD5:+SHA1:+SHA256:+AEAD:+RSA:+DHE-RSA:+ECDHE-RSA:+GROUP-ALL:+COMP-NULL:+SIGN-ALL:+CTYPE-X509"
	for _, c := range []struct {
		cipher, versions string
		want             string // empty: refused
	}{
		{"AES-128-CBC", "+VERS-TLS1.0", "(TLS1.0-X.509)-(RSA)-(AES-128-CBC)-(SHA1)"},
		{"AES-256-CBC", "+VERS-TLS1.0", "(TLS1.0-X.509)-(RSA)-(AES-256-CBC)-(SHA1)"},
		{"AES-128-CBC", "+VERS-TLS1.1", "(TLS1.1-X.509)-(RSA)-(AES-128-CBC)-(SHA1)"},
		{"AES-128-CBC", "+VERS-TLS1.2", "(TLS1.2-X.509)-(RSA)-(AES-128-CBC)-(SHA1)"},
		{"AES-128-GCM", "+VERS-TLS1.2", "(TLS1.2-X.509)-(ECDHE-"},
		{"3DES-CBC", "+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2", ""},
		{"ARCFOUR-128", "+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2", ""},
		{"NULL", "+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2", ""},
		{"CAMELLIA-128-CBC", "+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2", ""},
		{"AES-128-CCM", "+VERS-TLS1.2", ""},
	} {
		out, err := o.Run(o.Client, "", office.Peer(t, "gnutls-cli"), "--insecure", "--priority", "NONE:"+c.versions+":+"+c.cipher+rest, office.Outside)
		up := strings.Contains(out, "Handshake was completed")
		switch {
		case c.want == "" && (up || err == nil || !strings.Contains(out, "alert")):
			t.Errorf("%s at %s is not refused: %v\n%s", c.cipher, c.versions, err, out)
		case c.want != "" && (!up || !strings.Contains(out, c.want)):
			t.Errorf("%s at %s: want %s, %v\n%s", c.cipher, c.versions, c.want, err, out)
		}
	}
}
