package fact_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// TestScrub gives lines with a secret, which is the word hunter2 or looks like what it is.
func TestScrub(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"username anna password hunter2 encrypted privilege 15",
		"username anna password hunter2 pbkdf2",
		" username anna privilege 15 secret 5 hunter2",
		"username 1001 password hunter2",
		"enable password hunter2 encrypted",
		"enable password 7 hunter2",
		"enable secret 5 hunter2",
		"passwd hunter2 encrypted",
		" password 0 hunter2",
		"asa(config)# password hunter2",
		" ikev1 pre-shared-key hunter2",
		"ikev2 remote-authentication pre-shared-key hunter2",
		"pre-shared-key address 192.0.2.1 key hunter2",
		"crypto isakmp key hunter2 address 192.0.2.1",
		" key hunter2",
		"radius-server host 192.0.2.1 key 7 hunter2",
		"tacacs-server key hunter2",
		"failover key hunter2",
		" ldap-login-password hunter2",
		" radius-common-pw hunter2",
		"snmp-server community hunter2 RO",
		"snmp-server host inside 192.0.2.1 community hunter2 version 2c",
		"snmp-server host 192.0.2.1 version 2c hunter2",
		"snmp-server user u g v3 encrypted auth sha hunter2 priv aes 128 hunter2",
		"secret=hunter2",
		"secret => hunter2",
		"md5secret=hunter2",
		"remotesecret = hunter2 ; a comment",
		"password=hunter2",
		"auth_pass=hunter2",
		"level=INFO msg=login user=anna password=hunter2",
		`{"user":"anna","password":"hunter2","n":1}`,
		`{"sip_secret": "hun\"hunter2"}`,
		"<authPassword>hunter2</authPassword>",
		"<sshPassword>hunter2</sshPassword>",
		`<password type="x">hunter2</password>`,
		"<adminPassword encrypted=\"false\">hunter2</adminPassword>",
		"<session-token>hunter2</session-token>",
		`<opaque is-for="sg"><session-id>hunter2</session-id></opaque>`,
		"Cookie: webvpn=hunter2; webvpnlang=en",
		"Set-Cookie: webvpn=hunter2; path=/; secure",
		"VPNC: got cookie webvpn=hunter2@45056@1234@ABCD",
		"VPNC: webvpncontext=hunter2",
		"COOKIE='hunter2'",
		"Authorization: Basic hunter2==",
		`Authorization: Digest username="1001", realm="a", response="hunter2"`,
		"Proxy-Authorization: Bearer hunter2",
		"https://anna:hunter2@vpn.example.com/phones",
		"ldap://cn=admin:hunter2@ldap.example.com",
		"POST /?username=anna&password=hunter2&x=1",
		"pwd=hunter2",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:hunter2|2^20",
		"X-DTLS-Master-Secret: hunter2",
		"    Master-Key: hunter2",
		"CLIENT_RANDOM 00112233445566778899aabbccddeeff hunter2" + strings.Repeat("aa", 20),
		"-----BEGIN RSA PRIVATE KEY----- hunter2",
		"-----BEGIN PRIVATE KEY-----hunter2",
		"anna:phones:$5$salt$hunter2",
		"hash $6$rounds=5000$salt$hunter2",
		"enable password $sha512$5000$hunter2 pbkdf2",
		"userPassword: {SSHA}hunter2",
		"openconnect --cookie=hunter2 vpn.example.com",
		"openconnect --form-entry main:password=hunter2",
		"curl -u admin:hunter2 http://192.0.2.7/",
		"Password: hunter2",
		"psk: hunter2",
		"psk = hunter2",
		"wpa_passphrase=hunter2",
		"ntp authentication-key 1 md5 hunter2",
		"authentication-key 1 md5 hunter2",
		"community: hunter2",
		" ppp chap password 7 hunter2",
		" neighbor 192.0.2.1 password hunter2",
		"ip http client password hunter2",
		" ip ospf authentication-key hunter2",
		" wpa-psk ascii 0 hunter2",
		"The password is hunter2",
		`my password for the phone is "hunter2", is that right?`,
		"VPNC: do_login: user anna pass hunter2",
		"log in as user anna, password hunter2",
		"VPNC: failed, password hunter2 is wrong",
		`<input type="password" name="password" value="hunter2">`,
		"echo hunter2 | openconnect vpn.example.com",
		`echo "hunter2" | longcord users add anna --password-stdin`,
		"openconnect -C hunter2 vpn.example.com",
		"sshpass -p hunter2 ssh 192.0.2.7",
		"userPassword: {PLAIN}hunter2",
	} {
		line = strings.ReplaceAll(line, "hunter2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", strings.Repeat("ab", 24))
		got := fact.Scrub(line)
		if strings.Contains(got, "hunter2") || strings.Contains(got, strings.Repeat("ab", 24)) || !strings.Contains(got, "[secret]") {
			t.Errorf("%q still says %q", line, got)
		}
		if again := fact.Scrub(got); strings.Count(again, "[secret]") != strings.Count(got, "[secret]") || len(again) != len(got) {
			t.Errorf("%q scrubbed again is %q", got, again)
		}
	}
}

// TestScrubKeeps gives lines that only speak of secrets. They are evidence, and stay as they are.
func TestScrubKeeps(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"VPNC: 'webvpn=' not found in cookie",
		"Password incorrect",
		"the password is wrong",
		"the password for anna was not right",
		"username or password is incorrect",
		"password authentication failed for anna",
		"wrong password for user anna",
		"check the password and the pre-shared key",
		"%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = anna : user IP = 192.0.2.9",
		"  authentication certificate aaa",
		"group-url https://vpn.example.com/phones enable",
		"ssl encryption aes256-sha1 aes128-sha1",
		"<certHash1>bLoFIAzz4sWnDLm3Ej0kVPXbdkM=</certHash1>",
		"<vpnGroup><authMethod>2</authMethod></vpnGroup>",
		"<passwordPersistent>0</passwordPersistent>",
		"crypto key generate rsa label VPN modulus 2048",
		"Key: 2048 bits",
		"VPNC: Leaf cert hash = 6CBA05200CF3E2C5A70CB9B7123D2454F5DB7643",
		"http://192.0.2.1:6970/SEP001122334455.cnf.xml",
		"1234 NOT 10:00:00.123456 VPNC: set_redirect_url: new URL <https://vpn.example.com:443/+webvpn+/index.html>",
		"session-timeout = 3600",
		"auth = \"plain[passwd=/etc/ocserv/ocpasswd]\"",
		"PASSWORD POLICY",
		"password-storage enable",
		"anyconnect ssl rekey method ssl",
		"dtls-psk = true",
		"server-cert = /etc/ocserv/server-cert.pem",
		"server-key = /etc/ocserv/server-key.pem",
	} {
		if got := fact.Scrub(line); got != line {
			t.Errorf("%q became %q", line, got)
		}
	}
}

// TestCollectorScrubs makes sure that no way leads around it.
func TestCollectorScrubs(t *testing.T) {
	t.Parallel()
	c := fact.NewCollector("test", "https://anna:hunter2@vpn.example.com")
	in := c.Open("https://anna:hunter2@vpn.example.com/log")
	in.Add("test.kind", 1, "username anna password hunter2 encrypted", time.Time{}, "url", "https://anna:hunter2@vpn.example.com", "cookie", "webvpn=hunter2")
	in.Recognised("log with password=hunter2", "")
	in.Source().Problem = "line 3: secret=hunter2"
	text, err := json.Marshal(c.File())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") {
		t.Errorf("a secret is in the facts: %s", text)
	}
}

func FuzzScrub(f *testing.F) {
	f.Add("username anna password hunter2 encrypted")
	f.Add(`Cookie: webvpn=a; "secret": "b"`)
	f.Fuzz(func(t *testing.T, line string) {
		if got := fact.Cut(fact.Scrub(line)); len(got) > fact.MaxText+len("…") {
			t.Errorf("%q became %d bytes", line, len(got))
		}
	})
}
