//go:build interop

package serve_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// The numbers of the elements of a signed file's header that this test cuts by itself.
const (
	tagPadding, tagIV, tagPaddingLength, tagKey = 13, 19, 20, 25
)

// headerOf cuts a signed file's header. It shares nothing with what made it.
func headerOf(t *testing.T, file []byte) (values map[int][]byte, content []byte) {
	t.Helper()
	end := int(file[8])<<8 | int(file[9])
	values = map[int][]byte{}
	containers := map[int]bool{3: true, 7: true, 9: true, 16: true, 17: true, 21: true}
	for at := 0; at < end; {
		tag := int(file[at])
		switch {
		case tag == tagPadding:
			at++
			continue
		case containers[tag]:
			at += 3
			continue
		}
		n := int(file[at+1])<<8 | int(file[at+2])
		values[tag] = file[at+3 : at+3+n]
		at += 3 + n
	}
	return values, file[end:]
}

// sealedFile opens and checks the files of the phone at home with curl, tftp and openssl.
type sealedFile struct {
	t   *testing.T
	o   *office.Office
	dir string // of the phone's state
}

const fileAtHome = home + ".cnf.xml"

// secrets are parts of the file that nobody may see.
func (f *sealedFile) secrets() []string { return []string{"authPassword", "authName", "<sipProfile"} }

// get asks as anybody in the office does, and returns what came in every way.
func (f *sealedFile) get(name string) map[string][]byte {
	f.t.Helper()
	all := map[string][]byte{}
	out := filepath.Join(f.t.TempDir(), "file")
	for way, command := range map[string][]string{
		"http":  {"curl", "-sS", "--max-time", "10", "-o", out, "http://" + office.Inside + ":6970/" + name},
		"https": {"curl", "-sS", "-k", "--max-time", "10", "-o", out, "https://" + office.Inside + ":6971/" + name},
		"tftp":  {"tftp", "-m", "octet", office.Inside, "-c", "get", name, out},
	} {
		said, err := f.o.Run(f.o.Inside, "", office.Peer(f.t, command[0]), command[1:]...)
		if err != nil && way != "tftp" { // tftp ends so where there is no file
			f.t.Fatalf("%s of %s: %v\n%s", way, name, err, said)
		}
		content, err := os.ReadFile(out)
		if err != nil && !os.IsNotExist(err) {
			f.t.Fatal(err)
		}
		all[way] = append(content, said...)
		_ = os.Remove(out)
	}
	return all
}

// inPlain fails unless nobody gets anything of the file in plain, by any name, and there is a stub.
func (f *sealedFile) inPlain() {
	f.t.Helper()
	for _, name := range []string{fileAtHome, strings.ToLower(home) + ".CNF.XML", "./" + fileAtHome, fileAtHome + ".sgn", fileAtHome + ".enc.sgn"} {
		for way, content := range f.get(name) {
			for _, secret := range f.secrets() {
				if bytes.Contains(content, []byte(secret)) {
					f.t.Errorf("%s by %s has %s in plain", name, way, secret)
				}
			}
			if isStub := bytes.Contains(content, []byte("<encrConfig>true")); isStub != (name == fileAtHome+".sgn") {
				f.t.Errorf("%s by %s: is the stub: %v\n%.300q", name, way, isStub, content)
			}
		}
	}
}

// opens has openssl open the encrypted file with the phone's key, and returns the key as it lies there.
func (f *sealedFile) opens() (key []byte) {
	f.t.Helper()
	sealed := f.get(fileAtHome + ".enc.sgn")
	key, err := os.ReadFile(filepath.Join(f.dir, "lsc.pem"))
	must(f.t, err)
	for way, file := range sealed {
		plain := f.open(file, key)
		for _, secret := range f.secrets() {
			if !bytes.Contains(plain, []byte(secret)) {
				f.t.Errorf("openssl opens what came by %s, and it has no %s:\n%.300q", way, secret, plain)
			}
		}
	}
	return key
}

// open returns what openssl makes of an encrypted file with a key; nothing with another key.
func (f *sealedFile) open(file, key []byte) []byte {
	f.t.Helper()
	if len(file) < 100 || file[0] != 1 {
		f.t.Fatalf("no encrypted file: %.200q", file)
	}
	dir := f.t.TempDir()
	values, content := headerOf(f.t, file)
	at := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		must(f.t, os.WriteFile(path, content, 0o600))
		return path
	}
	openssl := func(out string, args ...string) []byte {
		if said, err := f.o.Run(f.o.Inside, "", office.Peer(f.t, "openssl"), append(args, "-out", filepath.Join(dir, out))...); err != nil {
			f.t.Logf("openssl %s: %v %s", args[0], err, said)
			return nil
		}
		got, err := os.ReadFile(filepath.Join(dir, out))
		must(f.t, err)
		return got
	}
	session := openssl("session", "pkeyutl", "-decrypt", "-inkey", at("key", key), "-in", at("wrapped", values[tagKey]))
	if len(session) != 16 {
		return nil // openssl gives something random for another key
	}
	plain := openssl("plain", "enc", "-d", "-aes-128-cbc", "-nopad", "-K", hex.EncodeToString(session), "-iv", hex.EncodeToString(values[tagIV]), "-in", at("content", content))
	padding := int(values[tagPaddingLength][0])<<8 | int(values[tagPaddingLength][1])
	return plain[:len(plain)-padding]
}

// enrols has the phone enrol in the office, and come up with its file.
func (f *sealedFile) enrols(h *household) {
	f.t.Helper()
	certs(f.t, f.o, "enroll", "start", home, "--auth", "null", "--no-push")
	p := f.o.Start(f.o.Inside, program(), h.home()...)
	p.Wait(`"detail":"CAPF: certificate updated"`)
	p.Wait(`"detail":"` + fileAtHome + ".enc.sgn by")
	p.Wait(`"step":"register","ok":true`)
	p.Kill()
	if got := lscState(f.t, f.o); got != "proved" {
		f.t.Fatalf("after it has enrolled, its certificate is %q", got)
	}
}

// From its first certificate on a phone's file is encrypted for it, and nobody gets it in plain: not after the
// next certificate, nor when that is revoked. Then the phone lives by what it has stored, hears from the stub
// where to enrol, and gets its file again.
func TestEncryptedFile(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	o.AddUser(user, password)
	h := newHousehold(t, o)
	f := &sealedFile{t: t, o: o, dir: filepath.Join(h.dir, home)}
	change := filepath.Join(t.TempDir(), "change.yaml")
	must(t, os.WriteFile(change, []byte("kind: CommonPhoneProfile\nname: home\nvpnGroup: phones\nvpnProfile: home\nsecurityByDefault: enabled\ntftpEncryptedConfig: true\n"), 0o600))
	if said, code := run(t, o, "", "apply", "-f", change, "--no-push", "-c", o.Path("longcord.yaml")); code != 0 {
		t.Fatalf("apply ends with %d:\n%s", code, said)
	}
	for _, secret := range f.secrets() {
		if !bytes.Contains(f.get(fileAtHome)["http"], []byte(secret)) {
			t.Fatalf("before it has a certificate, its file has no %s: the test looks for the wrong thing", secret)
		}
	}

	f.enrols(h)
	f.inPlain()
	first := f.opens()

	f.enrols(h) // the next key
	f.inPlain()
	if second := f.opens(); bytes.Equal(first, second) {
		t.Error("it has no new key")
	}
	if plain := f.open(f.get(fileAtHome + ".enc.sgn")["http"], first); bytes.Contains(plain, []byte("<device")) {
		t.Error("the former key opens the file still")
	}

	certs(t, o, "revoke", home, "--yes")
	f.inPlain()
	for way, content := range f.get(fileAtHome + ".enc.sgn") {
		if len(content) > 0 && content[0] == 1 {
			t.Errorf("by %s there is a file encrypted for a key that is revoked", way)
		}
	}
	p := o.Start(o.Inside, program(), h.home()...)
	p.Wait("goes on with the stored file")
	p.Wait(`"step":"register","ok":true`)
	p.Kill()
	f.enrols(h)
	f.inPlain()
	f.opens()

	must(t, os.RemoveAll(f.dir)) // somebody resets it to factory settings: keys and lists are gone
	f.enrols(h)
	f.opens()
}
