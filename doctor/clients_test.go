package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/judge"
)

// TestClients is for what gateways, and clients on computers, say of sessions, which no recording in testdata/net has.
func TestClients(t *testing.T) {
	t.Parallel()
	const (
		ocservIn  = "ocserv[1]: main[phone1]: 198.51.100.41:1234 user logged in\n"
		post404   = "POST https://vpn.example.net/\nUnexpected 404 result from server\n"
		up        = "Configured as 10.99.0.11, with SSL connected and DTLS connected\n"
		ocservOut = "ocserv[1]: main[phone1]: 198.51.100.41:1234 user disconnected (reason: "
	)
	for name, c := range map[string]struct {
		text    string
		verdict judge.Verdict
		want    []string
	}{
		"ocserv, PAM": {"Nov 24 10:02:14 gw ocserv[814]: PAM-auth pam_auth_pass: Authentication failure\n", judge.Fault, []string{"login-refused"}},
		"ocserv, a guess, and a phone that works": {"ocserv[2]: sec-mod: failed authentication for 'admin' (session: aK2m1w)\nocserv[1]: main: added IP '192.0.2.7' (with score 80) to ban list, will be reset at: x\n" + ocservIn, judge.Insufficient, nil},
		"ocserv, a phone among others":            {ocservIn + "ocserv[2]: worker: 192.0.2.7 failed authentication for 'phone2'\n", judge.Fault, []string{"login-refused"}},
		"ocserv, somebody at the phone's home":    {ocservIn + "ocserv[2]: worker: 198.51.100.41 failed authentication for 'anna'\n", judge.Fault, []string{"login-refused"}},
		"ocserv, mistyped":                        {"ocserv[2]: worker: 198.51.100.41 failed authentication for 'phone1'\n" + ocservIn, judge.OK, nil},
		"ocserv, in, mistyped, and in":            {ocservIn + "ocserv[2]: worker: 198.51.100.41 failed authentication for 'phone1'\n" + ocservIn, judge.OK, nil},
		"ocserv, in, and in no more":              {ocservIn + "ocserv[2]: worker: 198.51.100.41 failed authentication for 'phone1'\n" + ocservIn + "ocserv[2]: worker: 198.51.100.41 failed authentication for 'phone1'\n", judge.Fault, []string{"login-refused"}},
		"ocserv, a browser without certificate":   {ocservIn + "ocserv[3]: worker: 192.0.2.9 no certificate provided for authentication\n", judge.OK, nil},
		"ocserv, a client without certificate":    {"ocserv[3]: worker: 192.0.2.9 no certificate provided for authentication\n", judge.Fault, []string{"client-certificate-untrusted"}},
		"ocserv, a scanner's old TLS":             {ocservIn + "ocserv[3]: GnuTLS error (at worker-vpn.c:868): A packet with illegal or unsupported version was received.\n", judge.OK, nil},
		"ocserv, a laptop is closed":              {ocservIn + "ocserv[1]: main[anna]: 192.0.2.9:1234 user logged in\nocserv[1]: main[anna]: 192.0.2.9:1234 user disconnected (reason: DPD timeout, rx: 1, tx: 2)\n", judge.Insufficient, nil},
		"ocserv, a phone stops answering":         {"ocserv[1]: main[anna]: 192.0.2.9:1234 user logged in\n" + ocservIn + "ocserv[1]: main[phone1]: 198.51.100.41:1234 user disconnected (reason: DPD timeout, rx: 1, tx: 2)\n", judge.Fault, []string{"dead-peer"}},
		"ocserv, a session too many, then one":    {"ocserv[1]: main[phone1]:198.51.100.41:1234 user tried to connect more than 1 times\n" + ocservIn, judge.OK, nil},
		"ocserv, DTLS at second try":              {ocservIn + "ocserv[3]: worker[phone1]: 198.51.100.41 error in DTLS handshake: Error decoding the received TLS packet.\nocserv[3]: worker[phone1]: 198.51.100.41 DTLS handshake completed (plaintext MTU: 1222)\n", judge.OK, nil},
		"ocserv, no DTLS":                         {"ocserv[1]: main[SEP001122334455]: 198.51.100.41:1234 user logged in\nocserv[3]: worker[SEP001122334455]: 198.51.100.41 error in DTLS handshake: Error decoding the received TLS packet.\n", judge.OK, []string{"dtls-cipher-mismatch"}},
		"ocserv, DTLS without an answer":          {ocservIn + "ocserv[3]: worker[phone1]: 198.51.100.41 error in DTLS handshake: The operation timed out\n", judge.OK, []string{"dtls-blocked"}},
		"ocserv, UDP is silent and back":          {ocservIn + "ocserv[3]: worker[phone1]: 198.51.100.41 have not received UDP message or DPD for very long\nocserv[3]: worker[phone1]: 198.51.100.41 DTLS handshake completed (plaintext MTU: 1222)\n", judge.OK, nil},
		"ocserv, a priority that GnuTLS has not":  {"ocserv[1]: main[SEP001122334455]: 198.51.100.41:1234 user logged in\nocserv[3]: worker[SEP001122334455]: 198.51.100.41 worker-vpn.c:243: could not set TLS priority: 'NORMAL:-KX-ALL:+PSK:+VERS-DTLS-ALL': The request is invalid.\n", judge.OK, []string{"dtls-cipher-mismatch"}},
		"ocserv, a session for nothing":           {ocservIn + ocservOut + "unspecified error, rx: 0, tx: 0)\n", judge.Insufficient, nil},
		"ocserv, one for nothing, then another":   {ocservIn + ocservOut + "unspecified error, rx: 0, tx: 0)\n" + ocservIn, judge.OK, nil},
		"ocserv, a session that carried packets":  {ocservIn + ocservOut + "unspecified error, rx: 0, tx: 400)\n", judge.OK, nil},
		"ocserv, a session without an error":      {ocservIn + ocservOut + "unspecified, rx: 0, tx: 0)\n", judge.OK, nil},
		"ocserv, an error of somebody else":       {ocservIn + strings.ReplaceAll(ocservOut, "phone1", "phone2") + "unspecified error, rx: 0, tx: 0)\n", judge.OK, nil},
		"ocserv, no server for a while":           {"ocserv[61]: worker: 198.51.100.41 worker-auth.c:751: error receiving auth reply message\nocserv[4]: sec-mod: initiating session for user 'phone1' (session: AbC)\n", judge.OK, nil},
		"ocserv, a group's user":                  {"ocserv[1]: sec-mod: using 'plain' authentication to authenticate user (session: AbC)\nocserv[1]: main[phone1]: 198.51.100.41:1234 user of group '*' logged in\n", judge.OK, nil},
		"bare words":                              {"Login failed.\n", judge.Fault, []string{"login-refused"}},
		"no certificate, but asked":               {"14:09:17    Contacting 203.0.113.78:3469.\n14:09:19    No valid certificates available for authentication.\n14:09:52    User credentials entered.\n", judge.Insufficient, nil},
		"no certificate":                          {"14:09:17    Contacting 203.0.113.78:3469.\n14:09:19    No valid certificates available for authentication.\n", judge.Fault, []string{"client-certificate-untrusted"}},
		"no image":                                {"The AnyConnect package on the secure gateway could not be located. You may be experiencing network connectivity issues.\n", judge.Fault, []string{"anyconnect-image-missing"}},
		"clients off":                             {"%ASA-4-113035: Group <GP> User <phone1> IP <203.0.113.9> Session terminated: AnyConnect not enabled or invalid AnyConnect image on the ASA.\n", judge.Fault, []string{"anyconnect-image-missing", "vpn-not-enabled-on-interface"}},
		"no trust point":                          {"SSL trust-points:\n  Self-signed (RSA 2048 bits RSA-SHA256) certificate available\nCertificate authentication is not enabled\n", judge.Insufficient, []string{"gateway-certificate-temporary?"}},
		"a trust point":                           {"SSL trust-points:\n  Self-signed (RSA 2048 bits RSA-SHA256) certificate available\n  Interface outside: VPN (RSA 2048 bits RSA-SHA256)\nCertificate authentication is not enabled\n", judge.Insufficient, nil},
		"the other client's frame":                {"2026-11-10 04:01:47 | 2bf4 | DTLS handshake failed: Resource temporarily unavailable, try again.\n", judge.OK, []string{"dtls-blocked"}},
		"AAA of the ASA is full":                  {"%ASA-3-113001: Unable to open AAA session. Session limit [2048] reached\n", judge.Fault, []string{"session-limit"}},
		"locked to another group":                 {"%ASA-4-113040: Terminating the VPN connection attempt from STAFF. Reason: This connection is group locked to PHONES.\n", judge.Fault, []string{"login-refused"}},
		"the mechanism":                           {"Login denied, unauthorized connection mechanism, contact your administrator.\n", judge.Fault, []string{"anyconnect-not-allowed"}},
		"the client's own interface is gone":      {"Configured as 10.99.0.11, with SSL connected and DTLS connected\nFailed to write incoming packet: Input/output error\n", judge.OK, nil},
		"both peers dead":                         {"2026-11-09 09:17 DTLS Dead Peer Detection detected dead peer!\n2026-11-09 09:17 CSTP Dead Peer Detection detected dead peer!\n", judge.Fault, []string{"dead-peer"}},
		"a peer dead, of other protocols":         {"Session authentication will expire at Thu Dec  3 13:04:11 2026\nDetected dead peer!\n", judge.Fault, []string{"dead-peer"}},
		"a certificate, in their own words":       {"POST https://vpn.example.net/\nUnexpected 513 result from server\nInvalid client certificate.\nFailed to obtain WebVPN cookie\n", judge.Fault, []string{"client-certificate-untrusted"}},
		"Host Scan is wanted":                     {"POST https://vpn.example.net/\nError: Server asked us to run CSD hostscan.\nYou need to provide a suitable --csd-wrapper argument.\n", judge.Fault, []string{"host-scan-on-phones"}},
		"Host Scan, by the gateway":               {"<error id=\"13\" param1=\"\">Unable to complete connection: Cisco Secure Desktop not installed on the client</error>\n", judge.Fault, []string{"host-scan-on-phones"}},
		"a web server":                            {"POST https://vpn.example.net/\nConnected to HTTPS on vpn.example.net\nUnexpected 405 result from server\n", judge.Insufficient, nil},
		"POST is not taken, GET is":               {post404 + "GET https://vpn.example.net/\nGET https://vpn.example.net/+webvpn+/index.html\n" + up, judge.OK, nil},
		"POST is not allowed, GET is":             {strings.ReplaceAll(post404, "404", "405") + "GET https://vpn.example.net/\n" + up, judge.OK, nil},
		"neither POST nor GET":                    {post404 + strings.ReplaceAll(post404, "POST", "GET"), judge.Fault, []string{"group-url-mismatch"}},
		"neither, but another URL":                {post404 + strings.ReplaceAll(post404, "POST", "GET") + "POST https://vpn.example.net/phones\n" + up, judge.Fault, []string{"group-url-mismatch"}},
		"up, and known no more":                   {"POST https://vpn.example.net/\n" + up + post404, judge.Fault, []string{"group-url-mismatch"}},
		"DTLS, again and up":                      {"Configured as 10.99.0.11, with SSL connected and DTLS in progress\nDTLS handshake failed: Resource temporarily unavailable, try again.\nEstablished DTLS connection (using GnuTLS).\n", judge.OK, nil},
		"DTLS, up and down":                       {"Established DTLS connection (using GnuTLS).\nDTLS handshake failed: Resource temporarily unavailable, try again.\n", judge.OK, []string{"dtls-blocked"}},
		"a second address":                        {"POST https://vpn.example.net/\nAttempting to connect to server [2001:db8::9]:443\nFailed to connect to [2001:db8::9]:443: Network is unreachable\nAttempting to connect to server 192.0.2.9:443\nConnected to 192.0.2.9:443\nConnected to HTTPS on vpn.example.net\nGot CONNECT response: HTTP/1.1 200 CONNECTED\nConfigured as 10.99.0.11, with SSL connected and DTLS connected\n", judge.OK, nil},
		"another gateway":                         {"POST https://vpn.example.net/\nFailed to connect to 192.0.2.8:443: Connection refused\nPOST https://vpn2.example.net/\nConnected to 192.0.2.9:443\n", judge.Fault, []string{"gateway-unreachable"}},
		"a name at last":                          {"getaddrinfo failed for host 'vpn.example.net': Temporary failure in name resolution\nConnected to 192.0.2.9:443\nConnected to HTTPS on vpn.example.net\nConnected tun0 as 10.99.0.11, using SSL\n", judge.OK, nil},
		"mistyped":                                {"POST https://vpn.example.net/\nLogin failed.\nPOST https://vpn.example.net/\nGot CONNECT response: HTTP/1.1 200 CONNECTED\n", judge.Insufficient, nil},
		"a dead peer, and back":                   {"Configured as 10.99.0.11, with SSL connected and DTLS connected\nCSTP Dead Peer Detection detected dead peer!\nGot CONNECT response: HTTP/1.1 200 CONNECTED\n", judge.OK, nil},
		"all on one other port":                   {"POST https://vpn.example.net:4443/\nX-DTLS-Port: 4443\nEstablished DTLS connection (using GnuTLS).\n", judge.OK, nil},
		"UDP on another port":                     {"POST https://vpn.example.net/\nX-DTLS-Port: 4443\nEstablished DTLS connection (using GnuTLS).\n", judge.OK, []string{"dtls-disabled"}},
		"by its address":                          {"POST https://192.0.2.9/\nServer certificate verify failed: certificate does not match hostname\nEstablished DTLS connection (using GnuTLS).\n", judge.OK, nil},
		"by its name":                             {"POST https://vpn.example.net/\nServer certificate verify failed: certificate does not match hostname\nEstablished DTLS connection (using GnuTLS).\n", judge.Fault, []string{"host-id-mismatch"}},
		"a certificate, to an ASA":                {"POST https://vpn.example.net/\nCertificate Validation Failure\nFailed to complete authentication\n", judge.Fault, []string{"client-certificate-untrusted"}},
		"no cookie, and no word why":              {"POST https://vpn.example.net/\nSSL negotiation with vpn.example.net\nFailed to obtain WebVPN cookie\n", judge.Insufficient, nil},
		"broken, and back":                        {"Established DTLS connection (using GnuTLS).\nSSL read error: Error in the pull function.; reconnecting.\nGot CONNECT response: HTTP/1.1 200 CONNECTED\n", judge.OK, nil},
		"broken, and gone":                        {"Established DTLS connection (using GnuTLS).\nSSL read error: Error in the pull function.; reconnecting.\nsleep 10s, remaining timeout 300s\n", judge.Insufficient, nil},
		"broken again and again":                  {"Established DTLS connection (using GnuTLS).\n" + strings.Repeat("SSL read error: Error in the pull function.; reconnecting.\nGot CONNECT response: HTTP/1.1 200 CONNECTED\n", 3), judge.Insufficient, nil},
		"an address by debug":                     {"CSTP state = WAIT_FOR_ADDRESS\nwebvpn_cstp_accept_address: 10.99.0.11/255.255.255.0\nCSTP state = CONNECTED\n", judge.OK, nil},
		"ocserv, a network without a mask":        {"Nov 06 08:24:22 gw ocserv[11550]: No mask found for IPv6 network.\n", judge.Fault, []string{"gateway-unreachable"}},
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
