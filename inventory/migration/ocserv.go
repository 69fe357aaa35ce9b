package migration

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/wire/ocserv"
)

// OcservOptions are what a configuration does not say.
type OcservOptions struct {
	Host       string // that clients call; empty: the name in the certificate
	Passphrase secret.String
}

// Ocserv makes an inventory of ocserv.conf, its password file, the files of its users and groups, and its
// certificate and key. Files are told apart by what the configuration calls them.
func Ocserv(sources []Source, o OcservOptions) (Result, error) {
	m := &ocservMigration{builder: newBuilder(), options: o}
	if err := m.sort(sources); err != nil {
		return Result{}, err
	}
	m.certificates.match()
	if err := m.findHost(); err != nil {
		return Result{}, err
	}
	m.run()
	return m.result(), nil
}

type ocservMigration struct {
	*builder
	options       OcservOptions
	file          string
	configuration *ocserv.Configuration
	certificates  certificates
	passwords     *Source
	users, groups map[string]Source // files of their own, by name
	host          string
	presented     *found
}

const ocservName = "ocserv" // of the pool, the policy, the tunnel group for people, and the CertificateAuthority

func (m *ocservMigration) at(s ocserv.Setting) position {
	value := s.Value
	if strings.Contains(s.Key, "secret") || strings.Contains(s.Key, "password") && s.Key != "ban-points-wrong-password" {
		value = "*****"
	}
	return position{m.file, s.Line, s.Key + " = " + value}
}

func baseName(name string) string { return path.Base(strings.ReplaceAll(name, `\`, "/")) }

// sort finds out what each file is.
func (m *ocservMigration) sort(sources []Source) error {
	for _, s := range sources {
		if m.configuration == nil && baseName(s.Name) == "ocserv.conf" || len(sources) == 1 {
			c, err := ocserv.Parse(s.Content)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			m.file, m.configuration = s.Name, c
		}
	}
	if m.configuration == nil {
		return errors.New("no file is called ocserv.conf: give ocserv's configuration under its name, and beside it what it names")
	}
	passwords := between(m.value("auth"), "passwd=", ",]")
	users, groups := m.value("config-per-user"), m.value("config-per-group")
	m.users, m.groups = map[string]Source{}, map[string]Source{}
	for _, s := range sources {
		folder := path.Base(path.Dir(strings.ReplaceAll(s.Name, `\`, "/")))
		switch base := baseName(s.Name); {
		case s.Name == m.file:
		case passwords != "" && base == path.Base(passwords):
			m.passwords = &s
		case users != "" && folder == path.Base(users):
			m.users[base] = s
		case groups != "" && folder == path.Base(groups):
			m.groups[base] = s
		default:
			taken, err := m.certificates.take(m.builder, s, m.options.Passphrase)
			if err != nil {
				return err
			}
			if !taken {
				m.remark(Other, position{file: s.Name}, "ocserv.conf names no such file")
			}
		}
	}
	return nil
}

func (m *ocservMigration) value(key string) string {
	value, _ := m.configuration.Get(key)
	return value
}

// between returns what stands in text between a word and any of the stops.
func between(text, word, stops string) string {
	_, rest, ok := strings.Cut(text, word)
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, stops); i >= 0 {
		rest = rest[:i]
	}
	return strings.Trim(rest, `"`)
}

// findHost finds the certificate that clients meet, and the name that they call.
func (m *ocservMigration) findHost() error {
	for _, f := range m.certificates.found {
		if !f.key.IsZero() && m.presented == nil {
			m.presented = f
		}
	}
	m.host = m.options.Host
	if m.host == "" && m.presented != nil {
		m.host = m.presented.leaf.Subject.CommonName
		if names := m.presented.leaf.DNSNames; len(names) > 0 {
			m.host = names[0]
		}
	}
	if m.host == "" || strings.ContainsAny(m.host, "* /") {
		return errors.New("which name clients call does not follow from the files: give --host NAME, or server-cert and server-key")
	}
	if m.presented == nil {
		m.remark(Lost, position{file: m.file}, "%s or %s is not among the files: with another certificate every phone is shut out", m.value("server-cert"), m.value("server-key"))
	}
	return nil
}

func (m *ocservMigration) run() {
	policy := &inventory.GroupPolicy{Name: ocservName}
	phones := false
	for _, s := range m.configuration.Settings {
		if s.VHost != "" {
			m.remark(Lost, m.at(s), "hosts of their own (vhost) are not carried over: import them as a file of their own")
			continue
		}
		phones = phones || s.Key == "cisco-svc-client-compat" && truthOf(s.Value)
		m.setting(policy, s)
	}
	m.add(policy, position{file: m.file})
	m.pool()
	port := m.value("tcp-port")
	if port == "443" || port == "" {
		port = ""
	} else {
		port = ":" + port
	}
	url := "https://" + m.host + port
	m.group(&inventory.TunnelGroup{Name: ocservName, GroupURLs: []string{url + "/"}, GroupAliases: []string{ocservName}, DefaultGroupPolicy: ocservName})
	m.phones(url, policy, phones)
	for _, name := range sortedNames(m.groups) {
		m.policyFile("", name, m.groups[name])
	}
	m.passwordFile()
}

func truthOf(value string) bool { return value == "true" || value == "yes" || value == "1" }

func sortedNames[T any](files map[string]T) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// phones declares the tunnel group of phones, with a policy that tunnels everything. It is there in any case,
// because the gateway's certificate is that of a URL for phones.
func (m *ocservMigration) phones(url string, people *inventory.GroupPolicy, served bool) {
	const name = "phones"
	policy := *people
	policy.Name, policy.SplitTunnelPolicy, policy.SplitTunnelNetworks = name, "", nil
	m.add(&policy, position{file: m.file})
	if !served {
		m.remark(Changed, position{file: m.file}, "phones can call %s/svc, which ocserv does not serve them without cisco-svc-client-compat", url)
	}
	m.group(&inventory.TunnelGroup{Name: name, GroupURLs: []string{url + "/svc"}, Phones: true, DefaultGroupPolicy: name})
}

// group declares a tunnel group and the gateway at its URL.
func (m *ocservMigration) group(g *inventory.TunnelGroup) {
	at := position{file: m.file, text: g.Name}
	g.AddressPool = ocservName
	switch auth := m.value("auth"); {
	case strings.HasPrefix(auth, "certificate"):
		g.Authentication = inventory.AuthenticateCertificate
	case !strings.HasPrefix(auth, "plain"):
		g.AuthenticationServerGroup = []string{"ocserv-auth"} // refused by the inventory, unless somebody declares it
		m.remark(Lost, at, "auth = %s: declare an AAAServer and name it in authenticationServerGroup; only password files and certificates are carried over", auth)
	}
	if g.NeedsCertificate() {
		g.CertificateAuthorities = m.authorities(at)
	}
	if g.Phones && truthOf(m.value("dtls-legacy")) {
		m.remark(Lost, at, "old phones (79xx) need legacyPhones: true here, together with a filter of their group policy that fences them")
	}
	if g.Phones {
		m.unnamedPhones(g, at)
	}
	if m.add(g, at) && g.Phones && m.presented != nil {
		m.add(&inventory.VPNGateway{Name: gatewayName(g.GroupURLs[0]), URL: g.GroupURLs[0], Certificates: []string{m.presented.declare(m.builder)}}, at)
	}
}

// authorities declares the certificates without keys that may issue others.
func (m *ocservMigration) authorities(at position) []string {
	if m.set.CertificateAuthorities[ocservName] == nil {
		var issuers []*found
		for _, f := range m.certificates.found {
			if f.key.IsZero() && f.leaf.IsCA {
				issuers = append(issuers, f)
			}
		}
		if len(issuers) == 0 {
			m.remark(Lost, at, "the certificate of those who issue clients' certificates (ca-cert) is not among the files")
			return nil
		}
		text := ""
		for _, f := range issuers {
			text += pemText(f.chain[:1])
		}
		m.add(&inventory.CertificateAuthority{Name: ocservName, Certificate: text}, at)
	}
	return []string{ocservName}
}

func (m *ocservMigration) pool() {
	at := position{file: m.file, text: "ipv4-network = " + m.value("ipv4-network")}
	network, err := netip.ParsePrefix(m.value("ipv4-network"))
	if err != nil {
		network = prefixOf(m.value("ipv4-network"), m.value("ipv4-netmask"))
	}
	if !network.IsValid() {
		m.remark(Lost, at, "is no network")
		return
	}
	m.add(&inventory.AddressPool{Name: ocservName, Network: network.Masked().String()}, at)
}

// prefixOf returns address and mask as a network; not valid where they are none.
func prefixOf(address, mask string) netip.Prefix {
	addr, err1 := netip.ParseAddr(address)
	m, err2 := netip.ParseAddr(mask)
	if err1 != nil || err2 != nil || !addr.Is4() || !m.Is4() {
		return netip.Prefix{}
	}
	for bits := range 33 {
		if prefixMask(bits) == m {
			return netip.PrefixFrom(addr, bits)
		}
	}
	return netip.Prefix{}
}

func prefixMask(bits int) netip.Addr {
	mask := ^uint32(0) << (32 - bits)
	return netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)})
}

// policyFile makes a policy of a user's or group's own file.
func (m *ocservMigration) policyFile(prefix, name string, s Source) string {
	c, err := ocserv.Parse(s.Content)
	if err != nil {
		m.remark(Lost, position{file: s.Name}, "%v", err)
		return ""
	}
	p := &inventory.GroupPolicy{Name: plainName(prefix + name)}
	if base := m.set.GroupPolicies[ocservName]; base != nil {
		*p = *base
		p.Name = plainName(prefix + name)
		p.DNSServers, p.SplitDNS, p.SplitTunnelPolicy, p.SplitTunnelNetworks = nil, nil, "", nil
	}
	own := m.file
	m.file = s.Name
	for _, each := range c.Settings {
		m.setting(p, each)
	}
	m.file = own
	if base := m.set.GroupPolicies[ocservName]; base != nil { // a list that the file does not name is the server's
		p.DNSServers = firstList(p.DNSServers, base.DNSServers)
		p.SplitDNS = firstList(p.SplitDNS, base.SplitDNS)
		if p.SplitTunnelPolicy == "" {
			p.SplitTunnelNetworks, p.SplitTunnelPolicy = base.SplitTunnelNetworks, base.SplitTunnelPolicy
		}
	}
	m.add(p, position{file: s.Name})
	return p.Name
}

func firstList(lists ...[]string) []string {
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// setting takes one setting of the server, a group or a user into a policy.
func (m *ocservMigration) setting(p *inventory.GroupPolicy, s ocserv.Setting) {
	at := m.at(s)
	switch s.Key {
	case "auth", "enable-auth", "tcp-port", "server-cert", "server-key", "ca-cert", "ipv4-network", "ipv4-netmask", "config-per-user", "config-per-group",
		"cisco-svc-client-compat", "dtls-legacy", "explicit-ipv4":
		if s.Key == "enable-auth" {
			m.remark(Lost, at, "there is one way of logging in to a tunnel group: declare another tunnel group for this one")
		}
	case "dns", "nbns":
		m.nameServer(p, s, at)
	case "route":
		m.route(p, s.Value, inventory.TunnelSpecified, at)
	case "no-route":
		m.route(p, s.Value, inventory.ExcludeSpecified, at)
	case "default-domain":
		p.DefaultDomain, _, _ = strings.Cut(s.Value, " ")
	case "split-dns":
		p.SplitDNS = append(p.SplitDNS, s.Value)
	case "tunnel-all-dns":
		p.SplitTunnelAllDNS = ptr(truthOf(s.Value))
	case "banner":
		p.Banner = s.Value
	case "idle-timeout":
		m.seconds(&p.IdleTimeout, s.Value, mostTime, at)
	case "session-timeout":
		m.seconds(&p.SessionTimeout, s.Value, mostTime, at)
	case "keepalive":
		m.seconds(&p.KeepAlive, s.Value, mostKeepAlive, at)
	case "dpd":
		m.seconds(&p.DPDClient, s.Value, mostDPD, at)
		m.seconds(&p.DPDGateway, s.Value, mostDPD, at)
	case "rekey-time":
		m.seconds(&p.RekeyTime, s.Value, mostRekey, at)
	case "max-same-clients":
		m.seconds(&p.SimultaneousLogins, s.Value, mostTime, at)
		if p.SimultaneousLogins != nil && *p.SimultaneousLogins == 0 {
			p.SimultaneousLogins = ptr(1 << 20) // 0 is "as many as they like" there and "nobody" here
		}
	case "no-udp":
		p.DTLS = ptr(!truthOf(s.Value))
	case "mtu":
		if why := mtu(p, []string{s.Value}); why != "" {
			m.remark(Changed, at, "%s", why)
		}
	case "restrict-user-to-routes", "restrict-user-to-ports":
		if s.Value != "" && s.Value != "false" {
			p.SimultaneousLogins = ptr(0)
			m.remark(Lost, at, "an AccessList as filter of policy %q does this here. So that nobody gets further than before, its simultaneousLogins are 0", p.Name)
		}
	case "udp-port":
		if s.Value != "443" {
			m.remark(Changed, at, "DTLS is UDP port 443 always: phones send it nowhere else")
		}
	case "listen-host", "ipv6-network", "ipv6-subnet-prefix", "proxy-proto", "device", "iroute", "listen-proxy-proto":
		m.remark(Settings, at, "look for it in longcord.yaml, or declare it by hand")
	case "radius", "cert-user-oid", "cert-group-oid", "crl", "select-group", "auto-select-group", "default-select-group", "default-group-config", "default-user-config", "explicit-ipv6", "hostname",
		"ban-points-wrong-password", "max-ban-score", "camouflage", "camouflage_secret", "pre-login-banner", "mobile-idle-timeout", "mobile-dpd", "ipv6-network-addresses", "acct", "connect-script", "disconnect-script", "host-update-script":
		m.remark(Lost, at, "is not carried over: see whether you need it")
	default:
		m.remark(Other, at, "")
	}
}

func (m *ocservMigration) nameServer(p *inventory.GroupPolicy, s ocserv.Setting, at position) {
	servers := &p.DNSServers
	if s.Key == "nbns" {
		servers = &p.WINSServers
	}
	if _, err := netip.ParseAddr(s.Value); err != nil || len(*servers) == inventory.MaxDNSServers {
		m.remark(Lost, at, "%d addresses are the most, and this is one too many or none", inventory.MaxDNSServers)
		return
	}
	*servers = append(*servers, s.Value)
}

// route takes a network into a split policy; default means everything.
func (m *ocservMigration) route(p *inventory.GroupPolicy, value, policy string, at position) {
	if value == "default" || value == "0.0.0.0/0" || value == "0.0.0.0/0.0.0.0" {
		p.SplitTunnelPolicy, p.SplitTunnelNetworks = inventory.TunnelAll, nil
		return
	}
	network, err := netip.ParsePrefix(value)
	if err != nil {
		address, mask, _ := strings.Cut(value, "/")
		network = prefixOf(address, mask)
	}
	switch {
	case !network.IsValid():
		m.remark(Lost, at, "%q is no network", value)
	case p.SplitTunnelPolicy != "" && p.SplitTunnelPolicy != policy:
		m.remark(Lost, at, "routes and no-routes together have no like here")
	default:
		p.SplitTunnelPolicy = policy
		p.SplitTunnelNetworks = append(p.SplitTunnelNetworks, network.Masked().String())
	}
}

// The inventory's limits, in seconds.
const (
	mostKeepAlive = 600
	mostDPD       = 3600
	mostRekey     = 7 * 24 * 3600
	mostTime      = 366 * 24 * 3600
)

func (m *ocservMigration) seconds(field **int, value string, most int, at position) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		m.remark(Lost, at, "is no number")
		return
	}
	if n > most {
		n = most
		m.remark(Changed, at, "%d is the most here", most)
	}
	*field = ptr(n)
}

// passwordFile declares the users, each with the policy of its own file or of its first group.
func (m *ocservMigration) passwordFile() {
	if m.passwords == nil {
		if strings.HasPrefix(m.value("auth"), "plain") {
			m.remark(Lost, position{file: m.file, text: "auth = " + m.value("auth")}, "the password file is not among the files, so there are no users")
		}
		return
	}
	scanner := bufio.NewScanner(bytes.NewReader(m.passwords.Content))
	for number := 1; scanner.Scan(); number++ {
		if line := strings.TrimSpace(scanner.Text()); line != "" {
			m.passwordLine(line, number)
		}
	}
	if err := scanner.Err(); err != nil {
		m.remark(Lost, position{file: m.passwords.Name}, "what follows cannot be read: %v", err)
	}
}

func (m *ocservMigration) passwordLine(line string, number int) {
	name, _, _ := strings.Cut(line, ":")
	at := position{m.passwords.Name, number, name}
	locked := false
	if parts := strings.SplitN(line, ":", 3); len(parts) == 3 && strings.HasPrefix(parts[2], "!") {
		parts[2] = strings.TrimLeft(parts[2], "!")
		line, locked = strings.Join(parts, ":"), true
		m.remark(Changed, at, "is locked there, so blocked here")
	}
	users, err := login.ParseUsersFile(strings.NewReader(line))
	if err != nil || len(users) != 1 {
		_, says, _ := strings.Cut(fmt.Sprint(err), ": ")
		m.remark(Lost, at, "%s", says)
		return
	}
	u := users[0].User
	u.Blocked = locked
	for i, group := range users[0].Groups {
		switch _, ok := m.groups[group]; {
		case ok && u.VPNGroupPolicy == "":
			u.VPNGroupPolicy = plainName(group)
		default:
			m.remark(Changed, at, "its group %d, %s, decides nothing here", i+1, group)
		}
	}
	if own, ok := m.users[u.Name]; ok {
		u.VPNGroupPolicy = m.policyFile("user-", u.Name, own)
		if c, err := ocserv.Parse(own.Content); err == nil {
			u.VPNAddress, _ = c.Get("explicit-ipv4")
		}
	}
	m.add(&u, at)
}
