//go:build interop

// Package migration_test takes the place of other people's gateways, whose certificates openssl made and
// whose password hashes openssl and ocpasswd did: phones and openconnect must not notice.
package migration_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func program() string { return os.Getenv("LONGCORD") }

// fingerprint is that of a certificate.
func fingerprint(t *testing.T, dir, name string) string {
	t.Helper()
	return strings.TrimSpace(office.Shell(t, dir, "openssl x509 -in "+name+".pem -noout -fingerprint -sha256"))
}

// presented is the fingerprint that openssl sees at the gateway.
func presented(t *testing.T, o *office.Office) string {
	t.Helper()
	out, err := o.Run(o.Client, "", "/bin/sh", "-c", "openssl s_client -connect 203.0.113.2:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256")
	must(t, err)
	return strings.TrimSpace(out)
}

const phone = "SEP001122334455"

const phoneFile = `<?xml version="1.0" encoding="UTF-8"?>
<device>
  <fullConfig>true</fullConfig>
  <deviceProtocol>SIP</deviceProtocol>
  <devicePool>
    <dateTimeSetting><dateTemplate>D/M/Y</dateTemplate><timeZone>Greenwich Standard Time</timeZone></dateTimeSetting>
    <callManagerGroup><members><member priority="0"><callManager><ports><sipPort>5060</sipPort></ports><processNodeName>10.20.0.1</processNodeName></callManager></member></members></callManagerGroup>
  </devicePool>
  <vpnGroup>
    <mtu>1290</mtu><failConnectTime>30</failConnectTime><authMethod>0</authMethod><pswdPersistent>1</pswdPersistent><autoNetDetect>1</autoNetDetect><enableHostIDCheck>1</enableHostIDCheck>
    <addresses><url1>https://203.0.113.2/phone</url1></addresses>
    <credentials><hashAlg>0</hashAlg><certHash1>%s</certHash1></credentials>
  </vpnGroup>
  <sipProfile>
    <sipProxies><registerWithProxy>true</registerWithProxy></sipProxies>
    <sipStack><timerRegisterExpires>3600</timerRegisterExpires><timerRegisterDelta>5</timerRegisterDelta></sipStack>
    <voipControlPort>5060</voipControlPort><startMediaPort>16384</startMediaPort><stopMediaPort>32766</stopMediaPort>
    <sipLines><line button="1" lineIndex="1"><featureID>9</featureID><featureLabel>Anna</featureLabel><proxy>USECALLMANAGER</proxy><port>5060</port><name>1001</name><displayName>Anna</displayName><authName>1001</authName><authPassword>line-secret-1001</authPassword><contact>1001</contact></line></sipLines>
  </sipProfile>
  <loadInformation>sip88xx.14-2-1-0101-25</loadInformation>
  <deviceSecurityMode>1</deviceSecurityMode>
  <transportLayerProtocol>1</transportLayerProtocol>
  <versionStamp>{old}</versionStamp>
</device>
`

// longcord runs the program on the gateway's host and fails unless it ends well.
func longcord(t *testing.T, o *office.Office, args ...string) string {
	t.Helper()
	out, err := o.Longcord("", args...)
	if err != nil {
		t.Fatalf("longcord %q: %v\n%s", args, err, out)
	}
	return out
}

// TestASA takes an ASA's place while it runs: a phone at home that has nothing but its old file, with the hash
// of the old certificate, logs in with its old password, tunnels and registers.
func TestASA(t *testing.T) {
	dir := t.TempDir()
	office.GiveASA(t, dir, "10.20.0.128-10.20.0.191", office.URL, "old-password")
	hash := strings.TrimSpace(office.Shell(t, dir, "openssl x509 -in asa.pem -outform DER | openssl dgst -sha1 -binary | base64"))
	must(t, os.WriteFile(filepath.Join(dir, phone+".cnf.xml"), fmt.Appendf(nil, phoneFile, hash), 0o600))

	o := office.New(t)
	replaceInventory(t, o, "import", "asa", filepath.Join(dir, "running-config.txt"), filepath.Join(dir, "vpn.p12.txt"), "--passphrase-file", filepath.Join(dir, "passphrase"))
	o.Serve()
	phones, config := filepath.Join(dir, "sep.yaml"), o.Path("longcord.yaml")
	longcord(t, o, "import", "sep", filepath.Join(dir, phone+".cnf.xml"), filepath.Join(dir, "asa.pem"), "--model", "CP-8861", "-o", phones)
	// Whose phone it is no ASA knows; without it the phone would get no new file at home.
	must(t, os.WriteFile(filepath.Join(dir, "anna.yaml"), []byte("kind: User\nname: anna\ndevices: ["+phone+"]\n"), 0o600))
	longcord(t, o, "plan", "-c", config, "-f", phones)
	longcord(t, o, "apply", "-c", config, "-f", phones)
	longcord(t, o, "apply", "-c", config, "-f", filepath.Join(dir, "anna.yaml"))

	if got, want := presented(t, o), fingerprint(t, dir, "asa"); got != want {
		t.Errorf("the gateway presents %s, and the old one presented %s", got, want)
	}
	state := filepath.Join(t.TempDir(), phone)
	must(t, os.Mkdir(state, 0o700))
	must(t, os.WriteFile(filepath.Join(state, phone+".cnf.xml"), fmt.Appendf(nil, phoneFile, hash), 0o600))
	p := o.StartWith(o.Client, "old-password\n", program(), "phone", phone, "--tftp", office.Inside, "--state", state, "--tun", "vpn0", "--user", "anna", "--password-stdin", "--json")
	p.Wait(`"step":"verify","ok":true`)
	p.Wait(`"step":"tunnel","ok":true`)
	p.Wait(`"step":"register","ok":true`)
	file, err := os.ReadFile(filepath.Join(state, phone+".cnf.xml"))
	must(t, err)
	if strings.Contains(string(file), "{old}") || !strings.Contains(string(file), hash) {
		t.Errorf("at home the phone has not got its new file, with the old hash:\n%s", file)
	}

	// What would cut it off is known beforehand.
	moved := longcord(t, o, "get", "-c", config, "TunnelGroup", "Phones") + "---\n" + longcord(t, o, "get", "-c", config, "VPNGateway")
	must(t, os.WriteFile(filepath.Join(dir, "moved.yaml"), []byte(strings.ReplaceAll(moved, "203.0.113.2/phone", "203.0.113.2/elsewhere")), 0o600))
	out, err := o.Longcord("", "plan", "-c", config, "-f", filepath.Join(dir, "moved.yaml"))
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != 1 || !strings.Contains(out, phone+" (in a session): would not come back") {
		t.Errorf("plan: %v\n%s", err, out)
	}
}

// replaceInventory puts what an import makes in the place of what init wrote.
func replaceInventory(t *testing.T, o *office.Office, args ...string) {
	t.Helper()
	must(t, os.Remove(o.Path("inventory.yaml")))
	longcord(t, o, append(args, "-o", o.Path("inventory.yaml"))...)
}

// TestOcserv takes ocserv's place: openconnect logs in with the password that ocpasswd wrote, meets the
// certificate that it knows, and a wrong password is refused.
func TestOcserv(t *testing.T) {
	dir := t.TempDir()
	office.SelfSigned(t, dir, "ocserv", office.Outside, "subjectAltName=IP:"+office.Outside)
	must(t, os.WriteFile(filepath.Join(dir, "ocserv.conf"), []byte(`auth = "plain[passwd=/etc/ocserv/ocpasswd]"
tcp-port = 443
udp-port = 443
server-cert = /etc/ocserv/ocserv.pem
server-key = /etc/ocserv/ocserv.key
ipv4-network = 10.20.0.128
ipv4-netmask = 255.255.255.192
route = 10.20.0.0/255.255.255.0
cisco-svc-client-compat = true
`), 0o600))
	cmd := exec.Command(office.Peer(t, "ocpasswd"), "-c", filepath.Join(dir, "ocpasswd"), "anna")
	cmd.Stdin = strings.NewReader("old-password\nold-password\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ocpasswd: %v\n%s", err, out)
	}

	o := office.New(t)
	replaceInventory(t, o, "import", "ocserv", dir)
	o.Serve()
	if got, want := presented(t, o), fingerprint(t, dir, "ocserv"); got != want {
		t.Errorf("the gateway presents %s, and ocserv presented %s", got, want)
	}
	for _, url := range []string{"https://203.0.113.2/", "https://203.0.113.2/svc"} {
		authenticate := func(password string) (string, error) {
			out, err := o.Run(o.Client, password+"\n", office.Peer(t, "openconnect"), "--authenticate", "--user", "anna", "--passwd-on-stdin", "--servercert", pin(t, dir), url)
			return out, err
		}
		if out, err := authenticate("old-password"); err != nil || !strings.Contains(out, "COOKIE=") {
			t.Errorf("%s: the old password: %v\n%s", url, err, out)
		}
		if out, err := authenticate("wrong-password"); err == nil && strings.Contains(out, "COOKIE='") {
			t.Errorf("%s: a wrong password logs in:\n%s", url, out)
		}
	}
}

// pin is the key of the certificate, as openconnect wants it named, by openssl.
func pin(t *testing.T, dir string) string {
	t.Helper()
	return "pin-sha256:" + strings.TrimSpace(office.Shell(t, dir, "openssl x509 -in ocserv.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64"))
}
