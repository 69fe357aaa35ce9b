//go:build interop

package doctor_test

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/baresip"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
)

// kamailioConfig is of a registrar with one secret for all lines.
const kamailioConfig = `#!KAMAILIO
debug=2
log_stderror=yes
children=1
listen=udp:10.7.0.1:5060
listen=tcp:10.7.0.1:5060
%[2]sloadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
request_route {
	if (method != "REGISTER") {
		sl_send_reply("404", "Not Found");
		exit;
	}
	if (!pv_www_authenticate("office", "%[1]s", "0")) {
		www_challenge("office", "1");
		exit;
	}
	if (!save("location")) {
		sl_reply_error();
	}
}
`

// kamailioTLS has it on port 5061, too, %[1]s its folder.
const kamailioTLS = `enable_tls=yes
listen=tls:10.7.0.1:5061
loadmodule "tls.so"
modparam("tls", "private_key", "%[1]s/key.pem")
modparam("tls", "certificate", "%[1]s/cert.pem")
modparam("tls", "ca_list", "%[1]s/ca.pem")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
modparam("tls", "tls_method", "%[2]s")
`

// registrar is a network with a kamailio in it and a desk where phones are.
type registrar struct {
	desk     *testnet.Host
	kamailio *office.Program
}

const lineSecret = "secret-1001"

// startKamailio starts one with this version of TLS as well, in its own words; empty: without.
func startKamailio(t *testing.T, version string) registrar {
	t.Helper()
	server, r := host(t, "registrar"), registrar{desk: host(t, "desk")}
	must(t, testnet.Connect(r.desk, "eth0", netip.MustParsePrefix("10.7.0.9/24"), server, "desk", netip.MustParsePrefix("10.7.0.1/24")))
	dir, secure := t.TempDir(), ""
	if version != "" {
		secure = fmt.Sprintf(kamailioTLS, dir, version)
		certified(t, dir, issued(nil))
		write(t, dir, "ca.pem", authority.PEM())
	}
	r.kamailio = office.LaunchOn(t, server, exec.Command(office.Peer(t, "kamailio"), "-f", write(t, dir, "kamailio.cfg", fmt.Sprintf(kamailioConfig, lineSecret, secure)), "-DD", "-E", "-w", dir, "-Y", dir))
	t.Cleanup(func() { // killed, it would leave its children behind
		r.kamailio.Signal(syscall.SIGTERM)
		r.kamailio.Ended()
	})
	r.kamailio.Wait("Aliases:")
	return r
}

// lineFile writes a file for line 1001 at kamailio.
func lineFile(t *testing.T, change func(*cnf.Device)) string {
	t.Helper()
	d := &cnf.Device{
		Protocol: cnf.SIP, Transport: cnf.TCP, Pool: cnf.DevicePool{CallManagers: []cnf.CallManager{{Host: "10.7.0.1"}}},
		SIPProfile: &cnf.SIPProfile{Lines: []cnf.Line{{FeatureID: cnf.FeatureLine, Name: "1001", AuthName: "1001", AuthPassword: secret.New(lineSecret)}}},
		VPN:        &cnf.VPNGroup{URLs: []string{"https://203.0.113.2/phones"}, MTU: 1290, FailConnectTime: 30, CertificateHashes: []string{verify.HashOf([]byte("in use")).String(), spare}},
	}
	if change != nil {
		change(d)
	}
	must(t, d.Stamp())
	content, err := d.Bytes()
	must(t, err)
	return write(t, t.TempDir(), "SEP.cnf.xml", string(content))
}

// TestRegisteredElsewhere walks to a registrar that is not ours, where a phone that is not ours has the line.
func TestRegisteredElsewhere(t *testing.T) {
	t.Parallel()
	r := startKamailio(t, "")
	file := lineFile(t, nil)
	walk := func(want string, flags ...string) {
		t.Helper()
		got := judge(t, on(r.desk), "", append([]string{"--file", file, "--place", "inside"}, flags...)...)
		got.expect(t, "ok", "")
		if !strings.Contains(got.progress, want) {
			t.Errorf("%q is not told:\n%s", want, got.progress)
		}
	}
	walk("registers line 1001")
	walk("registers line 1001") // the first has left nothing behind
	var p *baresip.Phone
	must(t, r.desk.Do(func() error {
		p = baresip.Start(t, baresip.Account{Own: netip.MustParseAddr("10.7.0.9"), Server: "10.7.0.1", Transport: "udp", Number: "1001", Secret: lineSecret})
		return nil
	}))
	p.Says("[1 binding]")
	walk("says that 1001 is registered from 10.7.0.9:5060; it was left there")
	walk("registers line 1001", "--take-over")
	wrong := judge(t, on(r.desk), "", "--place", "inside", "--file", lineFile(t, func(d *cnf.Device) { d.SIPProfile.Lines[0].AuthPassword = secret.New("guess") }))
	wrong.expect(t, "fault", "registration-refused")
}

// TestSignallingByTLS walks to Kamailio's TLS port, which wants the phone's certificate.
func TestSignallingByTLS(t *testing.T) {
	t.Parallel()
	good := authority.Issue(phoneCN, nil)
	for name, c := range map[string]struct {
		version string
		shown   tls.Certificate
		change  func(*cnf.Device)
		model   string // empty: CP-8861
		codes   string
		says    string
	}{
		"healthy":             {version: "TLSv1.2", shown: good, says: "registers line 1001"},
		"no certificate":      {version: "TLSv1.2", codes: "registration-tls", says: "and the phone has none"},
		"of somebody else":    {version: "TLSv1.2", shown: elsewhere.Issue(phoneCN, nil), codes: "registration-tls", says: "unknown certificate authority (it asks for the phone's certificate, which is CN=" + phoneCN + " of CN=Elsewhere)"},
		"expired":             {version: "TLSv1.2", shown: authority.Issue(phoneCN, ended), codes: "client-certificate-expired registration-tls", says: "expired certificate"},
		"no TLS for a phone":  {version: "TLSv1.2", shown: good, model: "CP-7962G", codes: "registration-tls", says: "protocol version"},
		"a wrong secret":      {version: "TLSv1.2", shown: good, change: func(d *cnf.Device) { d.SIPProfile.Lines[0].AuthPassword = secret.New("guess") }, codes: "registration-refused", says: "the secret is not accepted"},
		"nobody on its port":  {shown: good, codes: "registration-unreachable", says: "connection refused"},
		"another port for it": {version: "TLSv1.2", shown: good, change: func(d *cnf.Device) { d.Pool.CallManagers[0].SecuredSIPPort = 5060 }, codes: "registration-tls", says: "TLS with the call manager"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startKamailio(t, c.version)
			flags := []string{"--place", "inside", "--file", lineFile(t, func(d *cnf.Device) {
				if d.Transport = cnf.TLS; c.change != nil {
					c.change(d)
				}
			})}
			if c.shown.Certificate != nil {
				flags = append(flags, showing(t, c.shown)...)
			}
			if c.model != "" {
				flags = append(flags, "--model", c.model)
			}
			verdict := "fault"
			if c.codes == "" {
				verdict = "ok"
			}
			got := judge(t, on(r.desk), "", flags...)
			got.expect(t, verdict, c.codes)
			if !strings.Contains(got.said(), c.says) {
				t.Errorf("%q is not said:\n%s", c.says, got.said())
			}
			if verdict == "ok" && !strings.Contains(got.progress, "10.7.0.1:5061") {
				t.Errorf("it was not by TLS:\n%s", got.progress)
			}
		})
	}
}
