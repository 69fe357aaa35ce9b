package provision

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

const phone = "SEP001122334455"

// certificate returns a fresh certificate object and its hash.
func certificate(t *testing.T, name string) (*inventory.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &inventory.Certificate{Name: name, Certificate: string(text)}, cnf.CertificateHash(der)
}

// office is an inventory with one phone that has VPN, and the hashes of its two certificates.
func office(t *testing.T) (*inventory.Set, []string) {
	t.Helper()
	set := inventory.NewSet()
	inUse, hash1 := certificate(t, "in-use")
	spare, hash2 := certificate(t, "spare")
	set.Certificates["in-use"], set.Certificates["spare"] = inUse, spare
	set.Certificates["again"] = &inventory.Certificate{Name: "again", Certificate: spare.Certificate}
	set.VPNGateways["gw1"] = &inventory.VPNGateway{
		Name: "gw1", URL: "https://vpn.example.com/phones", Certificates: []string{"in-use", "spare"},
	}
	set.VPNGateways["gw2"] = &inventory.VPNGateway{
		Name: "gw2", URL: "https://vpn2.example.com/phones", Certificates: []string{"again"},
	}
	set.VPNGroups["home"] = &inventory.VPNGroup{Name: "home", Gateways: []string{"gw1", "gw2"}}
	yes, no, profileMTU, featureMTU, wait := true, false, 1200, 1400, 45
	set.VPNProfiles["home"] = &inventory.VPNProfile{Name: "home", VPNSettings: inventory.VPNSettings{
		AutoNetworkDetection: &yes, MTU: &profileMTU, EnableHostIDCheck: &no,
	}}
	set.VPNFeatures["vpn"] = &inventory.VPNFeatureConfiguration{Name: "vpn", VPNSettings: inventory.VPNSettings{
		MTU: &featureMTU, FailToConnect: &wait, ClientAuthentication: inventory.PasswordOnly, PasswordPersistence: &yes,
	}}
	set.CommonPhoneProfiles["remote"] = &inventory.CommonPhoneProfile{Name: "remote", VPNGroup: "home", VPNProfile: "home"}
	set.Lines["1001"] = &inventory.Line{Name: "1001", DisplayName: "Ada", Secret: secret.New("s3cret")}
	set.Sites["berlin"] = &inventory.Site{
		Name: "berlin", CallManagers: []string{"10.1.0.2", "pbx.example.com:5070"}, NTPServers: []string{"10.1.0.3"},
		TimeZone: "W. Europe Standard/Daylight Time",
	}
	set.Devices[phone] = &inventory.Device{
		Name: phone, Model: "CP-8861", Site: "berlin", CommonPhoneProfile: "remote", Lines: []string{"1001"},
	}
	return set, []string{hash1, hash2}
}

func TestRenderDevice(t *testing.T) {
	t.Parallel()
	set, hashes := office(t)
	file, err := Renderer{CallManagers: []string{"10.0.0.1"}}.File(set, "sep001122334455.CNF.xml")
	if err != nil {
		t.Fatal(err)
	}
	if file.Name != phone+".cnf.xml" || file.Device != phone || file.VersionStamp == "" {
		t.Errorf("file is %q of %q with stamp %q", file.Name, file.Device, file.VersionStamp)
	}
	d, err := cnf.Parse(file.Content)
	if err != nil {
		t.Fatal(err)
	}
	want := &cnf.VPNGroup{
		MTU: 1200, FailConnectTime: 45, AuthMethod: cnf.PasswordOnly, PasswordPersistent: true, AutoNetDetect: true,
		EnableHostIDCheck: false, CertificateHashes: hashes,
		URLs: []string{"https://vpn.example.com/phones", "https://vpn2.example.com/phones"},
	}
	if !reflect.DeepEqual(d.VPN, want) {
		t.Errorf("VPN = %+v, want %+v: the profile wins over the feature configuration", d.VPN, want)
	}
	if got := d.Pool.CallManagers[1]; got.Host != "pbx.example.com" || got.SIPPort != 5070 {
		t.Errorf("second call manager = %+v, want the site's, port 5070", got)
	}
	line := d.SIPProfile.Lines[0]
	if line.Name != "1001" || line.AuthName != "1001" || line.AuthPassword.Reveal() != "s3cret" || line.DisplayName != "Ada" {
		t.Errorf("line = %+v, want 1001 of Ada with its secret", line)
	}
	if err := Usable(d); err != nil {
		t.Errorf("what we render is not usable: %v", err)
	}
}

func TestRenderWithoutSiteAndVPN(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	set.Devices[phone] = &inventory.Device{Name: phone, Protocol: "SCCP"}
	d, err := Renderer{CallManagers: []string{"10.0.0.1"}, NTPServers: []string{"10.0.0.9"}}.Device(set, set.Devices[phone])
	if err != nil {
		t.Fatal(err)
	}
	if d.VPN != nil || d.SIPProfile != nil || d.Protocol != cnf.SCCP {
		t.Errorf("device is %s, want SCCP without VPN and SIP profile", d)
	}
	if d.Pool.CallManagers[0].Host != "10.0.0.1" || len(d.Pool.NTPServers) != 1 || d.Pool.NTPServers[0].Host != "10.0.0.9" {
		t.Errorf("pool = %+v, want our own call manager and NTP server", d.Pool)
	}
}

func TestStampChangesWithInventory(t *testing.T) {
	t.Parallel()
	set, _ := office(t)
	renderer := Renderer{CallManagers: []string{"10.0.0.1"}}
	before, err := renderer.File(set, phone+".cnf.xml")
	if err != nil {
		t.Fatal(err)
	}
	set.Lines["1001"].DisplayName = "Grace"
	after, err := renderer.File(set, phone+".cnf.xml")
	if err != nil || after.VersionStamp == before.VersionStamp {
		t.Errorf("stamp after a change is %q, %v, want another than before", after.VersionStamp, err)
	}
}

// TestEnrolmentInFile: a phone is told whom to ask, and to enrol while that is ordered; its stamp tells it apart.
func TestEnrolmentInFile(t *testing.T) {
	t.Parallel()
	set, _ := office(t)
	mode := 0
	renderer := Renderer{CallManagers: []string{"10.0.0.1"}, Trust: "10.0.0.2", EnrolMode: func(device string) int {
		if device != phone {
			t.Errorf("asked about %q", device)
		}
		return mode
	}}
	stamps := map[string]bool{}
	for _, mode = range []int{0, 1, 3} {
		file, err := renderer.File(set, phone+".cnf.xml")
		if err != nil {
			t.Fatal(err)
		}
		stamps[file.VersionStamp] = true
		d, err := cnf.Parse(file.Content)
		if err != nil {
			t.Fatal(err)
		}
		if d.CAPFAuthMode != mode || len(d.CAPF) != 1 || d.CAPF[0].Host != "10.0.0.2" || len(d.TVS) != 1 || d.TVS[0].Host != "10.0.0.2" {
			t.Errorf("mode %d: file says %d, %+v, %+v", mode, d.CAPFAuthMode, d.CAPF, d.TVS)
		}
	}
	if len(stamps) != 3 {
		t.Errorf("%d stamps for three files", len(stamps))
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	set, _ := office(t)
	renderer := Renderer{CallManagers: []string{"10.0.0.1"}}
	for _, name := range []string{
		"SEPFFFFFFFFFFFF.cnf.xml", "ITLFile.tlv", "CTL" + phone + ".tlv", phone + ".cnf.xml.sgn", "x" + phone + ".cnf.xml",
		"sub/" + phone + ".cnf.xml",
	} {
		if _, err := renderer.File(set, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s gives %v, want ErrNotFound", name, err)
		}
	}
	set.Devices[phone].Lines = []string{"9999"}
	if _, err := renderer.File(set, phone+".cnf.xml"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("a line that does not exist gives %v, want it said", err)
	}
}

func TestRenderDefault(t *testing.T) {
	t.Parallel()
	file, err := Renderer{CallManagers: []string{"10.0.0.1:5062"}}.File(inventory.NewSet(), "xmldefault.cnf.xml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := cnf.ParseDefault(file.Content)
	if err != nil || len(d.CallManagers) != 1 || d.CallManagers[0].SIPPort != 5062 {
		t.Errorf("default file is %s, %v, want one call manager on 5062", d, err)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"/SEP1.cnf.xml": "SEP1.cnf.xml", `\ram\x.cnf.xml`: "ram/x.cnf.xml", "//mk-sip.jar": "mk-sip.jar",
		"Desktops/320x212x16/List.xml": "Desktops/320x212x16/List.xml",
	} {
		if got, err := Clean(name); got != want || err != nil {
			t.Errorf("Clean(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{
		"", "/", ".", "..", "../etc/passwd", "/../x", `..\x`, "a/../../x", `a\..\..\x`, "a/..", "a//b", "a/./b",
		"a/", "a\x00b", "a\nb", strings.Repeat("a", 600), "\xff",
	} {
		if got, err := Clean(name); !errors.Is(err, ErrName) {
			t.Errorf("Clean(%.20q) = %q, %v, want ErrName", name, got, err)
		}
	}
}

func boot(servers int, answer func(Ask) Answer) (asks []Ask, outcome Outcome) {
	b := NewBoot(phone, servers)
	for ask, ok := b.Next(); ok; ask, ok = b.Next() {
		asks = append(asks, ask)
		b.Answered(answer(ask))
	}
	return asks, b.Outcome()
}

func TestBootOrder(t *testing.T) {
	t.Parallel()
	config := phone + ".cnf.xml"
	for _, c := range []struct {
		name    string
		answer  func(Ask) Answer
		want    []Ask
		outcome Outcome
	}{
		{
			"only the configuration is there",
			func(a Ask) Answer { return found(a.Name == config) },
			[]Ask{
				{0, HTTP, "CTL" + phone + ".tlv"}, {0, HTTP, "ITL" + phone + ".tlv"}, {0, HTTP, "ITLFile.tlv"}, {0, HTTP, config},
			},
			GotConfig,
		},
		{
			"trust lists are there",
			func(a Ask) Answer { return Found },
			[]Ask{{0, HTTP, "CTL" + phone + ".tlv"}, {0, HTTP, "ITL" + phone + ".tlv"}, {0, HTTP, config}},
			GotConfig,
		},
		{
			"an unknown phone",
			func(a Ask) Answer { return found(a.Name == DefaultFile) },
			[]Ask{
				{0, HTTP, "CTL" + phone + ".tlv"}, {0, HTTP, "ITL" + phone + ".tlv"}, {0, HTTP, "ITLFile.tlv"}, {0, HTTP, config},
				{0, HTTP, DefaultFile},
			},
			GotDefault,
		},
		{
			"HTTP is shut",
			func(a Ask) Answer {
				if a.Transport == HTTP {
					return Silent
				}
				return found(a.Name == config)
			},
			[]Ask{
				{0, HTTP, "CTL" + phone + ".tlv"}, {0, TFTP, "CTL" + phone + ".tlv"}, {0, TFTP, "ITL" + phone + ".tlv"},
				{0, TFTP, "ITLFile.tlv"}, {0, TFTP, config},
			},
			GotConfig,
		},
		{
			"the first server is gone",
			func(a Ask) Answer {
				if a.Server == 0 {
					return Silent
				}
				return found(a.Name == config)
			},
			[]Ask{
				{0, HTTP, "CTL" + phone + ".tlv"}, {0, TFTP, "CTL" + phone + ".tlv"}, {1, HTTP, "CTL" + phone + ".tlv"},
				{1, HTTP, "ITL" + phone + ".tlv"}, {1, HTTP, "ITLFile.tlv"}, {1, HTTP, config},
			},
			GotConfig,
		},
		{
			"nobody is there",
			func(Ask) Answer { return Silent },
			[]Ask{
				{0, HTTP, "CTL" + phone + ".tlv"}, {0, TFTP, "CTL" + phone + ".tlv"},
				{1, HTTP, "CTL" + phone + ".tlv"}, {1, TFTP, "CTL" + phone + ".tlv"},
			},
			Unreachable,
		},
	} {
		asks, outcome := boot(2, c.answer)
		if !slices.Equal(asks, c.want) || outcome != c.outcome {
			t.Errorf("%s: asked\n%v, outcome %d, want\n%v, outcome %d", c.name, asks, outcome, c.want, c.outcome)
		}
	}
	if _, outcome := boot(1, func(Ask) Answer { return NotFound }); outcome != GotNothing {
		t.Errorf("a server without files: outcome %d, want GotNothing", outcome)
	}
	if _, outcome := boot(0, nil); outcome != Unreachable {
		t.Errorf("a phone without servers: outcome %d, want Unreachable", outcome)
	}
}

// What the trust lists say decides how the rest is asked for.
func TestBootWithTrust(t *testing.T) {
	t.Parallel()
	config := phone + ".cnf.xml"
	lists := func(at Transport) []Ask {
		return []Ask{{0, at, "CTL" + phone + ".tlv"}, {0, at, "ITL" + phone + ".tlv"}}
	}
	for _, c := range []struct {
		name    string
		https   bool
		answer  func(Ask) Answer
		want    []Ask
		outcome Outcome
	}{
		{"signed", false, func(Ask) Answer { return Found }, append(lists(HTTP), Ask{0, HTTP, config + ".sgn"}), GotConfig},
		{
			"encrypted", false, func(a Ask) Answer {
				if a.Name == config+".sgn" {
					return FoundStub
				}
				return Found
			},
			append(lists(HTTP), Ask{0, HTTP, config + ".sgn"}, Ask{0, HTTP, config + ".enc.sgn"}), GotConfig,
		},
		{
			"the encrypted one is missing", false, func(a Ask) Answer {
				switch a.Name {
				case config + ".sgn":
					return FoundStub
				case config + ".enc.sgn":
					return NotFound
				}
				return Found
			},
			append(lists(HTTP), Ask{0, HTTP, config + ".sgn"}, Ask{0, HTTP, config + ".enc.sgn"}), GotNothing,
		},
		{"by HTTPS", true, func(Ask) Answer { return Found }, append(lists(HTTP), Ask{0, HTTPS, config + ".sgn"}), GotConfig},
		{
			"HTTPS is shut, and HTTP", true, func(a Ask) Answer {
				if a.Transport != TFTP {
					return Silent
				}
				return found(a.Name != DefaultFile+".sgn" && a.Name != config+".sgn")
			},
			append([]Ask{{0, HTTP, "CTL" + phone + ".tlv"}}, append(lists(TFTP), Ask{0, HTTPS, config + ".sgn"}, Ask{0, TFTP, config + ".sgn"}, Ask{0, TFTP, DefaultFile + ".sgn"})...),
			GotNothing,
		},
		{
			"HTTPS does not have it", true, func(a Ask) Answer { return found(a.Transport != HTTPS) },
			append(lists(HTTP), Ask{0, HTTPS, config + ".sgn"}, Ask{0, HTTP, config + ".sgn"}), GotConfig,
		},
	} {
		b := NewBoot(phone, 1)
		b.Trust(true, c.https)
		var asks []Ask
		for ask, ok := b.Next(); ok; ask, ok = b.Next() {
			asks = append(asks, ask)
			b.Answered(c.answer(ask))
		}
		if !slices.Equal(asks, c.want) || b.Outcome() != c.outcome {
			t.Errorf("%s: asked\n%v, outcome %d, want\n%v, outcome %d", c.name, asks, b.Outcome(), c.want, c.outcome)
		}
	}
}

func TestNamesOfSignedFiles(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]ListFile{
		"CTLFile.tlv": {CTL: true, Name: SharedCTL}, "itlfile.TLV": {Name: SharedITL},
		"CTL" + phone + ".tlv": {CTL: true, Device: phone, Name: "CTL" + phone + ".tlv"}, "itl" + strings.ToLower(phone) + ".tlv": {Device: phone, Name: "ITL" + phone + ".tlv"},
	} {
		if got, ok := ListIn(name); !ok || got != want {
			t.Errorf("%s is %v, %v, want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{"CTL.tlv", "ITL.tlv", phone + ".tlv", "ITLFile", "x/ITLFile.tlv", "ITL" + phone + ".tlv.sgn"} {
		if got, ok := ListIn(name); ok {
			t.Errorf("%s is the trust list %v", name, got)
		}
	}
	for name, want := range map[string]struct {
		plain         string
		encrypted, ok bool
	}{
		"a.xml": {"a.xml", false, false}, "a.xml.SGN": {"a.xml", false, true}, "a.xml.enc.sgn": {"a.xml", true, true}, "New_Zealand/g3-tones.xml.sgn": {"New_Zealand/g3-tones.xml", false, true},
	} {
		if plain, encrypted, ok := Unsigned(name); plain != want.plain || encrypted != want.encrypted || ok != want.ok {
			t.Errorf("%s is %q, %v, %v", name, plain, encrypted, ok)
		}
	}
}

func TestStub(t *testing.T) {
	t.Parallel()
	config := `<?xml version="1.0"?><device><fullConfig>true</fullConfig><loadInformation model="x">sip88xx</loadInformation>` +
		`<sipProfile><authPassword>secret</authPassword></sipProfile><capfList><capf><phonePort>3804</phonePort></capf></capfList></device>`
	stub, err := Stub([]byte(config), &x509.Certificate{Raw: []byte("certificate")})
	if err != nil {
		t.Fatal(err)
	}
	if !IsStub(stub) || IsStub([]byte(config)) || IsStub(nil) {
		t.Errorf("stub and whole file are taken for one another: %s", stub)
	}
	for _, want := range []string{"<fullConfig>false</fullConfig>", ">sip88xx</loadInformation>", "<phonePort>3804</phonePort>", "<certHash>e0d30cef5c6139275b58b525001b413c</certHash>"} {
		if !bytes.Contains(stub, []byte(want)) {
			t.Errorf("no %s in %s", want, stub)
		}
	}
	if bytes.Contains(stub, []byte("secret")) {
		t.Errorf("the stub has secrets: %s", stub)
	}
	if _, err := Stub([]byte("<device>"), &x509.Certificate{}); err == nil {
		t.Error("half a file has a stub")
	}
}

func found(is bool) Answer {
	if is {
		return Found
	}
	return NotFound
}

func TestUsable(t *testing.T) {
	t.Parallel()
	manager := cnf.DevicePool{CallManagers: []cnf.CallManager{{Host: "10.0.0.1"}}}
	for _, bad := range []*cnf.Device{{}, {Protocol: cnf.SIP}, {Protocol: "H.323", Pool: manager}} {
		if Usable(bad) == nil {
			t.Errorf("%s is taken for usable", bad)
		}
	}
	if err := Usable(&cnf.Device{Protocol: cnf.SIP, Pool: manager}); err != nil {
		t.Errorf("a SIP phone with a call manager is refused: %v", err)
	}
}

func TestHoldsConfig(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"SEP001122334455.cnf.xml": true, "sep001122334455.CNF.xml": true, "SEP001122334455.cnf.xml.sgn": true,
		"SEP001122334455.cnf.xml.enc.sgn": true, "ITLSEP001122334455.tlv": false, "DRBerlin.xml": false, "XMLDefault.cnf.xml": false,
	} {
		if HoldsConfig(name) != want {
			t.Errorf("%s: holds a phone's configuration: %t, want %t", name, !want, want)
		}
	}
}
