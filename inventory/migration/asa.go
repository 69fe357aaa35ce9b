package migration

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/asa"
)

// ASAOptions are what a configuration does not say.
type ASAOptions struct {
	PhoneGroups []string      // tunnel groups that phones use; empty: guessed by their names
	Passphrase  secret.String // of PKCS#12 files
}

// ASA makes an inventory of one running configuration and of certificates and keys that belong to it: PEM,
// DER or PKCS#12, as `crypto ca export` prints it.
func ASA(sources []Source, o ASAOptions) (Result, error) {
	m := &asaMigration{builder: newBuilder(), options: o, lists: map[string]bool{}, chains: map[string]chain{}, closed: map[string]bool{}, open: map[string]bool{}}
	for _, s := range sources {
		if err := m.source(s); err != nil {
			return Result{}, err
		}
	}
	if m.settings == nil {
		return Result{}, errors.New("no file holds the configuration of an ASA: give what show running-config prints")
	}
	m.certificates.match()
	m.run()
	return m.result(), nil
}

type asaMigration struct {
	*builder
	options      ASAOptions
	file         string
	ended        bool
	settings     *asa.Settings
	certificates certificates
	lists        map[string]bool  // names of access lists that were made or taken apart
	chains       map[string]chain // of trustpoints, by name
	closed       map[string]bool  // policies that let no SSL client in
	open         map[string]bool  // policies that say they let SSL clients in
	groups       []*inventory.TunnelGroup
}

// asaCommand is what a configuration of an ASA holds and hardly another text.
var asaCommand = regexp.MustCompile(`(?m)^\W{0,40}(ASA Version |tunnel-group |group-policy |ip local pool |access-list |crypto ca |webvpn\s*$)`)

func (m *asaMigration) source(s Source) error {
	taken, err := m.certificates.take(m.builder, s, m.options.Passphrase)
	if err != nil {
		return err
	}
	text := withoutPEM(s.Content)
	if taken && !asaCommand.Match(text) {
		return nil
	}
	configuration, err := asa.ParseConfiguration(text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	if !asaCommand.Match(text) {
		return fmt.Errorf("%s is neither a certificate, nor a key, nor the configuration of an ASA", s.Name)
	}
	if m.settings != nil {
		return fmt.Errorf("%s and %s are configurations both; import one ASA at a time", m.file, s.Name)
	}
	m.file, m.ended, m.settings = s.Name, configuration.Ended, configuration.Settings()
	return nil
}

// withoutPEM empties the lines of PEM blocks: one recording of a terminal may hold the configuration and what
// crypto ca export printed.
func withoutPEM(content []byte) []byte {
	const begin, end = "-----BEGIN ", "-----END "
	if !bytes.Contains(content, []byte(begin)) {
		return content
	}
	var text []byte
	inside := false
	for line := range bytes.Lines(content) {
		inside = inside || bytes.HasPrefix(bytes.TrimSpace(line), []byte(begin))
		if inside {
			inside = !bytes.HasPrefix(bytes.TrimSpace(line), []byte(end))
			line = []byte("\n")
		}
		text = append(text, line...)
	}
	return text
}

func (m *asaMigration) at(c *asa.Command) position {
	return position{m.file, c.Line, c.Redacted()}
}

func (m *asaMigration) atLine(line int, text string) position { return position{m.file, line, text} }

func (m *asaMigration) run() {
	if !m.ended {
		m.remark(Lost, position{file: m.file}, "the line \": end\" is missing: if the capture was cut, so is what was carried over")
	}
	for _, p := range m.settings.Problems {
		m.remark(Lost, m.atLine(p.Line, ""), "%s", p.Says)
	}
	m.trustpoints()
	m.pools()
	m.servers()
	for _, policy := range m.settings.Policies {
		m.policy(policy)
	}
	m.closePolicies()
	for _, group := range m.settings.Groups {
		m.tunnelGroup(group)
	}
	for _, user := range m.settings.Users {
		m.user(user)
	}
	m.gateways()
	m.unusedLists()
	m.globals()
	for _, c := range m.settings.Others {
		m.other(c)
	}
}

func (m *asaMigration) other(c *asa.Command) {
	m.remark(Other, m.at(c), "")
	for _, below := range c.Below {
		m.other(below)
	}
}

// pools makes networks of the ASA's ranges.
func (m *asaMigration) pools() {
	for _, p := range m.settings.Pools {
		at := m.at(p.From)
		network, why := m.networkOf(p)
		if !network.IsValid() {
			m.remark(Lost, at, "%s", why)
			continue
		}
		if why != "" {
			m.remark(Changed, at, "%s", why)
		}
		m.add(&inventory.AddressPool{Name: p.Name, Network: network.String()}, at)
	}
}

func (m *asaMigration) globals() {
	s := m.settings
	for _, a := range s.Global {
		m.global(a)
	}
	for _, a := range s.WebVPN {
		m.webVPN(a)
	}
	for _, i := range s.Interfaces {
		if i.Address.IsValid() {
			m.remark(Settings, m.atLine(i.Line, "interface "+i.Name), "%s: outside or inside of longcord.yaml, when this machine takes the ASA's place", i.Address.Addr())
		}
	}
}

func (m *asaMigration) global(a asa.Attribute) {
	at := m.at(a.From)
	w := a.Words
	switch {
	case w[0] == "ssl" && len(w) > 1 && w[1] == "trust-point":
		// gateways() takes it
	case w[0] == "ssl", w[0] == "sysopt":
		m.remark(Unneeded, at, "versions and ciphers are the gateway's own: TLS 1.2 and later, older ones where a tunnel group says legacyPhones")
	case w[0] == "same-security-traffic":
		m.remark(Unneeded, at, "sessions reach each other as far as their filters let them")
	case w[0] == "route":
		m.remark(Settings, at, "tunneledDefaultRoute of longcord.yaml")
	case w[0] == "dynamic-access-policy-record" && len(w) > 1 && w[1] == "DfltAccessPolicy":
		m.remark(Unneeded, at, "the default record lets everybody in")
	case w[0] == "dynamic-access-policy-record":
		m.remark(Lost, at, "dynamic access policies have no like here: whom it kept out is let in")
	case w[0] == "tunnel-group-map":
		m.remark(Lost, at, "certificates choose no tunnel group here; the URL does")
	default:
		m.remark(Lost, at, "has no like here")
	}
}

func (m *asaMigration) webVPN(a asa.Attribute) {
	at := m.at(a.From)
	w := strings.Join(a.Words, " ")
	switch first := a.Words[0]; {
	case a.Mode != "":
		m.remark(Unneeded, at, "web pages and clients are not served here")
	case first == "enable":
		m.remark(Settings, at, "outside of longcord.yaml is the address of this interface")
	case first == "port" && w != "port 443":
		m.remark(Settings, at, "outside of longcord.yaml takes the port, and group URLs name it")
	case strings.HasPrefix(w, "dtls port") && w != "dtls port 443":
		m.remark(Lost, at, "DTLS is UDP port 443 always: phones send it nowhere else")
	case first == "tunnel-group-list", first == "anyconnect", first == "svc", first == "no", first == "port", first == "dtls", first == "cache", first == "error-recovery",
		first == "anyconnect-essentials", first == "http-headers", first == "hsts", first == "default-idle-timeout", first == "keepout", first == "onscreen-keyboard":
		m.remark(Unneeded, at, "clients, licences and web pages are not needed here; aliases are always offered")
	default:
		m.remark(Lost, at, "is not known here")
	}
}

// guessedForPhones matches names that people give to what phones use.
var guessedForPhones = regexp.MustCompile(`(?i)phone|voip|ipt|cisco-?svc|7[89][0-9][0-9]|88[0-9][0-9]`)

func (m *asaMigration) forPhones(b *asa.Block, urls []string) bool {
	if len(m.options.PhoneGroups) > 0 {
		return slices.Contains(m.options.PhoneGroups, b.Name)
	}
	return b.Name != inventory.DefaultTunnelGroup && len(urls) > 0 && (guessedForPhones.MatchString(b.Name) || slices.ContainsFunc(urls, guessedForPhones.MatchString))
}

func (m *asaMigration) tunnelGroup(b *asa.Block) {
	at := m.atLine(b.Line, "tunnel-group "+b.Name)
	if kind := strings.Join(b.Words, " "); kind != "" && kind != "type remote-access" && kind != "type webvpn" {
		m.remark(Other, at, "%s", kind)
		m.others(b.Attributes)
		return
	}
	g := &inventory.TunnelGroup{Name: b.Name}
	for _, a := range b.Attributes {
		m.groupAttribute(g, a)
	}
	if len(g.GroupURLs)+len(g.GroupAliases) == 0 {
		m.remark(Other, at, "has neither group-url nor group-alias, so no SSL session can reach it")
		return
	}
	if g.NeedsCertificate() {
		g.CertificateAuthorities = m.clientAuthorities(at)
	}
	if m.forPhones(b, g.GroupURLs) {
		g.Phones = true
		if len(m.options.PhoneGroups) == 0 {
			m.remark(Changed, at, "taken for the phones' by its name; --phones TUNNELGROUP says otherwise")
		}
		m.legacy(g, at)
		m.unnamedPhones(g, at)
	}
	if m.add(g, at) {
		m.groups = append(m.groups, g)
	}
}

// legacy lets old phones in where the ASA did and a filter fences them.
func (m *asaMigration) legacy(g *inventory.TunnelGroup, at position) {
	if !m.oldTLS() {
		return
	}
	g.LegacyPhones = true
	alone := inventory.NewSet()
	*alone = *m.set
	alone.TunnelGroups = inventory.Table[inventory.TunnelGroup]{g.Name: g}
	for _, p := range alone.Validate() {
		if p.Kind == inventory.KindTunnelGroup && p.Field == "legacyPhones" {
			g.LegacyPhones = false
			m.remark(Lost, at, "the ASA lets phones in with TLS 1.0, which 79xx need; here legacyPhones: true does, together with a filter of their group policy that fences them")
			return
		}
	}
}

// oldTLS reports whether the ASA accepts TLS 1.0. Without a setting old versions do, and say so with "any".
func (m *asaMigration) oldTLS() bool {
	for _, a := range m.settings.Global {
		if len(a.Words) > 2 && a.Words[0] == "ssl" && a.Words[1] == "server-version" {
			return slices.Contains([]string{"any", "tlsv1", "tlsv1-only", "sslv3", "sslv3-only"}, a.Words[2])
		}
	}
	return true
}

func (m *asaMigration) others(attributes []asa.Attribute) {
	for _, a := range attributes {
		m.remark(Other, m.at(a.From), "")
	}
}

func (m *asaMigration) groupAttribute(g *inventory.TunnelGroup, a asa.Attribute) {
	at := m.at(a.From)
	w, rest := a.Words, a.Words[1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], "(") {
		rest = rest[1:] // an interface
	}
	switch {
	case a.Mode == "ipsec-attributes" || a.Mode == "ppp-attributes":
		m.remark(Other, at, "")
	case w[0] == "address-pool" && len(rest) > 0:
		g.AddressPools = append(g.AddressPools, rest...)
	case w[0] == "authentication-server-group" && len(rest) > 0:
		g.AuthenticationServerGroup = m.serverNames(rest, at)
	case w[0] == "accounting-server-group" && len(rest) > 0:
		g.AccountingServerGroup = m.serverNames(rest, at)
	case w[0] == "default-group-policy" && len(rest) > 0:
		g.DefaultGroupPolicy = rest[0]
	case w[0] == "authentication" && len(rest) > 0:
		m.authentication(g, rest, at)
	case w[0] == "group-url" && len(rest) > 1 && !strings.HasPrefix(rest[0], "https://"):
		m.remark(Lost, at, "nothing is served without TLS here")
	case w[0] == "group-url" && len(rest) > 1 && rest[1] == "enable":
		g.GroupURLs = append(g.GroupURLs, rest[0])
	case w[0] == "group-alias" && len(rest) > 1 && rest[1] == "enable":
		g.GroupAliases = append(g.GroupAliases, rest[0])
	case w[0] == "group-url" || w[0] == "group-alias":
		m.remark(Unneeded, at, "is switched off")
	case w[0] == "without-csd" || w[0] == "no" || w[0] == "customization":
		m.remark(Unneeded, at, "there is no such thing here")
	case w[0] == "secondary-authentication-server-group" || strings.HasPrefix(w[0], "authorization-"):
		m.remark(Lost, at, "a second server is not asked here: who passes the first is let in")
	default:
		m.remark(Lost, at, "has no like here")
	}
}

func (m *asaMigration) authentication(g *inventory.TunnelGroup, words []string, at position) {
	switch method := strings.Join(words, " "); method {
	case inventory.AuthenticateAAA, inventory.AuthenticateCertificate, inventory.AuthenticateBoth:
		g.Authentication = method
	case "certificate aaa":
		g.Authentication = inventory.AuthenticateBoth
	default:
		g.Authentication = method // the inventory refuses it
		m.remark(Lost, at, "only aaa, certificate and both are known here")
	}
}

// gateways gives group URLs the certificate that the ASA presents there.
func (m *asaMigration) gateways() {
	presented := m.presented()
	if presented == nil {
		return
	}
	groups := slices.DeleteFunc(slices.Clone(m.groups), func(g *inventory.TunnelGroup) bool { return !g.Phones })
	if len(groups) == 0 {
		groups = m.groups
	}
	for _, g := range groups {
		for _, url := range g.GroupURLs {
			m.add(&inventory.VPNGateway{Name: gatewayName(url), URL: url, Certificates: []string{presented.declare(m.builder)}}, m.atLine(0, "group-url "+url))
		}
	}
}

func (m *asaMigration) user(b *asa.Block) {
	at := m.atLine(b.Line, "username "+b.Name)
	u := &inventory.User{Name: b.Name}
	words := strings.Join(b.Words, " ")
	switch form := passwordForm(b.Words); form {
	case "pbkdf2":
		u.PasswordHash = secret.New(b.Words[1])
		if err := checkHash(u.PasswordHash); err != nil {
			m.remark(Lost, at, "%v", err)
			return
		}
	case "":
		if strings.HasPrefix(words, "nopassword") || words == "" {
			m.remark(Lost, at, "has no password")
			return
		}
		m.remark(Lost, at, "its password is hidden, or in clear as no running configuration has it: longcord users add takes it")
		return
	default:
		m.remark(Lost, at, "its password is kept as %q, which cannot be carried over: only pbkdf2 can. Set it anew on the ASA (9.7 or later) and export again, or here with longcord users add", form)
		return
	}
	for _, a := range b.Attributes {
		if !m.userAttribute(u, a) {
			return
		}
	}
	m.add(u, at)
}

// passwordForm returns how a password is kept, out of what follows a user's name.
func passwordForm(words []string) string {
	if len(words) < 3 || words[0] != "password" || !slices.Contains([]string{"pbkdf2", "encrypted", "nt-encrypted", "mschap"}, words[2]) {
		return ""
	}
	return words[2]
}

// userAttribute takes one attribute of a user, and reports whether this is a user of the VPN.
func (m *asaMigration) userAttribute(u *inventory.User, a asa.Attribute) bool {
	at := m.at(a.From)
	w := a.Words
	switch {
	case a.Mode != "" || len(w) < 2:
		m.remark(Lost, at, "has no like here for a single user; a policy of the user's own can have it")
	case w[0] == "service-type" && (w[1] == "admin" || w[1] == "nas-prompt"):
		m.remark(Lost, at, "user %s administers the ASA and logs in to no VPN", u.Name)
		return false
	case w[0] == "service-type":
	case w[0] == "vpn-group-policy":
		u.VPNGroupPolicy = w[1]
	case w[0] == "group-lock" && len(w) > 2 && w[1] == "value":
		u.GroupLock = w[2]
	case w[0] == "vpn-framed-ip-address":
		u.VPNAddress = w[1]
	case w[len(w)-1] == "none":
	case w[0] == "vpn-filter" || w[0] == "vpn-access-hours" || w[0] == "vpn-tunnel-protocol" || w[0] == "vpn-simultaneous-logins":
		u.Blocked = true
		m.remark(Lost, at, "has no like here for a single user, so %s is blocked: give the user a policy of its own, then take blocked away", u.Name)
	default:
		m.remark(Lost, at, "has no like here for a single user; a policy of the user's own can have it")
	}
	return true
}
