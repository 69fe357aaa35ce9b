//go:build interop && trixie

package phone

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/office"
)

const ocservConfig = `listen-host = 127.0.0.1
tcp-port = %s
udp-port = 0
cisco-svc-client-compat = true
tls-priorities = "%s"
`

const (
	oldSuites = "NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-256-CBC"
	newSuites = "NORMAL:-VERS-ALL:+VERS-TLS1.2"
)

// startOcserv returns its address.
func startOcserv(t *testing.T, cert tls.Certificate, priorities string) string {
	t.Helper()
	address := refusing(t)
	_, port, _ := net.SplitHostPort(address)
	office.Ocserv{Root: office.OcservRoot(t), Certificate: cert, User: "alice", Password: "p w&+%",
		Settings: fmt.Sprintf(ocservConfig, port, priorities)}.Start(t)
	return address
}

// TestLoginAtOcserv logs in as a phone where real phones do.
func TestLoginAtOcserv(t *testing.T) {
	t.Parallel()
	cert := testcert.RSA("127.0.0.1")
	pin := hashOf(cert, 0)
	for name, c := range map[string]struct {
		priorities string
		profile    tlsProfile
	}{
		"old phone": {oldSuites, tlsOld},
		"new phone": {newSuites, tlsNew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := startOcserv(t, cert, c.priorities)
			cfg := loginFor("https://"+address+"/svc", pin)
			cfg.profile, cfg.password = c.profile, secret.New("p w&+%")
			in, err := login(limited(t), cfg)
			if err != nil {
				t.Fatal(err)
			}
			in.conn.Close()
			if len(in.cookie.Reveal()) < 20 || in.hash.String() != pin {
				t.Errorf("cookie of %d characters, hash %s", len(in.cookie.Reveal()), in.hash)
			}
			cfg.password = secret.New("wrong")
			if _, err := login(limited(t), cfg); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("wrong password: %v", err)
			}
			cfg = loginFor("https://"+address+"/elsewhere", pin)
			cfg.profile = c.profile
			if _, err := login(limited(t), cfg); err == nil || !strings.Contains(err.Error(), "wrong URL") {
				t.Errorf("wrong URL: %v", err)
			}
		})
	}
}
