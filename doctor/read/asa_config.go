package read

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/asa"
)

// Configurations of an ASA, whole or in pieces: wire/asa says which lines are of one.
// docs/wire/asa-logs.md#pasted-configurations
var _ = recognise(Recogniser{
	Format: "ASA configuration", Follows: true, Platform: finding.ASA,
	New: func(in *fact.Input) Reader { return &asaConfigReader{in: in} },
})

// maxASAConfigurations bounds how many configurations one input may hold.
const maxASAConfigurations = 16

type asaConfigReader struct {
	in  *fact.Input
	all []*asa.Pasted
}

func (r *asaConfigReader) Line(l Line) bool {
	text := l.Text
	if l.Time.IsZero() {
		text = l.Raw
	}
	if len(r.all) == 0 || len(r.all) < maxASAConfigurations && asaBegins(text) && r.last().Begun() {
		r.all = append(r.all, new(asa.Pasted))
	}
	return r.last().Line(l.Number, text)
}

func (r *asaConfigReader) last() *asa.Pasted { return r.all[len(r.all)-1] }

func asaBegins(text string) bool {
	return strings.HasPrefix(text, "ASA Version ") || strings.HasPrefix(text, "PIX Version ")
}

func (r *asaConfigReader) End() {
	for _, p := range r.all {
		if c := p.Configuration(); len(c.Commands) > 0 {
			s := &asaConfig{in: r.in, gateway: p.Host, configuration: c, Settings: c.Settings()}
			s.facts(p.Whole())
		}
	}
}

// asaConfig makes facts of one configuration.
type asaConfig struct {
	*asa.Settings
	in            *fact.Input
	gateway       string
	configuration *asa.Configuration
}

func (s *asaConfig) add(k fact.Kind, c *asa.Command, values ...string) {
	if s.gateway != "" {
		values = append(values, "gateway", s.gateway)
	}
	kept := values[:0:0]
	for i := 0; i+1 < len(values); i += 2 {
		if values[i+1] != "" {
			kept = append(kept, values[i], values[i+1])
		}
	}
	s.in.Add(k, c.Line, c.Redacted(), time.Time{}, kept...)
}

func (s *asaConfig) facts(whole bool) {
	first := s.configuration.Commands[0]
	is := ""
	if whole {
		is = "true"
	}
	s.add(fact.ASAConfiguration, first, "whole", is)
	for _, c := range s.configuration.Commands {
		s.command(c)
	}
	for _, p := range s.Policies {
		s.block(fact.ASAPolicy, "policy", p)
	}
	for _, g := range s.Groups {
		s.block(fact.ASAGroup, "group", g)
	}
	for _, u := range s.Users {
		s.block(fact.ASAUser, "user", u)
	}
	for _, a := range s.WebVPN {
		setting, value := asaSetting(a.Words)
		s.add(fact.ASAWebVPN, a.From, "setting", setting, "value", value)
	}
	for _, p := range s.Pools {
		s.add(fact.GatewayPool, p.From, "network", p.First.String()+"-"+p.Last.String(), "name", p.Name)
	}
	for _, l := range s.Lists {
		if len(l.Entries) > 0 {
			s.add(fact.ASAAccessList, l.Entries[0].From, "list", l.Name, "permits", fmt.Sprint(permits(l)))
		}
	}
	s.certificates()
	s.reach()
}

// permits reports whether an access list lets anything through, or may: an entry that is switched off does not, nor does one
// below that which denies all.
func permits(l *asa.ConfiguredList) bool {
	for _, e := range l.Entries {
		all := slices.ContainsFunc(e.Rules, func(r asa.AccessLine) bool {
			return r.Protocol == "ip" && len(r.Members) == 0 && !r.From.IsValid() && !r.To.IsValid()
		})
		switch {
		case e.Action != "deny" && (len(e.Rules) > 0 || e.Why != ""):
			return true
		case e.Action == "deny" && all:
			return false
		}
	}
	return false
}

// command takes what Settings does not keep: where blocks begin, and commands of one line.
func (s *asaConfig) command(c *asa.Command) {
	w := c.Words
	switch {
	case (c.Starts("ASA", "Version") || c.Starts("PIX", "Version")) && len(w) > 2:
		s.add(fact.ASAVersion, c, "version", strings.Trim(w[2], "<>"))
	case w[0] == "webvpn" && len(w) == 1:
		s.add(fact.ASAWebVPN, c, "setting", "block", "listed", s.listed(c))
	case w[0] == "tunnel-group" && len(w) > 2 && strings.HasSuffix(w[2], "-attributes"):
		s.add(fact.ASAGroup, c, "group", w[1], "setting", w[2], "listed", s.listed(c))
	case w[0] == "group-policy" && len(w) > 2 && strings.HasPrefix(w[2], "attribute"):
		s.add(fact.ASAPolicy, c, "policy", w[1], "setting", "attributes", "listed", s.listed(c))
	case w[0] == "interface":
		s.networkInterface(c)
	case w[0] == "ssl", w[0] == "same-security-traffic", w[0] == "sysopt", w[0] == "vpn-addr-assign", w[0] == "vpn-sessiondb", w[0] == "mtu", w[0] == "access-group",
		c.Starts("http", "server"), c.Starts("aaa", "authentication"), w[0] == "no" && len(w) > 1 && (w[1] == "sysopt" || w[1] == "ssl"), w[0] == "ntp":
		setting, value := asaSetting(w)
		s.add(fact.ASAGlobal, c, "setting", setting, "value", value)
	case c.Starts("crypto", "ca", "certificate", "map") && len(w) > 5:
		s.certificateRule(c)
	}
}

// listed reports whether a block is as the ASA lists it: from its beginning, and, where another command follows, to its end.
// What somebody types at a prompt is no list.
func (s *asaConfig) listed(c *asa.Command) string {
	all := s.configuration.Commands
	switch {
	case c.Typed:
		return ""
	case c == all[len(all)-1] && !s.configuration.Ended:
		return "begun"
	}
	return "whole"
}

func (s *asaConfig) networkInterface(c *asa.Command) {
	for _, i := range s.Interfaces {
		if i.Line != c.Line {
			continue
		}
		address := ""
		if i.Address.IsValid() {
			address = i.Address.String()
		}
		s.add(fact.ASAInterface, c, "name", i.Name, "address", address)
		for _, below := range c.Below {
			if below.Starts("shutdown") {
				s.add(fact.ASAInterfaceDown, below, "name", i.Name)
			}
		}
	}
}

// certificateRule joins a rule of a certificate map with the tunnel group that webvpn gives its matches to.
func (s *asaConfig) certificateRule(c *asa.Command) {
	w := c.Words
	var text []string
	for _, below := range c.Below {
		text = append(text, strings.Join(below.Words, " "))
	}
	for _, a := range s.WebVPN {
		if len(a.Words) > 3 && a.Words[0] == "certificate-group-map" && a.Words[1] == w[4] && a.Words[2] == w[5] {
			s.add(fact.ASACertificateRule, a.From, "map", w[4], "rule", w[5], "text", strings.Join(text, "; "), "group", a.Words[3])
		}
	}
}

func (s *asaConfig) block(k fact.Kind, of string, b *asa.Block) {
	named := &asa.Command{Line: b.Line, Text: b.Name, Words: []string{b.Name}}
	for _, c := range s.configuration.Commands {
		if c.Line == b.Line {
			named = c
		}
	}
	s.add(k, named, of, b.Name)
	if k == fact.ASAGroup && len(b.Words) > 1 {
		s.add(k, named, of, b.Name, "setting", "type", "value", b.Words[1])
	}
	for _, a := range b.Attributes {
		setting, value := asaSetting(a.Words)
		if a.Mode == "ipsec-attributes" || asaSecret[setting] {
			continue
		}
		s.add(k, a.From, of, b.Name, "setting", setting, "value", value)
		if setting == "group-url" {
			if url, state, _ := strings.Cut(value, " "); state != "disable" && !strings.HasPrefix(value, "no ") {
				s.add(fact.GatewayGroupURL, a.From, "url", url, "group", b.Name)
			}
		}
	}
}

var asaSecret = map[string]bool{"pre-shared-key": true, "password": true}

// asaLong are the settings whose names have more than one word.
var asaLong = [][]string{
	{"anyconnect", "ssl", "dtls"}, {"anyconnect", "ssl", "keepalive"}, {"anyconnect", "ssl", "rekey"}, {"anyconnect", "ssl", "compression"},
	{"anyconnect", "ssl", "df-bit-ignore"}, {"anyconnect", "dpd-interval", "client"}, {"anyconnect", "dpd-interval", "gateway"},
	{"anyconnect", "mtu"}, {"anyconnect", "ask"}, {"anyconnect", "image"}, {"anyconnect", "enable"}, {"anyconnect", "keep-installer"}, {"anyconnect", "profiles"},
	{"anyconnect", "modules"}, {"ssl", "trust-point"}, {"ssl", "encryption"}, {"ssl", "server-version"}, {"ssl", "client-version"}, {"ssl", "cipher"}, {"ssl", "certificate-authentication"},
	{"ssl", "dh-group"}, {"ssl", "ecdh-group"}, {"http", "server"}, {"dtls", "port"}, {"sysopt", "connection"}, {"csd", "image"}, {"csd", "enable"}, {"csd", "hostscan"},
	{"hostscan", "image"}, {"hostscan", "enable"}, {"ntp", "server"},
}

// asaSetting parts a command into the name of a setting, in the words since 8.4, and its value.
func asaSetting(words []string) (setting, value string) {
	no := ""
	if words[0] == "no" && len(words) > 1 {
		no, words = "no ", words[1:]
	}
	if words[0] == "svc" {
		words = slices.Clone(words)
		words[0] = "anyconnect"
		if len(words) > 1 && slices.Contains([]string{"dtls", "keepalive", "rekey", "compression", "df-bit-ignore"}, words[1]) {
			words = slices.Insert(words, 1, "ssl")
		}
	}
	for _, long := range asaLong {
		if len(words) >= len(long) && slices.Equal(words[:len(long)], long) {
			return strings.Join(long, " "), strings.TrimSpace(no + strings.Join(words[len(long):], " "))
		}
	}
	return words[0], strings.TrimSpace(no + strings.Join(words[1:], " "))
}

// certificates tells which certificates the ASA presents, and whose it trusts.
func (s *asaConfig) certificates() {
	for _, t := range s.Trustpoints {
		own, issuer := "", ""
		at := &asa.Command{Line: t.Line, Text: "crypto ca trustpoint " + t.Name, Words: []string{"crypto", "ca", "trustpoint", t.Name}}
		for _, c := range t.Certificates {
			parsed, err := x509.ParseCertificate(c.DER)
			if !c.Issuer {
				own = "true"
			} else if err == nil {
				issuer = parsed.Subject.CommonName
			}
			if err == nil && s.presents(t.Name) {
				s.certificate(at, c, parsed)
			}
		}
		s.add(fact.ASATrustpoint, at, "name", t.Name, "own", own, "issuer", issuer)
	}
}

// presents reports whether a trustpoint's certificate is shown on an interface that serves VPN.
func (s *asaConfig) presents(name string) bool {
	serves := func(where string) bool {
		return slices.ContainsFunc(s.WebVPN, func(a asa.Attribute) bool {
			return len(a.Words) > 1 && a.Words[0] == "enable" && strings.EqualFold(a.Words[1], where)
		})
	}
	return slices.ContainsFunc(s.Global, func(a asa.Attribute) bool {
		w := a.Words
		return len(w) > 2 && w[0] == "ssl" && w[1] == "trust-point" && w[2] == name && (len(w) == 3 || serves(w[3]))
	})
}

func (s *asaConfig) certificate(at *asa.Command, c asa.TrustpointCertificate, parsed *x509.Certificate) {
	depth, ca := "0", ""
	if c.Issuer {
		depth, ca = "1", "true"
	}
	names := slices.Clone(parsed.DNSNames)
	for _, ip := range parsed.IPAddresses {
		names = append(names, ip.String())
	}
	at = &asa.Command{Line: c.Line, Text: at.Text + ", certificate " + c.Serial, Words: at.Words}
	s.add(fact.GatewayCertificate, at, "sha1", fmt.Sprintf("%X", sha1.Sum(c.DER)), "depth", depth, "ca", ca, "presented", "true",
		"subject", parsed.Subject.String(), "issuer", parsed.Issuer.String(), "names", strings.Join(names, ","), "key", asaKeyOf(parsed),
		"not-before", parsed.NotBefore.UTC().Format(time.RFC3339), "not-after", parsed.NotAfter.UTC().Format(time.RFC3339))
}

// asaKeyOf says which kind of key a certificate has.
func asaKeyOf(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	}
	return c.PublicKeyAlgorithm.String()
}

func (s *asaConfig) reach() {
	reach := s.Reach()
	if reach.Dynamic {
		s.add(fact.ASARoute, &asa.Command{Text: "router"}, "network", "dynamic")
	}
	for _, r := range reach.Routes {
		tunneled := ""
		if r.Tunneled {
			tunneled = "true"
		}
		s.add(fact.ASARoute, r.From, "interface", r.Interface, "network", r.Network.String(), "via", r.Via, "tunneled", tunneled)
	}
	for _, t := range reach.Translations {
		s.add(fact.ASATranslation, t.From, "in", t.In, "out", t.Out, "kind", string(t.Kind), "source", asaPrefixes(t.Source), "destination", asaPrefixes(t.Destination), "service", t.Service)
	}
	for _, d := range reach.Ranges {
		s.add(fact.ASARange, d.From, "range", d.First.String()+"-"+d.Last.String(), "what", d.What)
	}
}

func asaPrefixes(all []netip.Prefix) string {
	words := make([]string, len(all))
	for i, p := range all {
		words[i] = p.String()
	}
	return strings.Join(words, ",")
}
