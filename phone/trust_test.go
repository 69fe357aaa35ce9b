package phone

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/tlv"
)

// house is a file server with its keys.
type house struct {
	authority   *trust.Authority
	set         atomic.Pointer[inventory.Set]
	certificate atomic.Pointer[x509.Certificate] // to encrypt for
	revoked     atomic.Bool                      // and it is
	fetcher     fetcher
}

func newHouse(t *testing.T) *house { return newHouseWith(t, false) }

// newHouseWith serves by HTTPS, too.
func newHouseWith(t *testing.T, https bool) *house {
	t.Helper()
	s := memory.New()
	t.Cleanup(func() { _ = s.Close() })
	authority, err := trust.OpenAuthority(t.Context(), trust.AuthorityConfig{Store: s, Sealer: trust.NewSealer([trust.KeySize]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{authority: authority}
	set := inventory.NewSet()
	set.Lines["1001"] = &inventory.Line{Name: "1001"}
	set.Devices[deviceName] = &inventory.Device{Name: deviceName, Model: "CP-8861", CommonPhoneProfile: "desk", Lines: []string{"1001"}}
	set.CommonPhoneProfiles["desk"] = &inventory.CommonPhoneProfile{Name: "desk"}
	h.set.Store(set)
	h.serve(t, https)
	return h
}

// change gives the house another inventory, in which the phone's profile is changed.
func (h *house) change(by func(*inventory.CommonPhoneProfile)) {
	set := *h.set.Load()
	profile := *set.CommonPhoneProfiles["desk"]
	by(&profile)
	set.CommonPhoneProfiles = map[string]*inventory.CommonPhoneProfile{"desk": &profile}
	h.set.Store(&set)
}

func (h *house) serve(t *testing.T, https bool) {
	t.Helper()
	loopback := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)
	config := provisioner.Config{
		Settings: provisioner.Settings{
			TFTP: loopback, HTTP: loopback, Access: provision.Access{Office: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		},
		Inventory: h.set.Load, Authority: h.authority,
		PhoneCertificate: func(string) (*x509.Certificate, bool) { return h.certificate.Load(), !h.revoked.Load() },
	}
	if https {
		config.HTTPS, config.Certificate = loopback, func() (tls.Certificate, error) { return h.authority.Pair(trust.FilesEC) }
	}
	p, err := provisioner.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Open(); err != nil {
		t.Fatal(err)
	}
	servertest.Start(t, p.Serve)
	tftpAt, httpAt := p.Addresses()
	h.fetcher = fetcher{httpPort: httpAt.Port(), tftpPort: tftpAt.Port(), httpsPort: closedPort(t)}
	if https {
		h.fetcher.httpsPort = p.HTTPSAddress().Port()
	}
}

// handset is a phone's memory over several starts.
type handset struct {
	t        *testing.T
	dir      string
	key      any
	tvs      voucher
	statuses []string
	belief   *belief // of the last start
}

// boot starts the phone once and returns where its file came from.
func (h *handset) boot(f fetcher) (from string, err error) {
	h.t.Helper()
	h.statuses = nil
	h.belief = loadBelief(beliefConfig{dir: h.dir, key: func() crypto.PrivateKey { return h.key }, tvs: h.tvs, status: func(s string) { h.statuses = append(h.statuses, s) }})
	stored, _ := loadConfig(h.dir, deviceName)
	file, from, err := fetchConfig(h.t.Context(), provisionConfig{
		fetcher: f, servers: []string{"127.0.0.1"}, device: deviceName, dir: h.dir, stored: stored, trusted: true, trust: h.belief,
	})
	if err == nil && (file == nil || len(file.SIPProfile.Lines) != 1) {
		h.t.Errorf("the file is not the phone's: %v", file)
	}
	return from, err
}

func (h *handset) must(f fetcher, name, status string) {
	h.t.Helper()
	from, err := h.boot(f)
	if err != nil || !strings.HasPrefix(from, name+" ") {
		h.t.Fatalf("got %q, %v, want %s", from, err, name)
	}
	if status != strings.Join(h.statuses, ", ") {
		h.t.Errorf("status messages are %q, want %q", h.statuses, status)
	}
}

func (h *handset) file(name string) []byte {
	h.t.Helper()
	raw, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil {
		h.t.Fatal(err)
	}
	return raw
}

const (
	plainName     = deviceName + ".cnf.xml"
	signedName    = plainName + ".sgn"
	encryptedName = plainName + ".enc.sgn"
)

func TestPhoneFollowsItsHouse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := &handset{t: t, dir: t.TempDir()}
	p.must(h.fetcher, plainName, "No Trust List installed")
	h.change(func(p *inventory.CommonPhoneProfile) { p.SecurityByDefault = inventory.SecurityOn })
	p.must(h.fetcher, signedName, "ITL installed")
	p.must(h.fetcher, signedName, "")
	h.change(func(p *inventory.CommonPhoneProfile) { p.ClusterSecurityMode = inventory.Mixed })
	p.must(h.fetcher, signedName, "CTL Installed")
	h.change(func(p *inventory.CommonPhoneProfile) { p.TFTPFileSignatureAlgorithm = inventory.SHA512 })
	p.must(h.fetcher, signedName, "Trust List updated")
	for _, change := range []func() error{
		func() error { return h.authority.Replace(t.Context(), trust.Signer2, trust.Consent{}) },
		func() error { return h.authority.Promote(t.Context(), trust.Consent{}) },
		func() error { return h.authority.Replace(t.Context(), trust.Files, trust.Consent{}) },
		func() error { return h.authority.Replace(t.Context(), trust.TVS, trust.Consent{}) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		p.must(h.fetcher, signedName, "Trust List updated")
	}
	if raw := p.file(plainName); !bytes.Contains(raw, []byte("<device>")) {
		t.Errorf("the file is kept as %.60q", raw)
	}
	h.change(func(p *inventory.CommonPhoneProfile) { p.SecurityByDefault = inventory.SecurityRollback })
	p.must(h.fetcher, plainName, "Trust List updated")
	h.change(func(p *inventory.CommonPhoneProfile) {
		p.SecurityByDefault, p.ClusterSecurityMode = inventory.SecurityOff, ""
	})
	p.must(h.fetcher, plainName, "")
}

func TestPhoneOpensWhatIsEncryptedForIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.change(func(p *inventory.CommonPhoneProfile) {
		p.SecurityByDefault, p.TFTPEncryptedConfig = inventory.SecurityOn, true
	})
	p := &handset{t: t, dir: t.TempDir()}
	p.must(h.fetcher, signedName, "ITL installed") // it has no certificate yet
	certificate := func(name string) (*x509.Certificate, any) {
		pair, err := trust.CreateCertificate(name, time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := pair.Load()
		if err != nil {
			t.Fatal(err)
		}
		return loaded.Leaf, loaded.PrivateKey
	}
	leaf, key := certificate("phone")
	h.certificate.Store(leaf)
	p.key = key
	p.must(h.fetcher, encryptedName, "")
	kept := p.file(plainName)
	for _, name := range []string{plainName, strings.ToLower(plainName), signedName} {
		raw, _, err := h.fetcher.file(t.Context(), "127.0.0.1", name)
		if err == nil && bytes.Contains(raw, []byte("1001")) {
			t.Errorf("%s has the phone's line in clear", name)
		}
	}
	_, p.key = certificate("other")
	if from, err := p.boot(h.fetcher); !errors.Is(err, verify.ErrNotForUs) || !errors.Is(err, errUntrusted) {
		t.Errorf("with another key: %q, %v", from, err)
	}
	if !bytes.Equal(p.file(plainName), kept) {
		t.Error("the stored file has changed")
	}
	h.revoked.Store(true)
	if from, err := p.boot(h.fetcher); !errors.Is(err, errNoFile) || !bytes.Equal(p.file(plainName), kept) {
		t.Errorf("with a certificate that is revoked: %q, %v", from, err)
	}
	stub, _, err := h.fetcher.file(t.Context(), "127.0.0.1", signedName)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := loadConfig(p.dir, deviceName)
	if err != nil {
		t.Fatal(err)
	}
	look := lookout{cfg: detectConfig{fetcher: h.fetcher, device: deviceName, stored: stored, trust: loadBelief(beliefConfig{dir: p.dir})}}
	if file, err := look.ownFile(t.Context(), "127.0.0.1"); err != nil || file != stored {
		t.Errorf("its office's stub proves nothing: %v", err)
	}
	_, look.cfg.fetcher = serveFiles(t, map[string]string{signedName: string(stub[:len(stub)-1])}, true, false)
	if _, err := look.ownFile(t.Context(), "127.0.0.1"); !errors.Is(err, errUntrusted) {
		t.Errorf("a stub that nobody signed: %v", err)
	}
	unsigned := string(stub[bytes.Index(stub, []byte("<?xml")):])
	_, look.cfg.fetcher = serveFiles(t, map[string]string{plainName: unsigned}, true, false)
	look.cfg.trust = loadBelief(beliefConfig{dir: t.TempDir()})
	if file, err := look.ownFile(t.Context(), "127.0.0.1"); err == nil && file == stored {
		t.Error("a stub in plain proves the office")
	}
	h.revoked.Store(false)
	p.key = nil
	if _, err := p.boot(h.fetcher); !errors.Is(err, verify.ErrNotForUs) {
		t.Errorf("without a key: %v", err)
	}
}

// Another server's lists and files are refused, and all that was there stays.
func TestPhoneRefusesAnotherHouse(t *testing.T) {
	t.Parallel()
	home, other := newHouse(t), newHouse(t)
	home.change(func(p *inventory.CommonPhoneProfile) { p.SecurityByDefault = inventory.SecurityOn })
	other.change(func(p *inventory.CommonPhoneProfile) { p.SecurityByDefault = inventory.SecurityOn })
	p := &handset{t: t, dir: t.TempDir()}
	p.must(home.fetcher, signedName, "ITL installed")
	list, file := p.file(provision.SharedITL), p.file(plainName)
	check := func(what string, err error, statuses ...string) {
		t.Helper()
		if !errors.Is(err, errUntrusted) {
			t.Errorf("%s: %v, want errUntrusted", what, err)
		}
		code := "trust-list-mismatch"
		if slices.Contains(statuses, "Trust List update failed") {
			code = "foreign-trust-list"
		}
		if found, ok := provisionFinding(err, provisionConfig{device: deviceName, trust: p.belief}); !ok || found.Code != code {
			t.Errorf("%s: finding %s, want %s", what, found.Code, code)
		}
		if !slices.Equal(p.statuses, statuses) {
			t.Errorf("%s: status messages %q, want %q", what, p.statuses, statuses)
		}
		if !bytes.Equal(p.file(provision.SharedITL), list) || !bytes.Equal(p.file(plainName), file) {
			t.Errorf("%s: what was stored has changed", what)
		}
	}
	_, err := p.boot(other.fetcher)
	check("another house", err, "File auth error", "Trust List update failed")
	other.change(func(p *inventory.CommonPhoneProfile) { p.SecurityByDefault = inventory.SecurityOff }) // it still signs
	_, err = p.boot(other.fetcher)
	check("a house without lists", err, "File auth error")
	p.must(home.fetcher, signedName, "")

	raw, _, err := home.fetcher.file(t.Context(), "127.0.0.1", signedName)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(raw)
	changed[len(changed)-20] ^= 1
	for what, content := range map[string][]byte{"cut": raw[:len(raw)-1], "header cut": raw[:200], "changed": changed, "plain": file, "empty": nil} {
		_, scripted := serveFiles(t, map[string]string{signedName: string(content)}, true, false)
		_, err = p.boot(scripted)
		check(what, err, "File auth error")
	}
	// A file that is signed, and for another phone.
	foreign, err := home.authority.SignFile(trust.Signing{Name: "SEP00AABBCCDDEE.cnf.xml.sgn", At: time.Now()}, file)
	if err != nil {
		t.Fatal(err)
	}
	_, scripted := serveFiles(t, map[string]string{signedName: string(foreign)}, true, false)
	_, err = p.boot(scripted)
	check("another phone's file", err, "File auth error")
	// Plain files alone are no way around signatures.
	_, scripted = serveFiles(t, map[string]string{plainName: string(file)}, true, false)
	if from, err := p.boot(scripted); !errors.Is(err, errNoFile) {
		t.Errorf("a plain file is taken: %q, %v", from, err)
	}
}

// house as TVS: it vouches for what it has, for whom knows its TVS certificate.
type houseTVS struct {
	house *house
	asked int
}

func (v *houseTVS) query(_ context.Context, asked verify.AskTVS) (verify.Vouched, error) {
	v.asked++
	r, ok := v.house.authority.Vouches(asked.Signer.Issuer, asked.Signer.Serial)
	if !ok {
		return verify.Vouched{}, errors.New("not vouched for")
	}
	return verify.Vouched{Certificate: r.Certificate, Issuer: r.Issuer, Serial: r.Serial(), Roles: []tlv.Role{r.Role}, Lifetime: time.Hour}, nil
}

func (v *houseTVS) about(context.Context, *x509.Certificate) (verify.Vouched, error) {
	return verify.Vouched{}, errors.New("not asked here")
}

// A phone that missed the introduction of a signer asks TVS.
func TestPhoneAsksTVS(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.change(func(p *inventory.CommonPhoneProfile) { p.SecurityByDefault = inventory.SecurityOn })
	ask := &houseTVS{house: h}
	p := &handset{t: t, dir: t.TempDir(), tvs: ask}
	p.must(h.fetcher, signedName, "ITL installed")
	if err := errors.Join(h.authority.Replace(t.Context(), trust.Signer2, trust.Consent{}), h.authority.Promote(t.Context(), trust.Consent{})); err != nil {
		t.Fatal(err)
	}
	p.tvs = nil
	if _, err := p.boot(h.fetcher); err != nil { // the key of files is still the one it knows
		t.Fatal(err)
	}
	if got := strings.Join(p.statuses, ", "); got != "Trust List update failed" {
		t.Errorf("without TVS: %q", got)
	}
	p.tvs = ask
	p.must(h.fetcher, signedName, "Trust List updated")
	if ask.asked != 1 {
		t.Errorf("TVS was asked %d times, want once", ask.asked)
	}
	p.must(h.fetcher, signedName, "")
	stranger := newHouse(t)
	stranger.change(func(p *inventory.CommonPhoneProfile) { p.SecurityByDefault = inventory.SecurityOn })
	if _, err := p.boot(stranger.fetcher); !errors.Is(err, errUntrusted) {
		t.Errorf("a stranger: %v", err)
	}
}

// With a list that says so the phone asks for its own file by HTTPS first, of whom the list names alone.
func TestPhoneByHTTPS(t *testing.T) {
	t.Parallel()
	h := newHouseWith(t, true)
	h.change(func(p *inventory.CommonPhoneProfile) { p.SecurityByDefault = inventory.SecurityOn })
	p := &handset{t: t, dir: t.TempDir()}
	p.must(h.fetcher, signedName+" by https", "ITL installed")
	p.must(h.fetcher, signedName+" by https", "")

	shut := h.fetcher
	shut.httpsPort = closedPort(t)
	p.must(shut, signedName+" by http", "")
	stranger := newHouseWith(t, true)
	astray := h.fetcher
	astray.httpsPort = stranger.fetcher.httpsPort
	p.must(astray, signedName+" by http", "")

	if err := h.authority.Replace(t.Context(), trust.FilesEC, trust.Consent{}); err != nil {
		t.Fatal(err)
	}
	p.must(h.fetcher, signedName+" by https", "Trust List updated")

	h.change(func(p *inventory.CommonPhoneProfile) { p.TFTPEncryptedConfig = true })
	pair, err := trust.CreateCertificate("phone", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := pair.Load()
	if err != nil {
		t.Fatal(err)
	}
	h.certificate.Store(loaded.Leaf)
	p.key = loaded.PrivateKey
	p.must(h.fetcher, encryptedName+" by http", "")
}
