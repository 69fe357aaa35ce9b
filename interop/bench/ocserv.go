package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/longcord/longcord/internal/testcert"
)

// ocservConfig is ocserv at its best: no sandbox around its workers, no limits that a load test meets, no
// probing of MTUs, no compression.
const ocservConfig = `auth = "plain[passwd=%[1]s/passwd]"
listen-host = 203.0.113.2
tcp-port = 443
udp-port = 443
run-as-user = root
run-as-group = root
socket-file = %[1]s/socket
server-cert = %[1]s/cert.pem
server-key = %[1]s/key.pem
pid-file = %[1]s/pid
isolate-workers = false
max-clients = 0
max-same-clients = 0
rate-limit-ms = 0
max-ban-score = 0
keepalive = 300
dpd = 60
mobile-dpd = 300
try-mtu-discovery = false
compression = false
device = vpns
ipv4-network = 10.99.0.0/20
cookie-timeout = 300
auth-timeout = 240
cisco-client-compat = true
dtls-legacy = true
use-occtl = false
predictable-ips = false
ping-leases = false
rekey-time = 172800
log-level = 0
`

// startOcserv starts ocserv with one user, who may log in as often as he likes.
func startOcserv(ctx context.Context, o options, l *laboratory, dir string) (*gateway, error) {
	program, err := exec.LookPath("ocserv")
	if err != nil {
		return nil, err
	}
	certificate, key := testcert.PEM(testcert.RSA("203.0.113.2"))
	files := map[string]string{"ocserv.conf": fmt.Sprintf(ocservConfig, dir), "cert.pem": certificate, "key.pem": key}
	if !o.rsa {
		files["ocserv.conf"] += fmt.Sprintf("server-cert = %[1]s/ecdsa.pem\nserver-key = %[1]s/ecdsa-key.pem\n", dir)
		files["ecdsa.pem"], files["ecdsa-key.pem"] = testcert.PEM(testcert.ECDSA("203.0.113.2"))
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if _, err := runOn(ctx, l.gateway, password+"\n"+password+"\n", patience, "ocpasswd", "-c", filepath.Join(dir, "passwd"), "test"); err != nil {
		return nil, err
	}
	p, err := start(l.gateway, "listening (UDP)", onGatewayCore(program, "-f", "-c", filepath.Join(dir, "ocserv.conf")))
	if err != nil {
		return nil, err
	}
	return &gateway{program: p, url: "https://203.0.113.2/", user: func(int) string { return "test" }}, nil
}
