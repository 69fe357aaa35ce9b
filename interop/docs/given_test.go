//go:build interop

package docs

import (
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
	"gateway-2.pem":  func(r *reader) { office.SelfSigned(r.t, r.folder, "gateway-2", "vpn2.example.net", "") },
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

func (r *reader) giveASA() {
	r.does("rm -f asa.yaml")
	office.GiveASA(r.t, r.folder, "10.99.1.1-10.99.1.254", "https://"+office.Outside+"/asa-phones", "old-password")
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
	office.SelfSigned(r.t, other.folder, "signer", "ITLRECOVERY_cucm", "keyUsage=digitalSignature")
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
