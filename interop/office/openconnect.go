package office

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/longcord/longcord/internal/testnet"
)

// script configures openconnect's tunnel the plain way and says what it was given.
const script = `#!/bin/sh
case $reason in
connect)
	ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
	ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
	ip route replace 10.20.0.0/24 dev "$TUNDEV"
	;;
esac
echo "script $reason $INTERNAL_IP4_ADDRESS"
`

// OpenConnect is a running openconnect with an inner address.
type OpenConnect struct {
	*Program
	Address string // inner
}

// OpenConnect logs a user in from a host outside and waits for the tunnel.
func (o *Office) OpenConnect(h *testnet.Host, user, password string, flags ...string) OpenConnect {
	o.t.Helper()
	p := o.TryOpenConnect(h, user, password, flags...)
	return OpenConnect{p, strings.Fields(p.Wait("script connect "))[2]}
}

// TryOpenConnect starts openconnect, whatever comes of it.
func (o *Office) TryOpenConnect(h *testnet.Host, user, password string, flags ...string) *Program {
	o.t.Helper()
	path := filepath.Join(o.t.TempDir(), "script")
	o.must(os.WriteFile(path, []byte(script), 0o755))
	args := []string{"--user", user, "--passwd-on-stdin", "--servercert", o.Pin(h, flags...), "--script", path, "--verbose"}
	return o.StartWith(h, password+"\n", Peer(o.t, "openconnect"), append(append(args, flags...), URL)...)
}

// Pin is the gateway's certificate that openconnect meets with these flags, as it wants it named.
func (o *Office) Pin(h *testnet.Host, flags ...string) string {
	o.t.Helper()
	said, _ := o.Run(h, "", Peer(o.t, "openconnect"), append([]string{"--authenticate", URL}, flags...)...)
	_, after, found := strings.Cut(said, "--servercert ")
	if !found {
		o.t.Fatalf("openconnect names no fingerprint:\n%s", said)
	}
	return strings.Fields(after)[0]
}
