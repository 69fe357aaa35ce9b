//go:build interop

package serve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// tunnelScript configures openconnect's tunnel the plain way and says what it was given.
const tunnelScript = `#!/bin/sh
case $reason in
connect)
	ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
	ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
	for network in ${TUNNEL_ROUTES:-10.20.0.0/24}; do ip route replace "$network" dev "$TUNDEV"; done
	;;
esac
echo "script $reason $INTERNAL_IP4_ADDRESS"
`

// openconnect connects the client's host, and returns when its tunnel is configured.
func openconnect(t *testing.T, o *office.Office, at, user, password string, flags ...string) *office.Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	must(t, os.WriteFile(path, []byte(tunnelScript), 0o755))
	pinned, _ := o.Run(o.Client, "", office.Peer(t, "openconnect"), "--authenticate", at)
	_, after, found := strings.Cut(pinned, "--servercert ")
	if !found {
		t.Fatalf("openconnect names no fingerprint:\n%s", pinned)
	}
	args := append([]string{"--user", user, "--passwd-on-stdin", "--servercert", strings.Fields(after)[0], "--script", path, "--verbose"}, flags...)
	p := o.StartWith(o.Client, password+"\n", office.Peer(t, "openconnect"), append(args, at)...)
	p.Wait("script connect ")
	return p
}
