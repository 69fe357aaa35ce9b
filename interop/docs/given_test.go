//go:build interop

package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/longcord/longcord/interop/office"
)

// give has a thing be there that a page takes for granted.
func (r *reader) give(what string) {
	r.t.Helper()
	if name, ok := strings.CutPrefix(what, "SEP"); ok {
		r.does("longcord phones add SEP" + name + " --model CP-8861 --line 1099 --name Alice")
		return
	}
	make := givens[what]
	if make == nil {
		r.t.Fatalf("nobody knows how to give %q", what)
	}
	make(r)
}

// givens are the things that pages take for granted. What other systems wrote is by openssl, or in their syntax.
var givens = map[string]func(*reader){
	"FILE": (*reader).giveFile,
	"no ECDSA certificate": func(r *reader) {
		r.does("longcord get VPNGateway gateway | sed -e /^ecdsaCertificate/d -e '/^ *- gateway-ecdsa$/d' -e 's/gateway-ecdsa, //' >gateway.yaml && longcord apply -f gateway.yaml")
	},
	"gateway-2.pem":  func(r *reader) { r.does(selfSigned("gateway-2", "vpn2.example.net")) },
	"an ASA":         (*reader).giveASA,
	"anna":           func(r *reader) { r.does("echo PASSWORD | longcord users add anna --password-stdin") },
	"phones' files":  (*reader).givePhonesFiles,
	"CUCM":           func(r *reader) { r.giveCopy("cucm", ""); r.does("mv Phone-VPN-trust.pem gateway.pem") },
	"ocserv":         func(r *reader) { r.giveCopy("ocserv", "etc/ocserv") },
	"Asterisk":       (*reader).giveAsterisk,
	"another signer": (*reader).giveSigner,
	"an invitation":  (*reader).giveInvitation,
}

// giveFile is an inventory file with a change in it, as somebody edits it.
func (r *reader) giveFile() {
	text, err := os.ReadFile(filepath.Join(r.folder, "inventory.yaml"))
	must(r.t, err)
	r.write("FILE", strings.Replace(string(text), "\nname: \"1001\"\n", "\nname: \"1001\"\nlabel: Reception\n", 1))
}

// running is what an ASA prints of itself.
const running = `ASA Version 9.8(4)
ip local pool PHONES 10.99.1.1-10.99.1.254 mask 255.255.255.0
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
username anna password $sha512$5000$MDEyMzQ1Njc4OWFiY2RlZg==$AAAAAAAAAAAAAAAAAAAAAA== pbkdf2
tunnel-group Phones type remote-access
tunnel-group Phones general-attributes
 address-pool PHONES
 default-group-policy GP-Phones
tunnel-group Phones webvpn-attributes
 group-url https://` + office.Outside + `/asa-phones enable
: end
`

// selfSigned has openssl make a certificate with its key.
func selfSigned(name, subject string) string {
	return fmt.Sprintf("openssl req -x509 -newkey rsa:2048 -nodes -days 3000 -subj /CN=%s -keyout %s.key -out %s.pem 2>/dev/null", subject, name, name)
}

func (r *reader) giveASA() {
	r.write("running-config.txt", running)
	r.write("passphrase", "cisco123\n")
	r.does("rm -f asa.yaml; " + selfSigned("asa", office.Outside) + " -addext subjectAltName=IP:" + office.Outside)
	r.does("openssl pkcs12 -export -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -macalg sha1 -in asa.pem -inkey asa.key -passout file:passphrase -out vpn.p12")
	r.does("{ echo 'Exported pkcs12 follows:'; echo -----BEGIN PKCS12-----; base64 vpn.p12; echo '---End - This line not part of the pkcs12---'; echo -----END PKCS12-----; } >vpn.p12.txt")
}

// givePhonesFiles is a folder of a TFTP server with the file of a phone.
func (r *reader) givePhonesFiles() {
	r.does("mkdir -p tftpboot && curl -sf http://" + office.Inside + ":6970/" + desks[0] + ".cnf.xml >tftpboot/SEP001122334455.cnf.xml")
}

// giveCopy copies what another system wrote.
func (r *reader) giveCopy(system, folder string) {
	from := os.DirFS(filepath.Join("../../inventory/migration/testdata", system))
	to := filepath.Join(r.folder, folder)
	must(r.t, os.MkdirAll(to, 0o700))
	must(r.t, os.CopyFS(to, from))
	for _, ours := range []string{"want.yaml", "want.txt"} {
		must(r.t, os.Remove(filepath.Join(to, ours)))
	}
}

func (r *reader) giveAsterisk() {
	r.giveCopy("asterisk", "etc/asterisk")
	r.write("etc/asterisk/pjsip_custom.conf", "[1103]\ntype = wizard\ninbound_auth/username = 1103\ninbound_auth/password = secret-1103\n")
	r.does("cp etc/asterisk/extensions.csv .")
}

// giveSigner is a signer of another server, which the phones of this office have followed so far: they hold a
// list that it signed.
func (r *reader) giveSigner() {
	other := newReader(r.t)
	other.does(selfSigned("signer", "ITLRECOVERY_cucm") + " -addext keyUsage=digitalSignature")
	other.does("longcord trust import-signer signer.pem signer.key --sign")
	other.does("longcord trust enable home --force --yes")
	other.startPhones()
	other.does("curl -sf http://" + office.Inside + ":6970/ITL" + desks[0] + ".tlv >ITLFile.tlv")
	other.write("passphrase", "cisco123\n")
	other.does("openssl pkcs12 -export -in signer.pem -inkey signer.key -passout file:passphrase -out ITLRecovery.p12")
	for name, p := range other.phones {
		p.Kill()
		r.phones[name].Kill()
	}
	other.does("cp ITLFile.tlv ITLRecovery.p12 passphrase " + r.folder)
	other.does("cp -r state " + r.folder + "/state-of-before && rm -rf " + r.folder + "/state && mv " + r.folder + "/state-of-before " + r.folder + "/state")
}

// link is a one-time link as pages show it and as the program prints it.
var link = regexp.MustCompile(`https://[^ ']+/\.longcord/[^ '#]+#[^ '\s]+`)

// giveInvitation has the link of the page be one that was made.
func (r *reader) giveInvitation() {
	made := link.FindString(r.does("longcord phones invite SEP001122334455"))
	text, err := os.ReadFile("../../docs/operate/away.md")
	must(r.t, err)
	shown := link.FindString(string(text))
	if made == "" || shown == "" {
		r.t.Fatalf("no link: made %q, shown %q", made, shown)
	}
	r.stands = append([]string{shown, made}, r.stands...)
}
