//go:build interop && trixie

package doctor_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/longcord/longcord/callmanager"
	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/cnf"
)

// forPhones are the settings of an ocserv that takes phones' logins.
const forPhones = `tcp-port = 443
keepalive = 20
dpd = 30
cisco-svc-client-compat = true
`

const (
	udp       = "udp-port = 443\n"
	newSuites = "tls-priorities = \"NORMAL:-VERS-ALL:+VERS-TLS1.2\"\n"
	oldSuites = "tls-priorities = \"NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-256-CBC\"\n"
)

// phoneOcserv is ocserv 1.3 on a host of its own, and a host from where phones come. A call manager is at ocserv's
// address in the tunnel.
type phoneOcserv struct {
	gateway, home *testnet.Host
	file          string
}

func startPhoneOcserv(t *testing.T, how cnf.AuthMethod, settings string) phoneOcserv {
	t.Helper()
	o := phoneOcserv{gateway: host(t, "gateway"), home: host(t, "home")}
	must(t, testnet.Connect(o.home, "eth0", netip.MustParsePrefix("203.0.113.9/24"), o.gateway, "outside", netip.MustParsePrefix("203.0.113.2/24")))
	certificate := issued(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(203, 0, 113, 2)} })
	ocserv := office.Ocserv{Root: office.OcservRoot(t), Host: o.gateway, Certificate: certificate, User: "alice", Password: password,
		Settings: forPhones + settings}
	if how == cnf.ByCertificate {
		byCertificate(&ocserv)
	}
	ocserv.Start(t)
	callManager(t, o.gateway)
	o.file = sccpFile(t, how, verify.HashOf(certificate.Certificate[0]).String())
	return o
}

// callManager takes the registration of the phone, by SCCP, on all addresses of a host.
func callManager(t *testing.T, h *testnet.Host) {
	t.Helper()
	set := inventory.NewSet()
	set.Lines["1001"] = &inventory.Line{Name: "1001"}
	set.Devices[phone] = &inventory.Device{Name: phone, Protocol: inventory.SCCP, Lines: []string{"1001"}}
	m, err := callmanager.New(callmanager.Config{
		Settings: callmanager.Settings{Listen: netip.IPv4Unspecified()}, Inventory: func() *inventory.Set { return set }, Store: memory.New(),
	})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	must(t, h.Do(func() error { return m.Open(ctx) }))
	served := make(chan error, 1)
	go func() { served <- m.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-served)
	})
}

func sccpFile(t *testing.T, how cnf.AuthMethod, hash string) string {
	t.Helper()
	d := &cnf.Device{
		Protocol: cnf.SCCP, Transport: cnf.SCCPTransport, Pool: cnf.DevicePool{CallManagers: []cnf.CallManager{{Host: "10.88.0.1"}}},
		VPN: &cnf.VPNGroup{URLs: []string{"https://203.0.113.2/svc"}, MTU: 1290, FailConnectTime: 30, EnableHostIDCheck: true, AuthMethod: how,
			CertificateHashes: []string{hash, spare}},
	}
	content, err := d.Bytes()
	must(t, errors.Join(d.Stamp(), err))
	return write(t, t.TempDir(), "SEP.cnf.xml", string(content))
}

// TestOcservForPhones walks through tunnels of ocserv 1.3, the only free gateway with phones' login.
func TestOcservForPhones(t *testing.T) {
	for name, c := range map[string]struct {
		settings, model, password string
		shut                      string // of nft, at the gateway
		verdict, codes, progress  string
	}{
		"healthy":          {newSuites + udp, "CP-8861", password, "", "ok", "", "packets of 1318 bytes pass and come back"},
		"healthy, old":     {oldSuites + udp, "CP-7962G", password, "", "ok", "", "DTLS 0.9 with AES256-SHA"},
		"wrong password":   {newSuites + udp, "CP-8861", "guess", "", "fault", "login-refused", ""},
		"no UDP":           {newSuites + udp, "CP-8861", password, "udp dport 443 drop", "ok", "dtls-blocked", "nothing comes back on UDP 443"},
		"no DTLS":          {newSuites + "udp-port = 0\n", "CP-8861", password, "", "ok", "dtls-disabled", ""},
		"split":            {newSuites + udp + "route = 10.0.0.0/8\n", "CP-8861", password, "", "fault", "split-tunnel", ""},
		"large ones lost":  {newSuites + udp, "CP-8861", password, "udp dport 443 meta length > 1100 drop", "ok", "mtu", ""},
		"no way inside":    {newSuites + udp, "CP-8861", password, "iifname \"lc-vpn*\" drop", "fault", "no-route-to-pool", ""},
		"no call manager":  {newSuites + udp, "CP-8861", password, "iifname \"lc-vpn*\" tcp dport 2000 drop", "fault", "registration-unreachable", ""},
		"new for old ones": {newSuites + udp, "CP-7962G", password, "", "fault", "tls-version", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := startPhoneOcserv(t, cnf.UserAndPassword, c.settings)
			if c.shut != "" {
				nft := exec.Command(office.Peer(t, "nft"), "table inet shut { chain in { type filter hook input priority 0; "+c.shut+"; }; }")
				must(t, o.gateway.Start(nft))
				must(t, nft.Wait())
			}
			r := judge(t, on(o.home), c.password+"\n", "--file", o.file, "--model", c.model, "--user", "alice", "--password-stdin")
			r.expect(t, c.verdict, c.codes)
			if !strings.Contains(r.progress, c.progress) {
				t.Errorf("%q is not told:\n%s", c.progress, r.progress)
			}
		})
	}
}

// TestOcservByCertificate walks to an ocserv 1.3 that takes phones by certificate alone.
func TestOcservByCertificate(t *testing.T) {
	o := startPhoneOcserv(t, cnf.ByCertificate, newSuites+udp)
	for name, c := range map[string]struct {
		flags                []string
		verdict, codes, says string
	}{
		"right":            {showing(t, authority.Issue(phoneCN, nil)), "ok", "", "lets the phone in by certificate"},
		"none":             {nil, "ok", "", `asks for a client certificate, of ["CN=An Authority"]`},
		"of somebody else": {showing(t, elsewhere.Issue(phoneCN, nil)), "fault", "client-certificate-untrusted", "and this one is of CN=Elsewhere"},
		"expired":          {showing(t, authority.Issue(phoneCN, ended)), "fault", "client-certificate-expired", "it ended on"},
	} {
		t.Run(name, func(t *testing.T) {
			r := judge(t, on(o.home), "", append([]string{"--file", o.file}, c.flags...)...)
			r.expect(t, c.verdict, c.codes)
			if !strings.Contains(r.said(), c.says) {
				t.Errorf("%q is not said:\n%s", c.says, r.said())
			}
		})
	}
}
