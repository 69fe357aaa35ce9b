package provisioner

import (
	"bytes"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/tlv"
)

// countingAuthority counts what costs a signature.
type countingAuthority struct {
	*trust.Authority
	signed atomic.Int64
}

func (a *countingAuthority) SignFile(s trust.Signing, content []byte) ([]byte, error) {
	a.signed.Add(1)
	return a.Authority.SignFile(s, content)
}

func (a *countingAuthority) List(s trust.Signing, kind trust.ListKind, o trust.ListOptions) ([]byte, error) {
	a.signed.Add(1)
	return a.Authority.List(s, kind, o)
}

func newAuthority(t *testing.T) *countingAuthority {
	t.Helper()
	s := memory.New()
	t.Cleanup(func() { _ = s.Close() })
	a, err := trust.OpenAuthority(t.Context(), trust.AuthorityConfig{Store: s, Sealer: trust.NewSealer([trust.KeySize]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	return &countingAuthority{Authority: a}
}

const secondPhone = "SEP00AABBCCDDEE"

// signedOffice has one phone with signing and one without.
func signedOffice() (*inventory.Set, *inventory.CommonPhoneProfile) {
	set := office()
	set.Devices[phone].Model, set.Devices[phone].CommonPhoneProfile = "CP-8861", "signed"
	set.Devices[secondPhone] = &inventory.Device{Name: secondPhone, Lines: []string{"1001"}}
	profile := &inventory.CommonPhoneProfile{Name: "signed", SecurityByDefault: inventory.SecurityOn}
	set.CommonPhoneProfiles["signed"] = profile
	return set, profile
}

func (s *server) must(name string) *tlv.File {
	s.t.Helper()
	status, content := s.get("/" + name)
	if status != http.StatusOK {
		s.t.Fatalf("%s: %d", name, status)
	}
	f, err := tlv.Parse(content)
	if err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	return f
}

func TestSignedFiles(t *testing.T) {
	t.Parallel()
	set, profile := signedOffice()
	dir := t.TempDir()
	for name, content := range map[string]string{"Ringlist.xml": "<CiscoIPPhoneRingList/>", "jar45sccp.sgn": "signed by its maker", "CTLFile.tlv": "made by hand"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "firmware.bin"), make([]byte, maxSigned+1), 0o644); err != nil {
		t.Fatal(err)
	}
	s := startWith(t, set, func(c *Config) { c.FilesDir, c.Authority = dir, newAuthority(t) })
	list := s.must("ITL" + phone + ".tlv")
	if records, err := list.Records(); err != nil || len(records) != 5 || list.Header.SignerVersion != (tlv.Version{}) || list.Header.FileName != "ITL"+phone+".tlv" {
		t.Errorf("the ITL is %s with %v, %v", list, records, err)
	}
	config := s.must(strings.ToLower(phone) + ".cnf.xml.sgn")
	if config.Header.FileName != phone+".cnf.xml.sgn" || config.Header.Digest != tlv.SHA1 || !bytes.Contains(config.Content, []byte("<device>")) {
		t.Errorf("the configuration is %s", config)
	}
	if ring := s.must("Ringlist.xml.sgn"); string(ring.Content) != "<CiscoIPPhoneRingList/>" || ring.Header.FileName != "Ringlist.xml.sgn" {
		t.Errorf("the ring list is %s", ring)
	}
	if f := s.must("XMLDefault.cnf.xml.sgn"); f.Header.FileName != "XMLDefault.cnf.xml.sgn" {
		t.Errorf("the default is %s", f)
	}
	for name, want := range map[string]string{"jar45sccp.sgn": "signed by its maker", "CTLFile.tlv": "made by hand"} {
		if status, content := s.get("/" + name); status != http.StatusOK || string(content) != want {
			t.Errorf("%s: %d, %q", name, status, content)
		}
	}
	for _, name := range []string{"ITLFile.tlv", "CTL" + phone + ".tlv", "ITL" + secondPhone + ".tlv", "ITLSEP00FFFFFFFFFF.tlv", "firmware.bin.sgn", phone + ".cnf.xml.enc.sgn", "nothing.sgn"} {
		if status, _ := s.get("/" + name); status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", name, status)
		}
	}
	deliveries := map[string]string{}
	for _, d := range s.Deliveries()[phone] {
		deliveries[d.File] = d.VersionStamp
	}
	raw, err := list.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if deliveries["ITL"+phone+".tlv"] != ListStamp(raw) || deliveries[phone+".cnf.xml.sgn"] == "" {
		t.Errorf("deliveries are %v", deliveries)
	}
	profile.ClusterSecurityMode, profile.TFTPFileSignatureAlgorithm = inventory.Mixed, inventory.SHA512
	if f := s.must("CTL" + phone + ".tlv"); f.Header.Digest != tlv.SHA512 {
		t.Errorf("the CTL is %s", f)
	}
	set.Devices[secondPhone].CommonPhoneProfile = "signed"
	s.must("ITLFile.tlv")
}

// TestLagByWhoFetched: a phone has its list when it went to where the phone is, or through its tunnel.
func TestLagByWhoFetched(t *testing.T) {
	t.Parallel()
	set, _ := signedOffice()
	var tunnel atomic.Bool
	s := startWith(t, set, func(c *Config) {
		c.Authority = newAuthority(t)
		c.Holder = func(netip.Addr) (provision.Holder, bool) { return provision.Holder{Device: phone}, tunnel.Load() }
	})
	at := func(address string) func(Delivery) bool {
		registered, _ := netip.ParseAddr(address)
		return func(d Delivery) bool {
			return provision.Witness{Fetcher: d.By, From: d.Peer.Addr(), Registers: true, Registered: registered}.Counts()
		}
	}
	lags := func(when, address string, behind, without int) {
		t.Helper()
		if lag, err := s.Lag(at(address)); err != nil || len(lag.Behind) != behind || len(lag.Without) != without {
			t.Errorf("%s: %+v, %v", when, lag, err)
		}
	}
	lags("before", "", 0, 1)
	if status, _ := s.get("/ITL" + phone + ".tlv"); status != http.StatusOK {
		t.Fatalf("the list is answered %d", status)
	}
	lags("its list went to where it is", "127.0.0.1", 0, 0)
	lags("nobody knows where it is", "", 0, 0)
	lags("its list went to somebody else", "127.0.0.2", 1, 0)
	if lag, err := s.Lag(at("127.0.0.2")); err != nil || len(lag.Unproven) != 1 {
		t.Errorf("its list went to somebody else, and is called older: %+v, %v", lag, err)
	}
	tunnel.Store(true)
	if status, _ := s.get("/ITL" + phone + ".tlv"); status != http.StatusOK {
		t.Fatalf("through the tunnel the list is answered %d", status)
	}
	lags("its list went through its tunnel", "127.0.0.2", 0, 0)
}

func TestNothingIsSignedWithoutAuthority(t *testing.T) {
	t.Parallel()
	set, _ := signedOffice()
	s := start(t, set, "")
	for _, name := range []string{"ITL" + phone + ".tlv", phone + ".cnf.xml.sgn", phone + ".cnf.xml.enc.sgn"} {
		if status, _ := s.get("/" + name); status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", name, status)
		}
	}
}

// A thousand requests cost one signature, until the file or the key is another.
func TestSignaturesAreKept(t *testing.T) {
	t.Parallel()
	set, _ := signedOffice()
	authority := newAuthority(t)
	s := startWith(t, set, func(c *Config) { c.Authority = authority })
	ask := func(want int64, why string) {
		t.Helper()
		for range 300 {
			s.must("ITL" + phone + ".tlv")
			s.must(phone + ".cnf.xml.sgn")
		}
		if got := authority.signed.Swap(0); got != want {
			t.Errorf("%s: %d signatures, want %d", why, got, want)
		}
	}
	ask(2, "at first")
	ask(0, "again")
	if err := authority.Replace(t.Context(), trust.Files, trust.Consent{}); err != nil {
		t.Fatal(err)
	}
	ask(2, "with another key of files")
	if err := authority.Promote(t.Context(), trust.Consent{}); err != nil {
		t.Fatal(err)
	}
	ask(1, "with another signer of lists")
}

func TestSignaturesAreBounded(t *testing.T) {
	t.Parallel()
	s := newSignatures()
	big := make([]byte, maxKept/4)
	for i := range 10 {
		if _, err := s.get("f", tlv.SHA1, []byte{byte(i)}, func() ([]byte, error) { return big, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if s.size > maxKept || len(s.files) != len(s.order) || len(s.order) != 4 {
		t.Errorf("%d bytes in %d files are kept", s.size, len(s.order))
	}
	if _, err := s.get("g", tlv.SHA1, nil, func() ([]byte, error) { return nil, errors.New("no key") }); err == nil || len(s.order) != 4 {
		t.Error("what could not be signed is kept")
	}
}

// By HTTPS a phone asks for the signed name and gets the plain file; of one that is encrypted, the stub.
func TestByHTTPS(t *testing.T) {
	t.Parallel()
	set, profile := signedOffice()
	var certificate *x509.Certificate
	good := true
	l := library{inventory: func() *inventory.Set { return set }, renderer: provision.Renderer{CallManagers: []string{"10.1.0.5"}}, signer: Config{
		Authority: newAuthority(t), PhoneCertificate: func(string) (*x509.Certificate, bool) { return certificate, good },
	}.signer()}
	read := func(name string) string {
		t.Helper()
		f, err := l.openByHTTPS(name)
		if err != nil {
			return err.Error()
		}
		defer f.Close()
		content := make([]byte, f.size)
		if _, err := f.ReadAt(content, 0); err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	name := phone + ".cnf.xml.sgn"
	if got := read(name); !strings.Contains(got, "<sipProfile>") || strings.HasPrefix(got, "\x01") {
		t.Errorf("got %.80q, want the plain file", got)
	}
	profile.TFTPEncryptedConfig = true
	pair, err := trust.CreateCertificate("phone", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := pair.Load()
	if err != nil {
		t.Fatal(err)
	}
	certificate = loaded.Leaf
	if got := read(name); !provision.IsStub([]byte(got)) || strings.Contains(got, "sipProfile") {
		t.Errorf("got %.80q, want the stub", got)
	}
	if got := read(phone + ".cnf.xml"); !strings.Contains(got, "only encrypted") {
		t.Errorf("got %.80q, want nothing", got)
	}
	if got := read(phone + ".cnf.xml.enc.sgn"); !strings.HasPrefix(got, "\x01\x00\x02\x02\x00") {
		t.Errorf("got %.80q, want the encrypted file", got)
	}
	good = false // revoked
	for _, asked := range []string{phone + ".cnf.xml", phone + ".cnf.xml.enc.sgn", "sep" + phone[3:] + ".CNF.xml"} {
		if got := read(asked); strings.Contains(got, "<") {
			t.Errorf("%s: got %.80q, want nothing", asked, got)
		}
	}
	if got := read(name); !provision.IsStub([]byte(got)) || strings.Contains(got, "sipProfile") {
		t.Errorf("got %.80q, want the stub", got)
	}
}

// TestSignedFilesKeepTheirHashes: what a signed or encrypted file says of gateways is known like a plain one's.
func TestSignedFilesKeepTheirHashes(t *testing.T) {
	t.Parallel()
	set, profile := signedOffice()
	gateways := outside()
	set.Certificates, set.VPNGateways, set.VPNGroups = gateways.Certificates, gateways.VPNGateways, gateways.VPNGroups
	profile.VPNGroup = "phones"
	s := startWith(t, set, func(c *Config) { c.Authority = newAuthority(t) })
	s.must(phone + ".cnf.xml.sgn")
	eventually(t, "the delivery is known", func() bool { return len(s.Deliveries()[phone]) == 1 })
	if got := s.Deliveries()[phone][0]; len(got.Hashes) != 1 || got.VersionStamp == "" {
		t.Errorf("kept is %+v", got)
	}
}
