package doctor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/judge"
)

// TestLogins is for texts of servers that know users, of those who ask them, and of tools that people try a network with,
// which no recording in testdata/net has. Half of them must lead to nothing.
func TestLogins(t *testing.T) {
	t.Parallel()
	const (
		nps     = "Network Policy Server %s.\n\nUser:\n\tAccount Name:\t\t\tphone1\nNAS:\n\tNAS Port-Type:\t\t\t%s\nRADIUS Client:\n\tClient IP Address:\t\t10.1.1.2\nAuthentication Details:\n\tEAP Type:\t\t\t%s\n\tReason Code:\t\t\t16\n\tReason:\t\t\t\tAuthentication failed due to a user credentials mismatch.\n"
		ise     = "<181>Nov 24 09:56:00 ise1 CISE_%s 0000075523 1 0 2026-11-24 09:56:00.597 +00:00 0000075590 %s, ConfigVersionId=1, NAS-IP-Address=10.1.1.2, UserName=phone1, NAS-Port-Type=%s, FailureReason=%s, Step=11001,\n"
		guess   = "Tue Nov 24 09:12:44 2026 : Auth: (12) Login incorrect: [admin] (from client asa1 port 0 cli 192.0.2.200)\n"
		nmap    = "Nmap scan report for vpn.example.net (192.0.2.10)\nPORT    STATE SERVICE\n%s/tcp open  https\n| ssl-enum-ciphers: \n%s|_  least strength: A\n"
		streams = "======= RTP Streams =======\n   Start time      End time     Src IP addr  Port    Dest IP addr  Port       SSRC\n%s===========================\n"
		stream  = "    12.044101      60.101223      %s 24876      %s 20132 0x1A2B3C4D            g711U  2402     0 (0.0%%)          18.911          20.000\n"
		alert   = "    1   0.000000   10.20.4.65 → 10.20.0.11   TCP 74 51022 → %s [SYN] Seq=0 Win=29200 Len=0\n    8   0.131009   10.20.4.65 → 10.20.0.11   TLSv1.2 73 Alert (Level: Fatal, Description: Unknown CA)\n"
		up      = "[1] Connect to LDAP server: ldap://10.1.1.30:389, status = Successful\n"
	)
	for name, c := range map[string]struct {
		text    string
		verdict judge.Verdict
		want    []string
	}{
		"NPS refuses a VPN's user":              {fmt.Sprintf(nps, "denied access to a user", "Virtual", "-"), judge.Fault, []string{"login-refused"}},
		"NPS refuses somebody's":                {fmt.Sprintf(nps, "denied access to a user", "-", "-"), judge.Fault, []string{"login-refused"}},
		"NPS refuses a laptop":                  {fmt.Sprintf(nps, "denied access to a user", "Wireless - IEEE 802.11", "-"), judge.Insufficient, nil},
		"NPS refuses EAP":                       {fmt.Sprintf(nps, "denied access to a user", "-", "Microsoft: Secured password (EAP-MSCHAP v2)"), judge.Insufficient, nil},
		"NPS grants":                            {fmt.Sprintf(nps, "granted access to a user", "Virtual", "-"), judge.OK, nil},
		"NPS refuses, then grants":              {fmt.Sprintf(nps, "denied access to a user", "Virtual", "-") + fmt.Sprintf(nps, "granted full access to a user", "Virtual", "-"), judge.OK, nil},
		"NPS throws away":                       {fmt.Sprintf(nps, "discarded the request for a user", "Virtual", "-"), judge.Fault, []string{"aaa-server-dead"}},
		"ISE refuses":                           {fmt.Sprintf(ise, "Failed_Attempts", "5400 NOTICE Failed-Attempt: Authentication failed", "Virtual", "24408 User authentication against Active Directory failed since user has entered the wrong password"), judge.Fault, []string{"login-refused"}},
		"ISE refuses a switch's":                {fmt.Sprintf(ise, "Failed_Attempts", "5400 NOTICE Failed-Attempt: Authentication failed", "Ethernet", "22056 Subject not found in the applicable identity store(s)"), judge.Insufficient, nil},
		"ISE has another secret":                {fmt.Sprintf(ise, "Failed_Attempts", "5405 NOTICE Failed-Attempt: RADIUS Request dropped", "Virtual", "11036 The Message-Authenticator RADIUS attribute is invalid"), judge.Fault, []string{"aaa-server-dead"}},
		"ISE lets in":                           {fmt.Sprintf(ise, "Passed_Authentications", "5200 NOTICE Passed-Authentication: Authentication succeeded", "Virtual", ""), judge.OK, nil},
		"radius.log, of a switch's MAC address": {"Tue Nov 24 09:12:44 2026 : Auth: (12) Login incorrect (pap: no password): [00005e005301/00005e005301] (from client sw1 port 50101)\n", judge.Insufficient, nil},
		"radius.log, of a computer's account":   {"Tue Nov 24 09:12:44 2026 : Auth: (12) Login incorrect: [host/pc1.example.net] (from client sw1 port 50101)\n", judge.Insufficient, nil},
		"radius.log, of EAP":                    {"Tue Nov 24 09:12:44 2026 : Auth: (12) Login incorrect (eap_peap: The users session was previously rejected): [anna] (from client ap1 port 0)\n", judge.Insufficient, nil},
		"a login to a switch":                   {"(3) Received Access-Request Id 7 from 10.1.1.2:1645 to 10.1.1.30:1812 length 80\n(3)   User-Name = \"bernd\"\n(3)   NAS-Port-Id = \"tty1\"\n(3)   NAS-Port-Type = Virtual\n(3)   Calling-Station-Id = \"10.1.1.77\"\n(3) Sent Access-Reject Id 7 from 10.1.1.30:1812 to 10.1.1.2:1645 length 20\n", judge.Insufficient, nil},
		"a login to a computer":                 {"(3) Received Access-Request Id 7 from 10.1.1.2:1645 to 10.1.1.30:1812 length 80\n(3)   User-Name = \"bernd\"\n(3)   NAS-Identifier = \"sshd\"\n(3)   NAS-Port-Type = Virtual\n(3) Sent Access-Reject Id 7 from 10.1.1.30:1812 to 10.1.1.2:1645 length 20\n", judge.Insufficient, nil},
		"a login to ocserv":                     {"(3) Received Access-Request Id 7 from 10.1.1.2:1645 to 10.1.1.30:1812 length 80\n(3)   User-Name = \"bernd\"\n(3)   NAS-Identifier = \"radcli\"\n(3)   NAS-Port-Type = Async\n(3)   Calling-Station-Id = \"198.51.100.41\"\n(3) Sent Access-Reject Id 7 from 10.1.1.30:1812 to 10.1.1.2:1645 length 20\n", judge.Fault, []string{"login-refused"}},
		"no Message-Authenticator":              {"Fri Nov 20 14:54:35 2026 : Info: Dropping packet without response because of error: Insecure packet from host 10.1.1.2:  Packet does not contain required Message-Authenticator attribute.\n", judge.Fault, []string{"aaa-server-dead"}},
		"radcli, another secret":                {"Nov 24 09:12:44 gw ocserv[814]: rc_check_reply: received invalid reply digest from RADIUS server\n", judge.Fault, []string{"aaa-server-dead"}},
		"radcli, nobody answers":                {"Nov 24 09:12:44 gw ocserv[814]: rc_send_server: no reply from RADIUS server 10.1.1.30:1812\n", judge.Fault, []string{"aaa-server-dead"}},
		"radclient, another secret":             {"(0) Reply verification failed: Received Access-Reject packet from home server 10.1.1.30 port 1812 with invalid Response Authenticator!  (Shared secret is incorrect.)\n", judge.Fault, []string{"aaa-server-dead"}},
		"NPS, Azure refuses":                    {"NPS Extension for Azure MFA: CID: 341b704d : Access Rejected for user example\\phone1 with Azure MFA response: InvalidParameter and message: UserNotFound,The specified user was not found\n", judge.Fault, []string{"login-refused"}},
		"NPS, Azure refuses and then lets in":   {"NPS Extension for Azure MFA: CID: 341b704d : Access Rejected for user phone1 with Azure MFA response: x\nNPS Extension for Azure MFA: CID: 341b704e : Access Accepted for user phone1 with Azure MFA response: Success and message: session\n", judge.OK, nil},
		"radius.log":                            {"Tue Nov 24 09:12:44 2026 : Auth: (12) Login incorrect (pap: Cleartext password does not match \"known good\" password): [phone1] (from client asa1 port 0 cli 198.51.100.41)\n", judge.Fault, []string{"login-refused"}},
		"radius.log, of Wi-Fi":                  {"Tue Nov 24 09:12:44 2026 : Auth: (12) Login incorrect (mschap: MS-CHAP2-Response is incorrect): [anna] (from client ap1 port 0 cli 00-00-5E-00-53-01 via TLS tunnel)\n", judge.Insufficient, nil},
		"radclient, refused":                    {"Sent Access-Request Id 24 from 0.0.0.0:34865 to 10.1.1.30:1812 length 67\n\tUser-Name = \"phone1\"\nReceived Access-Reject Id 24 from 10.1.1.30:1812 to 10.1.1.5:34865 length 76\n", judge.Fault, []string{"login-refused"}},
		"radclient, good":                       {"Sent Access-Request Id 24 from 0.0.0.0:34865 to 10.1.1.30:1812 length 67\n\tUser-Name = \"phone1\"\nReceived Access-Accept Id 24 from 10.1.1.30:1812 to 10.1.1.5:34865 length 76\n", judge.OK, nil},
		"the ASA's own login":                   {up + "[1] Simple authentication for asa returned code (49) Invalid credentials\n[1] Failed to bind as administrator returned code (49) Invalid credentials\n", judge.Fault, []string{"aaa-server-dead"}},
		"a user's wrong password":               {up + "[1] Simple authentication for phone1 returned code (49) Invalid credentials\n[1] Invalid password for phone1\n", judge.Fault, []string{"login-refused"}},
		"a user of the directory":               {up + "[1] Authentication successful for phone1 to 10.1.1.30\n", judge.OK, nil},
		"no directory":                          {"[1] Connect to LDAP server: ldap://10.1.1.30:389, status = Failed\n", judge.Fault, []string{"aaa-server-dead"}},
		"test aaa-server, refused":              {"gw# test aaa-server authentication RAD host 10.1.1.30 username phone1 password x\nERROR: Authentication Rejected: AAA failure\n", judge.Fault, []string{"login-refused"}},
		"test aaa-server, good":                 {"gw# test aaa-server authentication RAD host 10.1.1.30 username phone1 password x\nINFO: Authentication Successful\n", judge.OK, nil},
		"ocserv, nobody answers":                {"ocserv[61]: worker: 198.51.100.41 worker-auth.c:751: error receiving auth reply message\nocserv[61]: worker: 198.51.100.41 worker-auth.c:1551: failed authentication for ''\n", judge.Fault, []string{"aaa-server-dead"}},
		"a name, on Windows":                    {"C:\\> nslookup vpn.example.net\n*** UnKnown can't find vpn.example.net: Non-existent domain\n", judge.Fault, []string{"gateway-name-unresolved"}},
		"a name of no gateway, maybe":           {"$ nslookup gw.example.net\n** server can't find gw.example.net: NXDOMAIN\n", judge.Insufficient, []string{"gateway-name-unresolved?"}},
		"the name of an address":                {"$ nslookup 192.0.2.9\n** server can't find 9.2.0.192.in-addr.arpa: NXDOMAIN\n", judge.Insufficient, nil},
		"tcpdump, no DTLS":                      {"10:00:00.000000 IP 192.0.2.77 > 192.0.2.10: x\n10:00:00.100000 IP 192.0.2.10 > 192.0.2.77: ICMP 192.0.2.10 udp port https unreachable, length 36\n", judge.OK, []string{"dtls-blocked"}},
		"tcpdump, no gateway":                   {"10:00:00.100000 IP 192.0.2.10 > 192.0.2.77: ICMP 192.0.2.10 tcp port https unreachable, length 36\n", judge.Fault, []string{"gateway-unreachable"}},
		"tcpdump, refused and taken":            {"10:00:00.000000 IP 192.0.2.77.35268 > 192.0.2.10.443: Flags [S], seq 1, length 0\n10:00:00.000001 IP 192.0.2.10.443 > 192.0.2.77.35268: Flags [R.], seq 0, length 0\n10:00:09.000000 IP 192.0.2.77.35269 > 192.0.2.10.443: Flags [S], seq 1, length 0\n10:00:09.000001 IP 192.0.2.10.443 > 192.0.2.77.35269: Flags [S.], seq 1, length 0\n", judge.Insufficient, nil},
		"tcpdump, refused":                      {"10:00:00.000000 IP 192.0.2.77.35268 > 192.0.2.10.443: Flags [S], seq 1, length 0\n10:00:00.000001 IP 192.0.2.10.443 > 192.0.2.77.35268: Flags [R.], seq 0, length 0\n", judge.Fault, []string{"gateway-unreachable"}},
		"HAProxy, no gateway left":              {"Nov 25 06:10:12 lb1 haproxy[1811]: [ALERT]    (1811) : backend 'bk_ocserv' has no server available!\n", judge.Fault, []string{"gateway-unreachable"}},
		"HAProxy, and one again":                {"Nov 25 06:10:12 lb1 haproxy[1811]: [ALERT]    (1811) : backend 'bk_ocserv' has no server available!\nNov 25 06:11:12 lb1 haproxy[1811]: [WARNING]  (1811) : Server bk_ocserv/ocserv1 is UP, reason: Layer4 check passed\n", judge.Insufficient, nil},
		"HAProxy, no web server":                {"Nov 25 06:10:12 lb1 haproxy[1811]: [ALERT]    (1811) : backend 'bk_www' has no server available!\n", judge.Insufficient, nil},
		"nmap, TLS 1.3 only":                    {fmt.Sprintf(nmap, "443", "|   TLSv1.3: \n|     ciphers: \n"), judge.Fault, []string{"tls-version"}},
		"nmap, TLS 1.2 and 1.3":                 {fmt.Sprintf(nmap, "443", "|   TLSv1.2: \n|     ciphers: \n|   TLSv1.3: \n|     ciphers: \n"), judge.Insufficient, nil},
		"nmap, of another port":                 {fmt.Sprintf(nmap, "8443", "|   TLSv1.3: \n|     ciphers: \n"), judge.Insufficient, nil},
		"nmap, cut off":                         {strings.TrimSuffix(fmt.Sprintf(nmap, "443", "|   TLSv1.3: \n|     ciphers: \n"), "|_  least strength: A\n"), judge.Insufficient, nil},
		"streams, one way":                      {fmt.Sprintf(streams, fmt.Sprintf(stream, "10.1.1.6", "10.99.0.14")), judge.Fault, []string{"one-way-audio"}},
		"streams, both ways":                    {fmt.Sprintf(streams, fmt.Sprintf(stream, "10.1.1.6", "10.99.0.14")+fmt.Sprintf(stream, "10.99.0.14", "10.1.1.6")), judge.Insufficient, nil},
		"streams, cut off":                      {strings.TrimSuffix(fmt.Sprintf(streams, fmt.Sprintf(stream, "10.1.1.6", "10.99.0.14")), "===========================\n"), judge.Insufficient, nil},
		"streams, to many":                      {fmt.Sprintf(streams, fmt.Sprintf(stream, "10.1.1.6", "239.1.1.1")), judge.Insufficient, nil},
		"tshark, TLS of a call manager":         {fmt.Sprintf(alert, "5061"), judge.Fault, []string{"registration-tls"}},
		"tshark, TLS of a web server":           {fmt.Sprintf(alert, "8443"), judge.Insufficient, nil},
		"acme.sh, refused":                      {"[Sun Nov 22 00:38:31 UTC 2026] vpn.example.net:Verify error:DNS problem: SERVFAIL looking up CAA for vpn.example.net\n", judge.Insufficient, []string{"certificate-not-obtained?"}},
		"acme.sh, at the second try":            {"[x] Renew: 'vpn.example.net'\n[x] vpn.example.net:Verify error:DNS problem: SERVFAIL looking up CAA for vpn.example.net\n[x] Renew: 'vpn.example.net'\n[x] Cert success.\n", judge.Insufficient, nil},
		"Certbot, refused":                      {"Failed to renew certificate vpn.example.net with error: Some challenges have failed.\n", judge.Insufficient, []string{"certificate-not-obtained?"}},
		"a call manager's certificate":          {"$ openssl s_client -connect cucm1.example.net:5061\nCONNECTED(00000003)\n---\nServer certificate\nsubject=CN = cucm1.example.net\nissuer=CN = cucm1.example.net\nnotAfter=Jan  1 00:00:00 2024 GMT\n---\n", judge.Insufficient, nil},
		"a gateway's certificate":               {"$ openssl s_client -connect vpn.example.net:443\nCONNECTED(00000003)\n---\nServer certificate\nsubject=CN = vpn.example.net\nissuer=CN = vpn.example.net\nnotAfter=Jan  1 00:00:00 2024 GMT\n---\n", judge.Fault, []string{"certificate-expired"}},
		"radius.log, a guess":                   {guess + "Tue Nov 24 09:13:44 2026 : Auth: (14) Login OK: [phone7] (from client asa1 port 0 cli 198.51.100.42)\n", judge.Insufficient, nil},
		"radius.log, and nobody comes in":       {guess, judge.Fault, []string{"login-refused"}},
		"one of a call manager's ports":         {"nc: connect to 10.1.1.6 port 2000 (tcp) failed: Connection refused\nConnection to 10.1.1.6 5060 port [tcp/sip] succeeded!\n", judge.Insufficient, nil},
		"a host of the Internet":                {"curl: (28) Failed to connect to api.example.com port 443 after 130000 ms: Connection timed out\n", judge.Insufficient, nil},
		"curl, no TLS there":                    {"$ curl -v https://vpn.example.net/\ncurl: (35) error:0A00010B:SSL routines::wrong version number\n", judge.Insufficient, nil},
		"a name of no gateway":                  {"$ nslookup printer.example.net\n** server can't find printer.example.net: NXDOMAIN\n", judge.Insufficient, nil},
		"ping of Windows":                       {"Pinging 10.1.1.6 with 32 bytes of data:\nPing statistics for 10.1.1.6:\n    Packets: Sent = 4, Received = 4, Lost = 0 (0% loss),\n", judge.Insufficient, nil},
		"ping of IOS":                           {"Sending 5, 100-byte ICMP Echos to 10.1.1.6, timeout is 2 seconds:\n.....\nSuccess rate is 0 percent (0/5)\n", judge.Insufficient, nil},
		"Test-NetConnection":                    {"ComputerName     : vpn.example.net\nRemoteAddress    : 203.0.113.2\nRemotePort       : 443\nTcpTestSucceeded : False\n", judge.Fault, []string{"gateway-unreachable"}},
		"Test-NetConnection, good":              {"ComputerName     : vpn.example.net\nRemotePort       : 443\nTcpTestSucceeded : True\n", judge.OK, nil},
		"a port that phones have not":           {"nc: connect to 10.1.1.6 port 25 (tcp) failed: Connection refused\n", judge.Insufficient, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := diagnose(t, c.text)
			if got := codes(report); report.Verdict != c.verdict || !slices.Equal(got, c.want) {
				t.Errorf("judged as %s %q, not %s %q; needs %q", report.Verdict, got, c.verdict, c.want, report.Needs)
			}
		})
	}
}

// TestKamailio gives the remedies of who speaks in the evidence.
func TestKamailio(t *testing.T) {
	t.Parallel()
	report := diagnose(t, " 4(26924) DEBUG: {1 2 REGISTER c45128} auth [api.c:302]: auth_check_response(): Authorization failed\n")
	if len(report.Findings) != 1 || !strings.Contains(strings.Join(report.Findings[0].Fix, " "), "`kamctl passwd ") || strings.Contains(strings.Join(report.Findings[0].Fix, " "), "pjsip") {
		t.Errorf("got %+v, want a remedy with kamctl, and none for Asterisk", report.Findings)
	}
}
