package judge

import (
	"cmp"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// DTLS switched off, for the gateway or for the phones' policy.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.all(fact.ASAWebVPN, "setting", "enable") {
			if strings.Contains(f.Get("value"), "tls-only") {
				c.Find(finding.DTLSDisabled.With(b.name), f)
			}
		}
		for _, g := range b.phonePolicies() {
			if f, ok := b.dtlsOff(g); ok {
				c.Find(g.as(finding.DTLSDisabled.With(b.name)), append(g.why, f)...)
			}
		}
	}
}, finding.DTLSDisabled)

func (b *asaBox) dtlsOff(g asaGroup) (fact.Fact, bool) {
	f, ok := b.setting(g.policy, "anyconnect ssl dtls")
	value := f.Get("value")
	return f, ok && (value == "none" || strings.HasPrefix(value, "no"))
}

// DTLS on another port, which phones do not use, and phones that have a tunnel by TLS alone.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		if f, ok := b.webvpn("dtls port"); ok && f.Get("value") != "443" {
			c.Find(c.ifMeant(finding.DTLSBlocked.With("443")), f)
		}
		for _, f := range b.facts[fact.ASASession] {
			protocol := f.Get("protocol")
			if f.Get("phone") != "true" || strings.Contains(protocol, "DTLS") || !strings.Contains(protocol, "SSL-Tunnel") || strings.HasPrefix(f.Get("duration"), "0h:00m:") {
				continue
			}
			if _, off := b.dtlsOff(asaGroup{policy: f.Get("policy")}); off || c.Has(fact.ASANoDTLS) || len(b.poorCiphers()) > 0 {
				continue
			}
			c.Find(finding.DTLSBlocked.With("443").As(finding.Likely), f)
		}
	}
}, finding.DTLSBlocked)

// Sessions whose log shows TCP alone, and datagrams to the VPN that a list denies. Lists of an interface are not asked about
// what is for the ASA itself: what they deny is for a gateway behind it, or for web servers.
var _ = rule(func(c *Case) {
	for _, f := range c.asaEvents(fact.ASATCPOnly) {
		if !c.Has(fact.ASANoDTLS) && (f.Get("phone") == "true" || len(c.asaPhoneUsers()) == 0) {
			c.Find(finding.DTLSBlocked.With("443").As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.ASADenied) {
		if f.Get("protocol") == "udp" && f.Get("port") == "443" && !asaPrivate(f.Get("from")) {
			certainty := finding.Possible
			if f.Get("own") == "true" || gateway(c) == f.Get("to") {
				certainty = finding.Likely
			}
			c.Find(finding.DTLSBlocked.With("443").As(certainty), f)
		}
	}
}, finding.DTLSBlocked)

var _ = rule(func(c *Case) {
	for _, f := range c.asaEvents(fact.ASANoDTLS) {
		c.Find(lasting(finding.DTLSCipherMismatch.With("the ASA", "it says so to "+cmp.Or(f.Get("user"), "a client")), f), f)
	}
	for _, b := range c.asas() {
		for _, f := range b.poorCiphers() {
			c.Find(finding.DTLSCipherMismatch.With(b.name, "neither AES128-SHA nor AES256-SHA is among them"), f)
		}
		if f, ok := b.last(fact.ASAGlobal, "setting", "ssl server-version"); ok && strings.Contains(f.Get("value"), "dtlsv1.2") {
			if phone, old := c.oldPhone(); old {
				c.Find(finding.DTLSCipherMismatch.With(b.name, "it demands DTLS 1.2, and such phones speak the version before 1.0"), f, phone)
			}
		}
	}
}, finding.DTLSCipherMismatch)

// poorCiphers are the commands that leave phones no cipher for DTLS.
func (b *asaBox) poorCiphers() (poor []fact.Fact) {
	for _, f := range b.facts[fact.ASAGlobal] {
		value := strings.ToLower(f.Get("value"))
		switch f.Get("setting") {
		case "ssl encryption":
			if value != "" && !strings.HasPrefix(value, "no") && !strings.Contains(value, "aes128-sha1") && !strings.Contains(value, "aes256-sha1") {
				poor = append(poor, f)
			}
		case "ssl cipher":
			if version, ok := strings.CutPrefix(value, "dtlsv1 "); ok && asaPoor(version) {
				poor = append(poor, f)
			}
		}
	}
	return poor
}

// asaPoor reports whether a list of ciphers has none that old phones have.
func asaPoor(value string) bool {
	list, custom := strings.CutPrefix(value, "custom ")
	if !custom {
		return value == "high"
	}
	for _, suite := range strings.FieldsFunc(strings.Trim(list, `"`), func(r rune) bool { return r == ':' || r == ' ' || r == '"' }) {
		if suite == "aes128-sha" || suite == "aes256-sha" || suite == "all" {
			return false
		}
	}
	return true
}
