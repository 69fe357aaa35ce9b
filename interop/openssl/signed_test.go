//go:build interop

package openssl_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/tlv"
)

// piece is an element of a header or record, cut by this test alone: it shares nothing with wire/tlv.
type piece struct {
	tag       int
	at, until int // with tag and length
	value     []byte
}

// pieces walks a header, into containers, or a record, until end.
func pieces(t *testing.T, b []byte, at, end int, into map[int]bool, padding int) (all []piece) {
	t.Helper()
	for at < end {
		tag := int(b[at])
		if tag == padding {
			at++
			continue
		}
		n := int(b[at+1])<<8 | int(b[at+2])
		if at+3+n > end {
			t.Fatalf("tag %d at %d is longer than what is left", tag, at)
		}
		if into[tag] {
			all = append(all, piece{tag, at, at + 3, nil})
			at += 3
			continue
		}
		all = append(all, piece{tag, at, at + 3 + n, b[at+3 : at+3+n]})
		at += 3 + n
	}
	return all
}

func header(t *testing.T, file []byte) (all map[int]piece, content int) {
	t.Helper()
	content = int(file[8])<<8 | int(file[9])
	all = map[int]piece{}
	for _, p := range pieces(t, file, 0, content, map[int]bool{3: true, 7: true, 9: true, 16: true, 17: true, 21: true}, 13) {
		all[p.tag] = p
	}
	return all, content
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newAuthority(t *testing.T) *trust.Authority {
	t.Helper()
	s := memory.New()
	t.Cleanup(func() { _ = s.Close() })
	a, err := trust.OpenAuthority(t.Context(), trust.AuthorityConfig{Store: s, Sealer: trust.NewSealer([trust.KeySize]byte{7})})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// verifySigned has openssl verify a file with the public key of a certificate in DER.
func verifySigned(t *testing.T, file, certificate []byte, digest string) {
	t.Helper()
	all, _ := header(t, file)
	signature := all[12]
	signed := append(bytes.Clone(file[:signature.at]), file[signature.until:]...)
	public := openssl(t, "", "x509", "-inform", "DER", "-in", write(t, "c.der", certificate), "-noout", "-pubkey")
	got := openssl(t, "", "dgst", digest, "-verify", write(t, "public.pem", []byte(public)), "-signature", write(t, "signature", signature.value), write(t, "signed", signed))
	if got != "Verified OK" {
		t.Errorf("openssl says %q", got)
	}
	if want := map[string]byte{"-sha1": 1, "-sha512": 3}[digest]; all[8].value[0] != want {
		t.Errorf("digest is %d, want %d", all[8].value[0], want)
	}
}

func TestSignedFile(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	pair, err := a.Pair(trust.Files)
	if err != nil {
		t.Fatal(err)
	}
	for digest, option := range map[tlv.Digest]string{tlv.SHA1: "-sha1", tlv.SHA512: "-sha512"} {
		for _, content := range []string{"", "x", strings.Repeat("<device/>\n", 5000)} {
			file, err := a.SignFile(trust.Signing{Name: "SEP001122334455.cnf.xml.sgn", Digest: digest, At: time.Unix(1700000000, 0)}, []byte(content))
			if err != nil {
				t.Fatal(err)
			}
			verifySigned(t, file, pair.Certificate[0], option)
			all, at := header(t, file)
			if string(file[at:]) != content || at%4 != 0 || string(all[14].value) != "SEP001122334455.cnf.xml.sgn\x00" || !bytes.Equal(all[15].value, []byte{0x65, 0x53, 0xf1, 0x00}) {
				t.Errorf("header of %d bytes, name %q, time %x", at, all[14].value, all[15].value)
			}
			subject := openssl(t, "", "x509", "-inform", "DER", "-in", write(t, "c.der", pair.Certificate[0]), "-noout", "-serial")
			if want := strings.TrimPrefix(subject, "serial="); strings.ToUpper(hex.EncodeToString(all[5].value)) != want {
				t.Errorf("serial number is %X, openssl says %s", all[5].value, want)
			}
		}
	}
}

func TestTrustList(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	list, err := a.List(trust.Signing{Name: "ITLFile.tlv"}, trust.ITL, trust.ListOptions{Advanced: true})
	if err != nil {
		t.Fatal(err)
	}
	all, at := header(t, list)
	if !bytes.Equal(list[3:5], []byte{1, 2}) || !bytes.Equal(all[28].value, []byte{1, 1}) {
		t.Errorf("versions are %x and %x", list[3:5], all[28].value)
	}
	var roles []string
	signed := false
	for at < len(list) {
		end := at + int(list[at+3])<<8 + int(list[at+4])
		record := map[int][]byte{}
		for _, p := range pieces(t, list, at, end, nil, -1) {
			record[p.tag] = p.value
		}
		at = end
		role := int(record[4][0])<<8 | int(record[4][1])
		roles = append(roles, fmt.Sprint(role))
		der := write(t, "c.der", record[9])
		name := openssl(t, "", "x509", "-inform", "DER", "-in", der, "-noout", "-subject", "-nameopt", "sep_multiline,utf8,esc_ctrl,sname")
		for line := range strings.Lines(name) {
			if part := strings.TrimSpace(strings.TrimPrefix(line, "subject=")); part != "" && !strings.Contains(string(record[3]), part) {
				t.Errorf("%q lacks openssl's %q", record[3], part)
			}
		}
		public := write(t, "public.pem", []byte(openssl(t, "", "x509", "-inform", "DER", "-in", der, "-noout", "-pubkey")))
		if text := openssl(t, "", "pkey", "-pubin", "-in", public, "-noout", "-text"); strings.Contains(text, "ASN1 OID: secp384r1") {
			if point := plainHex(text); !strings.Contains(point, hex.EncodeToString(record[7])) || len(record[7]) != 97 {
				t.Errorf("EC key is %x, openssl says %s", record[7], text)
			}
		} else if raw := opensslBytes(t, "rsa", "-pubin", "-in", public, "-RSAPublicKey_out", "-outform", "DER"); !bytes.Equal(raw, record[7]) || len(raw) != 270 {
			t.Errorf("RSA key is %x, openssl says %x", record[7], raw)
		}
		if bytes.Equal(record[6], all[5].value) && bytes.Equal(record[5], all[6].value) {
			if role != 0 {
				t.Errorf("the signer has role %d", role)
			}
			verifySigned(t, list, record[9], "-sha1")
			signed = true
		}
	}
	if got := strings.Join(roles, " "); got != "0 0 3 3 21 4" || !signed {
		t.Errorf("roles are %s, signed by one of them: %v", got, signed)
	}
}

// plainHex is the hex digits of openssl's listings.
func plainHex(text string) string {
	return strings.NewReplacer(":", "", " ", "", "\n", "").Replace(text)
}

func opensslBytes(t *testing.T, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	openssl(t, "", append([]string{args[0], "-out", out}, args[1:]...)...)
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// openssl opens what was encrypted for a key that it made itself.
func TestEncryptedFile(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files, err := a.Pair(trust.Files)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, certificate := filepath.Join(dir, "key.pem"), filepath.Join(dir, "certificate.pem")
	openssl(t, "", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=CP-8861-SEP001122334455", "-days", "1")
	text, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := trust.ParseChain(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "<device/>", strings.Repeat("sixteen bytes ..", 100), strings.Repeat("x", 10001)} {
		file, err := a.EncryptFile(trust.Signing{Name: "SEP001122334455.cnf.xml.enc.sgn", At: time.Now()}, []byte(content), chain[0])
		if err != nil {
			t.Fatal(err)
		}
		verifySigned(t, file, files.Certificate[0], "-sha1")
		all, at := header(t, file)
		if !bytes.Equal(file[3:5], []byte{2, 0}) || !bytes.Equal(all[23].value, []byte{8, 0}) || all[22].value[0] != 0 || all[24].value[0] != 1 || all[18].value[0] != 0 {
			t.Errorf("version %x, key of %x bits, kinds %x %x %x", file[3:5], all[23].value, all[22].value, all[24].value, all[18].value)
		}
		opened := opensslBytes(t, "pkeyutl", "-decrypt", "-inkey", key, "-in", write(t, "wrapped", all[25].value))
		plain := opensslBytes(t, "enc", "-d", "-aes-128-cbc", "-nopad", "-K", hex.EncodeToString(opened), "-iv", hex.EncodeToString(all[19].value), "-in", write(t, "content", file[at:]))
		padding := int(all[20].value[0])<<8 | int(all[20].value[1])
		if padding < 1 || padding > 16 || string(plain[:len(plain)-padding]) != content || strings.Trim(string(plain[len(plain)-padding:]), "\r") != "" {
			t.Errorf("%d bytes of padding, %d bytes in all: %.40q", padding, len(plain), plain)
		}
		sum := opensslBytes(t, "dgst", "-sha1", "-binary", write(t, "plain", plain[:len(plain)-padding]))
		if !bytes.Equal(sum, all[27].value) || all[26].value[0] != 1 {
			t.Errorf("digest %d is %x, openssl says %x", all[26].value[0], all[27].value, sum)
		}
	}
}

// A signer that openssl made, as PEM, becomes one of the two; and what the house's certificates are.
func TestForeignSigner(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	dir := t.TempDir()
	key, certificate := filepath.Join(dir, "key.pem"), filepath.Join(dir, "certificate.pem")
	openssl(t, "", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
		"-subj", "/C=US/ST=NC/L=RTP/O=Example/OU=TAC/CN=ITLRECOVERY_cucm", "-days", "300")
	pair := readPair(t, certificate, key)
	if err := a.Import(t.Context(), pair, trust.Names{}, trust.Consent{}); err != nil {
		t.Fatal(err)
	}
	if err := a.Promote(t.Context(), trust.Consent{}); err != nil {
		t.Fatal(err)
	}
	list, err := a.List(trust.Signing{Name: "CTLFile.tlv", Digest: tlv.SHA512}, trust.CTL, trust.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all, _ := header(t, list)
	if got := string(all[4].value); got != "CN=ITLRECOVERY_cucm;OU=TAC;O=Example;L=RTP;ST=NC;C=US\x00" {
		t.Errorf("the signer is called %q", got)
	}
	verifySigned(t, list, opensslBytes(t, "x509", "-in", certificate, "-outform", "DER"), "-sha512")
	for _, r := range a.Records() {
		file := write(t, "c.der", r.Certificate.Raw)
		text := openssl(t, "", "x509", "-inform", "DER", "-in", file, "-noout", "-text")
		want := map[trust.Purpose][]string{
			trust.FilesEC: {"ecdsa-with-SHA384", "Public-Key: (384 bit)"}, trust.CAPF: {"CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign"},
			trust.TVS: {"Key Encipherment", "Public-Key: (2048 bit)"}, trust.Files: {"sha256WithRSAEncryption", "Public-Key: (2048 bit)"},
		}[r.Purpose]
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: openssl does not see %q in\n%s", r.Purpose, w, text)
			}
		}
	}
}

func readPair(t *testing.T, certificate, key string) trust.Pair {
	t.Helper()
	var texts [2]string
	for i, name := range []string{certificate, key} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(content)
	}
	return trust.Pair{Certificate: texts[0], Key: secret.New(texts[1])}
}
