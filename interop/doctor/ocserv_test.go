//go:build interop

package doctor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// ocservSettings are of a gateway for computers.
const ocservSettings = `listen-host = 127.0.0.1
tcp-port = %[1]s
udp-port = %[1]s
keepalive = 20
dpd = 30
mtu = 1400
cookie-timeout = 300
tls-priorities = "NORMAL:%%SERVER_PRECEDENCE:%%COMPAT:-VERS-TLS1.3"
`

// byCertificate has an ocserv take certificates alone.
func byCertificate(o *office.Ocserv) {
	o.Auth = "auth = \"certificate\"\nca-cert = %[1]s/ca.pem\ncert-user-oid = 2.5.4.3\n"
	o.Files = map[string]string{"ca.pem": authority.PEM()}
}

// TestOcserv walks up to an ocserv that knows nothing of phones' logins, as Debian 12's does: a phone says that its URL is
// wrong, and computers get on.
func TestOcserv(t *testing.T) {
	t.Parallel()
	s := server{certificate: issued(nil), port: fmt.Sprint(office.Port())}
	office.Ocserv{Certificate: s.certificate, User: "alice", Password: password, Settings: fmt.Sprintf(ocservSettings, s.port)}.Start(t)
	r := judge(t, here, password+"\n", "--file", s.file(t, "/svc", s.hash()), "--user", "alice", "--password-stdin")
	r.expect(t, "fault", "group-url-mismatch")
	if !strings.Contains(r.progress, "computers can log in at https://127.0.0.1:"+s.port+"/") || len(r.Findings) == 0 || !strings.Contains(strings.Join(r.Findings[0].Fix, " "), "cisco-svc-client-compat") {
		t.Errorf("ocserv was not recognised:\n%+v\n%s", r.Findings, r.progress)
	}
}
