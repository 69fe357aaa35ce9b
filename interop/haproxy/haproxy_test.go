//go:build interop

// Package haproxy_test puts haproxy in front of the gateway: it hands TCP on and says who the client is.
package haproxy_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

const (
	front  = "203.0.113.9" // haproxy's host, as the gateway sees it
	client = "198.51.100.9"
)

const tunnelScript = `#!/bin/sh
[ "$reason" = connect ] || exit 0
ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
ip route replace 10.20.0.0/24 dev "$TUNDEV"
echo "script $reason"
`

// haproxy takes what is sent to the gateway's TCP port, and datagrams pass beside it under another address:
// the one session's TLS and DTLS come from two.
func haproxy(t *testing.T, o *office.Office, how string) *testnet.Host {
	t.Helper()
	home, err := testnet.NewHost("home", nil)
	must(t, err)
	t.Cleanup(func() { must(t, home.Close()) })
	must(t, testnet.Connect(home, "eth0", netip.MustParsePrefix(client+"/24"), o.Client, "eth1", netip.MustParsePrefix("198.51.100.1/24")))
	must(t, home.Route(netip.Prefix{}, netip.MustParseAddr("198.51.100.1")))
	must(t, o.Client.Forward())
	for _, rule := range []string{
		"add table ip front",
		"add chain ip front in { type nat hook prerouting priority -100; }",
		"add rule ip front in iifname eth1 tcp dport 443 redirect to :8443",
		"add chain ip front out { type nat hook postrouting priority 100; }",
		"add rule ip front out oifname eth0 udp dport 443 masquerade",
	} {
		if out, err := o.Run(o.Client, "", office.Peer(t, "nft"), rule); err != nil {
			t.Fatalf("nft %s: %v\n%s", rule, err, out)
		}
	}
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	must(t, os.WriteFile(path, fmt.Appendf(nil, `
defaults
	mode tcp
	timeout connect 20s
	timeout client 1h
	timeout server 1h
	option log-health-checks
	log stdout format raw local0
frontend outside
	bind 198.51.100.1:8443
	default_backend gateway
backend gateway
	server gateway %s:443 %s check inter 1s
`, office.Outside, how), 0o600))
	o.Start(o.Client, office.Peer(t, "haproxy"), "-db", "-f", path).Wait("Health check for server gateway/gateway succeeded")
	return home
}

func TestProxyProtocol(t *testing.T) {
	for name, how := range map[string]string{"version 1": "send-proxy", "version 2": "send-proxy-v2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := office.New(t)
			trust(t, o, front+"/32")
			serve := o.Serve()
			o.AddUser("anna", "rosebud7")
			home := haproxy(t, o, how)
			connect(t, o, home).Wait("Established DTLS connection")
			if out, err := o.Run(home, "", office.Peer(t, "ping"), "-c", "3", "-i", "0.2", "-W", "5", office.Desk); err != nil {
				t.Errorf("ping through the tunnel: %v\n%s", err, out)
			}
			out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list", "--json")
			if err != nil || !strings.Contains(out, `"peer": "`+client+":") || !strings.Contains(out, `"dtls_peer": "`+front+":") {
				t.Errorf("TLS is not from %s and DTLS from %s: %v\n%s", client, front, err, out)
			}
			refused(t, o, home)
			serve.Wait("peer=" + client)
			for line := range strings.Lines(serve.Output()) {
				if strings.Contains(line, "login refused") && !strings.Contains(line, "peer="+client) {
					t.Errorf("a wrong password counts for somebody else: %s", line)
				}
			}
		})
	}
}

// The same line from a host that is no proxy is rubbish: nobody logs in under another's address.
func TestProxyLineFromStranger(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	trust(t, o, "203.0.113.77/32")
	o.Serve()
	home := haproxy(t, o, "send-proxy-v2")
	out, err := o.Run(home, "", office.Peer(t, "curl"), "-sSk", "--max-time", "20", office.URL)
	if err == nil {
		t.Errorf("curl gets an answer: %s", out)
	}
	if out, err := o.Run(o.Client, "", office.Peer(t, "curl"), "-sSk", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", office.URL); err != nil || out == "000" {
		t.Errorf("without a proxy: %v %s", err, out)
	}
}

// trust names the proxy in the configuration.
func trust(t *testing.T, o *office.Office, network string) {
	t.Helper()
	path := o.Path("longcord.yaml")
	text, err := os.ReadFile(path)
	must(t, err)
	changed := strings.Replace(string(text), "gateway:\n", "gateway:\n  proxyProtocol: ["+network+"]\n", 1)
	must(t, os.WriteFile(path, []byte(changed), 0o600))
}

// connect starts openconnect and waits for its tunnel.
func connect(t *testing.T, o *office.Office, home *testnet.Host) *office.Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	must(t, os.WriteFile(path, []byte(tunnelScript), 0o755))
	openconnect := office.Peer(t, "openconnect")
	said, _ := o.Run(home, "", openconnect, "--authenticate", office.URL)
	_, after, found := strings.Cut(said, "--servercert ")
	if !found {
		t.Fatalf("openconnect names no fingerprint:\n%s", said)
	}
	p := o.StartWith(home, "rosebud7\n", openconnect, "--user", "anna", "--passwd-on-stdin", "--servercert", strings.Fields(after)[0],
		"--script", path, "--verbose", office.URL)
	p.Wait("script connect")
	return p
}

// refused tries a wrong password.
func refused(t *testing.T, o *office.Office, home *testnet.Host) {
	t.Helper()
	out, err := o.Run(home, "", office.Peer(t, "curl"), "-sSk", "-i", "-A", "Cisco SVC IPPhone Client v1.0", "--max-time", "60",
		"--data", "username=anna&password=wrong", office.URL)
	if err != nil || !strings.HasPrefix(out, "HTTP/1.1 401") {
		t.Errorf("a wrong password: %v\n%s", err, out)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
