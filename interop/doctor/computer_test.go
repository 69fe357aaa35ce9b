//go:build interop

package doctor_test

import (
	"crypto/x509"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// forComputers are the settings of a gateway that knows nothing of phones.
const forComputers = `tcp-port = 443
udp-port = 443
keepalive = 20
dpd = 30
dns = 10.88.0.1
`

// withCode has an ocserv ask for a one-time code after the password.
func withCode(o *office.Ocserv) {
	o.Auth = "auth = \"plain[passwd=%[1]s/passwd,otp=%[1]s/otp]\"\n"
	o.Files = map[string]string{"otp": "HOTP/T30 alice - 00112233445566778899aabbccddeeff00112233\n"}
}

// TestComputers walks to gateways without phones' login. Where computers get in, the whole of their way is walked, with the
// same credentials and in one try.
func TestComputers(t *testing.T) {
	t.Parallel()
	certificate := issued(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(203, 0, 113, 2)} })
	byPassword := []string{"--user", "alice", "--password-stdin"}
	for name, c := range map[string]struct {
		ocserv   func(*office.Ocserv)
		input    string
		flags    []string
		shut     string // of nft, at the gateway
		codes    string
		progress []string
		not      string // in the progress
		logins   int    // that the gateway was asked for
	}{
		"healthy": {input: password, flags: byPassword, codes: "group-url-mismatch", logins: 1,
			progress: []string{"lets a computer in as alice", "gives a computer a tunnel: gives 10.88.0.", "DTLS port 443", "DTLS 1.2 with PSK-", "10.88.0.1 answers pings through a computer's tunnel"}},
		"TLS 1.2": {ocserv: func(o *office.Ocserv) { o.Settings += "tls-priorities = \"NORMAL:-VERS-ALL:+VERS-TLS1.2\"\n" }, input: password, flags: byPassword,
			codes: "group-url-mismatch", logins: 1, progress: []string{"DTLS 1.2 with PSK-", "answers pings"}},
		"TLS 1.3 alone": {ocserv: func(o *office.Ocserv) { o.Settings += "tls-priorities = \"NORMAL:-VERS-ALL:+VERS-TLS1.3\"\n" }, input: password, flags: byPassword,
			codes: "tls-version group-url-mismatch", logins: 1, progress: []string{"lets a computer in as alice", "DTLS 1.2 with PSK-", "answers pings"}},
		"no UDP": {input: password, flags: byPassword, shut: "udp dport 443 drop", codes: "group-url-mismatch dtls-blocked", logins: 1,
			progress: []string{"nothing comes back on UDP 443", "answers pings"}},
		"split": {ocserv: func(o *office.Ocserv) { o.Settings += "route = 10.20.0.0/16\n" }, input: password, flags: byPassword,
			codes: "group-url-mismatch", logins: 1, progress: []string{"only 10.20.0.0/16", "answers pings"}},
		"wrong password": {input: "guess", flags: byPassword, codes: "group-url-mismatch login-refused", logins: 1,
			progress: []string{"does not let a computer in: login: wrong login: Login failed."}},
		"a one-time code": {ocserv: withCode, input: password, flags: byPassword, codes: "group-url-mismatch", logins: 1,
			progress: []string{"asks a computer for more than a password: Please enter your OTP password."}},
		"groups": {ocserv: func(o *office.Ocserv) {
			o.Settings += "select-group = staff[Our staff]\nselect-group = guests[Guests]\ndefault-select-group = \"Everybody\"\n"
		},
			input: password, flags: byPassword, codes: "group-url-mismatch", logins: 1,
			progress: []string{`in group "Everybody" of ["Everybody" "Our staff" "Guests"]`, "answers pings"}},
		"certificate": {ocserv: byCertificate, flags: showing(t, authority.Issue(phoneCN, nil)), codes: "group-url-mismatch", logins: 1,
			progress: []string{"lets a computer in as " + phoneCN, "DTLS 1.2 with PSK-", "answers pings"}},
		"nothing to log in with": {codes: "group-url-mismatch", progress: []string{"computers can log in at", "no computer was logged in"}, not: "lets a computer in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway, home := host(t, "gateway"), host(t, "home")
			must(t, testnet.Connect(home, "eth0", netip.MustParsePrefix("203.0.113.9/24"), gateway, "outside", netip.MustParsePrefix("203.0.113.2/24")))
			o := office.Ocserv{Host: gateway, Certificate: certificate, User: "alice", Password: password, Settings: forComputers}
			if c.ocserv != nil {
				c.ocserv(&o)
			}
			p := o.Start(t)
			if c.shut != "" {
				nft := exec.Command(office.Peer(t, "nft"), "table inet shut { chain in { type filter hook input priority 0; "+c.shut+"; }; }")
				must(t, gateway.Start(nft))
				must(t, nft.Wait())
			}
			r := judge(t, on(home), c.input+"\n", append([]string{"--url", "https://203.0.113.2/phones"}, c.flags...)...)
			r.expect(t, "fault", c.codes)
			for _, want := range c.progress {
				if !strings.Contains(r.progress, want) {
					t.Errorf("%q is not told:\n%s", want, r.progress)
				}
			}
			if c.not != "" && strings.Contains(r.progress, c.not) {
				t.Errorf("%q is told:\n%s", c.not, r.progress)
			}
			if strings.Contains(r.progress, "gives a computer a tunnel") {
				p.Wait("reason: user disconnected")
			}
			if got := strings.Count(p.Output(), "sec-mod: auth init"); got != c.logins {
				t.Errorf("ocserv was asked for %d logins, want %d", got, c.logins)
			}
		})
	}
}

// forPeople declares a group for computers, which is on the list, at the office.
func forPeople(t *testing.T, o *office.Office, settings string) {
	t.Helper()
	inventory, err := os.ReadFile(o.Path("inventory.yaml"))
	must(t, err)
	people := "\n---\nkind: TunnelGroup\nname: people\ngroupURLs: [\"https://203.0.113.2/people\"]\ngroupAliases: [People]\n" +
		"addressPool: phones\ndefaultGroupPolicy: phones\n" + settings
	must(t, os.WriteFile(o.Path("people.yaml"), append(inventory, people...), 0o600))
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "apply", "-f", o.Path("people.yaml"), "--yes"); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
}

// TestComputersAtOffice walks to a gateway of ours by a URL that is nobody's, where a group for computers is on the list.
func TestComputersAtOffice(t *testing.T) {
	t.Parallel()
	o := ourOffice(t)
	file := fileOf(t, o)
	forPeople(t, o, "authentication: aaa\n")
	if out, err := o.Longcord(password+"\n", "-c", o.Path("longcord.yaml"), "users", "add", "anna", "--password-stdin"); err != nil {
		t.Fatalf("users add: %v\n%s", err, out)
	}
	wrong := changed(t, o, file, office.URL+"<", office.URL+"s<")
	for name, c := range map[string]struct{ password, codes, says string }{
		"right": {password, "group-url-mismatch", "answers pings through a computer's tunnel"},
		"wrong": {"guess", "group-url-mismatch login-refused", "does not let a computer in"},
	} {
		r := judge(t, on(o.Client), c.password+"\n", "--file", wrong, "--user", "anna", "--password-stdin")
		r.expect(t, "fault", c.codes)
		if !strings.Contains(r.progress, c.says) {
			t.Errorf("%s: %q is not told:\n%s", name, c.says, r.progress)
		}
	}
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list"); err != nil || strings.Contains(out, "anna") {
		t.Errorf("the doctor has left its session behind: %v\n%s", err, out)
	}
}

// TestComputersByCertificate walks to a gateway of ours that asks computers for a certificate in words.
func TestComputersByCertificate(t *testing.T) {
	t.Parallel()
	o := ourOffice(t, "--auth", "certificate")
	file := fileOf(t, o)
	forPeople(t, o, "authentication: certificate\ncertificateAuthorities: [phones]\n")
	wrong := changed(t, o, file, office.URL+"<", office.URL+"s<")
	for name, c := range map[string]struct {
		flags       []string
		codes, says string
	}{
		"right":            {[]string{"--cert", o.Path("certificates/" + phone + ".pem"), "--key", o.Path("certificates/" + phone + ".key")}, "group-url-mismatch", "gives a computer a tunnel"},
		"of somebody else": {showing(t, elsewhere.Issue(phoneCN, nil)), "group-url-mismatch client-certificate-untrusted", "wants a certificate of a computer: Your certificate is missing or not accepted here."},
		"none":             {nil, "group-url-mismatch", "no computer was logged in"},
	} {
		r := judge(t, on(o.Client), "", append([]string{"--file", wrong}, c.flags...)...)
		r.expect(t, "fault", c.codes)
		if !strings.Contains(r.progress, c.says) {
			t.Errorf("%s: %q is not told:\n%s", name, c.says, r.progress)
		}
	}
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list"); err != nil || strings.Contains(out, phone) {
		t.Errorf("the doctor has left its session behind: %v\n%s", err, out)
	}
}
