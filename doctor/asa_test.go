package doctor_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
)

// diagnose reads texts as files and judges them together.
func diagnose(t *testing.T, texts ...string) *judge.Report {
	t.Helper()
	c := fact.NewCollector("test", "files")
	for i, text := range texts {
		err := read.Input(t.Context(), c, fmt.Sprintf("file %d", i+1), strings.NewReader(text), read.Options{Now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return judge.Facts(c.File(), "test")
}

// codes are what was found that is worse than a note, as CODE or CODE? when it is only possible.
func codes(r *judge.Report) (found []string) {
	for _, f := range r.Findings {
		code := f.Code
		if f.Certainty == finding.Possible {
			code += "?"
		}
		if f.Severity != finding.Note && !slices.Contains(found, code) {
			found = append(found, code)
		}
	}
	slices.Sort(found)
	return found
}

// asaHealthy is a configuration for phones with nothing wrong, in the form since 8.4, and asaOld in that before.
const (
	asaHealthy = `: Saved
:
ASA Version 9.1(7)
!
hostname gw
!
interface GigabitEthernet0/0
 nameif outside
 security-level 0
 ip address 203.0.113.1 255.255.255.0
!
interface GigabitEthernet0/1
 nameif inside
 security-level 100
 ip address 10.1.1.1 255.255.255.0
!
same-security-traffic permit intra-interface
object network POOL
 subnet 10.99.0.0 255.255.255.0
object network OFFICE
 subnet 10.0.0.0 255.0.0.0
object network ALL
 subnet 0.0.0.0 0.0.0.0
ip local pool PHONES 10.99.0.10-10.99.0.250 mask 255.255.255.0
nat (inside,outside) source static OFFICE OFFICE destination static POOL POOL no-proxy-arp route-lookup
!
object network ALL
 nat (inside,outside) dynamic interface
route outside 0.0.0.0 0.0.0.0 203.0.113.254 1
route inside 0.0.0.0 0.0.0.0 10.1.1.254 tunneled
aaa-server RAD protocol radius
aaa-server RAD (inside) host 10.1.1.30
 key *****
crypto ca trustpoint VPN
 enrollment terminal
 fqdn vpn.example.net
 keypair VPN
crypto ca trustpoint CAPF
 enrollment terminal
ssl trust-point VPN outside
webvpn
 enable outside
 anyconnect image disk0:/anyconnect-win-3.1.05182-k9.pkg 1
 anyconnect enable
 tunnel-group-list enable
group-policy GP-PHONES internal
group-policy GP-PHONES attributes
 banner none
 dns-server value 10.1.1.53
 vpn-simultaneous-logins 10
 vpn-idle-timeout none
 vpn-session-timeout none
 vpn-tunnel-protocol ssl-client
 split-tunnel-policy tunnelall
 webvpn
  anyconnect ssl dtls enable
  anyconnect ssl keepalive 120
tunnel-group PHONES type remote-access
tunnel-group PHONES general-attributes
 address-pool PHONES
 default-group-policy GP-PHONES
tunnel-group PHONES webvpn-attributes
 authentication certificate
 group-url https://vpn.example.net/phones enable
 without-csd
!
prompt hostname context
Cryptochecksum:d41d8cd98f00b204e9800998ecf8427e
: end
`
	asaOld = `ASA Version 8.2(5)
!
hostname gw
interface Ethernet0/0
 nameif outside
 ip address 203.0.113.1 255.255.255.0
!
interface Ethernet0/1
 nameif inside
 ip address 10.1.1.1 255.255.255.0
!
same-security-traffic permit intra-interface
access-list NONAT extended permit ip any 10.99.0.0 255.255.255.0
ip local pool PHONES 10.99.0.10-10.99.0.250 mask 255.255.255.0
global (outside) 1 interface
nat (inside) 0 access-list NONAT
nat (inside) 1 0.0.0.0 0.0.0.0
route outside 0.0.0.0 0.0.0.0 203.0.113.254 1
route inside 10.0.0.0 255.0.0.0 10.1.1.254 1
crypto ca trustpoint VPN
 enrollment self
ssl encryption rc4-sha1 aes128-sha1 aes256-sha1 3des-sha1
ssl trust-point VPN outside
webvpn
 enable outside
 svc image disk0:/anyconnect-win-2.4.1012-k9.pkg 1
 svc enable
group-policy PHONE_GP internal
group-policy PHONE_GP attributes
 vpn-tunnel-protocol svc webvpn
 address-pools value PHONES
 webvpn
  svc dtls enable
username phone1 password secret encrypted
username phone1 attributes
 vpn-group-policy PHONE_GP
tunnel-group VPNPHONE type remote-access
tunnel-group VPNPHONE general-attributes
 default-group-policy PHONE_GP
tunnel-group VPNPHONE webvpn-attributes
 group-url https://203.0.113.1/VPNPhone enable
Cryptochecksum:0
: end
`
)

// TestASAHealthy: published examples and whole configurations for phones are fine.
func TestASAHealthy(t *testing.T) {
	t.Parallel()
	texts := map[string]string{"new": asaHealthy, "old": asaOld}
	for _, name := range []string{"testdata/asa/technote.txt", "testdata/asa/cme.txt", "../wire/asa/testdata/configuration/running.txt"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	for _, name := range []string{"anyconnect.txt", "anyconnect-detail.txt"} {
		text, err := os.ReadFile("../wire/asa/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	texts["log"] = `%ASA-6-725001: Starting SSL handshake with client outside:198.51.100.7/50529 for TLSv1 session.
%ASA-6-725002: Device completed SSL handshake with client outside:198.51.100.7/50529
%ASA-6-113012: AAA user authentication Successful : local database : user = phone1
%ASA-6-113009: AAA retrieved default group policy (GP-PHONES) for user = phone1
%ASA-6-113008: AAA transaction status ACCEPT : user = phone1
%ASA-6-113039: Group <GP-PHONES> User <phone1> IP <198.51.100.7> AnyConnect parent session started.
%ASA-6-734001: DAP: User phone1, Addr 198.51.100.7, Connection AnyConnect: The following DAP records were selected for this connection: DfltAccessPolicy
%ASA-4-722051: Group <GP-PHONES> User <phone1> IP <198.51.100.7> IPv4 Address <10.99.0.11> IPv6 address <::> assigned to session
%ASA-6-722055: Group <GP-PHONES> User <phone1> IP <198.51.100.7> Client Type: Cisco SVC IPPhone Client v1.0 (1.0)
%ASA-4-722041: TunnelGroup <PHONES> GroupPolicy <GP-PHONES> User <phone1> IP <198.51.100.7> No IPv6 address available for SVC connection
%ASA-5-722033: Group <GP-PHONES> User <phone1> IP <198.51.100.7> First UDP SVC connection established for SVC session.
%ASA-6-722022: Group <GP-PHONES> User <phone1> IP <198.51.100.7> UDP SVC connection established without compression
%ASA-4-106023: Deny tcp src outside:198.51.100.99/50000 dst inside:203.0.113.1/22 by access-group "OUTSIDE-IN" [0x0, 0x0]
%ASA-6-725006: Device failed SSL handshake with client outside:198.51.100.200/50529
%ASA-4-113019: Group = PHONES, Username = phone1, IP = 198.51.100.7, Session disconnected. Session Type: SSL, Duration: 1d 19h:41m:14s, Bytes xmt: 1, Bytes rcv: 2, Reason: User Requested
%ASA-4-113019: Group = 192.0.2.77, Username = 192.0.2.77, IP = 192.0.2.77, Session disconnected. Session Type: LAN-to-LAN, Duration: 8h:00m:00s, Bytes xmt: 1, Bytes rcv: 2, Reason: Idle Timeout
%ASA-6-302013: Built inbound TCP connection 1 for outside:10.99.0.11/50000 (10.99.0.11/50000) to inside:10.1.1.20/2000 (10.1.1.20/2000)
`
	texts["version"] = "Cisco Adaptive Security Appliance Software Version 9.1(7)\nLicensed features for this platform:\nAnyConnect Premium Peers          : 25             perpetual\nAnyConnect Essentials             : Disabled       perpetual\nAnyConnect for Cisco VPN Phone    : Enabled        perpetual\n"
	texts["failover pair"] = "Licensed features for this platform:\nAnyConnect for Cisco VPN Phone    : Disabled       perpetual\nFailover cluster licensed features for this platform:\nAnyConnect Premium Peers : 25 perpetual\nAnyConnect for Cisco VPN Phone    : Enabled        perpetual\n"
	texts["cucm"] = "Active Master Version: 8.5.1.10000-26\nInactive Master Version: 7.1.5.10000-12\n"
	for name, text := range texts {
		want := judge.OK
		if name == "cucm" {
			want = judge.Insufficient // a version shows nothing
		}
		r := diagnose(t, text)
		if found := codes(r); len(found) > 0 || r.Verdict != want {
			t.Errorf("%s: %s, found %v, needs %v\n%+v", name, r.Verdict, found, r.Needs, r.Findings)
		}
	}
}

// change puts something in the place of a line or several of a configuration.
func change(t *testing.T, config string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(config, pairs[i]) {
			t.Fatalf("the configuration has no %q", pairs[i])
		}
		config = strings.ReplaceAll(config, pairs[i], pairs[i+1])
	}
	return config
}

// TestASAFaults breaks a healthy configuration in one place each: that, and nothing else, is to be found.
func TestASAFaults(t *testing.T) {
	t.Parallel()
	const phone = "show vpn-sessiondb anyconnect\n\nSession Type: AnyConnect\n\nUsername     : CP-7962G-SEP001122334455\nAssigned IP  : 10.99.0.11   Public IP : 198.51.100.7\nProtocol     : AnyConnect-Parent SSL-Tunnel DTLS-Tunnel\nGroup Policy : GP-PHONES   Tunnel Group : PHONES\nDuration     : 1h:00m:00s\n"
	for name, c := range map[string]struct {
		texts []string
		want  []string
	}{
		"split tunnel":                           {[]string{change(t, asaHealthy, "split-tunnel-policy tunnelall", "split-tunnel-policy tunnelspecified\n split-tunnel-network-list value SPLIT")}, []string{"split-tunnel"}},
		"split tunnel, inherited":                {[]string{change(t, asaHealthy, " split-tunnel-policy tunnelall\n", "", "group-policy GP-PHONES internal", "group-policy DfltGrpPolicy attributes\n split-tunnel-policy excludespecified\ngroup-policy GP-PHONES internal")}, []string{"split-tunnel"}},
		"essentials":                             {[]string{change(t, asaHealthy, " anyconnect enable\n", " anyconnect enable\n anyconnect-essentials\n")}, []string{"essentials-license"}},
		"no image":                               {[]string{change(t, asaHealthy, " anyconnect image disk0:/anyconnect-win-3.1.05182-k9.pkg 1\n", "")}, []string{"anyconnect-image-missing"}},
		"client not enabled":                     {[]string{change(t, asaHealthy, " anyconnect enable\n", "")}, []string{"vpn-not-enabled-on-interface"}},
		"not enabled":                            {[]string{change(t, asaHealthy, " enable outside\n", "")}, []string{"vpn-not-enabled-on-interface"}},
		"enabled inside":                         {[]string{change(t, asaHealthy, " enable outside\n", " enable inside\n", "ssl trust-point VPN outside", "ssl trust-point VPN inside")}, []string{"vpn-not-enabled-on-interface"}},
		"shut down":                              {[]string{change(t, asaHealthy, " nameif outside\n", " shutdown\n nameif outside\n")}, []string{"gateway-unreachable"}},
		"shut down, another one":                 {[]string{change(t, asaHealthy, "interface GigabitEthernet0/1", "interface GigabitEthernet0/2\n shutdown\n nameif dmz\n security-level 50\n!\ninterface GigabitEthernet0/1")}, nil},
		"old release":                            {[]string{change(t, asaOld, "Version 8.2(5)", "Version 8.0(3)")}, []string{"asa-version"}},
		"tls-only":                               {[]string{change(t, asaHealthy, " enable outside\n", " enable outside tls-only\n")}, []string{"dtls-disabled"}},
		"no DTLS in the policy":                  {[]string{change(t, asaOld, "svc dtls enable", "svc dtls none")}, []string{"dtls-disabled"}},
		"another DTLS port":                      {[]string{change(t, asaHealthy, " enable outside\n", " enable outside\n dtls port 4443\n")}, []string{"dtls-blocked"}},
		"no AES":                                 {[]string{change(t, asaOld, "ssl encryption rc4-sha1 aes128-sha1 aes256-sha1 3des-sha1", "ssl encryption rc4-sha1 3des-sha1")}, []string{"dtls-cipher-mismatch"}},
		"no AES-SHA for DTLS":                    {[]string{change(t, asaHealthy, "ssl trust-point VPN outside", "ssl cipher dtlsv1 custom \"DES-CBC3-SHA\"\nssl trust-point VPN outside")}, []string{"dtls-cipher-mismatch"}},
		"no AES-SHA for TLS":                     {[]string{change(t, asaHealthy, "ssl trust-point VPN outside", "ssl cipher tlsv1 custom \"RC4-SHA\"\nssl trust-point VPN outside"), phone}, []string{"tls-cipher"}},
		"TLS 1.2 and a 7962":                     {[]string{change(t, asaHealthy, "ssl trust-point VPN outside", "ssl server-version tlsv1.2\nssl trust-point VPN outside"), phone}, []string{"tls-version"}},
		"nobody may log in":                      {[]string{change(t, asaHealthy, "vpn-simultaneous-logins 10", "vpn-simultaneous-logins 0")}, []string{"session-limit"}},
		"no pool":                                {[]string{change(t, asaHealthy, " address-pool PHONES\n", "")}, []string{"address-pool-exhausted"}},
		"pool not there":                         {[]string{change(t, asaHealthy, " address-pool PHONES\n", " address-pool OTHER\n")}, []string{"address-pool-exhausted"}},
		"pool over the inside":                   {[]string{change(t, asaHealthy, "10.99.0.10-10.99.0.250 mask 255.255.255.0", "10.1.1.0-10.1.1.250 mask 255.255.255.0", "subnet 10.99.0.0 255.255.255.0", "subnet 10.1.1.0 255.255.255.0")}, []string{"pool-overlaps"}},
		"pool over DHCP":                         {[]string{change(t, asaHealthy, "aaa-server RAD protocol radius", "dhcpd address 10.99.0.100-10.99.0.120 inside\naaa-server RAD protocol radius")}, []string{"pool-overlaps"}},
		"pool over another":                      {[]string{change(t, asaHealthy, "ip local pool PHONES", "ip local pool STAFF 10.99.0.200-10.99.0.254 mask 255.255.255.0\nip local pool PHONES")}, []string{"pool-overlaps"}},
		"NAT":                                    {[]string{change(t, asaHealthy, "nat (inside,outside) source static OFFICE OFFICE destination static POOL POOL no-proxy-arp route-lookup\n", "")}, []string{"nat-in-the-way"}},
		"NAT, old":                               {[]string{change(t, asaOld, "nat (inside) 0 access-list NONAT\n", "")}, []string{"nat-in-the-way"}},
		"protocol":                               {[]string{change(t, asaHealthy, "vpn-tunnel-protocol ssl-client", "vpn-tunnel-protocol ikev1 ssl-clientless")}, []string{"anyconnect-not-allowed"}},
		"banner":                                 {[]string{change(t, asaHealthy, "banner none", "banner value Be good.")}, nil},
		"session timeout":                        {[]string{change(t, asaHealthy, "vpn-session-timeout none", "vpn-session-timeout 480")}, []string{"session-timeout"}},
		"idle timeout":                           {[]string{change(t, asaHealthy, "vpn-idle-timeout none", "vpn-idle-timeout 1")}, []string{"idle-timeout"}},
		"no keepalive":                           {[]string{change(t, asaHealthy, "anyconnect ssl keepalive 120", "anyconnect ssl keepalive none")}, []string{"tunnel-timers"}},
		"Host Scan":                              {[]string{change(t, asaHealthy, " without-csd\n", "", " anyconnect enable\n", " anyconnect enable\n csd image disk0:/csd_3.6.pkg\n csd enable\n")}, []string{"host-scan-on-phones"}},
		"no trustpoint for phones":               {[]string{change(t, asaHealthy, "crypto ca trustpoint CAPF\n enrollment terminal\n", "crypto ca certificate chain VPN\n certificate 01\n    3082\n  quit\n")}, []string{"client-certificate-untrusted"}},
		"no certificate bound":                   {[]string{change(t, asaHealthy, "ssl trust-point VPN outside", "ssl trust-point VPN inside")}, []string{"gateway-certificate-temporary"}},
		"default group":                          {[]string{change(t, asaHealthy, "tunnel-group PHONES webvpn-attributes", "tunnel-group DefaultWEBVPNGroup webvpn-attributes\n group-url https://vpn.example.net/phone enable\ntunnel-group PHONES webvpn-attributes")}, []string{"default-webvpn-group"}},
		"no group URL":                           {[]string{change(t, asaHealthy, " group-url https://vpn.example.net/phones enable\n", "")}, []string{"group-url-mismatch"}},
		"group URL off":                          {[]string{change(t, asaHealthy, "/phones enable", "/phones disable")}, []string{"group-url-mismatch"}},
		"a filter that permits nothing":          {[]string{change(t, asaHealthy, " banner none\n", " banner none\n vpn-filter value NOTHING\n", "ip local pool", "access-list NOTHING extended deny ip any any\nip local pool")}, []string{"registration-unreachable"}},
		"a filter that permits something":        {[]string{change(t, asaHealthy, " banner none\n", " banner none\n vpn-filter value SOME\n", "ip local pool", "access-list SOME extended permit tcp any any eq 2000\naccess-list SOME extended deny ip any any\nip local pool")}, nil},
		"a list that permits nothing, elsewhere": {[]string{change(t, asaHealthy, "ip local pool", "access-list NOTHING extended deny ip any any\naccess-group NOTHING in interface outside\nip local pool")}, nil},
		"local logins of nobody":                 {[]string{change(t, asaHealthy, " authentication certificate\n", " authentication aaa\n", " address-pool PHONES\n", " address-pool PHONES\n authentication-server-group LOCAL\n")}, []string{"login-refused"}},
		"local logins of somebody":               {[]string{change(t, asaHealthy, " authentication certificate\n", " authentication aaa\n", " address-pool PHONES\n", " address-pool PHONES\n authentication-server-group LOCAL\n", "tunnel-group PHONES type", "username phone1 password x encrypted\ntunnel-group PHONES type")}, nil},
		"local logins, names taken out":          {[]string{change(t, asaHealthy, " authentication certificate\n", " authentication aaa\n", " address-pool PHONES\n", " address-pool PHONES\n authentication-server-group LOCAL\n", "aaa-server RAD protocol", "aaa authentication ssh console LOCAL\naaa-server RAD protocol")}, nil},
		"port forward of 443":                    {[]string{change(t, asaHealthy, "object network OFFICE\n", "object network WEB\n host 10.1.1.9\n nat (inside,outside) static interface service tcp https https\nobject network OFFICE\n")}, []string{"port-taken"}},
		"group URL without TLS":                  {[]string{change(t, asaHealthy, "group-url https://", "group-url http://")}, []string{"group-url-mismatch"}},
		"group URL with TLS, too":                {[]string{change(t, asaHealthy, " group-url https://", " group-url http://vpn.example.net/phones enable\n group-url https://")}, nil},
		"another port":                           {[]string{change(t, asaHealthy, " enable outside\n", " port 8443\n enable outside\n")}, []string{"group-url-mismatch"}},
		"the call manager's address in the pool": {[]string{asaHealthy, "<device><callManagerGroup><members><member priority=\"0\"><callManager><processNodeName>10.99.0.20</processNodeName></callManager></member></members></callManagerGroup></device>"}, []string{"pool-overlaps", "vpn-not-configured"}},
		"certificate map":                        {[]string{change(t, asaHealthy, " anyconnect enable\n", " anyconnect enable\n certificate-group-map MAP 10 STAFF\n", "ssl trust-point", "crypto ca certificate map MAP 10\n subject-name attr cn co sep\nssl trust-point")}, []string{"certificate-map-wrong"}},
		"more phones than peers":                 {[]string{"Licensed features for this platform:\nAnyConnect Premium Peers          : 0\n"}, []string{"license-missing"}},
		"licence":                                {[]string{"AnyConnect for Cisco VPN Phone    : Disabled       perpetual\n"}, []string{"license-missing"}},
		"a policy alone":                         {[]string{"group-policy VPNPhone attributes\n split-tunnel-policy tunnelspecified\n"}, []string{"split-tunnel"}},
		"a phone in the default group":           {[]string{change(t, phone, "Tunnel Group : PHONES", "Tunnel Group : DefaultWEBVPNGroup")}, []string{"default-webvpn-group"}},
		"a phone without DTLS":                   {[]string{change(t, phone, " DTLS-Tunnel", "")}, []string{"dtls-blocked"}},
		"denied":                                 {[]string{asaHealthy, "%ASA-4-106023: Deny tcp src outside:10.99.0.11/50000 dst inside:10.1.1.20/2000 by access-group \"OUTSIDE-IN\" [0x0, 0x0]\n"}, []string{"registration-unreachable"}},
		"phone to phone":                         {[]string{asaHealthy, "%ASA-3-106014: Deny inbound icmp src outside:10.99.0.11 dst outside:10.99.0.12 (type 8, code 0)\n"}, []string{"phone-to-phone-denied"}},
		"two releases of CUCM":                   {[]string{"System version: 7.1.5.10000-12\n"}, []string{"cucm-version"}},
		"IOS, no hash":                           {[]string{"voice service voip\n vpn-group 1\n  vpn-gateway 1 https://192.0.2.1/phones\n"}, []string{"vpn-not-configured"}},
		"IOS, files shared":                      {[]string{"voice service voip\n vpn-group 1\n  vpn-gateway 1 https://192.0.2.1/phones\n  vpn-trustpoint 1 trustpoint T leaf\ntelephony-service\n max-ephones 20\n create cnf-files\nephone 1\n mac-address 0011.2233.4455\n vpn-group 1\n"}, []string{"vpn-not-configured"}},
	} {
		r := diagnose(t, c.texts...)
		if found := codes(r); !slices.Equal(found, c.want) {
			t.Errorf("%s: found %v, want %v\n%+v", name, found, c.want, r.Findings)
		}
	}
}

// TestASAWords: remedies have the commands of the release in evidence.
func TestASAWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want, not string }{
		"old": {change(t, asaOld, "svc dtls enable", "svc dtls none"), "svc dtls enable", "anyconnect ssl dtls"},
		"new": {change(t, asaHealthy, "anyconnect ssl dtls enable", "anyconnect ssl dtls none"), "anyconnect ssl dtls enable", "svc dtls"},
	} {
		r := diagnose(t, c.text)
		fixes := ""
		for _, f := range r.Findings {
			fixes += strings.Join(f.Fix, "\n")
		}
		if !strings.Contains(fixes, c.want) || strings.Contains(fixes, c.not) {
			t.Errorf("%s: the remedies are %q", name, fixes)
		}
	}
}

// TestASADebugOfCertificates gives debug crypto ca, in its form and with words that were made up: a failure in words that nobody
// knows is no proof that all is well.
func TestASADebugOfCertificates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]judge.Verdict{
		"CRYPTO_PKI: Looking for suitable trustpoints\nCRYPTO_PKI: chain build ended, status = 1823\n":                                                             judge.Insufficient,
		"PKI[7]: Unable to do something that nobody has heard of\n":                                                                                                judge.Insufficient,
		"CERT-C: E pkixpath.c(1137) : Error #751h\n":                                                                                                               judge.Insufficient,
		"CERT_API: peer cannot be verified\n":                                                                                                                      judge.Insufficient,
		"CERT-C: I pkixpath.c(1137) : Error #72eh\nCRYPTO_PKI: Certificate validated. serial number: 0A\n":                                                         judge.OK,
		"PKI[7]: Unable to find it in the cache\nCERT_API: calling user callback=0x00da44c5 with status=0(Success)\n":                                              judge.OK,
		"CRYPTO_PKI: Looking for suitable trustpoints\nCRYPTO_PKI: Found a suitable authenticated trustpoint X.\n":                                                 judge.OK,
		"CRYPTO_PKI: Cert record not found, returning E_NOT_FOUND\nCRYPTO_PKI: status = 0: success\nPKI[7]: finished without error\n":                              judge.OK,
		"PKI[7]: Unable to do something\nCRYPTO_PKI: No suitable trustpoints found to validate certificate serial number: 01\nPKI[7]: error, nobody knows which\n": judge.Fault,
	} {
		const phone = "Processing CSTP header line: 'User-Agent: Cisco SVC IPPhone Client v1.0 (1.0)'\nwebvpn_cstp_accept_address: 10.99.0.11/255.255.255.0\n" // alone it is well
		if r := diagnose(t, phone+text); r.Verdict != want {
			t.Errorf("%q is judged as %s with %v, want %s", text, r.Verdict, codes(r), want)
		}
	}
}

// TestASAUnknown: an error that nobody knows leads to a question.
func TestASAUnknown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"%ASA-3-722046: Group <GP> User <phone1> IP <203.0.113.9> Session terminated: Unable to establish tunnel\n",
		"%ASA-7-725014: SSL lib error. Function: SSL3_READ_BYTES Reason: something new\n",
	} {
		if r := diagnose(t, text); r.Verdict != judge.Insufficient || len(r.Needs) == 0 {
			t.Errorf("%s leads to %s and %v", text, r.Verdict, r.Findings)
		}
	}
}

// TestASAStrangers: refused logins of names that the ASA does not know count only while no phone comes in, or from where a phone
// is.
func TestASAStrangers(t *testing.T) {
	t.Parallel()
	const (
		hidden = "%ASA-6-113015: AAA user authentication Rejected: reason = User was not found: local database: user = *****: user IP = 203.0.113.9\n"
		known  = "%ASA-6-113015: AAA user authentication Rejected: reason = Invalid password: local database: user = CP-8841-SEP001122334455: user IP = 203.0.113.9\n"
		phone  = "%ASA-6-722055: Group <GP> User <CP-8841-SEP001122334455> IP <198.51.100.7> Client Type: Cisco SVC IPPhone Client v1.0\n" +
			"%ASA-4-722051: Group <GP> User <CP-8841-SEP001122334455> IP <198.51.100.7> IPv4 Address <10.99.0.11> IPv6 address <::> assigned to session\n"
	)
	for text, want := range map[string]string{
		hidden: "fault login-refused", known: "fault login-refused", known + phone: "fault login-refused",
		hidden + phone: "ok login-refused(possible)", phone + hidden: "ok login-refused(possible)",
		strings.SplitAfter(phone, "\n")[1] + hidden:                       "ok login-refused(possible)",
		phone + strings.ReplaceAll(hidden, "203.0.113.9", "198.51.100.7"): "fault login-refused",
	} {
		if got := judgedText(t, text); got != want {
			t.Errorf("%s is judged as %s, not %s", text, got, want)
		}
	}
}

// TestASAWhoAndWhen: what did not work counts for who wants the SSL VPN, and as long as the same client does not get further.
func TestASAWhoAndWhen(t *testing.T) {
	t.Parallel()
	const (
		refused   = "%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = anna : user IP = 203.0.113.9\n"
		hidden    = "%ASA-6-113015: AAA user authentication Rejected : reason = User was not found : local database : user = ***** : user IP = 203.0.113.9\n"
		browser   = "%ASA-6-716039: Group <DfltGrpPolicy> User <anna> IP <203.0.113.9> Authentication: rejected, Session Type: WebVPN.\n"
		manager   = "%ASA-6-716039: Group <DfltGrpPolicy> User <anna> IP <203.0.113.9> Authentication: rejected, Session Type: Admin.\n"
		shell     = "%ASA-6-605004: Login denied from 203.0.113.9/40222 to outside:192.0.2.1/ssh for user \"anna\"\n"
		ike       = "%ASA-3-713167: Group = RA, Username = anna, IP = 203.0.113.9, Remote peer has failed user authentication -  check configured username and password\n"
		accepted  = "%ASA-6-113008: AAA transaction status ACCEPT : user = anna\n"
		in        = "%ASA-4-722051: Group <GP> User <anna> IP <203.0.113.9> IPv4 Address <10.99.0.11> IPv6 address <::> assigned to session\n"
		another   = "%ASA-4-722051: Group <GP> User <anna> IP <203.0.113.10> IPv4 Address <10.99.0.12> IPv6 address <::> assigned to session\n"
		full      = "%ASA-3-722020: TunnelGroup <PHONES> GroupPolicy <GP> User <anna> IP <203.0.113.9> No address available for SVC connection\n"
		ended     = "%ASA-5-734002: DAP: User anna, Addr 203.0.113.9: Connection terminated by the following DAP records: DfltAccessPolicy\n"
		lost      = "%ASA-5-722037: Group <GP> User <anna> IP <203.0.113.9> SVC closing connection: DPD failure.\n"
		back      = "%ASA-5-722032: Group <GP> User <anna> IP <203.0.113.9> New TCP SVC connection replacing old connection.\n"
		marked    = "%ASA-2-113022: AAA Marking RADIUS server 10.1.1.30 in aaa-server group RAD as FAILED\n"
		active    = "%ASA-2-113023: AAA Marking RADIUS server 10.1.1.30 in aaa-server group RAD as ACTIVE\n"
		dhcp      = "%ASA-5-737003: IPAA: Session=0x00012000, DHCP configured, no viable servers found for tunnel-group 'PHONES'\n"
		pool      = "%ASA-6-737006: IPAA: Session=0x00012000, Local pool request succeeded for tunnel-group 'PHONES'\n"
		toClient  = "%ASA-6-725001: Starting SSL handshake with client outside:203.0.113.9/50529 to 192.0.2.1/443 for TLS session\n"
		toServer  = "%ASA-6-725001: Starting SSL handshake with server outside:192.0.2.1/45000 to 72.163.4.38/443 for TLS session\n"
		toManager = "%ASA-6-725001: Starting SSL handshake with client inside:10.1.1.5/50529 to 10.1.1.1/443 for TLS session\n"
		toPeer    = "%ASA-5-750002: Local:192.0.2.1:500 Remote:198.51.100.20:500 Username:Unknown IKEv2 Received a IKE_INIT_SA request\n"
		chain     = "%ASA-3-717027: Certificate chain failed validation. No suitable trustpoint was found to validate chain.\n"
		suites    = "%ASA-7-725014: SSL lib error. Function: ssl3_get_client_hello Reason: no shared cipher\n"
		phones    = "%ASA-3-717009: Certificate validation failed. No suitable trustpoints found to validate certificate serial number: 0A, subject name: cn=CP-7962G-SEP001122334455.\n"
	)
	for text, want := range map[string]string{
		refused:            "fault login-refused",
		refused + in:       "ok login-refused(possible)",
		refused + accepted: "ok login-refused(possible)",
		refused + another:  "fault login-refused", // many phones may have one user
		in + refused:       "fault login-refused",
		refused + in + strings.ReplaceAll(refused, "Invalid password", "Password expired"): "fault login-refused",
		hidden + in:        "ok login-refused(possible)",
		hidden + another:   "insufficient login-refused(possible)", // somebody who may be a phone, or anybody on the Internet
		another + hidden:   "insufficient login-refused(possible)",
		in + hidden:        "fault login-refused",
		refused + browser:  "fault login-refused",
		refused + manager:  "insufficient",
		manager:            "insufficient",
		refused + shell:    "insufficient",
		hidden + shell:     "insufficient",
		refused + ike:      "insufficient",
		full:               "fault address-pool-exhausted(likely)",
		full + in:          "ok address-pool-exhausted(possible)",
		ended:              "fault login-refused",
		accepted + ended:   "fault login-refused",
		lost:               "fault dead-peer(likely)",
		lost + back:        "ok dead-peer(possible)",
		marked:             "fault aaa-server-dead",
		marked + accepted:  "ok aaa-server-dead(possible)",
		accepted + marked:  "fault aaa-server-dead",
		marked + active:    "ok aaa-server-dead(possible)",
		dhcp:               "fault address-pool-exhausted(likely)",
		dhcp + pool:        "insufficient",
		toClient + suites:  "fault tls-cipher(likely)",
		toServer + suites:  "insufficient",
		toManager + suites: "insufficient",
		toClient + chain:   "fault client-certificate-untrusted",
		toServer + chain:   "insufficient",
		toPeer + chain:     "insufficient",
		toPeer + phones:    "fault client-certificate-untrusted",
		"%ASA-6-113014: AAA authentication server not accessible : server = 10.1.1.30 : user = anna\n":    "fault aaa-server-dead",
		"%ASA-6-113014: AAA accounting server not accessible : server = 10.1.1.30 : user = anna\n":        "insufficient",
		strings.ReplaceAll(marked, "RADIUS", "TACACS+"):                                                   "insufficient",
		"%ASA-5-737034: IPAA: Session=0x1, IPv4 address: no IPv4 address available from local pools\n":    "fault address-pool-exhausted(likely)",
		"%ASA-5-737034: IPAA: Session=0x1, IPv6 address: no IPv6 address available from local pools\n":    "insufficient",
		"%ASA-5-737007: IPAA: Session=0x1, Local pool request failed for tunnel-group 'PHONES'\n":         "fault address-pool-exhausted(likely)",
		"%ASA-5-737007: IPAA: Session=0x1, Local pool request failed for tunnel-group 'DefaultRAGroup'\n": "insufficient",
	} {
		if got := judgedText(t, text); got != want {
			t.Errorf("%s is judged as %s, not %s", text, got, want)
		}
	}
}

// TestASADebugOfLogins: who is let in later, by another server or after a slip, has no trouble; another user's luck does not help.
func TestASADebugOfLogins(t *testing.T) {
	t.Parallel()
	const (
		no      = "User: anna\nAuthentication Status: -1 (REJECT)\n"
		yes     = "User: anna\nAuthentication Status: 1 (ACCEPT)\n"
		another = "User: bert\nAuthentication Status: 1 (ACCEPT)\n"
	)
	for text, want := range map[string]string{no: "fault login-refused", no + yes: "insufficient", no + another: "fault login-refused", yes + no: "fault login-refused"} {
		if got := judgedText(t, text); got != want {
			t.Errorf("%s is judged as %s, not %s", text, got, want)
		}
	}
}

// TestASAAssertion: a clock counts as wrong where it says less than what the ASA was given before.
func TestASAAssertion(t *testing.T) {
	t.Parallel()
	const refused = "[SAML] NotBefore:2026-11-24T14:02:11.000Z NotOnOrAfter:2026-11-24T15:02:11.000Z timeout: 0\n[SAML] consume_assertion: assertion is expired or not valid\n"
	for clock, want := range map[string][]string{
		"13:41:50.120 UTC Tue Nov 24 2026\n": {"clock-wrong"},
		"14:41:50.120 UTC Tue Nov 24 2026\n": nil,
		"13:41:50.120 CET Tue Nov 24 2026\n": nil, // nobody knows how far that is from UTC
	} {
		if found := codes(diagnose(t, refused+clock)); !slices.Equal(found, want) {
			t.Errorf("%s leads to %v, not %v", clock, found, want)
		}
	}
}

// TestASAReset: who ended a session is to be asked while it has not come back.
func TestASAReset(t *testing.T) {
	t.Parallel()
	const (
		reset = "%ASA-4-113019: Group = PHONES, Username = phone1, IP = 198.51.100.7, Session disconnected. Session Type: SSL, Duration: 0h:30m:12s, Bytes xmt: 100, Bytes rcv: 200, Reason: Administrator Reset\n"
		back  = "%ASA-4-722051: Group <GP> User <phone1> IP <198.51.100.7> IPv4 Address <10.99.0.11> IPv6 address <::> assigned to session\n"
	)
	for text, want := range map[string]string{reset: "insufficient", reset + back: "ok", back + strings.ReplaceAll(reset, "Session Type: SSL", "Session Type: LAN-to-LAN"): "ok"} {
		if got := judgedText(t, text); got != want {
			t.Errorf("%s is judged as %s, not %s", text, got, want)
		}
	}
}

// TestAnyConnectAttempts: what failed counts while the same gateway does not let the client in later.
func TestAnyConnectAttempts(t *testing.T) {
	t.Parallel()
	const (
		timedOut = "[10:00:00] Contacting vpn.example.com.\n[10:00:20] Connection attempt has timed out.  Please verify Internet connectivity.\n"
		noName   = "Connection attempt has failed due to invalid host entry. Please re-enter.\n"
		in       = "[10:01:00] Contacting vpn.example.com.\n[10:01:30] Connected to vpn.example.com.\n"
		another  = "[10:01:00] Contacting vpn2.example.com.\n[10:01:30] Connected to vpn2.example.com.\n"
		mtu      = "[10:02:30] A new MTU needs to be applied to the VPN network interface. Disabling and re-enabling the Virtual Adapter.\n"
	)
	for text, want := range map[string][]string{
		timedOut: {"gateway-unreachable"}, timedOut + in: nil, timedOut + another: {"gateway-unreachable"}, in + timedOut: {"gateway-unreachable"},
		noName: {"gateway-name-unresolved?"}, in + mtu: nil, in: nil,
	} {
		if found := codes(diagnose(t, text)); !slices.Equal(found, want) {
			t.Errorf("%s leads to %v, not %v", text, found, want)
		}
	}
}
