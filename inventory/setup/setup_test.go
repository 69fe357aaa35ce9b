package setup_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/inventory/setup"
	"github.com/longcord/longcord/stage/verify"
)

func options() setup.Options {
	return setup.Options{
		Dir: "office", URL: "https://vpn.example.net/phones", Outside: netip.MustParseAddr("192.0.2.10"), Inside: netip.MustParseAddr("10.1.0.5"),
		Pool: netip.MustParsePrefix("10.99.0.0/24"), InsideNetwork: netip.MustParsePrefix("10.1.0.0/16"),
		Routes: []string{"ip route add 10.99.0.0/24 via 10.1.0.5"}, Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	}
}

// written makes a set-up, writes it and reads it back as serve does.
func written(t *testing.T, o setup.Options) (setup.Result, config.Config, *inventory.Set) {
	t.Helper()
	result, err := setup.Make(o)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	if err := setup.Write(dir, result.Files); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(filepath.Join(dir, config.DefaultName))
	if err != nil {
		t.Fatal(err)
	}
	read, err := file.Read(c.Inventory)
	if err != nil {
		t.Fatal(err)
	}
	set, err := read.Set()
	if err != nil {
		t.Fatal(err)
	}
	return result, c, set
}

func TestMadeFilesAreWhatServeReads(t *testing.T) {
	t.Parallel()
	o := options()
	result, c, set := written(t, o)
	if c.Inside != o.Inside || c.Outside != o.Outside || c.Gateway.Port != 443 || c.Calls.Mode != config.Own {
		t.Errorf("configuration is %+v", c)
	}
	if group, ok := set.GroupByURL(o.URL); !ok || !group.Phones || group.LegacyPhones {
		t.Errorf("tunnel group of the URL is %+v, %v", group, ok)
	}
	device := set.Devices["SEP020000001001"]
	vpn, ok := set.VPNSettingsFor(device)
	if !ok || !vpn.AutoNetworkDetection || !vpn.PasswordPersistence || !vpn.EnableHostIDCheck || vpn.KeepAlive != 20 {
		t.Errorf("phones are told %+v, %v", vpn, ok)
	}
	var told []string
	for _, c := range vpn.Certificates {
		told = append(told, c.Name)
	}
	if want := []string{"gateway", "gateway-ecdsa", "gateway-spare"}; !slices.Equal(told, want) || vpn.Certificates[0].Certificate == vpn.Certificates[2].Certificate {
		t.Errorf("phones are told of %v, want %v", told, want)
	}
	policy := set.GroupPolicies["phones"]
	if *policy.IdleTimeout != 0 || *policy.SessionTimeout != 0 || *policy.KeepAlive != 20 || policy.Filter != "" {
		t.Errorf("policy is %+v", policy)
	}
	for _, word := range []string{"serve", "users add", "option 150 ip 10.1.0.5", "dhcp-option=150,10.1.0.5", `"code": 150`, "ip route add", "master.key", "UDP port 443"} {
		if !strings.Contains(result.Message, word) {
			t.Errorf("message lacks %q:\n%s", word, result.Message)
		}
	}
	if len(result.Warnings) > 0 {
		t.Errorf("warnings %q, want none", result.Warnings)
	}
}

func TestCertificatesServeOldPhones(t *testing.T) {
	t.Parallel()
	o := options()
	_, _, set := written(t, o)
	for name, certificate := range set.Certificates {
		leaf, err := certificate.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		key := x509.RSA
		if name == "gateway-ecdsa" {
			key = x509.ECDSA
		}
		if leaf.VerifyHostname("vpn.example.net") != nil || leaf.PublicKeyAlgorithm != key || leaf.NotAfter.Before(o.Now.AddDate(9, 0, 0)) {
			t.Errorf("%s: %v, %v, until %v", name, leaf.DNSNames, leaf.PublicKeyAlgorithm, leaf.NotAfter)
		}
		if _, err := tls.X509KeyPair([]byte(certificate.Certificate), []byte(certificate.Key.Reveal())); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	o.URL = "https://192.0.2.10:8443/phones"
	result, c, set := written(t, o)
	leaf, _ := set.Certificates["gateway"].Leaf()
	if leaf.VerifyHostname("192.0.2.10") != nil || c.Gateway.Port != 8443 {
		t.Errorf("address in the URL: certificate names %v, port %d", leaf.IPAddresses, c.Gateway.Port)
	}
	if len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "UDP port 443") {
		t.Errorf("warnings about port 8443: %q", result.Warnings)
	}
	o.URL, o.Outside = "https://[2001:db8::10]/phones", netip.MustParseAddr("2001:db8::10")
	result, c, set = written(t, o)
	leaf, _ = set.Certificates["gateway"].Leaf()
	if leaf.VerifyHostname("2001:db8::10") != nil || c.Outside != o.Outside {
		t.Errorf("IPv6 outside: certificate names %v, outside %s", leaf.IPAddresses, c.Outside)
	}
	if len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "outside6") {
		t.Errorf("warnings about IPv6: %q", result.Warnings)
	}
}

func TestEachLineHasItsOwnSecret(t *testing.T) {
	t.Parallel()
	_, _, set := written(t, options())
	a, b := set.Lines["1001"].Secret.Reveal(), set.Lines["1002"].Secret.Reveal()
	if len(a) < 20 || a == b {
		t.Errorf("secrets of %d and %d characters, equal: %v", len(a), len(b), a == b)
	}
}

func phones(t *testing.T, texts ...string) []setup.Phone {
	t.Helper()
	var all []setup.Phone
	for _, text := range texts {
		p, err := setup.ParsePhone(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestNamedPhones(t *testing.T) {
	t.Parallel()
	o := options()
	o.Phones = phones(t, "SEP001122334455=7962:0101:Alice: \"A\"", "SEP001122334466=CP-7841:102")
	result, _, set := written(t, o)
	alice := set.Devices["SEP001122334455"]
	if alice == nil || alice.Model != "CP-7962G" || alice.Description != `Alice: "A"` || alice.Lines[0] != "0101" {
		t.Fatalf("read back %+v", alice)
	}
	if _, ok := set.VPNSettingsFor(set.Devices["SEP001122334466"]); ok {
		t.Error("a model without a VPN client got a VPN group")
	}
	if !set.TunnelGroups["phones"].LegacyPhones {
		t.Error("a 7962 is named, and its tunnel group refuses old TLS")
	}
	if got, want := destinations(set), "10.1.0.0/16 10.99.0.0/24"; got != want {
		t.Errorf("old phones may reach %s, want %s", got, want)
	}
	if len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "CP-7841 has no VPN client") {
		t.Errorf("warnings %q", result.Warnings)
	}
}

func destinations(set *inventory.Set) string {
	var all []string
	for _, e := range set.AccessLists["phones"].Entries {
		all = append(all, strings.TrimPrefix(e.Action+" "+e.Destination, "permit "))
	}
	return strings.Join(all, " ")
}

func TestFenceWithoutKnownNetworkAndPBXBeyondIt(t *testing.T) {
	t.Parallel()
	o := options()
	o.Legacy, o.InsideNetwork, o.PBX = true, netip.Prefix{}, "10.7.0.1:5070"
	result, c, set := written(t, o)
	if got, want := destinations(set), "10.1.0.0/24 10.99.0.0/24 10.7.0.1/32"; got != want {
		t.Errorf("old phones may reach %s, want %s", got, want)
	}
	if len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "10.1.0.0/24") {
		t.Errorf("warnings %q, want one about the guess", result.Warnings)
	}
	if c.Calls.Mode != config.Aside || c.Calls.Servers[0] != o.PBX || set.Sites["office"].CallManagers[0] != o.PBX {
		t.Errorf("calls %+v, site %+v", c.Calls, set.Sites["office"])
	}
}

func TestPoolInsideTheOfficeNeedsNoRoute(t *testing.T) {
	t.Parallel()
	o := options()
	o.Pool = netip.MustParsePrefix("10.1.200.0/24")
	result, _, _ := written(t, o)
	if !strings.Contains(result.Message, "answers ARP") || strings.Contains(result.Message, "ip route add") {
		t.Errorf("message:\n%s", result.Message)
	}
}

// An address that homes have, too, is warned of, and an own one for files goes wherever phones are told it.
func TestHomesOverlap(t *testing.T) {
	t.Parallel()
	o := options()
	o.Inside, o.InsideNetwork, o.Pool = netip.MustParseAddr("192.168.178.5"), netip.MustParsePrefix("192.168.178.0/24"), netip.MustParsePrefix("10.0.0.0/24")
	result, _, _ := written(t, o)
	if all := strings.Join(result.Warnings, "\n"); len(result.Warnings) != 2 || !strings.Contains(all, "FRITZ!Box") || !strings.Contains(all, "--provisioner") || !strings.Contains(all, "the pool 10.0.0.0/24") {
		t.Errorf("warnings:\n%s", all)
	}
	o.Pool, o.Files, o.Legacy = netip.MustParsePrefix("10.99.0.0/24"), netip.MustParseAddr("10.47.11.5"), true
	o.FileRoutes = []string{"ip route add 10.47.11.5/32 via 192.168.178.5"}
	result, c, set := written(t, o)
	if len(result.Warnings) != 1 || c.Provisioner.Address != o.Files {
		t.Errorf("warnings %q, files at %s", result.Warnings, c.Provisioner.Address)
	}
	for _, word := range []string{"option 150 ip 10.47.11.5", "TFTP Server 2 to 10.47.11.5", "ip route add 10.47.11.5/32"} {
		if !strings.Contains(result.Message, word) {
			t.Errorf("message lacks %q:\n%s", word, result.Message)
		}
	}
	fenced := false
	for _, entry := range set.AccessLists["phones"].Entries {
		fenced = fenced || entry.Destination == "10.47.11.5/32"
	}
	if !fenced {
		t.Error("old phones cannot reach their files")
	}
	for _, bad := range []string{"192.168.178.5", "192.0.2.10", "10.99.0.7", "2001:db8::1"} {
		o.Files = netip.MustParseAddr(bad)
		var refusal setup.Refusal
		if _, err := setup.Make(o); !errors.As(err, &refusal) || refusal.Option != "--provisioner" {
			t.Errorf("files at %s: %v, want a refusal", bad, err)
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		spoil      func(*setup.Options)
		want, hint string
	}{
		{"http", func(o *setup.Options) { o.URL = "http://vpn.example.net/phones" }, `--url: "http://vpn.example.net/phones" is no https URL`, "https://"},
		{"no path", func(o *setup.Options) { o.URL = "https://vpn.example.net/" }, `--url: "https://vpn.example.net/" has no path`, "/phones"},
		{"query", func(o *setup.Options) { o.URL += "?x" }, `--url: "https://vpn.example.net/phones?x" holds more`, ""},
		{"no inside", func(o *setup.Options) { o.Inside = netip.Addr{} }, `--inside: invalid IP is no address to listen on`, "10.1.0.5"},
		{"outside anywhere", func(o *setup.Options) { o.Outside = netip.IPv6Unspecified() }, `--outside: :: is no address to listen on`, ""},
		{"inside v6", func(o *setup.Options) { o.Inside = netip.MustParseAddr("2001:db8::1") }, `--inside: 2001:db8::1 is no address to listen on`, ""},
		{"host bits", func(o *setup.Options) { o.Pool = netip.MustParsePrefix("10.99.0.1/24") }, `--pool: 10.99.0.1/24 has bits set`, "write 10.99.0.0/24"},
		{"small pool", func(o *setup.Options) { o.Pool = netip.MustParsePrefix("10.99.0.0/30") }, `--pool: 10.99.0.0/30 is too small`, ""},
		{"own address", func(o *setup.Options) { o.Pool = netip.MustParsePrefix("10.1.0.0/24") }, `--pool: 10.1.0.0/24 contains this machine's own address`, ""},
		{"model", func(o *setup.Options) { o.Phones = phones(t, "SEP001122334455=CP-8816:1") }, `--phone: SEP001122334455: "CP-8816" is no model`, ""},
		{"device", func(o *setup.Options) { o.Phones = phones(t, "SEP00112233445g=CP-8861:1") }, `--phone: "SEP00112233445g" is not SEP and twelve`, ""},
		{"line", func(o *setup.Options) { o.Phones = phones(t, "SEP001122334455=CP-8861:desk") }, `--phone: "desk" is no directory number`, ""},
		{"line twice", func(o *setup.Options) { o.Phones = phones(t, "SEP001122334455=CP-8861:1", "SEP001122334466=CP-8861:1") }, `--phone: line 1 is given to two phones`, ""},
		{"inside on loopback", func(o *setup.Options) { o.Inside = netip.MustParseAddr("127.0.0.1") }, `--inside: 127.0.0.1 can be reached from this machine alone`, "in the office"},
		{"inside unspecified", func(o *setup.Options) { o.Inside = netip.IPv4Unspecified() }, `--inside: 0.0.0.0 is no address`, ""},
		{"url with a space", func(o *setup.Options) { o.URL = "https://vpn.example.net/my%20phones" }, `--url: "https://vpn.example.net/my%20phones" has other characters`, "letters, digits"},
		{"url with an umlaut", func(o *setup.Options) { o.URL = "https://vpn.example.net/büro" }, `--url: "https://vpn.example.net/büro" has other characters`, "letters, digits"},
		{"pbx on IPv6", func(o *setup.Options) { o.PBX = "2001:db8::1" }, `--pbx: "2001:db8::1" is an IPv6 address`, "IPv4"},
		{"pbx on IPv6 in brackets", func(o *setup.Options) { o.PBX = "[2001:db8::1]" }, `--pbx: "[2001:db8::1]" is an IPv6 address`, "IPv4"},
		{"pbx on IPv6 with a port", func(o *setup.Options) { o.PBX = "[2001:db8::1]:5060" }, `--pbx: "[2001:db8::1]:5060" is an IPv6 address`, "IPv4"},
		{"pbx", func(o *setup.Options) { o.PBX = "sip:pbx" }, `--pbx: "sip:pbx" is no host`, "HOST:PORT"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := options()
			test.spoil(&o)
			_, err := setup.Make(o)
			var refusal setup.Refusal
			if !errors.As(err, &refusal) || !strings.HasPrefix(refusal.Error(), test.want) || !strings.Contains(refusal.Hint, test.hint) {
				t.Errorf("got %v, hint %q\nwant %s, %q", err, refusal.Hint, test.want, test.hint)
			}
		})
	}
	for _, text := range []string{"", "SEP001122334455", "SEP001122334455=CP-8861", "=CP-8861:1", "SEP001122334455=:1", "SEP001122334455=CP-8861:"} {
		if _, err := setup.ParsePhone(text); err == nil {
			t.Errorf("ParsePhone(%q) was taken", text)
		}
	}
}

func TestWriteRefusesAFolderWithSomethingInIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := setup.Write(dir, []setup.File{{Name: "longcord.yaml", Mode: 0o644}}); !errors.Is(err, setup.ErrNotEmpty) {
		t.Errorf("got %v, want ErrNotEmpty", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d entries afterwards, want the one from before", len(left))
	}
}

func TestSecretsAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	result, err := setup.Make(options())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := setup.Write(dir, result.Files); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		"inventory.yaml": 0o600, "certificates/gateway.key": 0o600, "certificates/gateway-spare.key": 0o600, "state/master.key": 0o600, "state": 0o700 | fs.ModeDir,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

// TestByCertificate: what is made is enough to log in, and nothing else opens.
func TestByCertificate(t *testing.T) {
	t.Parallel()
	o := options()
	o.ByCertificate = true
	o.Phones = []setup.Phone{{Device: "SEP001122334455", Model: "CP-7962G", Line: "1001"}, {Device: "SEP001122334466", Model: "CP-7940G", Line: "1002"}}
	result, _, set := written(t, o)
	group := set.TunnelGroups["phones"]
	vpn, ok := set.VPNSettingsFor(set.Devices["SEP001122334455"])
	if !ok || group.TakesPassword() || !group.NeedsCertificate() || vpn.ClientAuthentication != inventory.ByCertificate {
		t.Errorf("group %+v, phones are told %+v", group, vpn)
	}
	file := func(name string) []byte {
		for _, f := range result.Files {
			if f.Name == name {
				if secret := strings.HasSuffix(name, ".key"); secret != (f.Mode.Perm() == 0o600) {
					t.Errorf("%s has mode %v", name, f.Mode)
				}
				return f.Content
			}
		}
		return nil
	}
	pair, err := tls.X509KeyPair(file("certificates/SEP001122334455.pem"), file("certificates/SEP001122334455.key"))
	if err != nil {
		t.Fatal(err)
	}
	issuers, err := set.Authorities(group)[0].Issuers()
	if err != nil {
		t.Fatal(err)
	}
	got, err := verify.CheckClient(o.Now, []*x509.Certificate{pair.Leaf}, []verify.Authority{{Name: "phones", Issuers: issuers}})
	if err != nil || got.Name != "CP-7962G-SEP001122334455" {
		t.Errorf("the phone's certificate: %+v, %v", got, err)
	}
	if file("certificates/SEP001122334466.pem") != nil {
		t.Error("a phone without VPN has a certificate")
	}
	if strings.Contains(result.Message, "users add") || !strings.Contains(result.Message, "--cert") {
		t.Errorf("message:\n%s", result.Message)
	}
}
