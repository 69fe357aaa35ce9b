package inventory_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
)

const vpnURL = "https://vpn.example.net/phones"

// pair makes a self-signed certificate for the names, the first also as common name. Its RSA key is as
// short as the library makes them, for speed.
func pair(t *testing.T, names ...string) (certificate, key string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return pairOf(t, private, names...)
}

func pairOf(t *testing.T, private crypto.Signer, names ...string) (certificate, key string) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func pointer[T any](value T) *T { return &value }

// office is an inventory with nothing wrong: a legacy phone and a new one, with VPN.
func office(t *testing.T) *inventory.Set {
	t.Helper()
	set := inventory.NewSet()
	for _, name := range []string{"now", "spare"} {
		certificate, key := pair(t, "vpn.example.net")
		must(t, set.Add(&inventory.Certificate{Name: name, Certificate: certificate, Key: secret.New(key)}))
	}
	for _, o := range []inventory.Object{
		&inventory.AddressPool{Name: "pool", Network: "10.99.0.0/24"},
		&inventory.AccessList{Name: "fence", Entries: []inventory.AccessEntry{{Action: "permit", Destination: "10.1.0.0/16"}}},
		&inventory.GroupPolicy{Name: "policy", Filter: "fence"},
		&inventory.TunnelGroup{
			Name: "phones", GroupURLs: []string{vpnURL}, AddressPool: "pool", DefaultGroupPolicy: "policy", Phones: true, LegacyPhones: true,
		},
		&inventory.VPNGateway{Name: "gateway", URL: vpnURL, Certificates: []string{"now", "spare"}},
		&inventory.VPNGroup{Name: "group", Gateways: []string{"gateway"}},
		&inventory.VPNFeatureConfiguration{Name: "features", VPNSettings: inventory.VPNSettings{KeepAlive: pointer(20), MTU: pointer(1300)}},
		&inventory.VPNProfile{Name: "profile", VPNSettings: inventory.VPNSettings{MTU: pointer(1200), PasswordPersistence: pointer(true)}},
		&inventory.CommonPhoneProfile{Name: "common", VPNGroup: "group", VPNProfile: "profile"},
		&inventory.Site{Name: "office", CallManagers: []string{"10.1.0.5", "pbx.example.net:5060"}, NTPServers: []string{"10.1.0.1"}},
		&inventory.Line{Name: "1001"},
		&inventory.Device{Name: "SEP001122334455", Model: "CP-7962G", CommonPhoneProfile: "common", Site: "office", Lines: []string{"1001"}},
		&inventory.Device{Name: "SEP001122334466", Model: "CP-8861", CommonPhoneProfile: "common", Lines: []string{"1001"}},
		&inventory.User{Name: "alice", Password: secret.New("correct-horse"), Devices: []string{"SEP001122334455"}, GroupLock: "phones"},
	} {
		must(t, set.Add(o))
	}
	return set
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestValidateAcceptsAnOffice(t *testing.T) {
	t.Parallel()
	for _, p := range office(t).Validate() {
		t.Errorf("unexpected: %v (%s)", p, p.Hint)
	}
}

// useTemplate gives the second phone a template with this text.
func useTemplate(s *inventory.Set, text string) {
	s.PhoneTemplates["old"] = &inventory.PhoneTemplate{Name: "old", Content: secret.New(text)}
	s.Devices["SEP001122334466"].Template = "old"
}

func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	wildcard, wildcardKey := pair(t, "*.example.net")
	stranger, strangerKey := pair(t, "other.example.net")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	curve, curveKey := pairOf(t, private, "vpn.example.net")
	issued, issuedKey := testcert.PEM(testcert.NewAuthority("An authority", nil).Issue("vpn.example.net", func(c *x509.Certificate) {
		c.DNSNames = []string{"vpn.example.net"}
	}))
	tests := []struct {
		name  string
		spoil func(*inventory.Set)
		want  string // Problem.Error begins with it
		hint  string // Problem.Hint contains it
	}{
		{"dangling gateway", func(s *inventory.Set) { s.VPNGroups["group"].Gateways[0] = "gatway" },
			`VPNGroup "group": gateways: names the VPNGateway "gatway", which does not exist`, `did you mean "gateway"?`},
		{"four gateways", func(s *inventory.Set) { s.VPNGroups["group"].Gateways = []string{"gateway", "b", "c", "d"} },
			`VPNGroup "group": gateways: names 4 gateways; at most 3`, "url3"},
		{"gateway twice", func(s *inventory.Set) { s.VPNGroups["group"].Gateways = []string{"gateway", "gateway"} },
			`VPNGroup "group": gateways: names "gateway" twice`, ""},
		{"no certificates", func(s *inventory.Set) { s.VPNGateways["gateway"].Certificates = nil },
			`VPNGateway "gateway": certificates: is empty`, "refuse to connect"},
		{"legacy certificate that phones do not know", func(s *inventory.Set) { s.VPNGateways["gateway"].LegacyCertificate = "other" },
			`VPNGateway "gateway": legacyCertificate: "other" is not among certificates`, "hashes"},
		{"key on a curve for old phones", func(s *inventory.Set) {
			s.Certificates["now"] = &inventory.Certificate{Name: "now", Certificate: curve, Key: secret.New(curveKey)}
		}, `VPNGateway "gateway": legacyCertificate: certificate "now" has no RSA key, and tunnel group "phones" lets phones in`, "RSA key"},
		{"ECDSA certificate that phones do not know", func(s *inventory.Set) { s.VPNGateways["gateway"].ECDSACertificate = "other" },
			`VPNGateway "gateway": ecdsaCertificate: "other" is not among certificates`, "hashes"},
		{"ECDSA certificate that is none", func(s *inventory.Set) { s.VPNGateways["gateway"].ECDSACertificate = "spare" },
			`VPNGateway "gateway": ecdsaCertificate: certificate "spare" has none`, "ECDSA key"},
		{"ECDSA certificate beside another", func(s *inventory.Set) {
			s.Certificates["now"] = &inventory.Certificate{Name: "now", Certificate: curve, Key: secret.New(curveKey)}
			s.Certificates["beside"] = &inventory.Certificate{Name: "beside", Certificate: curve, Key: secret.New(curveKey)}
			s.VPNGateways["gateway"].Certificates = []string{"now", "spare", "beside"}
			s.VPNGateways["gateway"].LegacyCertificate, s.VPNGateways["gateway"].ECDSACertificate = "spare", "beside"
		}, `VPNGateway "gateway": certificates: certificate "now" stands first, has no RSA key`, "RSA key first"},
		{"ECDSA certificate of nobody beside an authority's", func(s *inventory.Set) {
			s.Certificates["now"] = &inventory.Certificate{Name: "now", Certificate: issued, Key: secret.New(issuedKey)}
			s.Certificates["beside"] = &inventory.Certificate{Name: "beside", Certificate: curve, Key: secret.New(curveKey)}
			s.VPNGateways["gateway"].Certificates = []string{"now", "beside"}
			s.VPNGateways["gateway"].ECDSACertificate = "beside"
		}, `VPNGateway "gateway": ecdsaCertificate: certificate "beside" is signed by nobody`, `the authority of "now"`},
		{"fence that is none", func(s *inventory.Set) {
			s.AccessLists["fence"].Entries = append(s.AccessLists["fence"].Entries, inventory.AccessEntry{Action: "permit", Destination: "any"})
		}, `TunnelGroup "phones": legacyPhones: lets phones in with old cryptography, and access list "fence" of their group policy permits everything`, "what phones need"},
		{"eleven certificates", func(s *inventory.Set) {
			for i := range 11 {
				name := fmt.Sprint("c", i)
				s.Certificates[name] = s.Certificates["now"]
				s.VPNGateways["gateway"].Certificates = append(s.VPNGateways["gateway"].Certificates, name)
			}
		}, `VPNGateway "gateway": certificates: names 13 certificates; at most 10`, ""},
		{"too many in the group", func(s *inventory.Set) {
			for i := range 9 {
				name := fmt.Sprint("c", i)
				s.Certificates[name] = s.Certificates["now"]
				s.VPNGateways["gateway"].Certificates = append(s.VPNGateways["gateway"].Certificates, name)
			}
		}, `VPNGroup "group": gateways: has gateways with 11 certificates in all`, ""},
		{"not https", func(s *inventory.Set) { s.VPNGateways["gateway"].URL = "http://vpn.example.net/phones" },
			`VPNGateway "gateway": url: "http://vpn.example.net/phones" is no https URL`, "https://"},
		{"long url", func(s *inventory.Set) {
			s.VPNGateways["gateway"].URL = "https://other.example.net/" + strings.Repeat("x", 240)
		}, `VPNGateway "gateway": url: has 266 characters`, ""},
		{"url differs in a slash", func(s *inventory.Set) { s.VPNGateways["gateway"].URL = vpnURL + "/" },
			`VPNGateway "gateway": url: https://vpn.example.net/phones/ is on our own gateway`, vpnURL + ", byte for byte"},
		{"url differs in case of host and port", func(s *inventory.Set) { s.VPNGateways["gateway"].URL = "https://VPN.example.net:443/phones" },
			`VPNGateway "gateway": url: https://VPN.example.net:443/phones is on our own gateway`, ""},
		{"own gateway without a tunnel group", func(s *inventory.Set) { s.TunnelGroups["phones"].GroupURLs = nil },
			`VPNGateway "gateway": url: https://vpn.example.net/phones is on our own gateway, which has the key of certificate "now"`, "groupURLs"},
		{"mtu", func(s *inventory.Set) { s.VPNProfiles["profile"].MTU = pointer(1407) },
			`VPNProfile "profile": mtu: is 1407; it must be between 256 and 1406 bytes`, ""},
		{"failToConnect", func(s *inventory.Set) { s.VPNProfiles["profile"].FailToConnect = pointer(601) },
			`VPNProfile "profile": failToConnect: is 601`, ""},
		{"keepAlive", func(s *inventory.Set) { s.VPNFeatures["features"].KeepAlive = pointer(-1) },
			`VPNFeatureConfiguration "features": keepAlive: is -1`, ""},
		{"authentication word", func(s *inventory.Set) { s.VPNProfiles["profile"].ClientAuthentication = "Password only" },
			`VPNProfile "profile": clientAuthentication: "Password only"`, `did you mean "Password Only"?`},
		{"two feature configurations", func(s *inventory.Set) {
			s.VPNFeatures["more"] = &inventory.VPNFeatureConfiguration{Name: "more"}
		}, `VPNFeatureConfiguration "features": there are 2 of this kind`, ""},
		{"long name", func(s *inventory.Set) {
			name := strings.Repeat("n", 51)
			s.Sites[name] = &inventory.Site{Name: name}
		}, `Site "` + strings.Repeat("n", 51) + `": name: has 51 characters`, ""},
		{"device name with colons", func(s *inventory.Set) { s.Devices["SEP001122334466"].Name = "00:11:22:33:44:ff" },
			`Device "00:11:22:33:44:ff": name: "00:11:22:33:44:ff" is not SEP`, "write SEP0011223344FF"},
		{"template that is not there", func(s *inventory.Set) { s.Devices["SEP001122334466"].Template = "old" },
			`Device "SEP001122334466": template: names the PhoneTemplate "old", which does not exist`, "declare"},
		{"template without text", func(s *inventory.Set) { useTemplate(s, "") },
			`PhoneTemplate "old": file: is missing`, "SEP001122334455.cnf.xml"},
		{"template that is cut", func(s *inventory.Set) { useTemplate(s, "<device>\n<vpnGroup>") },
			`PhoneTemplate "old": content: XML syntax error on line 2`, "leave that part out"},
		{"template of another encoding", func(s *inventory.Set) { useTemplate(s, `<?xml version="1.0" encoding="utf-16"?><device/>`) },
			`PhoneTemplate "old": content: xml: opening charset "utf-16": encoding "utf-16" is not read`, "iconv"},
		{"template with a value that is none", func(s *inventory.Set) {
			useTemplate(s, "<device><deviceProtocol>SCCP</deviceProtocol><vpnGroup><mtu>big</mtu></vpnGroup></device>")
		}, `PhoneTemplate "old": content: device/vpnGroup/mtu: "big" is not a number`, ""},
		{"template of unknown phones", func(s *inventory.Set) { useTemplate(s, "<Default/>") },
			`PhoneTemplate "old": content: the file is the default for unknown phones`, ""},
		{"template without protocol", func(s *inventory.Set) { useTemplate(s, "<device/>") },
			`PhoneTemplate "old": content: its deviceProtocol is ""`, "<deviceProtocol>"},
		{"template that is a stub", func(s *inventory.Set) {
			useTemplate(s, "<device><fullConfig>false</fullConfig><deviceProtocol>SIP</deviceProtocol></device>")
		}, `PhoneTemplate "old": content: is the stub of an encrypted file`, "plain file"},
		{"template of the other protocol", func(s *inventory.Set) {
			useTemplate(s, "<device><deviceProtocol>SCCP</deviceProtocol></device>")
		}, `Device "SEP001122334466": template: template "old" is a file for SCCP loads, and the device speaks SIP`, "write protocol: SCCP"},
		{"missing line", func(s *inventory.Set) { s.Devices["SEP001122334466"].Lines = []string{"1002"} },
			`Device "SEP001122334466": lines: names the Line "1002"`, "did you mean \"1001\"?"},
		{"vpn on a 7941", func(s *inventory.Set) { s.Devices["SEP001122334466"].Model = "CP-7941G" },
			`Device "SEP001122334466": commonPhoneProfile: has a VPN group, and CP-7941G has no VPN client`, "without vpnGroup"},
		{"vpn on nobody knows what", func(s *inventory.Set) { s.Devices["SEP001122334466"].Model = "CP-8816" },
			`Device "SEP001122334466": model: "CP-8816" is no model known`, ""},
		{"sccp on an 8861", func(s *inventory.Set) { s.Devices["SEP001122334466"].Protocol = "SCCP" },
			`Device "SEP001122334466": protocol: CP-8861 has no SCCP loads`, "write SIP"},
		{"legacy model, strict group", func(s *inventory.Set) { s.TunnelGroups["phones"].LegacyPhones = false },
			`Device "SEP001122334455": model: CP-7962G speaks only old TLS`, "legacyPhones: true"},
		{"legacy without a fence", func(s *inventory.Set) { s.GroupPolicies["policy"].Filter = "" },
			`TunnelGroup "phones": legacyPhones: lets phones in with old cryptography`, "filter"},
		{"split tunnel", func(s *inventory.Set) {
			s.GroupPolicies["policy"].SplitTunnelPolicy = inventory.TunnelSpecified
			s.GroupPolicies["policy"].SplitTunnelNetworks = []string{"10.0.0.0/8"}
		}, `TunnelGroup "phones": defaultGroupPolicy: group policy "policy" splits the tunnel`, "tunnelall"},
		{"split tunnel through the back door", func(s *inventory.Set) {
			s.GroupPolicies["policy"].SplitTunnelPolicy = inventory.TunnelSpecified
			s.GroupPolicies["policy"].SplitTunnelNetworks = []string{"10.0.0.0/8"}
			s.TunnelGroups["phones"].Phones = false
		}, `VPNGateway "gateway": url: leads phones to tunnel group "phones", whose policy splits the tunnel`, "tunnelall"},
		{"default group", func(s *inventory.Set) { rename(s, inventory.DefaultTunnelGroup) },
			`TunnelGroup "DefaultWEBVPNGroup": phones: the default tunnel group is not for phones`, "of its own"},
		{"default group through the back door", func(s *inventory.Set) {
			rename(s, inventory.DefaultTunnelGroup)
			s.TunnelGroups[inventory.DefaultTunnelGroup].Phones = false
		}, `VPNGateway "gateway": url: leads phones to the default tunnel group`, "of its own"},
		{"a url of invitations", func(s *inventory.Set) {
			g := s.TunnelGroups["phones"]
			g.GroupURLs = append(g.GroupURLs, "https://vpn.example.net/.longcord/phones")
		}, `TunnelGroup "phones": groupURLs: https://vpn.example.net/.longcord/phones begins with /.longcord/`, "another path"},
		{"phones without a url", func(s *inventory.Set) { s.TunnelGroups["phones"].GroupURLs = nil },
			`TunnelGroup "phones": groupURLs: is empty`, ""},
		{"one url, two groups", func(s *inventory.Set) {
			s.TunnelGroups["staff"] = &inventory.TunnelGroup{Name: "staff", GroupURLs: []string{vpnURL}, AddressPool: "pool", DefaultGroupPolicy: "policy"}
		}, `TunnelGroup "staff": groupURLs: https://vpn.example.net/phones belongs to tunnel group "phones" already`, ""},
		{"space in a phone user's password", func(s *inventory.Set) { s.Users["alice"].Password = secret.New("two words") },
			`User "alice": password: holds a space`, "cannot send a space"},
		{"space in a phone user's name", func(s *inventory.Set) { s.Users["alice"].Name = "alice a" },
			`User "alice a": name: "alice a" holds a space`, ""},
		{"wildcard", func(s *inventory.Set) {
			s.Certificates["now"] = &inventory.Certificate{Name: "now", Certificate: wildcard, Key: secret.New(wildcardKey)}
		}, `CommonPhoneProfile "common": vpnGroup: certificate "now" of gateway "gateway" is a wildcard`, "enableHostIDCheck: false"},
		{"other name", func(s *inventory.Set) {
			s.Certificates["spare"] = &inventory.Certificate{Name: "spare", Certificate: stranger, Key: secret.New(strangerKey)}
		}, `CommonPhoneProfile "common": vpnGroup: certificate "spare" does not name vpn.example.net`, "host's own name"},
		{"key of another", func(s *inventory.Set) { s.Certificates["now"].Key = s.Certificates["spare"].Key },
			`Certificate "now": key: private key does not match public key`, "private key of this certificate"},
		{"no certificate", func(s *inventory.Set) { s.Certificates["now"].Certificate = "" },
			`Certificate "now": certificateFile: is missing`, ""},
		{"not pem", func(s *inventory.Set) { s.Certificates["now"].Certificate = "hello" },
			`Certificate "now": certificate: no PEM block`, ""},
		{"pool with host bits", func(s *inventory.Set) { s.AddressPools["pool"].Network = "10.99.0.7/24" },
			`AddressPool "pool": network: 10.99.0.7/24 has bits set`, "write 10.99.0.0/24"},
		{"pool of one", func(s *inventory.Set) { s.AddressPools["pool"].Network = "10.99.0.0/31" },
			`AddressPool "pool": network: 10.99.0.0/31 is too small`, ""},
		{"pool on loopback", func(s *inventory.Set) { s.AddressPools["pool"].Network = "127.0.0.0/8" },
			`AddressPool "pool": network: 127.0.0.0/8 gives no usable addresses`, ""},
		{"pools overlap", func(s *inventory.Set) {
			s.AddressPools["wide"] = &inventory.AddressPool{Name: "wide", Network: "10.99.0.0/16"}
		}, `AddressPool "wide": network: 10.99.0.0/16 overlaps pool "pool" (10.99.0.0/24)`, ""},
		{"ports of ip", func(s *inventory.Set) { s.AccessLists["fence"].Entries[0].Ports = "5060" },
			`AccessList "fence": entries: ports "5060" belong to tcp or udp only`, ""},
		{"ports upside down", func(s *inventory.Set) {
			s.AccessLists["fence"].Entries[0].Protocol = "udp"
			s.AccessLists["fence"].Entries[0].Ports = "20-10"
		}, `AccessList "fence": entries: "20-10" is no port`, ""},
		{"action", func(s *inventory.Set) { s.AccessLists["fence"].Entries[0].Action = "allow" },
			`AccessList "fence": entries: "allow" is not a value`, "permit, deny"},
		{"dns by name", func(s *inventory.Set) { s.GroupPolicies["policy"].DNSServers = []string{"dns.example.net"} },
			`GroupPolicy "policy": dnsServers: "dns.example.net" is no address`, ""},
		{"wins by name", func(s *inventory.Set) { s.GroupPolicies["policy"].WINSServers = []string{"wins"} },
			`GroupPolicy "policy": winsServers: "wins" is no address`, ""},
		{"rekey by renegotiation", func(s *inventory.Set) { s.GroupPolicies["policy"].RekeyMethod = "ssl" },
			`GroupPolicy "policy": rekeyMethod: "ssl" is not a value`, "new-tunnel"},
		{"rekey after two weeks", func(s *inventory.Set) { s.GroupPolicies["policy"].RekeyTime = pointer(14 * 86400) },
			`GroupPolicy "policy": rekeyTime: is 1209600; it must be between 0 and 604800`, ""},
		{"dpd of the gateway", func(s *inventory.Set) { s.GroupPolicies["policy"].DPDGateway = pointer(3601) },
			`GroupPolicy "policy": dpdGateway: is 3601`, ""},
		{"two lists of networks", func(s *inventory.Set) {
			s.GroupPolicies["policy"].SplitTunnelNetworks = []string{"10.0.0.0/8"}
			s.GroupPolicies["policy"].SplitTunnelNetworkList = "fence"
		}, `GroupPolicy "policy": splitTunnelNetworkList: stands beside splitTunnelNetworks`, ""},
		{"no list of networks", func(s *inventory.Set) { s.GroupPolicies["policy"].SplitTunnelNetworkList = "fense" },
			`GroupPolicy "policy": splitTunnelNetworkList: names the AccessList "fense"`, `did you mean "fence"?`},
		{"a user's policy", func(s *inventory.Set) { s.Users["alice"].VPNGroupPolicy = "polisy" },
			`User "alice": vpnGroupPolicy: names the GroupPolicy "polisy"`, `did you mean "policy"?`},
		{"split by the default policy", func(s *inventory.Set) {
			s.GroupPolicies[inventory.DefaultPolicy] = &inventory.GroupPolicy{
				Name: inventory.DefaultPolicy, SplitTunnelPolicy: inventory.TunnelSpecified, SplitTunnelNetworks: []string{"10.0.0.0/8"},
			}
			s.GroupPolicies["policy"].SplitTunnelPolicy = ""
		}, `TunnelGroup "phones": defaultGroupPolicy: group policy "policy" splits the tunnel`, "tunnelall"},
		{"no fence in the default policy", func(s *inventory.Set) { s.TunnelGroups["phones"].DefaultGroupPolicy = "" },
			`TunnelGroup "phones": legacyPhones: lets phones in with old cryptography, and group policy "DfltGrpPolicy" has no filter`, ""},
		{"a pool wider than an ASA's", func(s *inventory.Set) { s.AddressPools["pool"].Network = "10.0.0.0/15" },
			`AddressPool "pool": network: 10.0.0.0/15 is too large`, "several pools"},
		{"a small IPv6 pool", func(s *inventory.Set) {
			s.AddressPools["six"] = &inventory.AddressPool{Name: "six", Network: "fd00::/112"}
		}, `AddressPool "six": network: fd00::/112 is too small`, "/64"},
		{"an IPv6 pool for IPv4", func(s *inventory.Set) {
			s.AddressPools["pool"].Network = "fd00::/64"
		}, `TunnelGroup "phones": addressPool: pool "pool" is IPv6 (fd00::/64)`, "ipv6AddressPool"},
		{"an IPv4 pool for IPv6", func(s *inventory.Set) { s.GroupPolicies["policy"].IPv6AddressPool = "pool" },
			`GroupPolicy "policy": ipv6AddressPool: pool "pool" is IPv4`, ""},
		{"IPv6 for phones", func(s *inventory.Set) {
			s.AddressPools["six"] = &inventory.AddressPool{Name: "six", Network: "fd00::/64"}
			s.TunnelGroups["phones"].IPv6AddressPool = "six"
		}, `TunnelGroup "phones": ipv6AddressPool: phones have no IPv6`, "leave it out"},
		{"pool in two fields", func(s *inventory.Set) { s.TunnelGroups["phones"].AddressPools = []string{"pool"} },
			`TunnelGroup "phones": addressPools: stands beside addressPool`, "keep one"},
		{"no pool", func(s *inventory.Set) { s.TunnelGroups["phones"].AddressPool = "" },
			`TunnelGroup "phones": addressPool: is missing`, ""},
		{"pool twice", func(s *inventory.Set) { s.GroupPolicies["policy"].AddressPools = []string{"pool", "pool"} },
			`GroupPolicy "policy": addressPools: names "pool" twice`, ""},
		{"address in no pool", func(s *inventory.Set) { s.Devices["SEP001122334455"].VPNAddress = "10.98.0.7" },
			`Device "SEP001122334455": vpnAddress: 10.98.0.7 is in no address pool`, ""},
		{"the gateway's address", func(s *inventory.Set) { s.Users["alice"].VPNAddress = "10.99.0.1" },
			`User "alice": vpnAddress: 10.99.0.1 is the network's, the gateway's or the broadcast address`, ""},
		{"an address of IPv6", func(s *inventory.Set) { s.Users["alice"].VPNAddress = "fd00::7" },
			`User "alice": vpnAddress: "fd00::7" is no IPv4 address`, ""},
		{"an address of two", func(s *inventory.Set) {
			s.Devices["SEP001122334455"].VPNAddress, s.Users["alice"].VPNAddress = "10.99.0.7", "10.99.0.7"
		}, `User "alice": vpnAddress: 10.99.0.7 belongs to Device "SEP001122334455" already`, ""},
		{"a password for a hash", func(s *inventory.Set) { s.Users["alice"].PasswordHash = secret.New("hunter2") },
			`User "alice": passwordHash: is no hash`, "write the password itself as password"},
		{"line of letters", func(s *inventory.Set) { s.Lines["1001"].Name = "reception" },
			`Line "reception": name: "reception" is no directory number`, ""},
		{"call manager url", func(s *inventory.Set) { s.Sites["office"].CallManagers = []string{"sip:pbx"} },
			`Site "office": callManagers: "sip:pbx" is no host`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := office(t)
			test.spoil(set)
			problems := set.Validate()
			for _, p := range problems {
				if strings.HasPrefix(p.Error(), test.want) {
					if !strings.Contains(p.Hint, test.hint) {
						t.Errorf("hint is %q, want %q in it", p.Hint, test.hint)
					}
					return
				}
			}
			t.Errorf("got %v\nwant a problem beginning with %s", problems, test.want)
		})
	}
}

// rename gives the tunnel group "phones" another name.
func rename(s *inventory.Set, name string) {
	group := s.TunnelGroups["phones"]
	delete(s.TunnelGroups, "phones")
	group.Name = name
	s.TunnelGroups[name] = group
	s.Users["alice"].GroupLock = name
}

func TestAddRefusesSecondOfAName(t *testing.T) {
	t.Parallel()
	set := office(t)
	err := set.Add(&inventory.Line{Name: "1001"})
	if got, want := fmt.Sprint(err), `Line "1001": is declared twice`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEveryKindCanBeMadeAddedAndListed(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	for _, kind := range inventory.Kinds() {
		o, ok := inventory.New(kind)
		if !ok || o.Kind() != kind {
			t.Fatalf("New(%s) = %v, %v", kind, o, ok)
		}
		must(t, set.Add(o))
	}
	for i, o := range set.Objects() {
		if o.Kind() != inventory.Kinds()[i] {
			t.Errorf("Objects()[%d] is a %s, want %s", i, o.Kind(), inventory.Kinds()[i])
		}
	}
	if _, ok := inventory.New("Phone"); ok {
		t.Error("New made a kind that does not exist")
	}
}

func TestVPNSettingsProfileWinsOverFeaturesWinOverDefaults(t *testing.T) {
	t.Parallel()
	set := office(t)
	vpn, ok := set.VPNSettingsFor(set.Devices["SEP001122334455"])
	if !ok {
		t.Fatal("a device with a VPN group got no VPN settings")
	}
	if vpn.MTU != 1200 || vpn.KeepAlive != 20 || vpn.FailToConnect != 30 || !vpn.PasswordPersistence || !vpn.EnableHostIDCheck ||
		vpn.AutoNetworkDetection || vpn.ClientAuthentication != inventory.UserAndPassword {
		t.Errorf("resolved to %+v", vpn)
	}
	if len(vpn.Gateways) != 1 || len(vpn.Certificates) != 2 || vpn.Certificates[0].Name != "now" {
		t.Errorf("gateways %v, certificates %v", vpn.Gateways, vpn.Certificates)
	}
	if _, ok := set.VPNSettingsFor(&inventory.Device{}); ok {
		t.Error("a device without a profile got VPN settings")
	}
}

func TestDeviceForUser(t *testing.T) {
	t.Parallel()
	set := office(t)
	for user, want := range map[string]string{
		"alice":                     "SEP001122334455",
		"SEP001122334466":           "SEP001122334466",
		"CP-7962G-SEP001122334455":  "SEP001122334455",
		"CP-7962G-SEP0011223344FF":  "",
		"xCP-7962G-SEP001122334455": "",
		"bob":                       "",
	} {
		got := ""
		if device, ok := set.DeviceForUser(user); ok {
			got = device.Name
		}
		if got != want {
			t.Errorf("DeviceForUser(%q) = %q, want %q", user, got, want)
		}
	}
}

func TestGroupByURLIsByteForByte(t *testing.T) {
	t.Parallel()
	set := office(t)
	if group, ok := set.GroupByURL(vpnURL); !ok || group.Name != "phones" {
		t.Errorf("GroupByURL(%s) = %v, %v", vpnURL, group, ok)
	}
	if _, ok := set.GroupByURL(vpnURL + "/"); ok {
		t.Error("a URL with a slash too many found a group")
	}
}

func TestModelByNameTakesWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"CP-7962G": "CP-7962G", "7962": "CP-7962G", "cp-7962g": "CP-7962G", "7941G-GE": "CP-7941G-GE", "8861": "CP-8861", "1234": "",
	} {
		if m, _ := inventory.ModelByName(written); m.Name != want {
			t.Errorf("ModelByName(%q) = %q, want %q", written, m.Name, want)
		}
	}
}
