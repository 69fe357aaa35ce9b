package office

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Shell runs a command line of openssl's in a folder and returns what it prints.
func Shell(t testing.TB, dir, line string) string {
	t.Helper()
	Peer(t, "openssl")
	cmd := exec.Command("sh", "-ec", line)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// SelfSigned has openssl make a certificate, NAME.pem, with its key, NAME.key; extension is like
// "subjectAltName=IP:203.0.113.2", or empty.
func SelfSigned(t testing.TB, dir, name, subject, extension string) {
	t.Helper()
	line := fmt.Sprintf("openssl req -x509 -newkey rsa:2048 -nodes -days 3000 -subj /CN=%s -keyout %s.key -out %s.pem 2>/dev/null", subject, name, name)
	if extension != "" {
		line += " -addext " + extension
	}
	Shell(t, dir, line)
}

// running is what an ASA prints of itself: a pool, a password's hash and the URL of its phones are open.
const running = `ASA Version 9.8(4)
ip local pool PHONES %s mask 255.255.255.0
interface g1
 nameif inside
 ip address 10.20.0.254 255.255.255.0
crypto ca trustpoint VPN
 keypair VPN
ssl trust-point VPN outside
webvpn
 enable outside
group-policy GP-Phones internal
group-policy GP-Phones attributes
 vpn-tunnel-protocol ssl-client
 vpn-idle-timeout none
 split-tunnel-policy tunnelall
username anna password %s pbkdf2
tunnel-group Phones type remote-access
tunnel-group Phones general-attributes
 address-pool PHONES
 default-group-policy GP-Phones
tunnel-group Phones webvpn-attributes
 group-url %s enable
: end
`

// GiveASA puts into a folder what somebody takes from an ASA that stood at this office's outside address:
// running-config.txt with the user anna, and vpn.p12.txt with the certificate and key of asa.pem and asa.key, under
// the pass phrase in passphrase.
func GiveASA(t testing.TB, dir, pool, url, password string) {
	t.Helper()
	SelfSigned(t, dir, "asa", Outside, "subjectAltName=IP:"+Outside)
	for name, text := range map[string]string{
		"passphrase": "cisco123\n", "running-config.txt": fmt.Sprintf(running, pool, asaHash(t, dir, password), url),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Shell(t, dir, "openssl pkcs12 -export -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -macalg sha1 -in asa.pem -inkey asa.key -passout file:passphrase -out vpn.p12 && "+
		"{ echo 'Exported pkcs12 follows:'; echo -----BEGIN PKCS12-----; base64 vpn.p12; echo '---End - This line not part of the pkcs12---'; echo -----END PKCS12-----; } >vpn.p12.txt")
}

// asaHash is a password as an ASA keeps it, by openssl's PBKDF2.
func asaHash(t testing.TB, dir, password string) string {
	t.Helper()
	salt := []byte("0123456789abcdef")
	key := Shell(t, dir, "openssl kdf -keylen 16 -kdfopt digest:SHA512 -kdfopt pass:"+password+" -kdfopt hexsalt:"+hex.EncodeToString(salt)+" -kdfopt iter:5000 -binary PBKDF2")
	return "$sha512$5000$" + base64.StdEncoding.EncodeToString(salt) + "$" + base64.StdEncoding.EncodeToString([]byte(key))
}
