//go:build interop

package rollover_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// A PBX has the phones, so nobody here sees them register. That curl fetches a phone's file is no proof that the phone
// has it, unless it asks by the phone's own MAC address; of who asks from behind a router nobody knows, until the
// operator says that such fetches count.
func TestAsideByMAC(t *testing.T) {
	t.Parallel()
	h := &house{Office: office.New(t, "--pbx", office.Desk), t: t, dir: t.TempDir()}
	must(t, h.Inside.MAC("eth0", net.HardwareAddr{2, 0, 0, 0, 0x10, 1})) // the desk phone's
	visitor, far := h.visitors()
	config, err := os.ReadFile(h.Path("longcord.yaml"))
	must(t, err)
	text := strings.Replace(string(config), "\nprovisioner:\n", "\nprovisioner:\n  officeNetworks: [10.20.0.0/24, 10.21.0.0/24, 10.22.0.0/24]\n", 1)
	must(t, os.WriteFile(h.Path("longcord.yaml"), []byte(text), 0o600))
	serve := h.Serve()

	h.fetch(visitor, desk)
	h.refused(1, []string{"phones", "ready", desk}, "10.21.0.9 has another MAC address than the phone")
	h.refused(2, []string{"phones", "show", desk, "--live"}, "nobody knows its address")
	if out := h.good("", "phones", "show", desk); !strings.Contains(out, ", another MAC address") {
		t.Errorf("phones show:\n%s", out)
	}
	h.fetch(h.Inside, desk)
	if out := h.good("", "phones", "show", desk); !strings.Contains(out, ", the phone") {
		t.Errorf("phones show:\n%s", out)
	}
	h.newCertificate("given")
	h.good("", "certs", "rollover", "start", "--to", "given")
	swapped := filepath.Join(h.dir, "swapped.yaml")
	gateway := "kind: VPNGateway\nname: gateway\nurl: " + office.URL + "\ncertificates: [given, gateway, gateway-spare]\n"
	must(t, os.WriteFile(swapped, []byte(gateway), 0o600))
	for from, why := range map[*testnet.Host]string{visitor: "10.21.0.9 has another MAC address", far: "10.22.0.9 is behind a router"} {
		h.fetch(from, desk)
		h.refused(1, []string{"certs", "rollover", "status"}, desk, "a file with the hash was delivered, unproven: "+why)
		h.refused(1, []string{"certs", "rollover", "commit"}, desk)
		h.refused(1, []string{"plan", "-f", swapped}, desk, "would not come back", "unproven: "+why)
	}
	h.fetch(h.Inside, desk)
	h.good("", "certs", "rollover", "status")
	h.good("", "certs", "rollover", "commit")

	h.fetch(far, home)
	h.refused(1, []string{"phones", "ready", home}, "10.22.0.9 is behind a router", "countRouted")
	serve.Signal(os.Interrupt)
	serve.Ended()
	must(t, os.WriteFile(h.Path("longcord.yaml"), []byte(strings.Replace(text, "\nprovisioner:\n", "\nprovisioner:\n  countRouted: true\n", 1)), 0o600))
	h.Serve()
	if out, _ := h.command("", "phones", "ready", home); !strings.Contains(out, "its file as it is now arrived") {
		t.Errorf("phones ready:\n%s", out)
	}
}

// visitors are a host on a network of the office that the gateway is on, too, and one behind it.
func (h *house) visitors() (near, far *testnet.Host) {
	h.t.Helper()
	host := func(name string) *testnet.Host {
		made, err := testnet.NewHost(name, nil)
		must(h.t, err)
		h.t.Cleanup(func() { must(h.t, made.Close()) })
		return made
	}
	prefix := netip.MustParsePrefix
	near, far = host("visitor"), host("far")
	must(h.t, testnet.Connect(near, "eth0", prefix("10.21.0.9/24"), h.Gateway, "inside2", prefix("10.21.0.1/24")))
	must(h.t, testnet.Connect(far, "eth0", prefix("10.22.0.9/24"), near, "eth1", prefix("10.22.0.1/24")))
	must(h.t, near.Forward())
	must(h.t, near.Route(prefix("10.20.0.0/24"), netip.MustParseAddr("10.21.0.1")))
	must(h.t, far.Route(netip.Prefix{}, netip.MustParseAddr("10.22.0.1")))
	must(h.t, h.Gateway.Route(prefix("10.22.0.0/24"), netip.MustParseAddr("10.21.0.9")))
	return near, far
}

// fetch has curl fetch a phone's file.
func (h *house) fetch(from *testnet.Host, phone string) {
	h.t.Helper()
	out, err := h.Run(from, "", office.Peer(h.t, "curl"), "-sSf", "--max-time", "60", "-o", os.DevNull, "http://"+office.Inside+":6970/"+phone+".cnf.xml")
	if err != nil {
		h.t.Fatalf("curl: %v\n%s", err, out)
	}
}
