package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/judge"
)

// TestSaidOtherwise gives what is known in another form, beside the nearest that is not it.
func TestSaidOtherwise(t *testing.T) {
	t.Parallel()
	const (
		none   = "ocserv[3629]: worker: 203.0.113.77 tlslib.c:488: no certificate was found\n"
		phone1 = "Nov 12 2026 10:00:03 gw : %ASA-4-722051: Group <GP> User <phone1> IP <203.0.113.77> Address <10.9.9.4> assigned to session\n"
		lost   = "Nov 12 2026 09:59:33 gw : %ASA-5-722037: Group <GP> User <phone1> IP <203.0.113.77> SVC closing connection: DPD failure.\n"
		bob    = "Nov 12 2026 10:09:33 gw : %ASA-4-113019: Group = Laptops, Username = bob, IP = 203.0.113.9, Session disconnected. Session Type: SSL, Duration: 0h:10m:02s, Bytes xmt: 9000, Bytes rcv: 9000, Reason: DPD failure\n"
		failed = "Nov 12 2026 10:00:03 gw : %ASA-4-737012: IPAA: Address assignment failed\n"
	)
	tries := func(names ...string) string {
		var b strings.Builder
		for _, name := range names {
			b.WriteString("2026-11-25 03:11:40.100211 [WARNING] sofia_reg.c:1792 SIP auth failure (REGISTER) on sofia profile 'external' for [" + name + "@192.0.2.40] from ip 203.0.113.7\n")
		}
		return b.String()
	}
	untrusted := func(why string) string {
		return "2137: NOT 09:12:07.631220 VPNC: cert_vfy_cb: depth:0 of 0, pre_err: " + why + "\n" +
			"2140: ERR 09:12:07.652044 SECD: EROR:secLoadFile: file not found </tmp/issuer.crt>\n" +
			"2142: ERR 09:12:07.654120 VPNC: VPN cert chain verification failed, issuer certificate not found and leaf not trusted\n"
	}
	for name, c := range map[string]struct {
		text    string
		verdict judge.Verdict
		codes   []string
	}{
		"somebody tries five names":                {tries("100", "101", "admin", "test", "9999"), judge.Insufficient, nil},
		"somebody tries two":                       {tries("100", "101"), judge.Insufficient, []string{"registration-refused?"}},
		"a device tries":                           {tries("SEP00005E005301"), judge.Fault, []string{"registration-refused"}},
		"a certificate without issuer":             {untrusted("18 (self signed certificate)"), judge.Fault, []string{"certificate-hash-mismatch"}},
		"an issuer that is not sent":               {untrusted("20 (unable to get local issuer certificate)"), judge.Fault, []string{"certificate-hash-mismatch", "certificate-hash-of-wrong-certificate?"}},
		"VPN Authentication failed":                {"VPN Authentication failed\n", judge.Fault, []string{"login-refused"}},
		"with a colon":                             {"VPN: Authentication failed\n", judge.Fault, []string{"login-refused"}},
		"numbered, with its time":                  {"1: 9:15:01a VPN Authentication failed\n", judge.Fault, []string{"login-refused"}},
		"of another":                               {"1: 9:15:01a WLAN Authentication failed\n", judge.Insufficient, nil},
		"a phone in software":                      {"10:00:00.000 provision failed: no answer\n10:00:00.000 finding   tftp-unreachable: the phone's TFTP server 192.0.2.7 does not answer\n", judge.Fault, []string{"tftp-unreachable"}},
		"a phone in software that goes on with it": {"10:00:00.000 finding   login-refused: the gateway refuses the login of anna\n10:00:01.000 verify    logged in (12 ms)\n", judge.OK, nil},
		"no certificate":                           {none, judge.Insufficient, nil},
		"no certificate, in a session":             {none + "ocserv[3629]: worker[phone1]: 203.0.113.77 suggesting DPD of 90 secs\n", judge.Insufficient, nil},
		"no certificate, where one is asked for":   {none + "ocserv[3629]: worker: 203.0.113.77 no certificate provided for authentication\n", judge.Fault, []string{"client-certificate-untrusted"}},
		"an ASA loses a phone":                     {lost, judge.Fault, []string{"dead-peer"}},
		"which comes back":                         {lost + phone1, judge.OK, nil},
		"an ASA loses a computer beside a phone":   {phone1 + bob, judge.Insufficient, nil},
		"and alone":                                {bob, judge.Fault, []string{"dead-peer"}},
		"an ASA has no address":                    {failed, judge.Insufficient, nil},
		"for it has no pool with one":              {"Nov 12 2026 10:00:03 gw : %ASA-5-737007: IPAA: Local pool request failed for tunnel-group 'PHONES'\n" + failed, judge.Fault, []string{"address-pool-exhausted"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := diagnose(t, c.text)
			if got := codes(r); r.Verdict != c.verdict || !slices.Equal(got, c.codes) {
				t.Errorf("got %s %v, want %s %v; needs %q", r.Verdict, got, c.verdict, c.codes, r.Needs)
			}
		})
	}
}

// TestOneASATwice sends two configurations of one ASA.
func TestOneASATwice(t *testing.T) {
	t.Parallel()
	with := asaDoubt + "username phone1 password ***** encrypted\n"
	healthy2 := strings.Replace(asaHealthy, " anyconnect enable\n", " anyconnect enable\n keepout off\n", 1)
	without := strings.Replace(with, " enable outside\n", "", 1)
	for name, c := range map[string]struct {
		texts   []string
		verdict judge.Verdict
		asks    string
	}{
		"one that opens the VPN":         {[]string{with}, judge.OK, ""},
		"twice the same":                 {[]string{with, with}, judge.OK, ""},
		"and one that does not":          {[]string{with, without}, judge.Insufficient, "`enable outside` of webvpn stands in file 1 alone"},
		"in the other order":             {[]string{without, with}, judge.Insufficient, "`enable outside` of webvpn stands in file 2 alone"},
		"one, and what is not all":       {[]string{with, "hostname asa\nwebvpn\n anyconnect enable\n"}, judge.OK, ""},
		"two that are whole":             {[]string{asaHealthy, healthy2}, judge.Insufficient, "say which configuration of gw runs"},
		"of two ASAs":                    {[]string{asaHealthy, strings.Replace(healthy2, "hostname gw", "hostname other", 1)}, judge.OK, ""},
		"another policy of the same ASA": {[]string{with, "hostname asa\ngroup-policy STAFF internal\ngroup-policy STAFF attributes\n banner value x\nusername b password ***** encrypted\n"}, judge.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := diagnose(t, c.texts...)
			if r.Verdict != c.verdict || !strings.Contains(strings.Join(r.Needs, "\n"), c.asks) || c.asks == "" && len(r.Needs) > 0 {
				t.Errorf("got %s %v, want %s; needs %q", r.Verdict, codes(r), c.verdict, r.Needs)
			}
		})
	}
}

// TestPolicyEnds: who is shut out by a dynamic access policy is not told to try the password.
func TestPolicyEnds(t *testing.T) {
	t.Parallel()
	r := diagnose(t, "%ASA-5-734002: DAP: User phone1, Addr 203.0.113.77: Connection terminated by the following DAP records: BLOCK\n")
	if len(r.Findings) != 1 || r.Findings[0].Code != "login-refused" {
		t.Fatalf("got %+v", r.Findings)
	}
	said := r.Findings[0].Says + strings.Join(r.Findings[0].Fix, "\n")
	if strings.Contains(said, "password") || !strings.Contains(said, "BLOCK") || !strings.Contains(said, "dynamic-access-policy-record") {
		t.Errorf("got %s", said)
	}
	refused := diagnose(t, "%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = phone1 : user IP = 203.0.113.77\n")
	if !strings.Contains(strings.Join(refused.Findings[0].Fix, "\n"), "password") {
		t.Errorf("a wrong password: %+v", refused.Findings)
	}
}

// TestNoCertificateDemanded: a handshake without a certificate is a fault where nobody comes in with a password.
func TestNoCertificateDemanded(t *testing.T) {
	t.Parallel()
	const (
		none   = "ocserv[3629]: worker: 203.0.113.77 tlslib.c:488: no certificate was found\n"
		config = "tcp-port = 443\nudp-port = 443\nsocket-file = /run/ocserv.sock\nserver-cert = /etc/ocserv/cert.pem\nserver-key = /etc/ocserv/key.pem\ndevice = vpns\nipv4-network = 10.9.9.0/24\ncert-user-oid = 2.5.4.3\nauth = "
	)
	for auth, want := range map[string][]string{
		"certificate\n":                        {"client-certificate-untrusted"},
		"plain[passwd=/etc/ocserv/ocpasswd]\n": nil,
		"certificate\nenable-auth = \"plain[passwd=/etc/ocserv/ocpasswd]\"\n": nil,
		"plain[passwd=/etc/ocserv/ocpasswd]\nenable-auth = \"certificate\"\n": nil,
		"certificate\nenable-auth = certificate\n":                            {"client-certificate-untrusted"},
	} {
		got := slices.DeleteFunc(codes(diagnose(t, config+auth, none)), func(code string) bool { return code != "client-certificate-untrusted" })
		if !slices.Equal(got, want) {
			t.Errorf("auth = %q: got %v, want %v", auth, got, want)
		}
	}
}

// TestTrustPointNotListed: people cut their certificates out of what they send; what is bound is bound.
func TestTrustPointNotListed(t *testing.T) {
	t.Parallel()
	cut := strings.Replace(asaHealthy, "crypto ca trustpoint VPN\n enrollment terminal\n fqdn vpn.example.net\n keypair VPN\n", "", 1)
	if cut == asaHealthy {
		t.Fatal("the configuration has no such trustpoint")
	}
	if got := codes(diagnose(t, cut)); slices.Contains(got, "gateway-certificate-temporary") {
		t.Errorf("bound: got %v", got)
	}
	if got := codes(diagnose(t, strings.Replace(asaHealthy, "ssl trust-point VPN outside\n", "", 1))); !slices.Contains(got, "gateway-certificate-temporary") {
		t.Errorf("not bound: got %v", got)
	}
}
