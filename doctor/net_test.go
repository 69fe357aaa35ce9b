package doctor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
)

// judged reads files of testdata/net together and returns the verdict with the findings, those that are not certain
// with their certainty.
func judged(t *testing.T, names ...string) (report *judge.Report, said string) {
	t.Helper()
	collector := fact.NewCollector("test", "files")
	for _, name := range names {
		f, err := os.Open(filepath.Join("testdata", "net", name))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if err := read.Input(t.Context(), collector, name, f, read.Options{Now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}); err != nil {
			t.Fatal(err)
		}
	}
	report = judge.Facts(collector.File(), "test")
	return report, summary(report)
}

func summary(report *judge.Report) string {
	all := []string{string(report.Verdict)}
	for _, f := range report.Findings {
		if f.Certainty == finding.Certain {
			all = append(all, f.Code)
		} else {
			all = append(all, fmt.Sprintf("%s(%s)", f.Code, f.Certainty))
		}
	}
	return strings.Join(all, " ")
}

// TestRecorded judges what programs of others printed when something was made to fail.
func TestRecorded(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"healthy.ocserv.log":        "ok",
		"healthy.oc.log":            "ok",
		"legacymix.ocserv.log":      "ok",
		"wrongpw.ocserv.log":        "fault login-banned login-refused",
		"wrongpw.oc.log":            "fault login-refused",
		"banned.ocserv.log":         "ok login-banned(possible) login-refused(possible)",
		"tlsnone.ocserv.log":        "insufficient",
		"tlscipher.ocserv.log":      "fault tls-cipher(likely)",
		"nodtls.oc.log":             "ok dtls-disabled(likely)",
		"udpblocked.ocserv.log":     "ok dtls-blocked(likely)",
		"udpblocked.oc.log":         "ok dtls-blocked(likely)",
		"udpreject.oc.log":          "ok dtls-blocked(likely)",
		"nolease.ocserv.log":        "fault address-pool-exhausted",
		"nolease.oc.log":            "insufficient",
		"sameclients.ocserv.log":    "fault session-limit",
		"sameclients.oc.log":        "insufficient",
		"badcookie.oc.log":          "insufficient",
		"badpin.oc.log":             "insufficient",
		"certauth.ocserv.log":       "fault client-certificate-untrusted",
		"certauth.oc.log":           "fault client-certificate-untrusted(likely)",
		"sessiontimeout.ocserv.log": "ok session-timeout",
		"deadpeer.ocserv.log":       "ok",
		"deadpeer.oc.log":           "fault dead-peer(likely)",
		"path404.oc.log":            "fault group-url-mismatch(likely)",
		"inuse.ocserv.log":          "fault port-taken",
		"phoneua.ocserv.log":        "fault client-dialect group-url-mismatch group-url-mismatch",
		"kamailio.log":              "fault registration-acl registration-acl registration-refused registration-refused registration-refused(likely)",
		"tftpd-hpa.log":             "ok",
		"atftpd.log":                "ok",
		"dnsmasq.log":               "ok",
		"dnsmasq.conf":              "insufficient",
		"radiusd-x.log":             "fault aaa-server-dead(likely) login-refused login-refused",
		"dig.log":                   "fault gateway-name-unresolved(likely)",
		"ping.log":                  "insufficient",
		"curl.log":                  "fault gateway-unreachable(possible) host-id-mismatch(likely)",
		"nc.log":                    "fault registration-unreachable(likely)",
		"tcpdump.log":               "fault registration-unreachable(likely)",
		"tcpdump-dropped.log":       "fault gateway-unreachable(likely)",
		"pjsip.log":                 "fault registration-acl registration-refused registration-refused registration-refused",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, got := judged(t, name)
			wanted, had := strings.Fields(want), strings.Fields(got)
			slices.Sort(wanted)
			slices.Sort(had)
			if !slices.Equal(wanted, had) {
				t.Errorf("judged as %s, not %s", got, want)
				for _, f := range report.Findings {
					t.Logf("%s: %s %v", f.Code, f.Says, f.Evidence)
				}
				t.Logf("needs %q", report.Needs)
			}
		})
	}
}

// phonesConf is an ocserv.conf that phones can use.
const phonesConf = `auth = "plain[passwd=/etc/ocserv/ocpasswd]"
tcp-port = 443
udp-port = 443
run-as-user = nobody
socket-file = /run/ocserv.socket
server-cert = /etc/ocserv/cert.pem
server-key = /etc/ocserv/key.pem
# how many
max-clients = 128
max-same-clients = 2
keepalive = 20
dpd = 30
device = vpns
predictable-ips = true
ipv4-network = 172.29.14.0
ipv4-netmask = 255.255.255.0
dns = 10.20.0.9
cookie-timeout = 300
rekey-method = new-tunnel
cisco-client-compat = true
cisco-svc-client-compat = true
dtls-legacy = true
tls-priorities = "NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC"
`

// TestOcservSettings changes one setting of it after the other.
func TestOcservSettings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ old, now, want string }{
		{"", "", "ok"},
		{"udp-port = 443", "udp-port = 0", "ok dtls-disabled"},
		{"udp-port = 443", "udp-port = 4443", "ok dtls-blocked"},
		{"udp-port = 443\n", "", "ok dtls-disabled"},
		{"cisco-client-compat = true\ncisco-svc-client-compat = true\ndtls-legacy = true", "dtls-legacy = false", "ok dtls-disabled"},
		{"dtls-legacy = true", "dtls-legacy = false", "ok"}, // the compatibility switches it on again
		{"dns = 10.20.0.9", "dns = 10.20.0.9\nroute = 10.20.0.0/16", "fault split-tunnel(likely)"},
		{"dns = 10.20.0.9", "dns = 10.20.0.9\nroute = default", "ok"},
		{"dns = 10.20.0.9", "dns = 10.20.0.9\nroute = default\nroute = 10.20.0.0/16", "ok"},
		{"dns = 10.20.0.9", "session-timeout = 86400", "ok session-timeout(likely)"},
		{"dns = 10.20.0.9", "session-timeout = 0", "ok"},
		{"dns = 10.20.0.9", "idle-timeout = 60", "ok idle-timeout(likely)"},
		{"dns = 10.20.0.9", "idle-timeout = 1200\nmobile-idle-timeout = 1800", "ok"},
		{"dns = 10.20.0.9", "mtu = 1400", "ok"},
		{"dns = 10.20.0.9", "mtu = 9000", "ok mtu(likely)"},
		{"172.29.14.0", "192.168.1.0", "ok pool-overlaps(possible)"},
		{"255.255.255.0", "255.255.255.252", "ok address-pool-exhausted(possible)"},
		{`"plain[passwd=/etc/ocserv/ocpasswd]"`, `"certificate"` + "\ncert-user-oid = 2.5.4.3", "ok"},
		{`"plain[passwd=/etc/ocserv/ocpasswd]"`, `"certificate"` + "\ncert-user-oid = 0.9.2342.19200300.100.1.1", "fault client-certificate-untrusted(likely)"},
		{`"plain[passwd=/etc/ocserv/ocpasswd]"`, `"plain[passwd=/etc/ocserv/ocpasswd,otp=/etc/ocserv/otp]"`, "fault login-refused(likely)"},
		{"tcp-port = 443", "auth = certificate\ntcp-port = 443", "fault login-refused(likely)"},
		{"tcp-port = 443", "enable-auth = certificate\ntcp-port = 443", "ok"},
		{"tcp-port = 443", "select-group = office\ntcp-port = 443", "ok login-refused(possible)"},
		{"+VERS-TLS-ALL", "+VERS-TLS1.3", "fault tls-version"},
		{"+VERS-TLS-ALL", "+VERS-TLS1.2", "ok tls-version(possible)"},
		{"NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC", "SECURE256:%SERVER_PRECEDENCE", "ok tls-cipher(possible)"},
		{"NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC", "NORMAL:%SERVER_PRECEDENCE:%COMPAT:-VERS-SSL3.0", "ok"},
		{"NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC", "@SYSTEM", "ok"},
		{"keepalive", "[vhost:phones.example.net]\nroute = 10.0.0.0/8\nkeepalive", "fault split-tunnel(likely)"},
	} {
		text := strings.Replace(phonesConf, test.old, test.now, 1)
		if got := judgedText(t, text); got != test.want {
			t.Errorf("with %q it is judged as %s, not %s", test.now, got, test.want)
		}
	}
}

// judgedText is judged for text that is given.
func judgedText(t *testing.T, text string) string {
	t.Helper()
	collector := fact.NewCollector("test", "files")
	if err := read.Input(t.Context(), collector, "pasted", strings.NewReader(text), read.Options{Now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	return summary(judge.Facts(collector.File(), "test"))
}

// kamailioTook is the end of a registration that went well.
const kamailioTook = "2(3) DEBUG: {1 2 REGISTER c0} registrar [reply.c:334]: build_contact(): created Contact HF: Contact: <sip:6001@10.20.0.77:5060>;expires=300\n"

// A question to CUCM's TVS in the form of published traces, and a file that a phone has got.
const (
	tvsQuestion = "23:00:22.052 | debug tvsHandleQueryCertReq : Subject Name is: cn=\"SAST-ADN0000 \";o=\"Cisco Systems\n" +
		"23:00:22.052 | debug tvsHandleQueryCertReq : Issuer Name is: cn=Cisco Manufacturing CA;o=Cisco Systems\n" +
		"23:00:22.052 | debug tvsHandleQueryCertReq : Serial Number is: 83E9080000005545AF31\n"
	tvsMiss   = "23:00:22.052 | debug ERROR:CertificateDBCache::getCertificateInformation - Cannot find the certificate in the cache\n"
	tvsSecond = "23:00:22.052 | debug CertificateCTLCache::getCertificateInformation - Found entry {rolecount : 1}\n"
	tftpSent  = "Nov 26 00:19:33 dnsmasq-tftp[411]: sent /srv/tftp/SEP001122334455.cnf.xml to 10.20.0.77\n"
	tvsEnd    = "23:00:22.053 | debug 8:UNKNOWN:Sending QUERY_CERT_RES msg\n"
)

// TestServersSaid judges lines of file servers, DHCP servers and call managers that belong together.
func TestServersSaid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"trust lists may be missing": {
			"Nov 26 00:19:33 dnsmasq-tftp[411]: file /srv/tftp/CTLSEP001122334455.tlv not found for 10.20.0.77\n" +
				"Nov 26 00:19:33 dnsmasq-tftp[411]: file /srv/tftp/SEP001122334455.cnf.xml.sgn not found for 10.20.0.77\n" +
				"Nov 26 00:19:33 dnsmasq-tftp[411]: sent /srv/tftp/SEP001122334455.cnf.xml to 10.20.0.77\n", "ok",
		},
		"no file for the phone, by a dnsmasq that names no client": {
			"Nov 26 00:19:33 dnsmasq-tftp[411]: file /srv/tftp/SEP001122334455.cnf.xml not found\n", "fault tftp-file-missing",
		},
		"no file for the phone, by a German dnsmasq": {
			"Nov 26 00:19:33 dnsmasq-tftp[411]: Datei /srv/tftp/SEP001122334455.cnf.xml nicht gefunden\n", "fault tftp-file-missing",
		},
		"a German dnsmasq that has the file": {
			"Nov 26 00:19:33 dnsmasq-tftp[411]: Datei /srv/tftp/SEP001122334455.cnf.xml.sgn nicht gefunden\n" +
				"Nov 26 00:19:33 dnsmasq-tftp[411]: /srv/tftp/SEP001122334455.cnf.xml an 10.20.0.77 verschickt\n", "ok",
		},
		"no file for the phone": {
			"Nov 26 00:19:03 pbx in.tftpd[1]: RRQ from 10.20.0.77 filename SEP001122334455.cnf.xml\n" +
				"Nov 26 00:19:03 pbx in.tftpd[1]: sending NAK (1, File not found) to 10.20.0.77\n", "fault tftp-file-missing",
		},
		"a load that is not there": {
			"Nov 26 00:19:03 pbx in.tftpd[1]: RRQ from 10.20.0.77 filename SIP45.9-4-2SR3-1S.loads\n" +
				"Nov 26 00:19:03 pbx in.tftpd[1]: sending NAK (1, File not found) to 10.20.0.77\n", "ok load-missing",
		},
		"a server nobody knows":           {"10:14 10.20.0.77 request for SEP001122334455.cnf.xml: File not found\n", "fault tftp-file-missing"},
		"a gateway that forwards nothing": {"net.ipv4.ip_forward = 0\n", "fault forwarding-off"},
		"and one that does":               {"net.ipv4.ip_forward=0\nnet.ipv4.ip_forward=1\n", "insufficient"},
		"sessions that have no UDP": {
			"      id     user    vhost             ip         vpn-ip device   since    dtls-cipher    status\n" +
				"   25590     test  default      10.99.0.2    10.88.0.190  vpns0  4m:12s      (no-dtls) connected\n", "ok dtls-blocked(likely)",
		},
		"routes of a session": {
			"\tUsername: test   Groupname: (none)\n\tState: connected\n\tRoutes: 10.20.0.0/16\n", "insufficient split-tunnel(likely)",
		},
		"openconnect with the time before each line": {
			"[2026-11-26 01:13:15] POST https://vpn.example.net/\n[2026-11-26 01:13:15] Failed to connect to 203.0.113.2:443: Connection refused\n", "fault gateway-unreachable(likely)",
		},
		"another address after a loss": {"Reconnect gave different Legacy IP address (10.88.0.15 != 10.88.0.14)\n", "ok address-changed"},
		"a session that reached its limit": {
			"Session authentication will expire at Thu Nov 26 00:14:01 2026\nReceived server disconnect\nSession terminated by server; exiting.\n", "ok session-timeout(likely)",
		},
		"Kamailio through syslog": {
			"Nov 26 02:04:50 pbx /usr/sbin/kamailio[26924]: DEBUG: <core> [core/parser/msg_parser.c:680]: parse_msg():  method:  <REGISTER>\n" +
				"Nov 26 02:04:50 pbx /usr/sbin/kamailio[26924]: DEBUG: <core> [core/parser/msg_parser.c:172]: get_hdr_field(): <To> [21]; uri=[sip:6001@kam.test]\n" +
				"Nov 26 02:04:50 pbx /usr/sbin/kamailio[26924]: DEBUG: {1 2 REGISTER c45128} auth [api.c:302]: auth_check_response(): Authorization failed\n", "fault registration-refused",
		},
		"Kamailio does not serve the domain": {
			"8(9) DEBUG: {1 2 REGISTER c1} <core> [core/forward.c:431]: check_self(): host (0:other.test:5060) != me\n" +
				"8(9) DEBUG: {1 2 REGISTER c1} <core> [core/receive.c:528]: receive_msg(): request-route executed in: 540 usec\n", "fault registration-refused(likely)",
		},
		"Kamailio refuses a call": {
			kamailioTook + "4(26924) DEBUG: {1 2 INVITE c45128} auth [api.c:302]: auth_check_response(): Authorization failed\n", "ok",
		},
		"Kamailio sends on what is not its own": {
			kamailioTook + "8(9) DEBUG: {1 2 REGISTER c1} <core> [core/forward.c:431]: check_self(): host (0:other.test:5060) != me\n" +
				"8(9) DEBUG: {1 2 REGISTER c1} tm [t_funcs.c:317]: t_relay_to(): new transaction fwd'ed\n" +
				"8(9) DEBUG: {1 2 REGISTER c1} <core> [core/receive.c:528]: receive_msg(): request-route executed in: 540 usec\n", "ok",
		},
		"TVS has it in its second store": {tftpSent + tvsQuestion + tvsMiss + tvsSecond + tvsEnd, "ok"},
		"TVS does not have it":           {tvsQuestion + tvsMiss + tvsEnd, "insufficient trust-list-mismatch(possible)"},
		"TVS has it": {
			tftpSent + "04:04:15.272 |   debug tvsGetSerialNumberFromX509 - serialNumber : 6F969D5B784D0448980F7557A90A6344 and Length: 16\n" +
				"04:04:15.272 |   debug CertificateDBCache::getCertificateInformation - Certificate found and equal\n" +
				"04:04:15.272 |   debug 2:UNKNOWN:Sending CERT_VERIF_RES msg\n", "ok",
		},
		"our TVS does not have it": {
			`time=2026-11-26T10:00:00.000Z level=INFO msg="certificate asked about" actor=provisioner stage=verify phone=SEP001122334455 peer=10.20.0.77:50000 issuer="CN=Old" serial=0a answer=unknown` + "\n",
			"insufficient trust-list-mismatch(possible)",
		},
		"our TVS has it": {
			tftpSent + `time=2026-11-26T10:00:00.000Z level=INFO msg="certificate asked about" actor=provisioner stage=verify phone=SEP001122334455 peer=10.20.0.77:50000 issuer="CN=Old" serial=0a answer=[TFTP]` + "\n", "ok",
		},
		"files over HTTP": {
			"10.20.0.77 - - [26/Nov/2026:10:00:01 +0000] \"GET /SEP001122334455.cnf.xml HTTP/1.1\" 404 153\n", "fault tftp-file-missing",
		},
		"an aor that is gone": {
			"[Nov 26 00:31:06] WARNING[1]: res_pjsip_registrar.c:1200 find_registrar_aor: AOR '6001' not found for endpoint '6001' (10.88.0.14:5060)\n", "fault registration-refused",
		},
		"a login that came to nothing": {
			"ocserv[1]: sec-mod: using 'plain' authentication to authenticate user (session: hLBvxO)\n", "insufficient login-refused(possible)",
		},
		"openconnect for another VPN": {"POST https://vpn.example.net/global-protect/prelogin.esp\n", "insufficient"},
		"one server twice": {
			"dhcp-option=150,10.20.0.9\ndhcp-option=66,10.20.0.9\n", "insufficient",
		},
		"two servers in one option": {"dhcp-option=150,10.20.0.9,10.20.0.10\ndhcp-option=option:tftp-server,10.20.0.10\n", "insufficient"},
		"two options, two servers":  {"dhcp-option=150,10.20.0.9\ndhcp-option=66,10.99.0.9\n", "insufficient second-tftp-answers(possible)"},
		"two DHCP servers": {
			"Nov 26 00:19:36 a dnsmasq-dhcp[1]: 1 DHCPOFFER(eth0) 10.20.0.55 00:11:22:33:44:55\n" +
				"Nov 26 00:19:36 a dnsmasq-dhcp[1]: 1 sent size:  4 option: 54 server-identifier  10.20.0.1\n" +
				"Nov 26 00:19:36 a dnsmasq-dhcp[1]: 1 sent size:  4 option:150 tftp-server-address  10.20.0.9\n" +
				"Nov 26 00:19:36 b dnsmasq-dhcp[1]: 2 DHCPOFFER(eth0) 10.20.0.56 00:11:22:33:44:55\n" +
				"Nov 26 00:19:36 b dnsmasq-dhcp[1]: 2 sent size:  4 option: 54 server-identifier  10.20.0.2\n" +
				"Nov 26 00:19:36 b dnsmasq-dhcp[1]: 2 sent size:  4 option:150 tftp-server-address  10.20.0.10\n", "ok second-tftp-answers(likely)",
		},
		"wrong password, then right": {
			"[Nov 26 00:31:06] NOTICE[1]: chan_sip.c: Registration from '<sip:6001@10.20.0.9>' failed for '10.88.0.14:5060' - Wrong password\n" +
				"[Nov 26 00:31:16] VERBOSE[1]: chan_sip.c:     -- Registered SIP '6001' at 10.88.0.14:5060\n", "ok registration-refused(possible)",
		},
		"guesses from the Internet beside a phone": {
			"[Nov 26 00:31:06] NOTICE[1]: res_pjsip/pjsip_distributor.c:688 log_failed_request: Request 'REGISTER' from '<sip:100@192.0.2.10>' failed for '203.0.113.9:5071' (callid: a) - No matching endpoint found\n" +
				"    -- Added contact 'sip:6001@10.88.0.14:5060' to AOR '6001' with expiration of 120 seconds\n", "ok registration-refused(possible)",
		},
		"an unknown line in the tunnel beside a phone": {
			"[Nov 26 00:31:06] NOTICE[1]: res_pjsip/pjsip_distributor.c:688 log_failed_request: Request 'REGISTER' from '<sip:6002@10.20.0.9>' failed for '10.88.0.15:5060' (callid: a) - No matching endpoint found\n" +
				"    -- Added contact 'sip:6001@10.88.0.14:5060' to AOR '6001' with expiration of 120 seconds\n", "fault registration-refused",
		},
		"a phone that does not answer, and nobody else": {
			"    -- Contact 6001/sip:6001@10.88.0.14:5060 is now Unreachable.  RTT: 0.000 msec\n", "insufficient",
		},
		"a phone that may be switched off, beside another": {
			"    -- Contact 6001/sip:6001@10.88.0.14:5060 is now Unreachable.  RTT: 0.000 msec\n" +
				"    -- Contact 6002/sip:6002@10.88.0.15:5060 is now Reachable.  RTT: 12.000 msec\n", "insufficient",
		},
		"a phone that registered with its address at home": {
			"ipv4-network = 10.88.0.0/24\n    -- Contact 6001/sip:6001@192.168.178.20:5060 is now Unreachable.  RTT: 0.000 msec\n", "insufficient nat-in-the-way(possible)",
		},
		"a phone of the tunnels that does not answer": {
			"ipv4-network = 10.88.0.0/24\n    -- Contact 6001/sip:6001@10.88.0.14:5060 is now Unreachable.  RTT: 0.000 msec\n", "insufficient no-route-to-pool(possible)",
		},
	} {
		if got := judgedText(t, test.text); got != test.want {
			t.Errorf("%s: judged as %s, not %s", name, got, test.want)
		}
	}
}

// TestTellsNothing: that lines are in a known form tells nothing of phones, nor does a list without sessions, so nothing
// is said to be well.
func TestTellsNothing(t *testing.T) {
	t.Parallel()
	texts := []string{
		"%ASA-4-750003: Local:192.0.2.1:500 Remote:203.0.113.9:500 Username:203.0.113.9 IKEv2 Negotiation aborted due to ERROR: Failed to find a matching policy\n",
		"VPNC: vpnc_loo\n",
	}
	for _, name := range []string{"summary.txt", "none.txt"} {
		text, err := os.ReadFile("../wire/asa/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		if got := judgedText(t, text); got != "insufficient" {
			t.Errorf("%q is judged as %s", text, got)
		}
	}
}

// TestForeign makes sure that logs of other VPNs are told by their name, and nothing more is made of them.
func TestForeign(t *testing.T) {
	t.Parallel()
	for line, product := range map[string]string{
		"Thu Nov 26 10:00:01 2026 OpenVPN 2.6.3 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO]":                      "OpenVPN",
		"Thu Nov 26 10:00:01 2026 TLS Error: TLS key negotiation failed to occur within 60 seconds":             "OpenVPN",
		"[   12.345] wireguard: wg0: Handshake for peer 1 (203.0.113.2:51820) did not complete after 5 seconds": "WireGuard",
		"AllowedIPs = 10.8.0.2/32":                                       "WireGuard",
		"Nov 26 10:00:01 gw charon: 05[IKE] received NO_PROPOSAL_CHOSEN": "IPsec",
		`date=2026-11-26 time=10:00:01 devname="FG100" devid="FG100E" logid="0101039426" type="event" subtype="vpn" action="ssl-login-fail"`: "FortiGate",
		"P4711-T123 11/26/2026 10:00:01 Info PanGPS: gateway vpn.example.net":                                                                "GlobalProtect",
		"dsAccessService 4711 connection to vpn.example.net":                                                                                 "Pulse",
		"1795653066.1 MX64 events type=anyconnect_vpn_auth_failure msg= 'Peer IP=203.0.113.9'":                                               "Meraki",
		"Nov 26 10:00:01 gw pppd[411]: LCP: timeout sending Config-Requests":                                                                 "PPTP or L2TP",
		"Nov 26 10:00:01 gw xl2tpd[411]: Connection established to 203.0.113.9, 1701":                                                        "PPTP or L2TP",
	} {
		collector := fact.NewCollector("test", "files")
		if err := read.Input(t.Context(), collector, "pasted", strings.NewReader(line+"\n"), read.Options{}); err != nil {
			t.Fatal(err)
		}
		report := judge.Facts(collector.File(), "test")
		if report.Verdict != judge.Insufficient || len(report.Findings) > 0 || len(report.Needs) != 1 || !strings.Contains(report.Needs[0], product) {
			t.Errorf("%q is judged as %s with needs %q", line, summary(report), report.Needs)
		}
	}
	for line, want := range map[string]string{
		"[10:00:01] The secure gateway has rejected the connection attempt. The following message was received from the secure gateway: No assigned address": "fault address-pool-exhausted(likely)",
		"Nov 26 10:00:01 mac acvpnagent[411]: Function: CTransport::SendRequest  File: x.cpp":                                                                "insufficient",
		"Cisco AnyConnect Secure Mobility Client\n[10:00:01] Login failed.\n":                                                                                "fault login-refused(likely)",
	} {
		if got := judgedText(t, line); got != want {
			t.Errorf("%q is judged as %s, not %s", line, got, want)
		}
	}
}

// TestLogOfTwoPhones reads a gateway's log: what keeps one phone out says nothing of the other.
func TestLogOfTwoPhones(t *testing.T) {
	t.Parallel()
	refuses := func(f finding.Finding) string {
		return fmt.Sprintf("time=2026-11-26T10:00:00.000Z level=WARN msg=\"login goes no further\" actor=gateway peer=198.51.100.77:40000 stage=verify finding=%s says=%q\n", f.Code, f.Says)
	}
	outdated := finding.ClientCertificateExpired.With("CP-8861-SEP001122334455", "it ended 2026-11-25")
	for whose, want := range map[string]string{
		"CP-8861-SEP001122334455": "fault client-certificate-expired",
		"CP-8861-SEP001122334466": "fault client-certificate-expired client-certificate-untrusted",
	} {
		log := refuses(outdated) + refuses(finding.ClientCertificateUntrusted.With(whose, "its issuer is not known"))
		collector := fact.NewCollector("test", "files")
		if err := read.Input(t.Context(), collector, "serve.log", strings.NewReader(log), read.Options{}); err != nil {
			t.Fatal(err)
		}
		if got := summary(judge.Facts(collector.File(), "test")); got != want {
			t.Errorf("%s has a certificate of somebody else's: got %q, want %q", whose, got, want)
		}
	}
}
