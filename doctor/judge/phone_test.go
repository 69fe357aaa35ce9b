package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

var phoneNow = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// phoneFacts makes facts of lines such as "phone.alert by=phone name=unknown_CA"; an underscore stands for a space.
func phoneFacts(t *testing.T, lines ...string) *fact.File {
	t.Helper()
	c := fact.NewCollector("test", "files")
	c.At(phoneNow)
	in := c.Open("file")
	for i, line := range lines {
		words := strings.Fields(line)
		var values []string
		for _, w := range words[1:] {
			name, value, ok := strings.Cut(w, "=")
			if !ok {
				t.Fatalf("%q: %q is no value", line, w)
			}
			values = append(values, name, strings.ReplaceAll(value, "_", " "))
		}
		in.Add(fact.Kind(words[0]), i+1, line, time.Time{}, values...)
	}
	return c.File()
}

// phoneFindings judges and returns codes with their certainty.
func phoneFindings(t *testing.T, lines ...string) []string {
	t.Helper()
	var got []string
	for _, f := range Facts(phoneFacts(t, lines...), "test").Findings {
		got = append(got, fmt.Sprintf("%s %s", f.Code, f.Certainty))
	}
	slices.Sort(got)
	return got
}

const (
	hashA = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	hashB = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	hashC = "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
)

func TestPhoneRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		facts []string
		want  []string
	}{
		{"group URL: no cookie", []string{"phone.cookie-missing"}, []string{"group-url-mismatch likely"}},
		{"group URL: redirected", []string{"phone.login-reply status=302 location=/+webvpn+/index.html"}, []string{"group-url-mismatch likely"}},
		{"group URL: the login goes on", []string{"phone.login-reply status=200"}, nil},
		{"group URL: another path", []string{"file.url url=https://vpn.example.com/Phones", "gateway.group-url url=https://vpn.example.com/phones"}, []string{"group-url-mismatch certain"}},
		{"group URL: a slash behind", []string{"file.url url=https://vpn.example.com/phones/", "gateway.group-url url=https://vpn.example.com/phones"}, []string{"group-url-mismatch certain"}},
		{"group URL: another port", []string{"file.url url=https://vpn.example.com:8443/phones", "gateway.group-url url=https://vpn.example.com/phones"}, []string{"group-url-mismatch certain"}},
		{"group URL: address for name", []string{"file.url url=https://192.0.2.1/phones", "gateway.group-url url=https://vpn.example.com/phones"}, []string{"group-url-mismatch certain"}},
		{"group URL: what is the same", []string{"file.url url=https://VPN.example.com:443/phones", "gateway.group-url url=https://vpn.example.com/phones", "gateway.group-url url=https://vpn.example.com/staff"}, nil},
		{"group URL: a second gateway elsewhere", []string{"file.url url=https://vpn.example.com/phones", "file.url url=https://vpn2.example.com/phones index=2", "gateway.group-url url=https://vpn.example.com/phones"}, nil},

		{"hash: chain not trusted", []string{"phone.chain-untrusted"}, []string{"certificate-hash-mismatch certain"}},
		{"hash: alert of the phone", []string{"phone.alert by=phone name=unknown_CA"}, []string{"certificate-hash-mismatch likely"}},
		{"hash: log against file", []string{"phone.leaf-hash hash=" + hashA, "file.hash sha1=" + hashB}, []string{"certificate-hash-mismatch likely"}},
		{"hash: log against file, and refused", []string{"phone.leaf-hash hash=" + hashA, "phone.chain-untrusted", "file.hash sha1=" + hashB}, []string{"certificate-hash-mismatch certain"}},
		{"hash: chain against file", []string{"gateway.certificate presented=true depth=0 sha1=" + hashA, "file.hash sha1=" + hashB}, []string{"certificate-hash-mismatch certain"}},
		{"hash: believed", []string{"phone.leaf-hash hash=" + hashA, "phone.hash-found", "file.hash sha1=" + hashB}, nil},
		{"hash: the same", []string{"phone.leaf-hash hash=" + hashA, "file.hash sha1=" + hashA}, nil},
		{"hash: of an issuer that is sent", []string{"gateway.certificate presented=true depth=0 sha1=" + hashA, "gateway.certificate presented=true depth=1 ca=true sha1=" + hashB, "file.hash sha1=" + hashB}, nil},
		{"hash: of an authority that is not sent", []string{"gateway.certificate presented=true depth=0 subject=CN=a sha1=" + hashA, "gateway.certificate ca=true subject=CN=root issuer=CN=root sha1=" + hashB, "file.hash sha1=" + hashB},
			[]string{"certificate-hash-mismatch certain", "certificate-hash-of-wrong-certificate certain"}},
		{"hash: no issuer sent", []string{"phone.issuer-missing", "phone.chain-untrusted"}, []string{"certificate-hash-mismatch certain", "certificate-hash-of-wrong-certificate possible"}},
		{"hash: the log against an older certificate beside it", []string{"phone.leaf-hash hash=" + hashA, "phone.chain-untrusted", "gateway.certificate subject=CN=a issuer=CN=b sha1=" + hashB, "file.hash sha1=" + hashB}, []string{"certificate-hash-mismatch certain"}},
		{"hash: no issuer sent, and the file is here", []string{"phone.issuer-missing", "phone.chain-untrusted", "phone.leaf-hash hash=" + hashA, "file.hash sha1=" + hashB}, []string{"certificate-hash-mismatch certain"}},
		{"hash: no issuer sent, and none needed", []string{"phone.issuer-missing", "phone.hash-found"}, nil},
		{"old file in use", []string{"phone.leaf-hash hash=" + hashA, "phone.chain-untrusted", "file.hash sha1=" + hashA}, []string{"config-change-not-taken likely"}},
		{"old file in use, new one fetched", []string{"phone.fetched file=SEP001122334455.cnf.xml", "phone.leaf-hash hash=" + hashA, "phone.chain-untrusted", "file.hash sha1=" + hashA}, []string{"vpn-not-restarted likely"}},
		{"one hash", []string{"sep.vpn whole=true urls=1", "file.hash sha1=" + hashA}, []string{"no-spare-certificate certain"}},
		{"one hash twice", []string{"sep.vpn whole=true urls=1", "file.hash index=1 sha1=" + hashA, "file.hash index=2 sha1=" + hashA}, []string{"no-spare-certificate certain"}},
		{"two hashes", []string{"sep.vpn whole=true urls=1", "file.hash sha1=" + hashA, "file.hash sha1=" + hashB}, nil},
		{"one hash in an excerpt", []string{"sep.vpn urls=1", "file.hash sha1=" + hashA}, nil},

		{"certificate ended", []string{"gateway.certificate presented=true depth=0 not-after=2026-11-25T00:00:00Z"}, []string{"certificate-expired certain"}},
		{"certificate of an authority ended", []string{"gateway.certificate depth=1 ca=true not-after=2026-11-25T00:00:00Z"}, nil},
		{"certificate to come", []string{"gateway.certificate depth=0 not-before=2026-11-27T00:00:00Z not-after=2027-11-27T00:00:00Z"}, []string{"certificate-not-yet-valid certain"}},
		{"certificate in its time", []string{"gateway.certificate depth=0 not-before=2026-11-01T00:00:00Z not-after=2027-11-27T00:00:00Z"}, nil},
		{"ended, and the phone goes by the hash", []string{"phone.hash-found", "phone.certificate-date error=expired"}, nil},
		{"the phone finds it ended", []string{"phone.certificate-date error=expired"}, []string{"certificate-expired likely", "clock-wrong possible"}},
		{"the phone's clock", []string{"phone.certificate-date error=not-yet-valid", "gateway.certificate depth=0 not-before=2026-11-01T00:00:00Z not-after=2027-11-27T00:00:00Z"}, []string{"clock-wrong likely"}},

		{"host: not named", []string{"sep.vpn host-check=1", "file.url url=https://vpn.example.com/p", "gateway.certificate names=www.example.com,example.com"}, []string{"host-id-mismatch certain"}},
		{"host: wildcard", []string{"sep.vpn", "file.url url=https://vpn.example.com/p", "gateway.certificate names=*.example.com"}, []string{"host-id-mismatch certain"}},
		{"host: check off", []string{"sep.vpn host-check=0", "file.url url=https://vpn.example.com/p", "gateway.certificate names=www.example.com"}, nil},
		{"host: named", []string{"sep.vpn host-check=1", "file.url url=https://vpn.example.com/p", "gateway.certificate names=www.example.com,VPN.example.com"}, nil},
		{"host asked for: not named", []string{"asked.url url=https://vpn.example.com/p", "gateway.certificate presented=true names=www.example.com"}, []string{"host-id-mismatch likely"}},
		{"host asked for: named", []string{"asked.url url=https://vpn.example.com/p", "gateway.certificate presented=true names=VPN.example.com"}, nil},
		{"host asked for: a certificate from elsewhere", []string{"asked.url url=https://vpn.example.com/p", "gateway.certificate names=www.example.com"}, nil},
		{"host asked for: the phone believes it", []string{"asked.url url=https://vpn.example.com/p", "gateway.certificate presented=true names=www.example.com", "phone.hash-found"}, nil},
		{"host: address, nothing failed", []string{"sep.vpn host-check=1", "file.url url=https://192.0.2.1/p"}, nil},
		{"host: address, and it failed", []string{"sep.vpn host-check=1", "file.url url=https://192.0.2.1/p", "phone.vpn-failed code=LoginFailed"}, []string{"host-id-mismatch possible"}},

		{"TLS: version", []string{"phone.alert by=gateway name=protocol_version"}, []string{"tls-version certain"}},
		{"TLS: cipher", []string{"phone.alert by=gateway name=handshake_failure"}, []string{"tls-cipher likely"}},
		{"TLS: what a tool hears", []string{"gateway.handshake-failed alert=protocol_version offered=TLSv1"}, []string{"tls-version possible"}},
		{"TLS: what a tool hears, old phone", []string{"device model=CP-7962G", "gateway.handshake-failed alert=protocol_version offered=TLSv1"}, []string{"tls-version likely"}},
		{"TLS: EC key and old phone", []string{"device model=CP-7962G", "gateway.certificate presented=true depth=0 key=EC_256"}, []string{"tls-cipher likely"}},
		{"TLS: EC key and new phone", []string{"device model=CP-8861", "gateway.certificate presented=true depth=0 key=EC_256"}, nil},
		{"client certificate", []string{"phone.alert by=gateway name=unknown_CA"}, []string{"client-certificate-untrusted likely"}},
		{"client certificate ended", []string{"phone.certificate device=SEP001122334455 not-after=2026-01-01T00:00:00Z"}, []string{"client-certificate-expired likely"}},
		{"client certificate in its time", []string{"phone.certificate device=SEP001122334455 not-after=2027-01-01T00:00:00Z"}, nil},
		{"login", []string{"phone.login-refused"}, []string{"login-refused likely"}},
		{"login, then a tunnel", []string{"phone.login-refused", "phone.vpn-up"}, nil},
		{"login, in whatever order", []string{"phone.vpn-up order=any", "phone.login-refused"}, nil},
		{"a tunnel, then login", []string{"phone.vpn-up", "phone.login-refused"}, []string{"login-refused likely"}},
		{"group URL: no cookie, then a tunnel", []string{"phone.cookie-missing", "phone.vpn-up"}, nil},
		{"group URL: a tunnel, then no cookie", []string{"phone.vpn-up", "phone.cookie-missing"}, []string{"group-url-mismatch likely"}},
		{"hash: refused, then believed", []string{"phone.chain-untrusted", "phone.hash-found"}, nil},
		{"hash: believed, then refused", []string{"phone.hash-found", "phone.chain-untrusted"}, []string{"certificate-hash-mismatch certain"}},
		{"login, and the certificate was refused", []string{"phone.login-refused", "phone.chain-untrusted"}, []string{"certificate-hash-mismatch certain"}},
		{"login with a space", []string{"phone.login-refused user=j_doe"}, []string{"credential-characters likely"}},
		{"DTLS", []string{"phone.suite-changed"}, []string{"dtls-cipher-mismatch certain"}},

		{"model", []string{"device model=CP-7911G"}, []string{"model-without-vpn likely"}},
		{"model without any doubt", []string{"device model=CP-7940G"}, []string{"model-without-vpn certain"}},
		{"model that speaks", []string{"device model=CP-7821", "phone.leaf-hash hash=" + hashA}, nil},
		{"load", []string{"device model=CP-7962G load=SCCP42.8-5-3S"}, []string{"load-too-old certain"}},
		{"load of a model without VPN", []string{"device load=P0S3-8-12-00", "sep.vpn whole=true", "file.hash sha1=61"}, []string{"model-without-vpn certain"}},
		{"load of such a model, of SCCP", []string{"device load=P00308000500", "sep.vpn whole=true"}, []string{"model-without-vpn certain"}},
		{"load that begins as that of such a model", []string{"device load=P0S3X-1", "sep.vpn whole=true"}, nil},
		{"load without model", []string{"device load=SIP42.8-5-3S"}, []string{"load-too-old certain"}},
		{"load of today", []string{"device model=CP-7962G load=SCCP42.9-4-2SR3-1S"}, nil},
		{"multiplatform", []string{"device load=sip88xx.11-3-1MPP-408"}, []string{"mpp-firmware certain"}},
		{"multiplatform by its file", []string{"sep.multiplatform"}, []string{"mpp-firmware certain"}},
		{"load not there", []string{"phone.file-missing file=sip88xx.14-1-1-0001-125.loads"}, []string{"load-missing certain"}},
		{"load damaged", []string{"phone.load-damaged"}, []string{"load-missing likely"}},
		{"load of other hardware", []string{"phone.load-rejected"}, nil},
		{"load with a wrong name", []string{"phone.load-named"}, []string{"load-missing likely"}},
		{"detection by an old load", []string{"sep.vpn auto-detect=1", "device load=SIP42.9-0-3S"}, []string{"network-detection-unreliable likely"}},
		{"detection by a new load", []string{"sep.vpn auto-detect=1", "device load=SIP42.9-4-2SR3-1S"}, nil},
		{"detection off, phone lost", []string{"sep.vpn auto-detect=0", "phone.not-registered"}, []string{"network-detection-unreliable likely"}},
		{"detection off, nothing wrong", []string{"sep.vpn auto-detect=0"}, nil},

		{"no VPN in the file", []string{"sep.file whole=true form=plain"}, []string{"vpn-not-configured likely"}},
		{"no VPN in an excerpt", []string{"sep.file form=plain"}, nil},
		{"VPN in the file", []string{"sep.file whole=true form=plain", "sep.vpn whole=true urls=1"}, nil},
		{"VPN without a gateway", []string{"sep.file whole=true form=plain", "sep.vpn whole=true urls=0"}, []string{"vpn-not-configured certain"}},
		{"file cannot be used", []string{"sep.invalid file=SEP.cnf.xml problem=broken"}, []string{"config-invalid certain"}},
		{"file too large", []string{"phone.file-too-large"}, []string{"config-invalid certain"}},
		{"page shut", []string{"sep.setting name=webAccess value=1"}, []string{"web-access-off certain"}},
		{"page open", []string{"sep.setting name=webAccess value=0"}, nil},

		{"trust list", []string{"phone.trust-list-failed"}, []string{"foreign-trust-list possible", "trust-list-mismatch likely", "tvs-unreachable possible"}},
		{"trust list: verification", []string{"phone.trust-list-failed verification=true"}, []string{"foreign-trust-list possible", "trust-list-mismatch certain", "tvs-unreachable possible"}},
		{"trust list: taken after all", []string{"phone.trust-list-failed", "phone.trust-list-taken"}, nil},
		{"signature", []string{"phone.signature-refused file=SEP001122334455.cnf.xml.sgn"}, []string{"foreign-trust-list possible", "trust-list-mismatch certain"}},
		{"signer not in the list", []string{"sep.signer issuer=CN=a serial=01", "trust.list file=ITL", "trust.record issuer=CN=a serial=02"}, []string{"foreign-trust-list possible", "trust-list-mismatch likely"}},
		{"signer in the list", []string{"sep.signer issuer=CN=a serial=01", "trust.list file=ITL", "trust.record issuer=CN=a serial=01"}, nil},
		{"TVS", []string{"phone.tvs-failed server=192.0.2.5 reason=tcp"}, []string{"tvs-unreachable certain"}},
		{"TVS: answered then", []string{"phone.tvs-failed server=192.0.2.5 reason=tcp", "phone.tvs-answered server=192.0.2.6"}, nil},
		{"CAPF", []string{"phone.capf-failed text=server_not_trusted"}, []string{"capf-untrusted likely"}},
		{"CAPF: something else", []string{"phone.capf-failed text=busy"}, nil},

		{"TFTP", []string{"phone.file-timeout file=SEP001122334455.cnf.xml"}, []string{"tftp-unreachable likely"}},
		{"TFTP: came then", []string{"phone.file-timeout", "phone.fetched file=SEP001122334455.cnf.xml"}, nil},
		{"TFTP: outside without a tunnel", []string{"phone.file-timeout", "phone.cookie-missing"}, []string{"group-url-mismatch likely"}},
		{"file missing", []string{"phone.file-missing file=SEP001122334455.cnf.xml"}, []string{"tftp-file-missing certain"}},
		{"some file missing", []string{"phone.file-missing"}, []string{"tftp-file-missing likely"}},
		{"file refused", []string{"phone.file-refused file=SEP001122334455.cnf.xml.sgn"}, []string{"foreign-trust-list possible", "tftp-file-missing likely"}},
		{"soft keys refused", []string{"phone.file-refused file=SKabc.xml"}, []string{"tftp-file-missing possible"}},
		{"default file", []string{"phone.default-file"}, []string{"tftp-file-missing likely", "vpn-not-configured possible"}},
		{"TFTP of the router", []string{"phone.page alternate=no tftp1=192.168.1.1 router=192.168.1.1"}, []string{"alternate-tftp-not-set likely", "foreign-tftp-server likely"}},
		{"TFTP of the office", []string{"phone.page alternate=no tftp1=10.20.30.5 router=10.20.31.1 dhcp-server=10.20.30.9"}, nil},
		{"TFTP of the office in a home's network", []string{"phone.page alternate=yes tftp1=192.168.1.20"}, []string{"home-network-overlaps certain"}},

		{"gateway has no name", []string{"gateway.no-name server=vpn.example.com"}, []string{"gateway-name-unresolved certain"}},
		{"DNS of the gateway", []string{"phone.no-name host=vpn.example.com", "file.url url=https://vpn.example.com/p"}, []string{"gateway-name-unresolved certain"}},
		{"DNS of something", []string{"phone.no-name host=cucm.example.com", "file.url url=https://vpn.example.com/p"}, nil},
		{"gateway does not answer", []string{"gateway.no-answer server=192.0.2.1:443 reason=refused"}, []string{"gateway-unreachable likely"}},
		{"load for other hardware", []string{"phone.load-rejected text=Load_Rejected_HC"}, []string{"config-invalid likely"}},
		{"load rejected", []string{"phone.load-rejected text=Load_Auth_Failed"}, nil},
		{"VPN group without a hash", []string{"sep.vpn whole=true urls=1 hashes=0"}, []string{"config-invalid likely"}},
		{"VPN group without a hash, cut", []string{"sep.vpn urls=1 hashes=0"}, nil},
		{"register: refused", []string{"phone.register-reply status=403"}, []string{"registration-refused likely"}},
		{"register: another line is taken", []string{"phone.register-reply status=403 line=1001", "phone.register-reply status=200 line=1002"}, []string{"registration-refused likely"}},
		{"register: nobody there", []string{"phone.no-call-manager"}, []string{"registration-unreachable likely"}},
		{"register: somebody in the end", []string{"phone.no-call-manager", "phone.register-reply status=200"}, nil},
		{"register: asked for the password again and again", []string{"phone.register-reply status=401", "phone.register-reply status=401"}, []string{"registration-refused likely"}},
		{"register: asked for the password", []string{"phone.register-reply status=401", "phone.register-reply status=200"}, nil},
		{"register: done in the end", []string{"phone.register-reply status=401", "phone.register-reply status=401", "phone.register-reply status=200"}, nil},
		{"register: the screen says", []string{"phone.register-refused text=Registration_Rejected"}, []string{"registration-refused likely"}},
		{"our own finding", []string{"own.finding code=login-refused says=the_gateway_refuses_the_login_of_alice certainty=certain"}, []string{"login-refused certain"}},
		{"our own finding in a log", []string{"own.finding code=registration-refused line=2001 why=403"}, []string{"registration-refused certain"}},
		{"our own finding, and then it went well", []string{"own.finding code=login-refused says=the_gateway_refuses_the_login_of_alice", "own.step step=verify"}, nil},
		{"our own finding, and the phone lives on with its old file", []string{"own.finding code=capf-untrusted says=x", "own.step step=register"}, []string{"capf-untrusted certain"}},
		{"our own finding, and the phone got no new file", []string{"own.finding code=trust-list-mismatch says=x", "own.step step=provision stored=true"}, []string{"trust-list-mismatch certain"}},
		{"nobody answers a phone that is away", []string{"own.finding code=tftp-unreachable says=x", "own.step step=provision stored=true"}, nil},
		{"our own finding, and then the phone got its file", []string{"own.finding code=capf-untrusted says=x", "own.step step=provision"}, nil},
		{"lost, and back in the same session", []string{"own.lost session=7 device=SEP1", "own.back session=7"}, []string{"dead-peer likely"}},
		{"lost, and somebody else is back", []string{"own.back session=7", "own.lost session=7 device=SEP1", "own.back session=8"}, []string{"dead-peer possible"}},
		{"a finding of nobody's", []string{"own.finding code=moon-full"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := phoneFindings(t, c.facts...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestPhoneInsufficient: what failed without a cause asks for more, and so does an alarm that stands alone.
func TestPhoneInsufficient(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]string{
		{"phone.vpn-failed code=LoginFailed"},
		{"phone.attempting"},
		{"phone.vpn"},
		{"phone.issuer-missing"}, // most gateways send none, and phones log in
		{"phone.not-registered"},
		{"phone.vpn-failed code=LoginFailed", "sep.setting name=webAccess value=1"}, // a warning explains nothing
		{"phone.alarm last=CM-closed-TCP", "device device=SEP001122334455"},
		{"phone.alarm last=keepalive-timeout device=SEP001122334455"},
	} {
		r := Facts(phoneFacts(t, lines...), "test")
		if r.Verdict != Insufficient || len(r.Needs) == 0 {
			t.Errorf("%q: verdict %s, needs %q; want insufficient, and something to send", lines, r.Verdict, r.Needs)
		}
	}
	if r := Facts(phoneFacts(t, "phone.alarm last=Initialized"), "test"); strings.Contains(strings.Join(r.Needs, " "), "lost its call manager") {
		t.Errorf("a phone that was initialised makes the doctor ask: %q", r.Needs)
	}
}
