package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
)

func pointer[T any](value T) *T { return &value }

// everything holds one object of each kind with every field set.
func everything() []inventory.Object {
	settings := inventory.VPNSettings{
		AutoNetworkDetection: pointer(true), MTU: pointer(1290), KeepAlive: pointer(0), FailToConnect: pointer(30),
		ClientAuthentication: inventory.UserAndPassword, PasswordPersistence: pointer(true), EnableHostIDCheck: pointer(false),
	}
	return []inventory.Object{
		&inventory.Certificate{Name: "now", Certificate: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n", Key: secret.New("-----BEGIN\nkey\n")},
		&inventory.CertificateAuthority{
			Name: "maker", Certificate: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
			CRL: "-----BEGIN X509 CRL-----\nMA==\n-----END X509 CRL-----\n", Manufacturer: true,
		},
		&inventory.AddressPool{Name: "pool", Network: "10.99.0.0/24"},
		&inventory.AccessList{Name: "list", Entries: []inventory.AccessEntry{
			{Action: "permit", Protocol: "udp", Destination: "any", Ports: "16384-32767"}, {Action: "deny", Destination: "10.0.0.0/8"},
		}},
		&inventory.GroupPolicy{
			Name: "policy", DNSServers: []string{"10.0.0.1"}, DefaultDomain: "example.net", Banner: "two\nlines", SplitTunnelPolicy: "tunnelspecified",
			SplitTunnelNetworks: []string{"10.0.0.0/8"}, IdleTimeout: pointer(0), SessionTimeout: pointer(2), DisconnectedTimeout: 3,
			DPDClient: pointer(0), DPDGateway: pointer(60), KeepAlive: pointer(20), SimultaneousLogins: pointer(0), Filter: "list", MTU: 1300,
			DTLS: pointer(false), WINSServers: []string{"10.0.0.2"}, SplitDNS: []string{"example.net"}, SplitTunnelNetworkList: "list",
			SplitTunnelAllDNS: pointer(true), ClientBypassProtocol: pointer(true), RekeyTime: pointer(4), RekeyMethod: "none",
			SmartcardRemovalDisconnect: pointer(false), AddressPools: []string{"pool"}, IPv6AddressPool: "none",
		},
		&inventory.AAAServer{
			Name: "server", Protocol: "ldap", Host: "h", Timeout: 5, AuthenticationPort: 1, AccountingPort: 2, Key: secret.New("hush-hush"), RetryInterval: 3,
			MessageAuthenticatorRequired: pointer(false), MSCHAPv2Capable: true, InterimAccountingUpdate: 4, ServerPort: 5, LDAPOverSSL: true,
			StartTLS: pointer(false), CertificateAuthority: "lsc", LDAPBaseDN: "dc=a", LDAPScope: "onelevel", LDAPNamingAttribute: "cn", LDAPFilter: "(a=b)", LDAPLoginDN: "cn=a",
			LDAPLoginPassword: secret.New("hush-hush"), LDAPAttributeMap: []inventory.LDAPMapping{{Attribute: "a", Value: "b", GroupPolicy: "policy"}},
		},
		&inventory.TunnelGroup{
			AuthenticationServerGroup: []string{"server", "LOCAL"}, SecondaryAuthentication: "form", AccountingServerGroup: []string{"server"},
			Name: "phones", GroupURLs: []string{"https://vpn.example.net/phones"}, GroupAliases: []string{"Phones"}, Authentication: "aaa",
			CertificateAuthorities: []string{"maker"},
			AddressPool:            "pool", DefaultGroupPolicy: "policy", Phones: true, LegacyPhones: true,
		},
		&inventory.VPNGateway{Name: "gateway", Description: "d: #x", URL: "https://vpn.example.net/phones", Certificates: []string{"now"}, LegacyCertificate: "now", ECDSACertificate: "now"},
		&inventory.VPNGroup{Name: "group", Description: "g", Gateways: []string{"gateway"}},
		&inventory.VPNFeatureConfiguration{Name: "features", VPNSettings: settings},
		&inventory.VPNProfile{Name: "profile", Description: "p", VPNSettings: settings},
		&inventory.PhoneModel{
			Name: "CP-8875", Number: 36700, Family: inventory.Family8800, Protocols: []string{"SIP"}, VPN: pointer(true), VPNSince: "2.1", LegacyTLS: pointer(false),
			SIPLoads: []string{"PHONEOS"}, SCCPLoads: []string{"x"}, FactoryLoad: "f", LineKeys: 10, MaxCalls: 200, Background: "800x480x24", LocaleJar: "sl",
			Keys:  inventory.KeyPresses{VPNMenu: "a > b", AlternateTFTP: "c", EraseTrustList: "d", FactoryReset: "* * #"},
			Notes: []inventory.ModelNote{{Field: "vpn", Certainty: "reported", Says: "said"}},
		},
		&inventory.DeviceDefaults{Name: "CP-8861", Load: "sip88xx.14-2-1", Protocol: "SIP"},
		&inventory.SIPDialRules{Name: "office", Rules: []inventory.DialRule{{Pattern: "0,*", Timeout: 3, Line: 1, Rewrite: "9.", Tone: "Bellcore-Outside"}, {Pattern: "", Timeout: 0}}},
		&inventory.SoftkeyTemplate{
			Name: "few", OnHook: []string{"NewCall"}, OffHook: []string{"EndCall"}, OffHookWithFeature: []string{"EndCall"}, DigitsAfterFirst: []string{"<<"},
			RingOut: []string{"EndCall"}, RingIn: []string{"Answer"}, Connected: []string{"EndCall"}, ConnectedNoFeature: []string{"EndCall"},
			ConnectedTransfer: []string{"Transfer"}, ConnectedConference: []string{"Confrn"}, OnHold: []string{"Resume"}, RemoteInUse: []string{"Undefined"},
		},
		&inventory.FeatureControlPolicy{Name: "video", Enable: []string{"Barge"}, Disable: []string{"Park"}},
		&inventory.PhoneService{Name: "Phone book", URL: "http://10.0.0.9/book", Menu: "directories", Vendor: "v", Version: "1"},
		&inventory.RingTone{Name: "Old Telephone", File: "old.raw", Wideband: "old.rwb"},
		&inventory.PhoneTemplate{Name: "adopted", Content: secret.New("<device>\n</device>\n")},
		&inventory.CommonPhoneProfile{Name: "common", Description: "c", VPNGroup: "group", VPNProfile: "profile", Template: "adopted", SIPDialRules: "office",
			SoftkeyTemplate: "few", FeatureControlPolicy: "video", PhoneServices: []string{"Phone book"}, AnonymousCallBlock: true, CallerIDBlocking: true, BLFForCallLists: true,
			VendorConfig: map[string]string{"webAccess": "2", "daysDisplayNotActive": "1,7"}, SecureShellUser: "root", SecureShellPassword: secret.New("hush-hush"),
			UnlockPassword: secret.New("hush-hush"), ExternalDataLocations: inventory.ExternalDataLocations{
				Information: "http://a", Directory: "http://b", Messages: "http://c", Services: "http://d", AuthenticationServer: "http://e", ProxyServer: "f", Idle: "http://g",
				IdleTimer: 60, SecureInformation: "https://a", SecureDirectory: "https://b", SecureMessages: "https://c", SecureServices: "https://d",
				SecureAuthenticationServer: "https://e", SecureIdle: "https://g",
			}},
		&inventory.Site{Name: "office", CallManagers: []string{"10.0.0.5:5060"}, NTPServers: []string{"10.0.0.1"}, TimeZone: "GMT Standard/Daylight Time", DateTemplate: "D/M/Y", NTPMode: "unicast",
			UserLocale: inventory.UserLocale{Name: "German_Germany", Language: "de_DE", Version: "1", Charset: "utf-8"}, NetworkLocale: inventory.NetworkLocale{Name: "Germany", Version: "1"}},
		&inventory.Device{
			Name: "SEP001122334455", Description: "Alice", Model: "CP-8861", Protocol: "SIP", Load: "sip88xx.14-2", CommonPhoneProfile: "common",
			Template: "adopted", Site: "office", Lines: []string{"0101", "*31"}, VPNAddress: "10.99.0.7",
			Buttons:    []inventory.Button{{Feature: "Speed Dial BLF", Label: "Home", Number: "1002", Pickup: true, Position: 5}, {Feature: "Service URL", Service: "Phone book"}},
			PhoneLabel: "Alice", AddOnModules: []inventory.AddOnModule{{Model: "BEKEM", Load: "x"}}, VendorConfig: map[string]string{"dfBit": "0"},
		},
		&inventory.Line{
			Label: "A", ExternalNumberMask: "030XXXX", MaxCalls: 3, BusyTrigger: 1, CallWaiting: pointer(false), VoiceMail: "8000", MessageWaiting: "None",
			AudibleMessageWaiting: true, RingSettingIdle: "Ring Once", RingSettingActive: "Beep Only", AutoAnswer: "Headset", Name: "0101", DisplayName: "Alice", Secret: secret.New("s:1")},
		&inventory.User{Name: "alice", Password: secret.New("hush-hush"), PasswordHash: secret.New("$argon2id$v=19$m=1"), TOTPSecret: secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY"), Devices: []string{"SEP001122334455"}, GroupLock: "phones", VPNGroupPolicy: "policy", VPNAddress: "10.99.0.8"},
	}
}

var comparable = cmp.AllowUnexported(secret.String{})

func TestEncodedFileReadsBackUnchanged(t *testing.T) {
	t.Parallel()
	want := everything()
	if got, want := len(want), len(inventory.Kinds()); got != want {
		t.Fatalf("the test knows %d kinds of %d", got, want)
	}
	text, err := file.Encode(want, true)
	if err != nil {
		t.Fatal(err)
	}
	read, err := file.Parse("all.yaml", text, file.NoFiles)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(want, read.Objects, comparable); diff != "" {
		t.Errorf("want -, got +:\n%s\n%s", diff, text)
	}
}

func TestEncodeWithoutSecretsHoldsNone(t *testing.T) {
	t.Parallel()
	text, err := file.Encode(everything(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range everything() {
		for _, s := range o.Secrets() {
			if strings.Contains(string(text), strings.TrimSpace(s.Reveal())+"\n") {
				t.Errorf("%s %q shows a secret:\n%s", o.Kind(), o.ObjectName(), text)
			}
		}
	}
	for _, field := range []string{"password:", "passwordHash:", "secret:", "key:", secret.Redacted} {
		if strings.Contains(string(text), field) {
			t.Errorf("%q stands in a file without secrets", field)
		}
	}
}

func TestReadTakesCertificatesFromFilesBesideIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "now.pem"), "CERT")
	write(t, filepath.Join(dir, "now.key"), "KEY")
	write(t, filepath.Join(dir, "inventory.yaml"), "kind: Certificate\nname: now\ncertificateFile: now.pem\nkeyFile: now.key\n")
	read, err := file.Read(filepath.Join(dir, "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := []inventory.Object{&inventory.Certificate{Name: "now", Certificate: "CERT", Key: secret.New("KEY")}}
	if diff := cmp.Diff(want, read.Objects, comparable); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestReadTakesTemplatesFromFilesBesideIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "SEP001122334455.cnf.xml"), "<device/>")
	write(t, filepath.Join(dir, "inventory.yaml"), "kind: PhoneTemplate\nname: old\nfile: SEP001122334455.cnf.xml\n")
	read, err := file.Read(filepath.Join(dir, "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]inventory.Object{&inventory.PhoneTemplate{Name: "old", Content: secret.New("<device/>")}}, read.Objects, comparable); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	want := `inventory.yaml:3: PhoneTemplate "old": content: its deviceProtocol is ""`
	if _, err := read.Set(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s: the line that names the file", err, want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestProblemsHaveLinesAndHints(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want, excerpt, hint string }{
		{"unknown kind", "kind: Device\nname: SEP001122334455\nmodel: CP-8861\n---\nkind: VPNGatway\n",
			`inventory.yaml:5: "VPNGatway" is not a kind`, "kind: VPNGatway", `did you mean "VPNGateway"?`},
		{"no kind", "name: x\n", `inventory.yaml:1: has no kind`, "name: x", "kind: Device"},
		{"unknown key", "kind: Device\nname: SEP001122334455\nmodell: CP-8861\n", `inventory.yaml:3: "modell" is not a key here`, "modell: CP-8861", `did you mean "model"?`},
		{"missing file", "kind: Certificate\nname: c\ncertificateFile: gone.pem\n",
			`inventory.yaml:3: certificateFile: gone.pem: files cannot be read from here`, "certificateFile: gone.pem", ""},
		{"declared twice", "kind: Line\nname: \"1\"\n---\nkind: Line\nname: \"1\"\n", `inventory.yaml:5: Line "1": is declared twice`, `name: "1"`, "another name"},
		{"reference", "kind: Line\nname: \"1001\"\n---\nkind: Device\nname: SEP001122334455\nmodel: CP-8861\nlines: [1002]\n",
			`inventory.yaml:7: Device "SEP001122334455": lines: names the Line "1002", which does not exist`, "lines: [1002]", `did you mean "1001"?`},
		{"field left out", "kind: Device\nname: SEP001122334455\n", `inventory.yaml:2: Device "SEP001122334455": model: is missing`, "name: SEP001122334455", "CP-8861"},
		{"eleven hashes", "kind: VPNGateway\nname: g\nurl: https://vpn.example.net/phones\ncertificates: [a, b, c, d, e, f, g, h, i, j, k]\n",
			`inventory.yaml:4: VPNGateway "g": certificates: names 11 certificates; at most 10 are allowed`, "certificates: [a, b, c, d, e, f, g, h, i, j, k]", ""},
		{"label too long", "kind: Line\nname: \"1\"\nlabel: a label that is much too long for a key\n",
			`inventory.yaml:3: Line "1": label: has 39 characters; phones show 30`, "label: a label that is much too long for a key", "shorten it"},
		{"space in a label of the 79xx", "kind: Device\nname: SEP001122334455\nmodel: CP-7962G\nphoneLabel: two words\n",
			`inventory.yaml:4: Device "SEP001122334455": phoneLabel: "two words" holds a space, which a CP-7962G does not show`, "phoneLabel: two words", "write two_words"},
		{"text that the charset lacks", "kind: Site\nname: s\nuserLocale: {name: Polish_Poland, charset: iso-8859-1}\n---\nkind: Device\nname: SEP001122334455\nmodel: CP-7962G\nsite: s\nphoneLabel: Łódź\n",
			`inventory.yaml:9: Device "SEP001122334455": phoneLabel: "Łódź" holds 'Ł', which is not in the site's charset iso-8859-1`, "phoneLabel: Łódź", "charset: utf-8"},
		{"time zone", "kind: Site\nname: s\ntimeZone: W. Europe Standard Time\n",
			`inventory.yaml:3: Site "s": timeZone: "W. Europe Standard Time" is not a value of this field`, "timeZone: W. Europe Standard Time", `did you mean "W. Europe Standard/Daylight Time"?`},
		{"setting of the product", "kind: CommonPhoneProfile\nname: p\nvendorConfig:\n  webAcess: 2\n",
			`inventory.yaml:3: CommonPhoneProfile "p": vendorConfig: "webAcess" is no setting that is known`, "vendorConfig:", `did you mean "webAccess"?`},
		{"load of another model", "kind: Device\nname: SEP001122334455\nmodel: CP-8861\nload: sip8845_65.12-7-1-0001-393\n",
			`inventory.yaml:4: Device "SEP001122334455": load: "sip8845_65.12-7-1-0001-393" is an image of the CP-8845 for SIP, and this is a CP-8861 that speaks SIP`,
			"load: sip8845_65.12-7-1-0001-393", "begin with sip88xx"},
		{"load of the other protocol", "kind: Device\nname: SEP001122334455\nmodel: CP-7975G\nload: SCCP75.9-4-2SR3-1S\n",
			`inventory.yaml:4: Device "SEP001122334455": load: "SCCP75.9-4-2SR3-1S" is an image of the CP-7975G for SCCP, and this is a CP-7975G that speaks SIP`,
			"load: SCCP75.9-4-2SR3-1S", "begin with SIP75"},
		{"template's text", "kind: PhoneTemplate\nname: old\ncontent: |\n  <device>\n  <sshPassword>hush</sshPassword>\n",
			`inventory.yaml:3: PhoneTemplate "old": content: XML syntax error on line 3`, "", "leave that part out"},
		{"no secret in an excerpt", "kind: Device\nname: SEP001122334455\nmodel: CP-8861\n---\nkind: User\nname: a\ndevices: [SEP001122334455]\npassword: two words\n",
			`inventory.yaml:8: User "a": password: holds a space`, "", "leave it out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			read, err := file.Parse("inventory.yaml", []byte(test.text), file.NoFiles)
			if err == nil {
				_, err = read.Set()
			}
			var problems file.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want Problems", err)
			}
			p := problems[0]
			if !strings.HasPrefix(p.Error(), test.want) || p.Excerpt != test.excerpt || !strings.Contains(p.Hint, test.hint) {
				t.Errorf("got %q, excerpt %q, hint %q\nwant %q, %q, %q", p.Error(), p.Excerpt, p.Hint, test.want, test.excerpt, test.hint)
			}
		})
	}
}

func TestReadSaysWhichFileIsMissing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inventory.yaml")
	_, err := file.Read(path)
	if want := path + ": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
