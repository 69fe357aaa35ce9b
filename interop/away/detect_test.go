//go:build interop

package away_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// carried boots the phone in the office with these TFTP servers and takes it home, where its state is the one
// that is returned.
func (h *home) carried(tftp string) (state string) {
	h.t.Helper()
	state = h.t.TempDir()
	first := h.StartWith(h.Inside, "", os.Getenv("LONGCORD"), "phone", phone, "--tftp", tftp, "--state", state, "--json")
	first.Wait(`"step":"register","ok":true`)
	first.Kill()
	return state
}

const (
	asOnPhones = "ping-only"
	proof      = "proof"
	inside     = `"step":"detect","ok":true,"detail":"inside`
	outside    = `"step":"detect","ok":true,"detail":"outside`
	atOffice   = `"step":"register","ok":true`
)

// A home whose router names a TFTP server of its own, as option 150 does. A phone that listens to it and only
// pings never starts its VPN; by proof it does. With the office's address in both fields either way comes in.
func TestForeignTFTPAtHome(t *testing.T) {
	t.Parallel()
	h := newHome(t, "192.168.1.0/24")
	h.serve()
	const foreign, both = "192.168.1.1", office.Inside + "," + office.Inside
	state := h.carried(office.Inside)
	misled := h.boot(state, foreign, "--detect", asOnPhones)
	misled.Wait(inside)
	misled.Kill()
	h.boot(state, foreign, "--detect", proof).Wait(outside)
	safe := h.boot(h.carried(office.Inside), both, "--detect", asOnPhones, "--tun", "vpn7")
	safe.Wait(outside)
	safe.Wait(atOffice)
	// That the fields are as they must be only the phone knows: whoever asks is told to look.
	exit, states, _ := h.readiness()
	if exit != 3 || states["alternate-tftp"] != "unknown" {
		t.Errorf("phones ready: exit %d, alternate-tftp %s, want 3 and unknown", exit, states["alternate-tftp"])
	}
}

// A home that has the office's own range, with something at the file server's address: what only pings is misled,
// and `phones ready` has said so before it left.
func TestHomeWithTheOfficesRange(t *testing.T) {
	t.Parallel()
	const server = "192.168.178.5"
	h := newHome(t, "192.168.178.0/24", "--inside", server)
	must(t, h.Gateway.Address("inside", netip.MustParsePrefix(server+"/24")))
	must(t, h.Inside.Address("eth0", netip.MustParsePrefix("192.168.178.9/24")))
	h.serve()
	state := h.carried(server)
	if exit, states, codes := h.readiness(); exit != 1 || states["home-network"] != "unfit" || codes["home-network"] != "home-network-overlaps" {
		t.Errorf("phones ready: exit %d, home-network %s, %s", exit, states["home-network"], codes["home-network"])
	}
	if out, err := h.command("", "config", "check"); err != nil || !strings.Contains(out, "home-network-overlaps") {
		t.Errorf("config check: %v\n%s", err, out)
	}
	must(t, h.other.Address("eth0", netip.MustParsePrefix(server+"/24")))
	misled := h.boot(state, server, "--detect", asOnPhones)
	misled.Wait(inside)
	misled.Kill()
	h.boot(state, server, "--detect", proof).Wait(outside)
}

// With an address of its own for files the same phone, in the same home, finds that it is outside by pings alone,
// fetches its file through the tunnel and registers.
func TestOwnAddressForFiles(t *testing.T) {
	t.Parallel()
	const own = "10.47.11.5"
	h := newHome(t, "10.20.0.0/24", "--provisioner", own)
	h.serve()
	must(t, h.Inside.Route(netip.MustParsePrefix(own+"/32"), netip.MustParseAddr(office.Inside)))
	if made := h.invite(); made.Inside != own {
		t.Errorf("the invitation sends phones to %s, want %s", made.Inside, own)
	}
	if got := h.tftp(h.Inside, own, phone+".cnf.xml"); got == nil {
		t.Error("tftp-hpa gets nothing in the office")
	}
	back := h.boot(h.carried(own), own+","+own, "--detect", asOnPhones)
	back.Wait(outside)
	back.Wait(atOffice)
}
