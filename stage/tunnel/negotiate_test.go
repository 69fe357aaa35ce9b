package tunnel

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// phoneRequest is what an old phone is thought to send.
func phoneRequest() cstp.Request {
	return cstp.Request{
		UserAgent: "Cisco SVC IPPhone Client v1.0", Cookie: secret.New("c"), Hostname: "SEP001122334455", MTU: 1290,
		MasterSecret: secret.New(strings.Repeat("00", cstp.MasterSecretLen)),
		CipherSuites: []string{"AES256-SHA", "AES128-SHA", "DES-CBC3-SHA"},
	}
}

// openconnectRequest is what openconnect 9.01 sends when it offers everything.
func openconnectRequest(t *testing.T) cstp.Request {
	t.Helper()
	head, err := os.ReadFile("../../wire/cstp/testdata/psk.request")
	if err != nil {
		t.Fatal(err)
	}
	r, err := cstp.ParseRequest(head)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNegotiateSuite(t *testing.T) {
	t.Parallel()
	all := Policy{DTLS: true, Legacy: true}
	for _, c := range []struct {
		name     string
		req      cstp.Request
		policy   Policy
		tlsSuite uint16
		psk      bool
		legacy   string // X-DTLS-CipherSuite of the answer
		new12    string // X-DTLS12-CipherSuite of the answer
	}{
		{"old phone follows TLS 128", phoneRequest(), all, 0x002f, false, "AES128-SHA", ""},
		{"old phone follows TLS 256", phoneRequest(), all, 0xc014, false, "AES256-SHA", ""},
		{"old phone, other TLS cipher", phoneRequest(), all, 0xc030, false, "AES256-SHA", ""},
		{"legacy not allowed", phoneRequest(), Policy{DTLS: true}, 0x0035, false, "", ""},
		{"dtls off", phoneRequest(), Policy{Legacy: true}, 0x0035, false, "", ""},
		{"no master secret", cstp.Request{CipherSuites: []string{"AES256-SHA"}}, all, 0x0035, false, "", ""},
		{"openconnect, TLS 1.3 with 256", openconnectRequest(t), all, 0x1302, false, "", "ECDHE-RSA-AES256-GCM-SHA384"},
		{"openconnect, TLS 1.3 with 128", openconnectRequest(t), all, 0x1301, false, "", "ECDHE-RSA-AES128-GCM-SHA256"},
		{"openconnect, TLS with ChaCha20", openconnectRequest(t), all, 0x1303, false, "OC2-DTLS1_2-CHACHA20-POLY1305", ""},
		{"openconnect, old TLS", openconnectRequest(t), all, 0x002f, false, "", "AES128-SHA"},
		{"openconnect, old TLS, legacy not allowed", openconnectRequest(t), Policy{DTLS: true}, 0x002f, false, "", "ECDHE-RSA-AES256-GCM-SHA384"},
		{"OC name before legacy", withSuites("PSK-NEGOTIATE", "AES256-SHA", "OC-DTLS1_2-AES128-GCM"), all, 0, false, "OC-DTLS1_2-AES128-GCM", ""},
		{"PSK only", withSuites("PSK-NEGOTIATE"), all, 0x1301, false, "", ""},
		{"3DES only", withSuites("DES-CBC3-SHA"), all, 0x0035, false, "", ""},
		{"openconnect, with a key", openconnectRequest(t), all, 0x1302, true, dtls.PSKNegotiate, ""},
		{"PSK only, with a key, no master secret", cstp.Request{CipherSuites: []string{dtls.PSKNegotiate}}, all, 0x1301, true, dtls.PSKNegotiate, ""},
		{"openconnect, with a key, dtls off", openconnectRequest(t), Policy{}, 0x1302, true, "", ""},
		{"old phone, with a key", phoneRequest(), all, 0x002f, true, "AES128-SHA", ""},
		{"CBC at 1.2", withSuites12("AES256-SHA", "AES128-SHA"), all, 0x1301, false, "", "AES256-SHA"},
		{"CBC at 1.2 before 0.9", withSuites12("AES128-SHA"), all, 0, false, "", "AES128-SHA"},
		{"GCM before CBC at 1.2", withSuites12("AES256-SHA", "AES128-GCM-SHA256"), all, 0x1302, false, "", "AES128-GCM-SHA256"},
		{"CBC at 1.2, legacy not allowed", withSuites12("AES256-SHA"), Policy{DTLS: true}, 0x1301, false, "", ""},
	} {
		a := Negotiate(c.req, c.policy, Link{TLSSuite: c.tlsSuite, PSK: c.psk}, [cstp.SessionIDLen]byte{1})
		if a.DTLS.CipherSuite != c.legacy || a.DTLS.CipherSuite12 != c.new12 {
			t.Errorf("%s: chose %q and %q, want %q and %q", c.name, a.DTLS.CipherSuite, a.DTLS.CipherSuite12, c.legacy, c.new12)
		}
		_, _, up := a.DTLS.Suite()
		if psk := a.DTLS.PSK(); psk && (a.DTLS.SessionID != nil || a.DTLS.MTU != 0 || up) {
			t.Errorf("%s: a pre-shared key and a session to resume: %+v", c.name, a.DTLS)
		} else if psk {
			up = true
		}
		if want := c.legacy+c.new12 != ""; up != want || (a.DTLS.Port != 0) != want {
			t.Errorf("%s: dtls offered %v at port %d", c.name, up, a.DTLS.Port)
		}
	}
}

func withSuites(names ...string) cstp.Request {
	r := phoneRequest()
	r.CipherSuites = names
	return r
}

func withSuites12(names ...string) cstp.Request {
	r := phoneRequest()
	r.CipherSuites12 = names
	return r
}

func TestNegotiateMTU(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		asked int // X-CSTP-MTU
		base  int // X-CSTP-Base-MTU
		most  int // policy
		link  Link
		suite string
		want  int
	}{
		{"phone default", 1290, 0, 0, Link{}, "AES256-SHA", 1290},
		{"phone most", 1406, 0, 0, Link{}, "AES256-SHA", 1406},
		{"phone on DSL", 1406, 0, 0, Link{MTU: 1492}, "AES256-SHA", 1402},
		{"phone on IPv6", 1406, 0, 0, Link{IPv6: true}, "AES256-SHA", 1386},
		{"openconnect", 1390, 1500, 0, Link{}, "OC-DTLS1_2-AES256-GCM", 1390},
		{"client knows a smaller link", 1434, 1400, 1500, Link{MTU: 1500}, "OC-DTLS1_2-AES256-GCM", 1334},
		{"policy lowers", 1390, 1500, 1200, Link{}, "AES256-SHA", 1200},
		{"nothing asked", 0, 0, 0, Link{}, "AES128-SHA", 1406},
		{"nothing asked, policy open", 0, 0, 1500, Link{}, "AES128-SHA", 1418},
		{"absurd claims", 20, 1, 0, Link{}, "AES128-SHA", 490},
		{"tls only", 1500, 1500, 1500, Link{}, "none", 1500},
	} {
		r := withSuites(c.suite)
		r.MTU, r.BaseMTU = c.asked, c.base
		a := Negotiate(r, Policy{MTU: c.most, DTLS: true, Legacy: true}, c.link, [cstp.SessionIDLen]byte{})
		if a.MTU != c.want || a.DTLS.Port != 0 && a.DTLS.MTU != c.want {
			t.Errorf("%s: mtu %d and %d, want %d", c.name, a.MTU, a.DTLS.MTU, c.want)
		}
		if _, suite, ok := a.DTLS.Suite(); ok {
			if outer := suite.RecordLen(a.MTU+1) + outerHeaders(c.link); outer > a.BaseMTU {
				t.Errorf("%s: a full packet takes %d bytes outside, the link has %d", c.name, outer, a.BaseMTU)
			}
		}
	}
}

// TestGuessedMTU: what openconnect asks for by itself is its guess, and it gets what fits. A wish of somebody,
// and what others ask for, is never exceeded.
func TestGuessedMTU(t *testing.T) {
	t.Parallel()
	const openconnect, anyconnect = "Open AnyConnect VPN Agent v9.01-3", "Cisco AnyConnect VPN Agent for Apple iPhone 5.0"
	for _, c := range []struct {
		name        string
		agent       string
		asked, base int
		most        int // policy
		link        Link
		suite       string
		want        int
	}{
		{"recorded", openconnect, 1390, 1500, 0, Link{Proven: 1500}, "OC-DTLS1_2-AES256-GCM", 1434},
		{"pre-shared key", openconnect, 1390, 1500, 0, Link{PSK: true, Proven: 1500}, dtls.PSKNegotiate, 1434},
		{"ChaCha20", openconnect, 1390, 1500, 0, Link{Proven: 1500}, "OC2-DTLS1_2-CHACHA20-POLY1305", 1442},
		{"CBC", openconnect, 1390, 1500, 0, Link{Proven: 1500}, "AES256-SHA", 1418},
		{"IPv6", openconnect, 1370, 1500, 0, Link{IPv6: true, Proven: 1500}, "OC-DTLS1_2-AES256-GCM", 1370},
		{"jumbo packets on the gateway's side", openconnect, 1390, 1500, 0, Link{MTU: 9000, Proven: 9000}, "OC-DTLS1_2-AES256-GCM", 1434},
		{"the gateway has met PPPoE", openconnect, 1390, 1500, 0, Link{MTU: 1492, Proven: 1492}, "OC-DTLS1_2-AES256-GCM", 1426},
		{"segments of PPPoE", openconnect, 1390, 1500, 0, Link{MTU: 1500, Proven: 1492}, "OC-DTLS1_2-AES256-GCM", 1426},
		{"smaller segments", openconnect, 1390, 1500, 0, Link{MTU: 1500, Proven: 1440}, "OC-DTLS1_2-AES256-GCM", 1374},
		{"absurd segments", openconnect, 1390, 1500, 0, Link{MTU: 1500, Proven: 80}, "OC-DTLS1_2-AES256-GCM", 510},
		{"not proven", openconnect, 1390, 1500, 0, Link{MTU: 1500}, "OC-DTLS1_2-AES256-GCM", 1390},
		{"policy lowers", openconnect, 1390, 1500, 1300, Link{Proven: 1500}, "OC-DTLS1_2-AES256-GCM", 1300},
		{"a wish", openconnect, 1290, 1500, 0, Link{Proven: 1492}, "OC-DTLS1_2-AES256-GCM", 1290},
		{"no DTLS", openconnect, 1390, 1500, 0, Link{Proven: 1500}, "none", 1390},
		{"AnyConnect", anyconnect, 1390, 1500, 0, Link{Proven: 1500}, "OC-DTLS1_2-AES256-GCM", 1390},
		{"phone", phoneRequest().UserAgent, 1390, 1500, 0, Link{Proven: 576}, "AES256-SHA", 1390},
	} {
		r := withSuites(c.suite)
		r.UserAgent, r.MTU, r.BaseMTU = c.agent, c.asked, c.base
		a := Negotiate(r, Policy{MTU: c.most, DTLS: true, Legacy: true}, c.link, [cstp.SessionIDLen]byte{})
		if a.MTU != c.want {
			t.Errorf("%s: mtu %d, want %d", c.name, a.MTU, c.want)
		}
	}
}

// TestLargestPacket asks for as much as fits, with every cipher on every line. The numbers are those of
// docs/wire/cstp.md#mtu; a byte more would make a datagram that the line cuts.
func TestLargestPacket(t *testing.T) {
	t.Parallel()
	names := []string{"AES128-SHA", "OC-DTLS1_2-AES128-GCM", "OC2-DTLS1_2-CHACHA20-POLY1305", dtls.PSKNegotiate}
	for _, c := range []struct {
		line int
		ipv6 bool
		most [4]int // in the order of names
	}{
		{1500, false, [...]int{1418, 1434, 1442, 1434}},
		{1500, true, [...]int{1386, 1414, 1422, 1414}},
		{1492, false, [...]int{1402, 1426, 1434, 1426}},
		{1480, false, [...]int{1386, 1414, 1422, 1414}},
		{1400, false, [...]int{1306, 1334, 1342, 1334}},
		{1280, false, [...]int{1194, 1214, 1222, 1214}},
		{1280, true, [...]int{1178, 1194, 1202, 1194}},
	} {
		for i, name := range names {
			r := withSuites(name)
			r.MTU, r.BaseMTU = 1500, c.line
			link := Link{MTU: 1500, IPv6: c.ipv6, PSK: true}
			a := Negotiate(r, Policy{MTU: 1500, DTLS: true, Legacy: true}, link, [cstp.SessionIDLen]byte{})
			if a.MTU != c.most[i] {
				t.Errorf("%s on a line of %d (IPv6 %t): mtu %d want %d", name, c.line, c.ipv6, a.MTU, c.most[i])
			}
			suite := dtls.PSKAES256GCM
			if _, known, ok := a.DTLS.Suite(); ok {
				suite = known
			}
			outside := func(n int) int { return suite.RecordLen(1+n) + outerHeaders(link) }
			if outside(a.MTU) > c.line || outside(a.MTU+1) <= c.line {
				t.Errorf("%s on a line of %d: %d bytes inside make %d outside, one more %d", name, c.line, a.MTU, outside(a.MTU), outside(a.MTU+1))
			}
		}
	}
}

// TestNegotiateRemaining comes back to a session of some age.
func TestNegotiateRemaining(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ timeout, age, want time.Duration }{
		{0, time.Hour, 0},
		{time.Hour, 0, time.Hour},
		{time.Hour, 20 * time.Minute, 40 * time.Minute},
		{time.Hour, 2 * time.Hour, time.Second}, // it is about to end
	} {
		policy := Policy{Timers: Timers{SessionTimeout: c.timeout}, Age: c.age}
		a := Negotiate(phoneRequest(), policy, Link{}, [cstp.SessionIDLen]byte{})
		if a.SessionTimeout != c.timeout || a.SessionRemaining != c.want {
			t.Errorf("of %v after %v: %v, remaining %v, want %v", c.timeout, c.age, a.SessionTimeout, a.SessionRemaining, c.want)
		}
	}
}

func TestNegotiateAnswer(t *testing.T) {
	t.Parallel()
	policy := Policy{
		Timers:  Timers{DPDClient: 30 * time.Second, Keepalive: 20 * time.Second},
		Address: netip.MustParsePrefix("10.99.0.12/24"), Address6: netip.MustParsePrefix("fd00::5/64"),
		DNS:    []netip.Addr{netip.MustParseAddr("10.1.1.53"), netip.MustParseAddr("fd00::53")},
		Phones: true, DTLS: true, Legacy: true, Rekey: time.Hour, CardRemoval: true,
	}
	a := Negotiate(phoneRequest(), policy, Link{TLSSuite: 0x0035}, [cstp.SessionIDLen]byte{0xab})
	wire, err := a.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `HTTP/1.1 200 CONNECTED
X-CSTP-Version: 1
X-CSTP-Address: 10.99.0.12
X-CSTP-Netmask: 255.255.255.0
X-CSTP-DNS: 10.1.1.53
X-CSTP-Tunnel-All-DNS: false
X-CSTP-Client-Bypass-Protocol: false
X-CSTP-DPD: 30
X-CSTP-Keepalive: 20
X-CSTP-Idle-Timeout: none
X-CSTP-Session-Timeout: none
X-CSTP-Disconnected-Timeout: 1800
X-CSTP-Rekey-Time: 0
X-CSTP-Rekey-Method: none
X-CSTP-Keep: true
X-CSTP-TCP-Keepalive: true
X-CSTP-Smartcard-Removal-Disconnect: true
X-CSTP-License: accept
X-DTLS-Session-ID: ab` + strings.Repeat("00", 31) + `
X-DTLS-Port: 443
X-DTLS-DPD: 30
X-DTLS-Keepalive: 20
X-DTLS-CipherSuite: AES256-SHA
X-DTLS-MTU: 1290
X-CSTP-Base-MTU: 1500
X-CSTP-MTU: 1290

`
	if got := strings.ReplaceAll(string(wire), "\r\n", "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	policy.Phones = false
	a = Negotiate(openconnectRequest(t), policy, Link{TLSSuite: 0x1302}, [cstp.SessionIDLen]byte{})
	if !a.Address6.IsValid() || len(a.DNS) != 2 || a.RekeyMethod != cstp.RekeyNewTunnel {
		t.Errorf("a client with IPv6 gets %v, %v, rekey %q", a.Address6, a.DNS, a.RekeyMethod)
	}
	if version, suite, ok := a.DTLS.Suite(); !ok || version != dtls.Version12 || suite != dtls.ECDHERSAAES256GCM {
		t.Errorf("openconnect gets %v %v", version, suite)
	}
}
