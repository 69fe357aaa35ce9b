package read

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

var asaNow = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// asaFacts reads a text and returns its facts as KIND NAME=VALUE …, and what it was recognised as.
func asaFacts(t testing.TB, text string) (facts []string, formats []string) {
	t.Helper()
	c := fact.NewCollector("test", "test")
	if err := Input(t.Context(), c, "-", strings.NewReader(text), Options{Now: asaNow}); err != nil {
		t.Fatal(err)
	}
	for _, f := range c.File().Facts {
		words := []string{string(f.Kind)}
		for k, v := range f.Values {
			words = append(words, k+"="+v)
		}
		slices.Sort(words[1:])
		facts = append(facts, strings.Join(words, " "))
	}
	return facts, c.File().Sources[0].Formats
}

// TestASASyslog reads messages with what different programs put around them.
func TestASASyslog(t *testing.T) {
	t.Parallel()
	const ended = "asa.session-ended duration=0h:30m:12s group=PHONES phone=true public=198.51.100.7 reason=Idle Timeout type=SSL user=CP-7962G-SEP001122334455"
	text := "Group = PHONES, Username = CP-7962G-SEP001122334455, IP = 198.51.100.7, Session disconnected. Session Type: SSL, Duration: 0h:30m:12s, Bytes xmt: 100, Bytes rcv: 200, Reason: Idle Timeout"
	for name, line := range map[string]string{
		"as it is":        "%ASA-4-113019: " + text,
		"of a buffer":     "Nov 25 2026 10:00:00: %ASA-4-113019: " + text,
		"of a server":     "<164>Nov 25 10:00:00 192.0.2.1 Nov 25 2026 10:00:00 asa1 : %ASA-4-113019: " + text,
		"EMBLEM":          "<164>:Nov 25 10:00:00 UTC: %ASA-auth-4-113019: " + text,
		"of a PIX":        "%PIX-4-113019: " + text,
		"of FTD":          "2026-11-25T10:00:00Z fw : %FTD-4-113019: " + text,
		"without percent": "2026-11-25 10:00:00 ASA-4-113019: " + text,
		"of ASDM":         "4|Nov 25 2026|10:00:00|113019|||||" + text,
		"without number":  text,
		"with CR":         "%ASA-4-113019: " + text + "\r",
		"with escapes":    "\x1b[1m%ASA-4-113019: \x1b[0m" + text,
	} {
		facts, formats := asaFacts(t, line+"\n")
		if !slices.Contains(facts, ended) || !slices.Contains(formats, "ASA syslog") {
			t.Errorf("%s: %q as %q; want %s", name, facts, formats, ended)
		}
	}
	for line, want := range map[string]string{
		"%ASA-3-716057: Group <GP> User <anna> IP <198.51.100.7> Session terminated, no LinkSys Phone license available":                                                                           "asa.licence-refused licence=LinkSys Phone user=anna",
		"%ASA-3-722020: TunnelGroup <PHONES> GroupPolicy <GP> User <anna> IP <198.51.100.7> No address available for SVC connection":                                                               "asa.no-address group=PHONES user=anna",
		"%ASA-3-722020: TunnelGroup PHONES GroupPolicy GP User anna IP 198.51.100.7 No address available for SVC connection":                                                                       "asa.no-address group=PHONES user=anna",
		"%ASA-5-737007: IPAA: Session=0x00012000, Local pool request failed for tunnel-group 'PHONES'":                                                                                             "asa.no-address group=PHONES reason=pool",
		"%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = anna : user IP = 198.51.100.7":                                                      "asa.login-refused number=113015 public=198.51.100.7 reason=Invalid password user=anna",
		"%ASA-6-113015: AAA user authentication Rejected: reason = User was not found : local database: user = *****: user IP = 198.51.100.7":                                                      "asa.login-refused number=113015 public=198.51.100.7 reason=User was not found user=*****",
		"%ASA-6-113005: AAA user authentication Rejected : reason = AAA failure : server = 10.1.1.30 : user = anna":                                                                                "asa.login-refused number=113005 reason=AAA failure server=10.1.1.30 user=anna",
		"%ASA-6-113013: AAA unable to complete the request Error : reason = Simultaneous logins exceeded for user : user = anna":                                                                   "asa.session-limit user=anna whose=user",
		"%ASA-4-113029: Group <GP> User <anna> IP <198.51.100.7> Session could not be established: session limit of 2 reached.":                                                                    "asa.session-limit limit=2 user=anna whose=gateway",
		"%ASA-3-717009: Certificate validation failed. No suitable trustpoints found to validate certificate serial number: 01, subject name: cn=CP-7962G-SEP001122334455,ou=x.":                   "asa.certificate-refused reason=No suitable trustpoints found to validate certificate serial number: 01, subject name: cn=CP-7962G-SEP001122334455,ou=x. subject=CP-7962G-SEP001122334455",
		"%ASA-5-722043: Group <GP> User <anna> IP <198.51.100.7> DTLS disabled: unable to negotiate cipher.":                                                                                       "asa.no-dtls user=anna",
		"%ASA-6-722036: Group <GP> User <anna> IP <198.51.100.7> Transmitting large packet 1418 (threshold 1290).":                                                                                 "asa.large-packet size=1418 threshold=1290 user=anna",
		"%ASA-4-722050: Group <GP> User <anna> IP <198.51.100.7> Session terminated: SVC not enabled for the user":                                                                                 "asa.login-refused number=722050 policy=GP reason=AnyConnect is not among the protocols of its group policy user=anna",
		"%ASA-4-722049: Group <GP> User <anna> IP <198.51.100.7> Session terminated: SVC not enabled or invalid SVC image on the ASA":                                                              "asa.clients-off",
		"%ASA-4-106023: Deny tcp src outside:10.99.0.11/50000 dst inside:10.1.1.20/2000 by access-group \"OUTSIDE-IN\" [0x0, 0x0]":                                                                 "asa.denied from=10.99.0.11 list=OUTSIDE-IN on=outside port=2000 protocol=tcp to=10.1.1.20",
		"%ASA-5-305013: Asymmetric NAT rules matched for forward and reverse flows; Connection for udp src outside:10.99.0.11/5000 dst inside:10.1.1.20/69 denied due to NAT reverse path failure": "asa.nat-failed from=10.99.0.11 port=69 to=10.1.1.20",
		"%ASA-6-110003: Routing failed to locate next hop for UDP from outside:10.99.0.11/5000 to inside:10.1.1.20/69":                                                                             "asa.no-route from=10.99.0.11 port=69 to=10.1.1.20",
		"%ASA-3-113020: Kerberos error: Clock skew with server 10.1.1.30 greater than 300 seconds":                                                                                                 "asa.clock-skew reason=it and the Kerberos server 10.1.1.30 differ by more than 300 seconds",
		"%ASA-7-725014: SSL lib error. Function: SSL3_GET_CLIENT_HELLO Reason: no shared cipher":                                                                                                   "asa.tls-failed reason=no shared cipher",
		"%ASA-3-722046: Group <GP> User <anna> IP <198.51.100.7> Session terminated: Unable to establish tunnel":                                                                                   "asa.trouble number=722046 text=Group <GP> User <anna> IP <198.51.100.7> Session terminated: Unable to establish tunnel",
	} {
		if facts, _ := asaFacts(t, line+"\n"); !slices.Contains(facts, want) {
			t.Errorf("%s\ngives %q\nwant  %s", line, facts, want)
		}
	}
	// Strangers' handshakes do not matter beside sessions that work; packets of the Internet are no phone's.
	facts, _ := asaFacts(t, `%ASA-6-725006: Device failed SSL handshake with client outside:203.0.113.9/4444
%ASA-6-113039: Group <GP> User <anna> IP <198.51.100.7> AnyConnect parent session started.
%ASA-4-106023: Deny tcp src outside:203.0.113.9/50000 dst inside:192.0.2.1/22 by access-group "OUTSIDE-IN" [0x0, 0x0]
`)
	for _, f := range facts {
		if strings.HasPrefix(f, "asa.tls-failed") || strings.HasPrefix(f, "asa.denied") {
			t.Errorf("%s is told", f)
		}
	}
}

// TestASAShow reads what show and debug print.
func TestASAShow(t *testing.T) {
	t.Parallel()
	for text, wants := range map[string][]string{
		"Cisco Adaptive Security Appliance Software Version 8.2(5)\nHardware:   ASA5505, 512 MB RAM, CPU Geode 500 MHz\nLicensed features for this platform:\nSSL VPN Peers                  : 2\nAnyConnect for Linksys phone   : Disabled\nAnyConnect Essentials          : Enabled\nUC Phone Proxy Sessions        : 2\n": {
			"asa.version version=8.2(5)", "asa.version hardware=ASA5505", "asa.licence feature=premium name=SSL VPN Peers scope=unit value=2",
			"asa.licence feature=phone name=AnyConnect for Linksys phone scope=unit value=Disabled", "asa.licence feature=essentials name=AnyConnect Essentials scope=unit value=Enabled",
		},
		"Licensed features for this platform:\nAnyConnect for Cisco VPN Phone    : Disabled       perpetual\nFailover cluster licensed features for this platform:\nAnyConnect for Cisco VPN Phone    : Enabled        56 days\n": {
			"asa.licence feature=phone name=AnyConnect for Cisco VPN Phone scope=unit value=Disabled", "asa.licence feature=phone name=AnyConnect for Cisco VPN Phone scope=failover value=Enabled",
		},
		"Session Type: AnyConnect\n\nUsername     : anna                   Index        : 7\nAssigned IP  : 10.99.0.11             Public IP    : 198.51.100.7\nProtocol     : AnyConnect-Parent SSL-Tunnel\nLicense      : AnyConnect Premium, AnyConnect for Cisco VPN Phone\nGroup Policy : GP                     Tunnel Group : PHONES\nDuration     : 0h:10m:00s\n": {
			"asa.session duration=0h:10m:00s group=PHONES ip=10.99.0.11 licence=AnyConnect Premium, AnyConnect for Cisco VPN Phone phone=true policy=GP protocol=AnyConnect-Parent SSL-Tunnel public=198.51.100.7 user=anna",
		},
		"disk0:/anyconnect-win-2.4.1012-k9.pkg 1 dyn-regex=/Windows NT/\n0 AnyConnect Client(s) installed\n": {"asa.images installed=0"},
		"CSTP state = HEADER_PROCESSING\nhttp_parse_cstp_method()\nProcessing CSTP header line: 'User-Agent: Cisco SVC IPPhone Client v1.0 (1.0)'\nCSTP state = WAIT_FOR_ADDRESS\nwebvpn_cstp_accept_address: No assigned address\n": {
			"asa.entered phone=true", "asa.no-address",
		},
		"asa(config-webvpn)# svc image disk0:/anyconnect-win-2.5.2019-k9.pkg 1\nERROR: Unable to load SVC image - extraction failed\n": {"asa.image-refused reason=extraction failed"},
		"Tunnel Group: SSL, Client Cert Auth Failed!\n": {"asa.certificate-refused"},
		"[SAML] NotBefore:2026-11-24T14:02:11.000Z NotOnOrAfter:2026-11-24T15:02:11.000Z timeout: 0\n[SAML] consume_assertion: assertion is expired or not valid\n":                                                                                                                          {"asa.assertion-refused begins=2026-11-24T14:02:11.000Z"},
		"access-list NONE extended deny ip any any\naccess-list NONE extended permit ip any any inactive\naccess-list SOME extended deny udp any any\naccess-list SOME extended permit ip any any\naccess-list LATE extended deny ip any any\naccess-list LATE extended permit ip any any\n": {"asa.access-list list=NONE permits=false", "asa.access-list list=SOME permits=true", "asa.access-list list=LATE permits=false"},
		"CRYPTO_PKI: No suitable trustpoints found to validate certificate serial number: 01\n":                                                                                                                                                                                              {"asa.certificate-refused reason=No suitable trustpoints found to validate certificate serial number: 01"},
		"Active Master Version: 7.1.5.10000-12\nInactive Master Version: 8.5.1.10000-26\n":                                                                                                                                                                                                   {"cucm.version version=7.1.5.10000-12"},
		"Cisco Unified CM Administration\nSystem version: 11.5.1.10000-6 (Unrestricted)\n":                                                                                                                                                                                                   {"cucm.version unrestricted=true version=11.5.1.10000-6"},
		"voice service voip\n vpn-group 1\n  vpn-gateway 1 https://192.0.2.1/phones\nephone  2\n mac-address 0011.2233.4455\n vpn-group 1\n":                                                                                                                                                 {"file.url index=1 url=https://192.0.2.1/phones", "ios.vpn-group group=1", "ios.phone mac=001122334455 name=ephone 2 vpn-group=1"},
	} {
		facts, formats := asaFacts(t, text)
		for _, want := range wants {
			if !slices.Contains(facts, want) {
				t.Errorf("%q\ngives %q (%v)\nwant  %s", text, facts, formats, want)
			}
		}
	}
}

// TestASACut cuts inputs at every length: nothing may be told that the whole does not tell of blocks, and nothing breaks.
func TestASACut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../testdata/asa/technote.txt", "../testdata/asa/cme.txt"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if facts, _ := asaFacts(t, string(text)); len(facts) < 20 {
			t.Errorf("%s: %d facts", name, len(facts))
		}
		for end := 0; end < len(text); end += 97 {
			asaFacts(t, string(text[:end]))
		}
	}
}

func FuzzASA(f *testing.F) {
	for _, name := range []string{"../testdata/asa/technote.txt", "../testdata/asa/cme.txt"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, id := range []int{113019, 716057, 722020, 717055, 725014, 737007, 106023, 734002, 717038} {
		f.Add(fmt.Sprintf("%%ASA-4-%06d: Group <a> User <b> IP <192.0.2.1> certificate in the trustpoint X has expired Reason: x subject name: cn=a", id))
	}
	f.Fuzz(func(t *testing.T, text string) { asaFacts(t, text) })
}
