package migration

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/wire/asa"
)

// checkHash refuses a hash that no login could be checked against.
func checkHash(hash secret.String) error {
	_, err := login.ParseUsersFile(strings.NewReader("user:" + hash.Reveal()))
	if err == nil {
		return nil
	}
	_, says, _ := strings.Cut(err.Error(), ": ")
	return fmt.Errorf("its password: %s", says)
}

// serverName is that of the nth host of a server group.
func serverName(group string, n int) string {
	if n == 0 {
		return group
	}
	return fmt.Sprintf("%s-%d", group, n+1)
}

// serverNames returns the servers that a list of server groups stands for.
func (m *asaMigration) serverNames(groups []string, at position) (names []string) {
	for _, name := range groups {
		if name == inventory.LocalUsers {
			names = append(names, name)
			continue
		}
		i := slices.IndexFunc(m.settings.Servers, func(g *asa.ServerGroup) bool { return g.Name == name })
		if i < 0 {
			m.remark(Lost, at, "there is no aaa-server %s", name)
			names = append(names, name) // the inventory refuses it: nobody is let in by the users of this inventory instead
			continue
		}
		for n := range max(1, len(m.settings.Servers[i].Hosts)) {
			names = append(names, serverName(name, n))
		}
	}
	return names
}

func (m *asaMigration) servers() {
	for _, group := range m.settings.Servers {
		at := m.atLine(group.Line, "aaa-server "+group.Name)
		if group.Protocol != inventory.RADIUS && group.Protocol != inventory.LDAP {
			m.remark(Lost, at, "the protocol %s is not known here: radius and ldap are", group.Protocol)
			continue
		}
		for _, a := range group.Attributes {
			m.remark(Unneeded, m.at(a.From), "servers are asked in order here, and one that is silent is passed over for a while")
		}
		for n, host := range group.Hosts {
			m.server(group, n, host)
		}
	}
}

func (m *asaMigration) server(group *asa.ServerGroup, n int, host *asa.Block) {
	o := &inventory.AAAServer{Name: serverName(group.Name, n), Protocol: group.Protocol, Host: host.Name}
	if group.Protocol == inventory.RADIUS {
		o.AuthenticationPort, o.AccountingPort = 1645, 1646 // the ASA's, where nothing is said
	} else {
		o.StartTLS = ptr(false)
	}
	for _, a := range host.Attributes {
		m.serverAttribute(o, a)
	}
	at := m.atLine(host.Line, fmt.Sprintf("aaa-server %s host %s", group.Name, host.Name))
	if o.Protocol == inventory.LDAP && !o.LDAPOverSSL {
		m.remark(Changed, at, "asks in clear, as the ASA does: set startTLS: true if the directory can")
	}
	if o.Protocol == inventory.RADIUS {
		m.remark(Changed, at, "replies without Message-Authenticator are refused here: the server has to send it, or set messageAuthenticatorRequired: false")
	}
	m.add(o, at)
}

// longestTimeout is the inventory's limit, in seconds.
const longestTimeout = 60

func (m *asaMigration) serverAttribute(o *inventory.AAAServer, a asa.Attribute) {
	at := m.at(a.From)
	w, rest := a.Words, strings.Join(a.Words[1:], " ")
	switch w[0] {
	case "key", "ldap-login-password":
		m.serverSecret(o, w, at)
	case "authentication-port":
		m.number(&o.AuthenticationPort, rest, at)
	case "accounting-port":
		m.number(&o.AccountingPort, rest, at)
	case "timeout":
		m.number(&o.Timeout, rest, at)
		if o.Timeout > longestTimeout {
			o.Timeout = longestTimeout
			m.remark(Changed, at, "%d seconds are the most here", longestTimeout)
		}
	case "retry-interval":
		m.number(&o.RetryInterval, rest, at)
	case "server-port":
		m.number(&o.ServerPort, rest, at)
	case "ldap-base-dn":
		o.LDAPBaseDN = rest
	case "ldap-scope":
		o.LDAPScope = rest
	case "ldap-naming-attribute":
		o.LDAPNamingAttribute = rest
	case "ldap-login-dn":
		o.LDAPLoginDN = rest
	case "ldap-over-ssl":
		o.LDAPOverSSL, o.StartTLS = rest == "enable", nil
	case "ldap-attribute-map":
		m.attributeMap(o, rest, at)
	case "server-type", "no", "radius-common-pw":
		m.remark(Unneeded, at, "there is nothing to set for it here")
	default:
		m.remark(Lost, at, "has no like here")
	}
}

func (m *asaMigration) number(field *int, text string, at position) {
	n, err := strconv.Atoi(text)
	if err != nil {
		m.remark(Lost, at, "%q is no number", text)
		return
	}
	*field = n
}

// serverSecret takes a key or password, unless the ASA has hidden or encrypted it.
func (m *asaMigration) serverSecret(o *inventory.AAAServer, w []string, at position) {
	field := &o.Key
	if w[0] == "ldap-login-password" {
		field = &o.LDAPLoginPassword
	}
	value := w[len(w)-1]
	switch {
	case len(w) < 2 || strings.Trim(value, "*") == "":
		m.remark(Lost, at, "the ASA has hidden it: use more system:running-config, or write it into the file by hand")
	case len(w) == 3 && w[1] == "8":
		m.remark(Lost, at, "is encrypted with the ASA's master passphrase: write it into the file by hand")
	default:
		*field = secret.New(value)
	}
}

// attributeMap takes the values of an LDAP attribute map that name a group policy.
func (m *asaMigration) attributeMap(o *inventory.AAAServer, name string, at position) {
	b := m.settings.AttributeMap(name)
	if b == nil {
		m.remark(Lost, at, "there is no ldap attribute-map %s", name)
		return
	}
	policies := map[string]bool{}
	for _, a := range b.Attributes {
		if w := a.Words; w[0] == "map-name" && len(w) > 2 {
			policies[w[1]] = w[2] == "Group-Policy" || w[2] == "IETF-Radius-Class"
		}
	}
	for _, a := range b.Attributes {
		w := a.Words
		switch {
		case w[0] == "map-value" && len(w) > 3 && policies[w[1]]:
			o.LDAPAttributeMap = append(o.LDAPAttributeMap, inventory.LDAPMapping{Attribute: w[1], Value: w[2], GroupPolicy: strings.TrimSuffix(strings.TrimPrefix(w[3], "OU="), ";")})
		case w[0] == "map-name" && len(w) > 1 && policies[w[1]]:
		default:
			m.remark(Lost, m.at(a.From), "only the group policy can be taken from a directory here")
		}
	}
}

// trustpoints takes the certificates of the ASA's own; its issuers wait for who needs them.
func (m *asaMigration) trustpoints() {
	for _, t := range m.settings.Trustpoints {
		m.chains[t.Name] = m.chainOf(t)
		own, issuers := m.chains[t.Name].own, m.chains[t.Name].issuers
		for _, a := range t.Attributes {
			if a.Words[0] == "revocation-check" && strings.Join(a.Words[1:], " ") != inventory.None {
				m.remark(Lost, m.at(a.From), "nobody is asked for revoked certificates here: give the CertificateAuthority the authority's list as crlFile")
				continue
			}
			m.remark(Unneeded, m.at(a.From), "how the ASA came to its certificate does not matter here")
		}
		if own == nil {
			continue
		}
		whole := append([]*x509.Certificate{own}, ordered(own, issuers)...)
		m.certificates.add(&found{leaf: own, chain: whole, from: m.atLine(t.Line, "crypto ca trustpoint "+t.Name)})
	}
	m.certificates.match()
}

// chain is a trustpoint's own certificate, nil when it has none, and the issuers.
type chain struct {
	own     *x509.Certificate
	issuers []*x509.Certificate
}

func (m *asaMigration) chainOf(t *asa.Trustpoint) (c chain) {
	for _, each := range t.Certificates {
		certificate, err := x509.ParseCertificate(each.DER)
		switch {
		case err != nil:
			m.remark(Lost, m.atLine(each.Line, "certificate "+each.Serial), "cannot be read: %v", err)
		case each.Issuer:
			c.issuers = append(c.issuers, certificate)
		default:
			c.own = certificate
		}
	}
	return c
}

// ordered returns who signed a certificate, who signed that one, and so on.
func ordered(certificate *x509.Certificate, issuers []*x509.Certificate) (chain []*x509.Certificate) {
	for range issuers {
		i := slices.IndexFunc(issuers, func(c *x509.Certificate) bool {
			return !bytes.Equal(c.Raw, certificate.Raw) && certificate.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			break
		}
		certificate = issuers[i]
		chain = append(chain, certificate)
	}
	return chain
}

// clientAuthorities declares the trustpoints whose issuers vouch for clients, and returns their names. The
// issuer of the ASA's own certificate, which may be a public one, counts only where it is told to or alone.
func (m *asaMigration) clientAuthorities(at position) (names []string) {
	var own []*asa.Trustpoint
	for _, t := range m.settings.Trustpoints {
		usage, said := t.Get("validation-usage")
		switch c := m.chains[t.Name]; {
		case len(c.issuers) == 0, said && !slices.Contains(usage, "ssl-client"):
		case c.own != nil && !said:
			own = append(own, t)
		default:
			names = append(names, m.authority(t, c.issuers))
		}
	}
	for _, t := range own {
		if len(names) == 0 {
			names = append(names, m.authority(t, m.chains[t.Name].issuers))
			continue
		}
		m.remark(Changed, at, "certificates from the issuer of the ASA's own (trustpoint %s) let nobody in here: if phones have theirs from it, declare it as CertificateAuthority", t.Name)
	}
	if len(names) == 0 {
		m.remark(Lost, at, "it asks for client certificates, and no trustpoint has an issuer's certificate")
	}
	return names
}

// authority declares a trustpoint's issuers, once, and returns its name.
func (m *asaMigration) authority(t *asa.Trustpoint, issuers []*x509.Certificate) string {
	if _, made := m.set.CertificateAuthorities[t.Name]; made {
		return t.Name
	}
	at := m.atLine(t.Line, "crypto ca trustpoint "+t.Name)
	o := &inventory.CertificateAuthority{Name: t.Name, Certificate: pemText(issuers)}
	for _, issuer := range issuers {
		if strings.HasPrefix(issuer.Subject.CommonName, "Cisco Manufacturing CA") || issuer.Subject.CommonName == "Cisco Root CA 2048" {
			o.Manufacturer = true
			m.remark(Changed, at, "every Cisco phone in the world has a certificate of %s, so here it proves no more than model and MAC address: only phones that are declared get in", issuer.Subject.CommonName)
		}
	}
	m.add(o, at)
	return t.Name
}

// presented returns the certificate that the ASA presents to clients, or nil without its key.
func (m *asaMigration) presented() *found {
	name, at := "", position{file: m.file}
	for _, a := range m.settings.Global {
		if w := a.Words; len(w) > 2 && w[0] == "ssl" && w[1] == "trust-point" && (name == "" || slices.Contains(w, "outside")) {
			name, at = w[2], m.at(a.From)
		}
	}
	var candidates []*found
	if own := m.chains[name].own; own != nil {
		candidates = append(candidates, m.certificates.add(&found{leaf: own, chain: []*x509.Certificate{own}}))
	}
	if len(candidates) == 0 {
		candidates = slices.DeleteFunc(slices.Clone(m.certificates.found), func(f *found) bool { return f.key.IsZero() })
	}
	switch {
	case len(candidates) == 0 && name == "":
		m.remark(Lost, at, "no ssl trust-point and no certificate with its key: on the ASA crypto ca export NAME pkcs12 PASSPHRASE gives them out; a new certificate would shut all phones out")
	case len(candidates) == 0 || candidates[0].key.IsZero():
		m.remark(Lost, at, "the key of this certificate is not here: on the ASA crypto ca export %s pkcs12 PASSPHRASE gives it out; a new certificate would shut all phones out", name)
	case len(candidates) > 1:
		m.remark(Lost, at, "there are %d certificates with keys, and nothing says which one phones know: give one", len(candidates))
	default:
		return candidates[0]
	}
	return nil
}
