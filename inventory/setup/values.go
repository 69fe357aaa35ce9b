package setup

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/cnf"
)

// Names of what is made, relative to the folder.
const (
	configFile    = "longcord.yaml"
	inventoryFile = "inventory.yaml"
	masterKeyFile = "state/master.key"
	certificates  = "certificates"
	authorityName = "phones" // of the phones' certificates, also the name of their file
)

// values are what the templates speak of.
type values struct {
	Options
	Host       string
	Port       string
	ProxyARP   bool           // the pool is a part of the inside network
	Fence      []netip.Prefix // what old phones may reach
	Phones     []phone
	HasVPN     bool // some phone has a VPN client
	HasDesk    bool // some phone has none
	Hash       string
	SpareHash  string
	ECDSAHash  string
	FirstPhone Phone
}

// phone is a phone with what was found out and made up for it.
type phone struct {
	Phone
	VPN    bool
	Secret string
}

func (o Options) values() (*values, []string) {
	u, _ := url.Parse(o.URL) // checked before
	v := &values{Options: o, Host: u.Hostname(), Port: u.Port(), FirstPhone: o.Phones[0]}
	if v.Port == "" {
		v.Port = "443"
	}
	for _, p := range o.Phones {
		model, _ := inventory.ModelByName(p.Model) // checked before
		p.Model = model.Name
		v.Phones = append(v.Phones, phone{Phone: p, VPN: model.VPN, Secret: rand.Text()})
		v.HasVPN = v.HasVPN || model.VPN
		v.HasDesk = v.HasDesk || !model.VPN
		v.Legacy = v.Legacy || model.VPN && model.Legacy
	}
	v.ProxyARP = o.InsideNetwork.IsValid() && o.InsideNetwork.Overlaps(o.Pool)
	return v, v.fence(v.warnings())
}

func (v *values) warnings() []string {
	var warnings []string
	if v.Port != "443" {
		warnings = append(warnings, fmt.Sprintf("TCP port %s: phones send DTLS to UDP port 443 all the same, and old loads take no URL with another port", v.Port))
	}
	if v.Outside.Is6() || isIPv6(v.Host) {
		warnings = append(warnings, "the VPN client of phones knows IPv4 only: give an IPv4 address as outside, and the IPv6 one as outside6 in longcord.yaml, unless only OpenConnect and AnyConnect are to come")
	}
	warnings = append(warnings, v.overlaps()...)
	for _, p := range v.Phones {
		if !p.VPN {
			warnings = append(warnings, fmt.Sprintf("%s: %s has no VPN client; it is set up for the office only", p.Device, p.Model))
		}
	}
	return warnings
}

// FileServer is the address that phones fetch their files from, the one for their TFTP fields.
func (v *values) FileServer() netip.Addr {
	if v.Files.IsValid() {
		return v.Files
	}
	return v.Inside
}

// overlaps warns of addresses that many homes have, too. A phone that only pings its file server takes itself for
// inside there, and what it sends to an address of its own network does not go through the tunnel.
func (v *values) overlaps() (warnings []string) {
	server := v.FileServer()
	if network, whose, ok := inventory.HomeNetwork(netip.PrefixFrom(server, server.BitLen())); ok {
		warnings = append(warnings, fmt.Sprintf("%s, where phones fetch their files, is in %s, which many homes have (%s): phones there may take themselves for inside. "+
			"Give files an address of their own with --provisioner, such as 10.47.11.5 if nothing of yours is there", server, network, whose))
	}
	if network, whose, ok := inventory.HomeNetwork(v.Pool); ok {
		warnings = append(warnings, fmt.Sprintf("the pool %s shares addresses with %s, which many homes have (%s): take another, such as 10.99.0.0/24", v.Pool, network, whose))
	}
	if network, whose, ok := inventory.HomeNetwork(netip.PrefixFrom(v.Inside, v.Inside.BitLen())); ok && server != v.Inside {
		warnings = append(warnings, fmt.Sprintf("the inside address %s is in %s, which many homes have (%s): in such a home phones reach it through their tunnel all the same, and other clients may not", v.Inside, network, whose))
	}
	return warnings
}

// guessedBits is the length of an inside network that nobody told.
const guessedBits = 24

// fence fills in what old phones may reach: the inside network and the pool.
func (v *values) fence(warnings []string) []string {
	if !v.Legacy {
		return warnings
	}
	network := v.InsideNetwork
	if !network.IsValid() {
		network = netip.PrefixFrom(v.Inside, guessedBits)
		warnings = append(warnings, fmt.Sprintf("%s is not on this machine, so its network is taken to be %s: correct the access list in inventory.yaml if it is another",
			v.Inside, network.Masked()))
	}
	v.Fence = append(v.Fence, network.Masked())
	if !network.Contains(v.Pool.Addr()) {
		v.Fence = append(v.Fence, v.Pool)
	}
	if v.Files.IsValid() {
		v.Fence = append(v.Fence, netip.PrefixFrom(v.Files, v.Files.BitLen()))
	}
	return v.fencePBX(network, warnings)
}

func (v *values) fencePBX(network netip.Prefix, warnings []string) []string {
	if v.PBX == "" {
		return warnings
	}
	address, err := netip.ParseAddr(hostOf(v.PBX))
	switch {
	case err != nil:
		warnings = append(warnings, fmt.Sprintf("old phones may reach %s only if it is in %s: else add it to the access list in inventory.yaml", v.PBX, network.Masked()))
	case !network.Contains(address):
		v.Fence = append(v.Fence, netip.PrefixFrom(address, address.BitLen()))
	}
	return warnings
}

func hostOf(hostPort string) string {
	u, err := url.Parse("//" + hostPort)
	if err != nil {
		return hostPort
	}
	return u.Hostname()
}

// files makes every file of the set-up. Folders have a name that ends in a slash.
func (v *values) files(now time.Time) ([]File, error) {
	current, spare, err := trust.CreateWithSpare(v.Host, now, lifetime)
	if err != nil {
		return nil, err
	}
	if v.Hash, err = hash(current); err != nil {
		return nil, err
	}
	if v.SpareHash, err = hash(spare); err != nil {
		return nil, err
	}
	beside, err := trust.CreateECDSACertificate(v.Host, now, 2*lifetime)
	if err != nil {
		return nil, err
	}
	if v.ECDSAHash, err = hash(beside); err != nil {
		return nil, err
	}
	settings, err := render(configFile, v)
	if err != nil {
		return nil, err
	}
	objects, err := render(inventoryFile, v)
	if err != nil {
		return nil, err
	}
	made, err := v.issue(now)
	if err != nil {
		return nil, err
	}
	made = slices.Concat(pairFiles("gateway", current), pairFiles("gateway-spare", spare), pairFiles("gateway-ecdsa", beside), made)
	return append([]File{
		{configFile, 0o644, settings},
		{inventoryFile, 0o600, objects},
		{"files/", 0o755 | fs.ModeDir, nil},
		{masterKeyFile, 0o600, masterKey()},
	}, made...), nil
}

// issue makes the authority of the phones' certificates, and one for each phone that goes home.
func (v *values) issue(now time.Time) (files []File, err error) {
	if !v.ByCertificate {
		return nil, nil
	}
	authority, err := trust.CreateAuthority("Phones of "+v.Host, now, lifetime)
	if err != nil {
		return nil, err
	}
	files = pairFiles(authorityName, authority)
	for _, p := range v.Phones {
		if !p.VPN {
			continue
		}
		pair, err := trust.IssueClient(authority, p.Model+"-"+p.Device, now, phoneLifetime)
		if err != nil {
			return nil, err
		}
		files = append(files, pairFiles(p.Device, pair)...)
	}
	return files, nil
}

func pairFiles(name string, pair trust.Pair) []File {
	return []File{
		{path.Join(certificates, name+".pem"), 0o644, []byte(pair.Certificate)},
		{path.Join(certificates, name+".key"), 0o600, []byte(pair.Key.Reveal())},
	}
}

// lifetime of the first certificate: phones know it by its hash alone, and a change is work.
const lifetime = 10 * 365 * 24 * time.Hour

// phoneLifetime is that of a phone's certificate, CUCM's for an LSC.
const phoneLifetime = 5 * 365 * 24 * time.Hour

func hash(pair trust.Pair) (string, error) {
	chain, err := trust.ParseChain(pair.Certificate)
	if err != nil {
		return "", err
	}
	return cnf.CertificateHash(chain[0].Raw), nil
}

func masterKey() []byte {
	key := make([]byte, trust.KeySize)
	rand.Read(key)
	return key
}
