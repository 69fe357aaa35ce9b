//go:build interop

package doctor_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// ocservSettings are of a gateway for computers; more may be added.
const ocservSettings = `auth = "plain[passwd=%[1]s/passwd]"
listen-host = %[2]s
tcp-port = %[3]s
udp-port = %[3]s
run-as-user = root
run-as-group = root
socket-file = %[1]s/sock
pid-file = %[1]s/pid
server-cert = %[1]s/cert.pem
server-key = %[1]s/key.pem
isolate-workers = false
sec-mod-scale = 1
max-same-clients = 0
keepalive = 20
dpd = 30
mtu = 1400
device = lc-vpn
ipv4-network = 10.88.0.0/24
cookie-timeout = 300
cisco-client-compat = true
dtls-legacy = true
use-occtl = false
tls-priorities = "NORMAL:%%SERVER_PRECEDENCE:%%COMPAT:-VERS-TLS1.3"
`

// TestOcserv walks up to an ocserv that knows nothing of phones' logins, as Debian 12's does: a phone says that its URL is
// wrong, and computers get on.
func TestOcserv(t *testing.T) {
	t.Parallel()
	s := server{dir: t.TempDir(), certificate: issued(nil), port: freePort(t)}
	certified(t, s.dir, s.certificate)
	settings := write(t, s.dir, "ocserv.conf", fmt.Sprintf(ocservSettings, s.dir, "127.0.0.1", s.port))
	passwd := exec.Command(office.Peer(t, "ocpasswd"), "-c", s.dir+"/passwd", "alice")
	passwd.Stdin = strings.NewReader(password + "\n" + password + "\n")
	if out, err := passwd.CombinedOutput(); err != nil {
		t.Fatalf("ocpasswd: %v\n%s", err, out)
	}
	office.Launch(t, office.Peer(t, "ocserv"), "-f", "-d", "3", "-c", settings).Wait("listening")
	r := judge(t, here, password+"\n", "--file", s.file(t, "/svc", s.hash()), "--user", "alice", "--password-stdin")
	r.expect(t, "fault", "group-url-mismatch")
	if !strings.Contains(r.progress, "computers can log in at https://127.0.0.1:"+s.port+"/") || len(r.Findings) == 0 || !strings.Contains(strings.Join(r.Findings[0].Fix, " "), "cisco-svc-client-compat") {
		t.Errorf("ocserv was not recognised:\n%+v\n%s", r.Findings, r.progress)
	}
}
