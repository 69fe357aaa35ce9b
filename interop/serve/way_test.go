//go:build interop

package serve_test

import (
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// edit replaces text in a file of the set-up.
func edit(t *testing.T, o *office.Office, file, old, new string) {
	t.Helper()
	text := read(t, o.Path(file))
	if !strings.Contains(text, old) {
		t.Fatalf("%s holds no %q", file, old)
	}
	must(t, os.WriteFile(o.Path(file), []byte(strings.Replace(text, old, new, 1)), 0o600))
}

// A pool that asks for NAT needs nothing from the office, and a tunneled default route leads beyond it,
// while the machine's own default route leads outside.
func TestNATAndTunneledDefaultRoute(t *testing.T) {
	t.Parallel()
	o := alone(t)
	const beyond = "198.51.100.9"
	for _, words := range []string{"ip addr add " + beyond + "/32 dev lo", "ip route add default via " + office.Inside} {
		mustRun(t, o, o.Inside, words)
	}
	mustRun(t, o, o.Gateway, "ip route add default via 203.0.113.9")
	edit(t, o, inventory, "network: "+office.Pool, "network: 10.8.0.0/24\nnat: true")
	edit(t, o, inventory, "["+office.Network+"]", "["+office.Network+", 198.51.100.0/24]")
	edit(t, o, configuration, "outside:", "gateway: {tunneledDefaultRoute: ["+office.Desk+"]}\noutside:")
	before := stateOf(t, o)
	serve := o.Start(o.Gateway, os.Getenv("LONGCORD"), "serve", "-c", o.Path(configuration), "--only", "gateway")
	serve.Wait("ready")
	if said := serve.Output(); strings.Contains(said, "no-route-to-pool") {
		t.Errorf("it says of a pool with NAT:\n%s", said)
	}
	if out, code := run(t, o, "rosebud7\n", "-c", o.Path(configuration), "users", "passwd", "anna", "--password-stdin"); code != 0 {
		t.Fatalf("users passwd: %s", out)
	}
	c := openconnect(t, o, "https://"+office.Outside+"/computers", "anna", "rosebud7")
	mustRun(t, o, o.Client, "ip route add 198.51.100.0/24 dev tun0")
	for _, address := range []string{office.Desk, beyond} {
		if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "2", "-i", "0.2", "-W", "5", address); err != nil {
			t.Errorf("ping %s through the tunnel: %v\n%s", address, err, out)
		}
	}
	c.Kill()
	serve.Signal(syscall.SIGTERM)
	serve.Ended()
	compare(t, before, stateOf(t, o))
}

// What breaks while it runs is said, and what is mended is too.
func TestWayBackBreaksLater(t *testing.T) {
	t.Parallel()
	o := office.New(t, "--pool", "10.8.0.0/24")
	mustRun(t, o, o.Gateway, "ip route add default via "+office.Desk)
	mustRun(t, o, o.Inside, "ip route add 10.8.0.0/24 via "+office.Inside)
	serve := o.Serve()
	if said := serve.Output(); strings.Contains(said, "no-route-to-pool") || strings.Contains(said, "forwarding-off") {
		t.Fatalf("it says at the start:\n%s", said)
	}
	mark := serve.Mark()
	mustRun(t, o, o.Inside, "ip route del 10.8.0.0/24")
	must(t, o.Gateway.Sysctl("net.ipv4.conf.inside.forwarding", "0"))
	touch(t, o)
	serve.WaitAfter(mark, "finding=forwarding-off")
	serve.WaitAfter(mark, "finding=no-route-to-pool")
	for _, want := range []string{"forwarding-off", "no-route-to-pool"} {
		if out, _ := run(t, o, "", "-c", o.Path(configuration), "show", "findings"); !strings.Contains(out, want) {
			t.Errorf("show findings has no %s:\n%s", want, out)
		}
	}
	mark = serve.Mark()
	mustRun(t, o, o.Inside, "ip route add 10.8.0.0/24 via "+office.Inside)
	must(t, o.Gateway.Sysctl("net.ipv4.conf.inside.forwarding", "1"))
	touch(t, o)
	serve.WaitAfter(mark, "finding=forwarding-off")
	serve.WaitAfter(mark, "finding=no-route-to-pool")
	out, _ := run(t, o, "", "-c", o.Path(configuration), "show", "findings")
	for _, gone := range []string{"forwarding-off", "no-route-to-pool"} {
		if strings.Contains(out, gone) {
			t.Errorf("show findings still has %s:\n%s", gone, out)
		}
	}
	mark = serve.Mark()
	mustRun(t, o, o.Gateway, "nft flush ruleset")
	touch(t, o)
	serve.WaitAfter(mark, "packet filter rules")
	if out, err := o.Run(o.Gateway, "", office.Peer(t, "nft"), "list", "ruleset"); err != nil || !strings.Contains(out, "maxseg") {
		t.Errorf("the packet filter: %v\n%s", err, out)
	}
}

// touch changes a route of the gateway's host, so that serve looks at once.
func touch(t *testing.T, o *office.Office) {
	t.Helper()
	must(t, o.Gateway.Route(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParseAddr("203.0.113.9")))
	mustRun(t, o, o.Gateway, "ip route del 192.0.2.0/24")
}

func mustRun(t *testing.T, o *office.Office, h *testnet.Host, words string) {
	t.Helper()
	args := strings.Fields(words)
	if out, err := o.Run(h, "", office.Peer(t, args[0]), args[1:]...); err != nil {
		t.Fatalf("%s: %v\n%s", words, err, out)
	}
}
