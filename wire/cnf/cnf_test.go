package cnf

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
)

func sample() *Device {
	return &Device{
		Protocol: SIP,
		Pool: DevicePool{
			DateTemplate: "D/M/Y", TimeZone: "W. Europe Standard/Daylight Time", NTPServers: []NTPServer{{Host: "10.0.0.1", Mode: "unicast"}},
			CallManagers: []CallManager{{Host: "10.0.0.2"}, {Host: "pbx.example.com", SIPPort: 5070}},
		},
		VPN: &VPNGroup{
			MTU: 1290, FailConnectTime: 30, AuthMethod: PasswordOnly, AutoNetDetect: true, EnableHostIDCheck: true,
			URLs: []string{"https://vpn.example.com/phones"}, CertificateHashes: []string{CertificateHash([]byte("a"))},
		},
		SIPProfile: &SIPProfile{
			Proxies: SIPProxies{RegisterWithProxy: true}, StartMediaPort: 16384, StopMediaPort: 32766,
			Lines: []Line{{
				FeatureID: FeatureLine, Name: "1001", DisplayName: `Zoë <"R&D">`, Proxy: UseCallManager,
				AuthName: "1001", AuthPassword: secret.New("s3cret"),
			}},
		},
		Vendor:    Settings{{"webAccess", "0"}, {"settingsAccess", "1"}},
		Transport: TCP, SecurityMode: 1,
	}
}

func foreign(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/foreign.cnf.xml")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// withoutDocument makes devices comparable: what was read remembers its document, and absent ports
// have become the usual ones.
func withoutDocument(d *Device) *Device {
	c := *d
	c.doc = nil
	return &c
}

func TestNewFileIsReadBack(t *testing.T) {
	t.Parallel()
	d := sample()
	if err := d.Stamp(); err != nil {
		t.Fatal(err)
	}
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(b)
	if err != nil {
		t.Fatalf("Parse of what Bytes wrote: %v\n%s", err, b)
	}
	want := sample()
	want.VersionStamp = d.VersionStamp
	want.SIPProfile.Lines[0].Port, want.SIPProfile.Lines[0].Button, want.SIPProfile.Lines[0].LineIndex = 5060, 1, 1
	want.Pool.CallManagers = []CallManager{
		{Host: "10.0.0.2", SCCPPort: 2000, SIPPort: 5060, SecuredSIPPort: 5061},
		{Host: "pbx.example.com", SCCPPort: 2000, SIPPort: 5070, SecuredSIPPort: 5061},
	}
	if !reflect.DeepEqual(withoutDocument(got), want) {
		t.Errorf("read back %+v, want %+v", withoutDocument(got), want)
	}
	for _, part := range []string{
		"<mtu>1290</mtu>", "<pswdPersistent>0</pswdPersistent>", "<autoNetDetect>1</autoNetDetect>",
		"<hashAlg>0</hashAlg>", "<fullConfig>true</fullConfig>", `<member priority="1">`,
	} {
		if !strings.Contains(string(b), part) {
			t.Errorf("new file lacks %s:\n%s", part, b)
		}
	}
}

// fill gives every field a value of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		if s, ok := v.Addr().Interface().(*secret.String); ok {
			*s = secret.New(fmt.Sprint("secret ", *n))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprint("text", *n))
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	}
}

// TestEveryFieldIsCarried holds the layout to the types: what a field says is in the file, also when the
// file was there before.
func TestEveryFieldIsCarried(t *testing.T) {
	t.Parallel()
	want, n := &Device{}, 0
	fill(reflect.ValueOf(want).Elem(), &n)
	written, err := want.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(written)
	if err != nil {
		t.Fatalf("%v\n%s", err, written)
	}
	if !reflect.DeepEqual(withoutDocument(got), want) {
		t.Errorf("read back\n%+v\nwant\n%+v\n%s", withoutDocument(got), want, written)
	}
	adopted := *want
	old, err := Parse(foreign(t))
	if err != nil {
		t.Fatal(err)
	}
	adopted.doc = old.doc
	if written, err = adopted.Bytes(); err != nil {
		t.Fatal(err)
	}
	if got, err = Parse(written); err != nil {
		t.Fatalf("%v\n%s", err, written)
	}
	if !reflect.DeepEqual(withoutDocument(got), want) {
		t.Errorf("over another file, read back\n%+v\nwant\n%+v\n%s", withoutDocument(got), want, written)
	}
}

// TestNewFileSaysNoMoreThanItMust keeps parts out that nobody asked for.
func TestNewFileSaysNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	d := sample()
	d.SIPProfile.Lines = append(d.SIPProfile.Lines, Line{FeatureID: FeatureSpeedDial, FeatureLabel: "Home", SpeedDialNumber: "1002"})
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"TVS", "capfList", "addOnModules", "srstInfo", "userLocale", "networkLocale", "commonConfig", "enterpriseConfig", "phoneServices", "dscpForSCCPPhoneConfig", "backupProxy", "autoAnswerMode"} {
		if strings.Contains(string(b), "<"+part) {
			t.Errorf("new file holds %s:\n%s", part, b)
		}
	}
	want := `<line button="2">
        <featureID>2</featureID>
        <featureLabel>Home</featureLabel>
        <speedDialNumber>1002</speedDialNumber>
      </line>`
	if !strings.Contains(string(b), want) {
		t.Errorf("new file lacks the speed dial as\n%s\n%s", want, b)
	}
}

func TestSettingsOverride(t *testing.T) {
	t.Parallel()
	d := &Device{Vendor: Settings{{"rtcp", ""}}, CommonConfig: Settings{{"rtcp", "1"}, {"garp", "0"}}, Enterprise: Settings{{"rtcp", "0"}, {"dfBit", "1"}}}
	for key, want := range map[string]string{"rtcp": "1", "garp": "0", "dfBit": "1", "webAccess": ""} {
		if got, _ := d.Setting(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestForeignFileIsRead(t *testing.T) {
	t.Parallel()
	d, err := Parse(foreign(t))
	if err != nil {
		t.Fatal(err)
	}
	wantVPN := &VPNGroup{
		MTU: 1290, FailConnectTime: 30, AuthMethod: PasswordOnly, AutoNetDetect: true, EnableHostIDCheck: true,
		URLs:              []string{"https://vpn.example.com/phones", "https://vpn2.example.com/phones"},
		CertificateHashes: []string{"1eD9l3VEI9DGWQGKlNBGE1bRhUg="},
	}
	if !reflect.DeepEqual(d.VPN, wantVPN) {
		t.Errorf("VPN = %+v, want %+v, the firmware's defaults for what is left out", d.VPN, wantVPN)
	}
	wantManagers := []CallManager{
		{Host: "cucm1.example.com", SCCPPort: 2000, SIPPort: 5060, SecuredSIPPort: 5061},
		{Host: "10.9.0.12", SCCPPort: 2000, SIPPort: 5070, SecuredSIPPort: 5061},
	}
	if !reflect.DeepEqual(d.Pool.CallManagers, wantManagers) {
		t.Errorf("call managers = %+v, want %+v, by priority", d.Pool.CallManagers, wantManagers)
	}
	if got := d.SIPProfile.Lines[0].AuthPassword.Reveal(); got != "geheim&mehr" {
		t.Errorf("authPassword = %q, want geheim&mehr", got)
	}
}

func TestUnchangedFileKeepsItsBytes(t *testing.T) {
	t.Parallel()
	want := foreign(t)
	d, err := Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if canonical(t, got) != canonical(t, want) {
		t.Errorf("unchanged file is written as\n%s\nwant\n%s", got, want)
	}
}

// canonical lists a document's tokens, so that <a/> and <a></a> are the same.
func canonical(t *testing.T, b []byte) string {
	t.Helper()
	var s strings.Builder
	for decoder := xml.NewDecoder(bytes.NewReader(b)); ; {
		token, err := decoder.RawToken()
		if err == io.EOF {
			return s.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			fmt.Fprintln(&s, "start", token.Name, token.Attr)
		case xml.EndElement:
			fmt.Fprintln(&s, "end", token.Name)
		case xml.CharData:
			fmt.Fprintf(&s, "text %q\n", bytes.TrimSpace(token))
		case xml.Comment:
			fmt.Fprintf(&s, "comment %q\n", token)
		}
	}
}

func TestChangesKeepTheRest(t *testing.T) {
	t.Parallel()
	d, err := Parse(foreign(t))
	if err != nil {
		t.Fatal(err)
	}
	d.VPN.CertificateHashes = append(d.VPN.CertificateHashes, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	d.VPN.URLs = d.VPN.URLs[:1]
	d.SIPProfile.Lines = d.SIPProfile.Lines[:1]
	d.Pool.CallManagers[0].Host = "10.9.0.11"
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"<certHash2>AAAAAAAAAAAAAAAAAAAAAAAAAAA=</certHash2>", "<!-- kept -->", "<name>first</name>",
		"<processNodeName>10.9.0.11</processNodeName>", `<phoneServices useHTTPS="false">`,
		`xsi:type="axl:XIPPhone"`, "<sharedLine>false</sharedLine>", "<sshUserId>admin</sshUserId>",
	} {
		if !strings.Contains(string(b), part) {
			t.Errorf("changed file lacks %s:\n%s", part, b)
		}
	}
	for _, gone := range []string{"url3", `button="2"`, "<mtu>"} {
		if strings.Contains(string(b), gone) {
			t.Errorf("changed file holds %s:\n%s", gone, b)
		}
	}
	d.VPN, d.SIPProfile = nil, nil
	if b, _ = d.Bytes(); strings.Contains(string(b), "vpnGroup") || strings.Contains(string(b), "sipProfile") {
		t.Errorf("removed parts are still there:\n%s", b)
	}
}

func TestStampFollowsContent(t *testing.T) {
	t.Parallel()
	stampOf := func(change func(*Device)) string {
		d := sample()
		change(d)
		if err := d.Stamp(); err != nil {
			t.Fatal(err)
		}
		return d.VersionStamp
	}
	unchanged := stampOf(func(*Device) {})
	if again := stampOf(func(d *Device) { d.VersionStamp = "other" }); again != unchanged {
		t.Errorf("stamps of equal content differ: %s and %s", unchanged, again)
	}
	for name, change := range map[string]func(*Device){
		"password": func(d *Device) { d.SIPProfile.Lines[0].AuthPassword = secret.New("other") },
		"hash":     func(d *Device) { d.VPN.CertificateHashes[0] = "x" },
		"no VPN":   func(d *Device) { d.VPN = nil },
	} {
		if stampOf(change) == unchanged {
			t.Errorf("a change of %s keeps the stamp %s", name, unchanged)
		}
	}
}

func TestDefault(t *testing.T) {
	t.Parallel()
	want := &Default{
		CallManagers: []CallManager{{Host: "10.0.0.2", SCCPPort: 2000, SIPPort: 5060, SecuredSIPPort: 5061}},
		Loads:        []DefaultLoad{{DeviceType: 684, Model: "CP-8851", Load: "sip88xx.14-2-1"}},
	}
	if err := want.Stamp(); err != nil {
		t.Fatal(err)
	}
	b, err := want.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `<loadInformation684 model="CP-8851">sip88xx.14-2-1</loadInformation684>`) {
		t.Errorf("default file has no load by device type:\n%s", b)
	}
	got, err := ParseDefault(b)
	if err != nil {
		t.Fatal(err)
	}
	got.doc = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back %+v, want %+v", got, want)
	}
	if _, err := Parse(b); err != ErrDefault {
		t.Errorf("Parse of the default file = %v, want ErrDefault", err)
	}
}

func TestLatin1IsRead(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte("<?xml version='1.0' encoding='ISO-8859-1'?>\n<device><sipProfile><phoneLabel>Z\xfcrich</phoneLabel></sipProfile></device>"))
	if err != nil {
		t.Fatal(err)
	}
	if d.SIPProfile.PhoneLabel != "Zürich" {
		t.Errorf("label is %q, want Zürich", d.SIPProfile.PhoneLabel)
	}
	b, err := d.Bytes()
	if want := "encoding=\"UTF-8\"?>\n<device><sipProfile><phoneLabel>Zürich</phoneLabel>"; err != nil || !strings.Contains(string(b), want) {
		t.Errorf("written as %q, %v, want it to hold %q", b, err, want)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, xml, want string }{
		{"empty", "", "holds no element"},
		{"cut", "<device>\n<vpnGroup>", "cnf: XML syntax error on line 2: unexpected EOF"},
		{"rubbish in Latin-1", "<device>\n<name>Z\xfcrich</name></device>", "cnf: XML syntax error on line 2: invalid UTF-8"},
		{"encoding", `<?xml version="1.0" encoding="utf-16"?><device/>`, `encoding "utf-16" is not read; UTF-8 and ISO-8859-1 are`},
		{"other root", "<CiscoIPPhoneMenu/>", `root element is "CiscoIPPhoneMenu"`},
		{"number", "<device><vpnGroup><mtu>big</mtu></vpnGroup></device>", `device/vpnGroup/mtu: "big" is not a number`},
		{"truth", "<device><vpnGroup><autoNetDetect>maybe</autoNetDetect></vpnGroup></device>", `neither true nor false`},
		{"too large", strings.Repeat(" ", MaxSize+1), "exceeds"},
	} {
		if d, err := Parse([]byte(c.xml)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Parse = %v, %v, want an error with %q", c.name, d, err, c.want)
		}
	}
	for name, change := range map[string]func(*Device){
		"hashes":        func(d *Device) { d.VPN.CertificateHashes = make([]string, MaxHashes+1) },
		"URLs":          func(d *Device) { d.VPN.URLs = make([]string, MaxURLs+1) },
		"URL":           func(d *Device) { d.VPN.URLs[0] = strings.Repeat("x", MaxURL+1) },
		"call managers": func(d *Device) { d.Pool.CallManagers = make([]CallManager, MaxCallManagers+1) },
	} {
		d := sample()
		change(d)
		if _, err := d.Bytes(); err == nil {
			t.Errorf("too many or too long %s are written", name)
		}
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	whole := bytes.TrimRight(foreign(t), "\n")
	for cut := range len(whole) {
		if d, err := Parse(whole[:cut]); err == nil {
			t.Fatalf("file cut to %d bytes is read as %s", cut, d)
		}
	}
}

func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	d := sample()
	for _, printed := range []string{d.String(), fmt.Sprintf("%+v", d), fmt.Sprintf("%#v", *d.SIPProfile)} {
		if strings.Contains(printed, "s3cret") {
			t.Errorf("the password is printed: %s", printed)
		}
	}
}

func TestCertificateHash(t *testing.T) {
	t.Parallel()
	sum := sha1.Sum([]byte("certificate"))
	want := base64.StdEncoding.EncodeToString(sum[:])
	if got := CertificateHash([]byte("certificate")); got != want || len(got) != 28 {
		t.Errorf("CertificateHash = %s, want %s, 28 characters", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(foreign(f))
	d := sample()
	b, err := d.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("<device/>"))
	f.Add([]byte("<Default><loadInformation7 model='x'>y</loadInformation7></Default>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := ParseDefault(b); err == nil {
			_, _ = d.Bytes()
		}
		d, err := Parse(b)
		if err != nil {
			return
		}
		written, err := d.Bytes()
		if err != nil {
			return // more in a list than phones take
		}
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("what Bytes wrote is refused: %v\n%s", err, written)
		}
		if !reflect.DeepEqual(withoutDocument(again), withoutDocument(d)) {
			t.Fatalf("read %+v, then %+v\n%s", d, again, written)
		}
		if err := d.Stamp(); err != nil {
			t.Fatal(err)
		}
	})
}
