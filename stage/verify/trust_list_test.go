package verify

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/tlv"
)

// made is a certificate with its key.
type made struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
	name        string
}

func newMade(t *testing.T, name string, serial int64) made {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotAfter: time.Unix(1, 0)} // dates are not looked at
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made{certificate, key, "CN=" + name}
}

func (m made) record(role tlv.Role) tlv.Record {
	return tlv.NewRecord(tlv.Record{
		Subject: m.name, Role: role, Issuer: m.name, Serial: m.certificate.SerialNumber.Bytes(),
		PublicKey: x509.MarshalPKCS1PublicKey(&m.key.PublicKey), Signature: m.certificate.Signature, Certificate: m.certificate.Raw,
	})
}

// sign signs a list or a file.
func (m made) sign(t *testing.T, version tlv.Version, name string, content []byte) []byte {
	t.Helper()
	f, err := tlv.New(tlv.Header{
		Version: version, Digest: tlv.SHA512, KeyBits: 2048, FileName: name, Time: time.Unix(1, 0),
		Signer: tlv.Signer{Name: m.name, Serial: m.certificate.SerialNumber.Bytes(), Issuer: m.name},
	}, content)
	if err != nil {
		t.Fatal(err)
	}
	text, err := f.SignedBytes()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(text)
	signature, err := rsa.SignPKCS1v15(nil, m.key, tlv.SHA512.Hash(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signed, err := f.Sign(signature)
	if err != nil {
		t.Fatal(err)
	}
	b, err := signed.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (m made) list(t *testing.T, records ...tlv.Record) []byte {
	t.Helper()
	content, err := tlv.AppendRecords(nil, records...)
	if err != nil {
		t.Fatal(err)
	}
	return m.sign(t, tlv.VersionList, "ITLFile.tlv", content)
}

func read(t *testing.T, raw []byte) *TrustList {
	t.Helper()
	list, err := ReadTrustList(raw)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func wantBelieved(t *testing.T, what string, answer Answer) Believe {
	t.Helper()
	believed, ok := answer.(Believe)
	if !ok {
		t.Errorf("%s: %v, want it believed", what, answer)
	}
	return believed
}

func wantRejected(t *testing.T, what string, answer Answer, why error) {
	t.Helper()
	if rejected, ok := answer.(Reject); !ok || !errors.Is(rejected.Err, why) {
		t.Errorf("%s: %v, want %v", what, answer, why)
	}
}

const fileName = "SEP001122334455.cnf.xml.sgn"

func TestTrustRules(t *testing.T) {
	t.Parallel()
	now := time.Now()
	first, second, third, files, server := newMade(t, "first", 1), newMade(t, "second", 2), newMade(t, "third", 3), newMade(t, "files", 4), newMade(t, "tvs", 5)
	sast := []tlv.Record{first.record(tlv.SAST), second.record(tlv.SAST)}
	raw := first.list(t, append(sast, files.record(tlv.TFTP))...)

	phone := &TrustStore{}
	if believed := wantBelieved(t, "the first list", phone.ListOffered(now, raw)); !believed.First || believed.Same {
		t.Errorf("the first list is believed as %+v", believed)
	}
	wantRejected(t, "a first list that its signer has not signed", phone.ListOffered(now, third.list(t, sast...)), ErrUntrusted)
	wantRejected(t, "no signer", phone.ListOffered(now, first.list(t, files.record(tlv.TFTP))), ErrBadList)
	wantRejected(t, "three signers", phone.ListOffered(now, first.list(t, append(sast, third.record(tlv.SAST))...)), ErrBadList)
	wantRejected(t, "an empty list", phone.ListOffered(now, nil), ErrBadList)
	if phone.WantsSigned() || phone.WantsHTTPS() {
		t.Error("a phone without lists asks for signed files")
	}

	phone.ITL = read(t, raw)
	if !phone.WantsSigned() {
		t.Error("a phone with a TFTP record asks for plain files")
	}
	if believed := wantBelieved(t, "the same list", phone.ListOffered(now, raw)); !believed.Same {
		t.Error("the same list is another")
	}
	wantBelieved(t, "the second signer", phone.ListOffered(now, second.list(t, sast...)))
	wantRejected(t, "a signer who signs files", phone.ListOffered(now, files.list(t, files.record(tlv.SAST))), ErrUntrusted)
	wantRejected(t, "a stranger", phone.ListOffered(now, third.list(t, third.record(tlv.SAST))), ErrUntrusted)
	if phone.Foreign(third.list(t, third.record(tlv.SAST), second.record(tlv.SAST))) {
		t.Error("a list that names one of the phone's is foreign")
	}
	if !phone.Foreign(third.list(t, third.record(tlv.SAST), server.record(tlv.TVS))) {
		t.Error("a list that names none of the phone's is not foreign")
	}
	if (&TrustStore{}).Foreign(raw) || phone.Foreign(raw[:len(raw)-1]) {
		t.Error("a phone without lists has foreign ones, or what is no list is one")
	}
	changed := bytes.Clone(raw)
	changed[len(changed)-1] ^= 1
	wantRejected(t, "a changed list", phone.ListOffered(now, changed), ErrSignature)

	file := files.sign(t, tlv.VersionSigned, fileName, []byte("<device/>"))
	if believed := wantBelieved(t, "a file", phone.FileOffered(now, fileName, file)); string(believed.Content) != "<device/>" {
		t.Errorf("content is %q", believed.Content)
	}
	wantBelieved(t, "another case", phone.FileOffered(now, "sep001122334455.CNF.xml.sgn", file))
	wantRejected(t, "another file", phone.FileOffered(now, "SEP00AABBCCDDEE.cnf.xml.sgn", file), ErrOtherFile)
	wantRejected(t, "a file by a signer of lists", phone.FileOffered(now, fileName, first.sign(t, tlv.VersionSigned, fileName, nil)), ErrUntrusted)
	wantRejected(t, "a plain file", phone.FileOffered(now, fileName, []byte("<device/>")), ErrSignature)
	for n := range file {
		if _, ok := phone.FileOffered(now, fileName, file[:n]).(Reject); !ok {
			t.Errorf("a file cut at %d is believed", n)
		}
	}
	// The CTL comes first, and vouches for the ITL behind it.
	phone = &TrustStore{CTL: read(t, third.list(t, third.record(tlv.SAST), server.record(tlv.CCMTFTP)))}
	wantBelieved(t, "an ITL that the CTL's signer signed", phone.ListOffered(now, third.list(t, append(sast, third.record(tlv.SAST))[1:]...)))
	wantBelieved(t, "a file by CCM+TFTP", phone.FileOffered(now, fileName, server.sign(t, tlv.VersionSigned, fileName, nil)))
}

func TestTVSVouches(t *testing.T) {
	t.Parallel()
	now := time.Now()
	first, files, server := newMade(t, "first", 1), newMade(t, "files", 4), newMade(t, "tvs", 5)
	phone := &TrustStore{ITL: read(t, first.list(t, first.record(tlv.SAST), server.record(tlv.TVS)))}
	file := files.sign(t, tlv.VersionSigned, fileName, nil)
	asked, ok := phone.FileOffered(now, fileName, file).(AskTVS)
	if !ok || asked.Role != tlv.TFTP || asked.Signer.Name != "CN=files" || !bytes.Equal(asked.Signer.Serial, []byte{4}) {
		t.Fatalf("asked %+v", asked)
	}
	vouched := Vouched{Certificate: files.certificate, Subject: files.name, Issuer: files.name, Serial: []byte{4}, Roles: []tlv.Role{tlv.CCM}, Lifetime: 48 * time.Hour}
	phone.Vouch(now, vouched)
	wantRejected(t, "a certificate for something else", phone.FileOffered(now, fileName, file), ErrUntrusted)
	phone = &TrustStore{ITL: phone.ITL}
	vouched.Roles = []tlv.Role{tlv.SAST, tlv.TFTP} // as a CUCM answers for its CallManager certificate
	phone.Vouch(now, vouched)
	wantBelieved(t, "a file", phone.FileOffered(now.Add(24*time.Hour-time.Second), fileName, file))
	wantBelieved(t, "a list", phone.ListOffered(now, files.list(t, files.record(tlv.SAST))))
	if !phone.Knows(now, files.certificate, tlv.TFTP) || phone.Knows(now, files.certificate, tlv.CAPF) || phone.Knows(now.Add(25*time.Hour), files.certificate, tlv.TFTP) {
		t.Error("a server's certificate is known for too much, or too long")
	}
	if _, ok := phone.FileOffered(now.Add(24*time.Hour), fileName, file).(AskTVS); !ok {
		t.Error("after a day TVS is not asked again")
	}
	if phone.Knows(now, server.certificate, tlv.TFTP) || !phone.Knows(now, server.certificate, tlv.TVS) {
		t.Error("TVS is known for the wrong thing")
	}
}

// What certutils made is believed as it stands.
func TestTrustOfCertutils(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "wire", "tlv", "testdata")
	list, err := os.ReadFile(filepath.Join(dir, "certutils-ITLFile.tlv"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "certutils-"+fileName))
	if err != nil {
		t.Fatal(err)
	}
	phone := &TrustStore{}
	believed := wantBelieved(t, "the list", phone.ListOffered(time.Now(), list))
	if got, err := believed.File.AppendBinary(nil); err != nil || !bytes.Equal(got, list) {
		t.Errorf("written back it is %x, %v", got, err)
	}
	phone.ITL = read(t, list)
	if !phone.WantsSigned() || !phone.WantsHTTPS() || len(phone.Servers(tlv.TFTP)) != 1 {
		t.Error("the list says something else")
	}
	if content := wantBelieved(t, "the file", phone.FileOffered(time.Now(), fileName, file)).Content; string(content) != "<device><fullConfig>true</fullConfig></device>\n" {
		t.Errorf("content is %q", content)
	}
}

func TestListStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ctl, itl ListOutcome
		held     bool
		want     string
	}{
		{ListNotOffered, ListNotOffered, false, "No Trust List installed"}, {ListNotOffered, ListNotOffered, true, ""},
		{ListInstalled, ListInstalled, true, "CTL and ITL installed"}, {ListInstalled, ListSame, true, "CTL Installed"},
		{ListNotOffered, ListInstalled, true, "ITL installed"}, {ListUpdated, ListSame, true, "Trust List updated"},
		{ListFailed, ListSame, true, "CTL update failed"}, {ListUpdated, ListFailed, true, "Trust List update failed"}, {ListSame, ListSame, true, ""},
	} {
		if got := ListStatus(c.ctl, c.itl, c.held); got != c.want {
			t.Errorf("%d, %d, %v: %q, want %q", c.ctl, c.itl, c.held, got, c.want)
		}
	}
}

func FuzzTrust(f *testing.F) {
	dir := filepath.Join("..", "..", "wire", "tlv", "testdata")
	for _, name := range []string{"certutils-ITLFile.tlv", "certutils-" + fileName} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "certutils-ITLFile.tlv"))
	if err != nil {
		f.Fatal(err)
	}
	held, err := ReadTrustList(raw)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		phone := &TrustStore{ITL: held}
		// Whoever has none of the keys can have only what was signed believed, byte for byte.
		if _, ok := phone.ListOffered(time.Unix(0, 0), b).(Believe); ok && !bytes.Equal(b, raw) {
			t.Errorf("a forged list is believed: %x", b)
		}
		_ = new(TrustStore).ListOffered(time.Unix(0, 0), b)
		_ = phone.FileOffered(time.Unix(0, 0), fileName, b)
	})
}
