package doctor_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/judge"
)

// asaDoubt is a configuration for phones whose tunnel group lets in the ASA's own users.
const asaDoubt = `hostname asa
ip local pool PHONES 10.99.0.10-10.99.0.250 mask 255.255.255.0
webvpn
 enable outside
 anyconnect image disk0:/anyconnect.pkg 1
 anyconnect enable
group-policy PHONES internal
group-policy PHONES attributes
 vpn-tunnel-protocol ssl-client
tunnel-group PHONES type remote-access
tunnel-group PHONES general-attributes
 address-pool PHONES
 authentication-server-group LOCAL
 default-group-policy PHONES
tunnel-group PHONES webvpn-attributes
 group-url https://vpn.example.net/phones enable
`

// TestEarned: that nothing is known to have failed is no health. Each text that shows nothing stands beside the nearest that
// shows that something works.
func TestEarned(t *testing.T) {
	t.Parallel()
	const (
		asks     = "POST https://vpn.example.net/\nConnected to 203.0.113.2:443\nSSL negotiation with vpn.example.net\nConnected to HTTPS on vpn.example.net with ciphersuite (TLS1.2)-(ECDHE-RSA-SECP256R1)-(AES-256-GCM)\n"
		pbx      = "    -- Added contact 'sip:6001@10.88.0.14:5060' to AOR '6001' with expiration of 120 seconds\n"
		other    = "    -- Contact 6002/sip:6002@10.88.0.15:5060 is now Unreachable.  RTT: 0.000 msec\n"
		back     = "    -- Contact 6002/sip:6002@10.88.0.15:5060 is now Reachable.  RTT: 12.000 msec\n"
		user     = "username phone1 password ***** encrypted\n"
		filter   = user + "group-policy PHONES attributes\n vpn-filter value ONLY\n"
		fetched  = "2571: NOT 11:20:59.913205 TFTP: [29]:Requesting SEP00005E005330.cnf.xml.sgn from 10.20.0.5\n2572: NOT 11:21:01.355215 TFTP: [29]:Finished --> rcvd 12952 bytes\n"
		phoneVPN = "702: NOT 11:22:02.100210 VPNC: vpnc_save_to_file: wrote: </tmp/leaf.crt>, 479 bytes\n"
	)
	for name, c := range map[string]struct {
		text    string
		verdict judge.Verdict
		asks    string // a part of what is asked for
	}{
		"a status that is no answer":           {asks + "Got HTTP response: HTTP/1.1 405 Not Allowed\nUnexpected 405 result from server\n", judge.Insufficient, "which answers 405 to a login"},
		"a login that is asked for":            {asks, judge.Insufficient, "how it went on"},
		"and let in":                           {asks + "Configured as 10.99.0.11, with SSL connected and DTLS connected\n", judge.OK, ""},
		"a phone beside one that is gone":      {pbx + other, judge.Insufficient, "say whether 6002 is switched on"},
		"and one that is back":                 {pbx + other + back, judge.OK, ""},
		"gone again":                           {pbx + other + back + other, judge.Insufficient, "6002"},
		"and back again":                       {pbx + back + other + back, judge.OK, ""},
		"a ping":                               {"PING vpn.example.net (203.0.113.2) 56(84) bytes of data.\n64 bytes from 203.0.113.2: icmp_seq=1 ttl=57 time=12.4 ms\n", judge.Insufficient, "nothing in this shows"},
		"a port that answers":                  {"Connection to vpn.example.net 443 port [tcp/https] succeeded!\n", judge.OK, ""},
		"a clock":                              {"asa# show clock\n10:14:22.123 UTC Thu Nov 26 2026\n", judge.Insufficient, "nothing in this shows"},
		"a pool":                               {"asa# show ip local pool PHONES\nBegin           End             Mask            Free     Held     In use\n10.99.0.10      10.99.0.250     255.255.255.0     240       0        1\n", judge.Insufficient, "nothing in this shows"},
		"a tunnel group alone":                 {"tunnel-group DefaultWEBVPNGroup type remote-access\ntunnel-group DefaultWEBVPNGroup general-attributes\n authentication-server-group LOCAL\n", judge.Insufficient, "nothing in this shows"},
		"users of the ASA, and none":           {asaDoubt, judge.Insufficient, "show run username"},
		"and one":                              {asaDoubt + user, judge.OK, ""},
		"certificates, and no user":            {asaDoubt + " authentication certificate\n", judge.OK, ""},
		"a filter that lets nothing through":   {asaDoubt + filter + "access-list ONLY extended deny ip any any\naccess-list ONLY extended permit tcp any any eq 2000\n", judge.Insufficient, "show run access-list ONLY"},
		"a filter that has no permission":      {asaDoubt + filter + "access-list ONLY extended deny ip any 10.20.0.0 255.255.0.0\n", judge.Insufficient, "show run access-list ONLY"},
		"a filter that was not sent":           {asaDoubt + filter, judge.Insufficient, "show run access-list ONLY"},
		"a filter that lets something through": {asaDoubt + filter + "access-list ONLY extended permit tcp any any eq 2000\naccess-list ONLY extended deny ip any any\n", judge.OK, ""},
		"a session":                            {"Username     : anna                   Index        : 1\nProtocol     : AnyConnect-Parent SSL-Tunnel DTLS-Tunnel\nDuration     : 0h:05m:14s\n", judge.OK, ""},
		"a client of the air":                  {"Username     : anna\nProtocol     : 802.11ac\nSession Timeout : 1800 sec\n", judge.Insufficient, "send"},
		"a load that is damaged":               {"Checksum Error\n", judge.OK, ""},
		"packets that were":                    {"Checksum errors: 0, Invalid packet types/DF subtypes: 0/0\nChecksum Error: 10\n", judge.Insufficient, "send"},
		"a file that came":                     {fetched, judge.OK, ""},
		"and a VPN that has only begun":        {fetched + phoneVPN, judge.Insufficient, "console log"},
		"a file that was asked for":            {"Nov 26 00:19:03 pbx in.tftpd[1]: RRQ from 10.99.0.2 filename SEP001122334455.cnf.xml\n", judge.Insufficient, "nothing in this shows"},
		"and again, as there was no answer":    {strings.Repeat("Nov 26 00:19:03 pbx in.tftpd[1]: RRQ from 10.99.0.2 filename SEP001122334455.cnf.xml\n", 2), judge.Insufficient, "nothing in this shows"},
		"and then the next":                    {"Nov 26 00:19:03 pbx in.tftpd[1]: RRQ from 10.99.0.2 filename SEP001122334455.cnf.xml\nNov 26 00:19:03 pbx in.tftpd[2]: RRQ from 10.99.0.2 filename SIP45.9-4-2SR3-1S.loads\n", judge.OK, ""},
		"registered at a CME":                  {"%IPPHONE-6-REGISTER: ephone-2 IP:192.168.10.3 Socket:2 DeviceType:Phone has registered.\n", judge.OK, ""},
	} {
		r := judgedTogether(t, "x", c.text)
		if asked := strings.Join(r.Needs, " "); r.Verdict != c.verdict || !strings.Contains(asked, c.asks) || c.verdict == judge.OK && asked != "" {
			t.Errorf("%s: %s with %v, asking %q; want %s, asking %q", name, r.Verdict, codes(r), asked, c.verdict, c.asks)
		}
	}
}

// TestEarnedTogether: settings that are well do not speak for a log that breaks off, and a log that comes out speaks for itself.
func TestEarnedTogether(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/net/healthy.oc.log")
	if err != nil {
		t.Fatal(err)
	}
	const begun = "POST https://vpn.example.net/phones\nConnected to 203.0.113.2:443\n"
	settings := asaDoubt + "username phone1 password ***** encrypted\n"
	for want, log := range map[judge.Verdict]string{judge.Insufficient: begun, judge.OK: string(b)} {
		if r := judgedTogether(t, "asa.cfg", settings, "oc.log", log); r.Verdict != want {
			t.Errorf("beside settings %.30q… is judged as %s with %v, asking %q", log, r.Verdict, codes(r), r.Needs)
		}
	}
}

// remarks returns the verdict and what was found, with how much of each code there is and how grave it is.
func remarks(r *judge.Report) string {
	all := []string{string(r.Verdict)}
	for _, f := range r.Findings {
		all = append(all, fmt.Sprintf("%s:%s(%s)", f.Severity, f.Code, f.Certainty))
	}
	return strings.Join(all, " ")
}

// TestDoubts: what is only possible is a note below an OK, and stands as it is where OK is not earned.
func TestDoubts(t *testing.T) {
	t.Parallel()
	const (
		dead    = "%ASA-2-113022: AAA Marking RADIUS server 10.20.0.15 in aaa-server group ISE as FAILED\n"
		session = "%ASA-6-113004: AAA user authentication Successful : server = 10.20.0.16 : user = CP-8841-SEP00005E005330\n" +
			"%ASA-4-722051: Group <PHONES> User <CP-8841-SEP00005E005330> IP <203.0.113.70> IPv4 Address <10.99.0.21> IPv6 address <::> assigned to session\n"
		in      = "    -- Added contact 'sip:1002@10.99.0.40:5060' to AOR '1002' with expiration of 600 seconds\n    -- Added contact 'sip:1003@10.99.0.41:5060' to AOR '1003' with expiration of 600 seconds\n"
		tls     = "ssl server-version tlsv1.2\n"
		ciphers = "ssl cipher tlsv1 custom \"RC4-SHA\"\n"
		user    = "username phone1 password ***** encrypted\n"
		failed  = "1239: NOT 20:10:00.053300 VPNC: vpnc_send_notify: notify code: 36 [SslSetup]\n"
	)
	guess := func(line, client, why string) string {
		return "[Nov 25 17:53:25] NOTICE[812]: res_pjsip/pjsip_distributor.c:676 x: Request 'REGISTER' from '<sip:" + line + "@198.51.100.7>' failed for '" + client + ":5071' (callid: 2) - " + why + "\n"
	}
	wrong := guess("1002", "203.0.113.9", "Failed to authenticate") + guess("1003", "203.0.113.9", "Failed to authenticate")
	names := func(client string) string {
		var all string
		for _, line := range []string{"admin", "test", "100"} {
			all += guess(line, client, "No matching endpoint found")
		}
		return all
	}
	for name, c := range map[string]struct{ text, want string }{
		"a server that was away":                {dead + session, "ok note:aaa-server-dead(possible)"},
		"a server that is":                      {dead, "fault fault:aaa-server-dead(certain)"},
		"passwords guessed of lines in use":     {in + wrong, "ok note:registration-refused(possible)"},
		"passwords guessed, and no phone":       {wrong, "insufficient fault:registration-refused(possible) fault:registration-refused(possible)"},
		"names that are tried":                  {in + names("203.0.113.9"), "ok note:registration-refused(likely)"},
		"by two":                                {in + names("203.0.113.9") + names("203.0.113.8"), "ok note:registration-refused(likely) note:registration-refused(likely)"},
		"before they are known":                 {names("203.0.113.9") + in, "ok note:registration-refused(likely)"},
		"names, and no phone":                   {names("203.0.113.9"), "insufficient" + strings.Repeat(" fault:registration-refused(possible)", 3)},
		"names from inside":                     {in + names("10.99.0.50"), "fault" + strings.Repeat(" fault:registration-refused(certain)", 3)},
		"names from where a phone is, too":      {in + "    -- Added contact 'sip:1004@203.0.113.9:5060' to AOR '1004' with expiration of 600 seconds\n" + names("203.0.113.9"), "ok note:registration-refused(possible)"},
		"one name that is not known":            {in + guess("1005", "203.0.113.9", "No matching endpoint found"), "ok note:registration-refused(possible)"},
		"phones' names":                         {in + names("203.0.113.9") + guess("SEP00005E005301", "203.0.113.9", "No matching endpoint found"), "fault fault:registration-refused(certain) fault:registration-refused(possible) fault:registration-refused(possible) fault:registration-refused(possible)"},
		"TLS 1.2 for phones of unknown model":   {asaDoubt + user + tls, "ok note:tls-version(possible)"},
		"and ciphers":                           {asaDoubt + user + ciphers, "ok note:tls-cipher(possible)"},
		"TLS 1.2 for a 7942":                    {asaDoubt + user + tls + "Model number: CP-7942G\n", "fault fault:tls-version(certain)"},
		"TLS 1.2 for an 8845":                   {asaDoubt + user + tls + "Model number: CP-8845\n", "ok"},
		"and ciphers for an 8845":               {asaDoubt + user + ciphers + "Model number: CP-8845\n", "ok"},
		"TLS 1.2, and a phone's VPN has failed": {asaDoubt + user + tls + failed, "insufficient fault:tls-version(possible)"},
	} {
		if got := remarks(judgedTogether(t, "x", c.text)); got != c.want {
			t.Errorf("%s: judged as %q, want %q", name, got, c.want)
		}
	}
}
