//go:build interop

package serve_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// standalone is a gateway that knows nothing of the office but its call manager's address: a host of its own,
// with its own certificate and users.
type standalone struct {
	name, dir, url string
	host           *testnet.Host
	serve          *office.Program
}

// failTime is what a phone waits for a gateway that says nothing, in seconds.
const failTime = 10

func newStandalone(t *testing.T, o *office.Office, n int) *standalone {
	t.Helper()
	outside, inside, pool := fmt.Sprintf("198.51.%d.2", 100+n), fmt.Sprintf("10.20.%d.2", n), fmt.Sprintf("10.21.%d.0/24", n)
	g := &standalone{name: fmt.Sprintf("gateway-%d", n), dir: filepath.Join(t.TempDir(), "gateway"), url: "https://" + outside + "/phone"}
	var err error
	g.host, err = testnet.NewHost(g.name, nil)
	must(t, err)
	t.Cleanup(func() { must(t, g.host.Close()) })
	network := func(format string) netip.Prefix { return netip.MustParsePrefix(format) }
	must(t, testnet.Connect(o.Client, fmt.Sprintf("to%d", n), network(fmt.Sprintf("198.51.%d.9/24", 100+n)), g.host, "outside", network(outside+"/24")))
	must(t, testnet.Connect(o.Gateway, fmt.Sprintf("to%d", n), network(fmt.Sprintf("10.20.%d.1/24", n)), g.host, "inside", network(inside+"/24")))
	must(t, g.host.Route(network(office.Network), netip.MustParseAddr(fmt.Sprintf("10.20.%d.1", n))))
	must(t, o.Gateway.Route(network(pool), netip.MustParseAddr(inside)))
	must(t, o.Inside.Route(network(pool), netip.MustParseAddr(office.Inside)))
	g.longcord(t, o, "", "init", g.dir, "--url", g.url, "--outside", outside, "--inside", inside, "--pool", pool, "--pbx", office.Inside)
	g.serve = o.Start(g.host, program(), "serve", "-c", filepath.Join(g.dir, configuration), "--only", "gateway")
	g.serve.Wait("ready")
	g.longcord(t, o, password+"\n", "-c", filepath.Join(g.dir, configuration), "users", "add", user, "--password-stdin")
	return g
}

func (g *standalone) longcord(t *testing.T, o *office.Office, input string, args ...string) {
	t.Helper()
	if out, err := o.Run(g.host, input, program(), args...); err != nil {
		t.Fatalf("%s: longcord %q: %v\n%s", g.name, args, err, out)
	}
}

// A phone whose file names two gateways, each alone and neither knowing of the other, is registered by the
// second within a bounded time, whatever has become of the first.
func TestSecondGateway(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	must(t, o.Gateway.Forward())
	system := o.Start(o.Gateway, program(), "serve", "-c", o.Path(configuration), "--only", "provisioner,callmanager")
	system.Wait("ready")
	first, second := newStandalone(t, o, 1), newStandalone(t, o, 2)
	objects := fmt.Sprintf("kind: VPNProfile\nname: home\nautoNetworkDetection: true\npasswordPersistence: true\nenableHostIDCheck: true\nkeepAlive: 20\nfailToConnect: %d\n", failTime)
	for _, g := range []*standalone{first, second} {
		if out, code := run(t, o, "", "-c", o.Path(configuration), "certs", "import", g.name, filepath.Join(g.dir, "certificates/gateway.pem")); code != 0 {
			t.Fatalf("certs import: %s", out)
		}
		objects += fmt.Sprintf("---\nkind: VPNGateway\nname: %s\nurl: %s\ncertificates: [%s]\n", g.name, g.url, g.name)
	}
	objects += "---\nkind: VPNGroup\nname: phones\ngateways: [gateway-1, gateway-2]\n"
	path := filepath.Join(t.TempDir(), "two.yaml")
	must(t, os.WriteFile(path, []byte(objects), 0o600))
	if out, code := run(t, o, "", "-c", o.Path(configuration), "apply", "-f", path); code != 0 {
		t.Fatalf("apply: %s", out)
	}
	h := newHousehold(t, o)

	register := func(what string, at *standalone, within time.Duration) {
		t.Helper()
		began := time.Now()
		phone := h.stay(t)
		took := time.Since(began)
		t.Logf("%s: registered after %v", what, took.Round(100*time.Millisecond))
		if took > within {
			t.Errorf("%s: registered after %v, want %v at most", what, took, within)
		}
		out, err := o.Run(at.host, "", program(), "-c", filepath.Join(at.dir, configuration), "sessions", "list")
		if err != nil || !strings.Contains(out, user) {
			t.Errorf("%s: %s has no session: %v\n%s", what, at.name, err, out)
		}
		phone.Signal(syscall.SIGTERM)
		phone.Ended()
	}
	const slow = 45 * time.Second // what a busy machine may add
	register("the first lives", first, slow)

	mustRun(t, o, first.host, "nft add table ip silence")
	mustRun(t, o, first.host, "nft add chain ip silence in { type filter hook input priority 0 ; }")
	mustRun(t, o, first.host, "nft add rule ip silence in iifname outside drop")
	register("the first is silent", second, failTime*time.Second+slow)
	mustRun(t, o, first.host, "nft delete table ip silence")

	first.serve.Signal(syscall.SIGUSR1)
	first.serve.Wait("gateway drains")
	register("the first drains", second, slow)
	if code := first.serve.Ended(); code != 0 {
		t.Errorf("the first ends with %d", code)
	}

	register("the first refuses connections", second, slow)
	h.talk(t)
}
