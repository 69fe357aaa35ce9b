package judge

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// IOS with CME: what phones are told, and its own SSL VPN.

// Phones of CME get a file with a gateway when each has a file of its own, and its group has a gateway and a hash.
var _ = rule(func(c *Case) {
	service := c.Of(fact.IOSService, "name", "telephony-service")
	per := slices.ContainsFunc(service, func(f fact.Fact) bool {
		return f.Get("setting") == "cnf-file" && strings.HasPrefix(f.Get("value"), "perphone")
	})
	if groups := c.Of(fact.IOSGroup, "setting", "vpn-gateway"); len(groups) > 0 && !slices.ContainsFunc(c.All(fact.IOSPhone), func(f fact.Fact) bool { return f.Get("vpn-group") != "" }) {
		for _, f := range c.All(fact.IOSPhone) {
			c.Find(finding.VPNNotConfigured.With(f.Get("name")).As(finding.Likely), f, groups[0])
		}
	}
	for _, f := range c.All(fact.IOSPhone) {
		name, group := f.Get("name"), f.Get("vpn-group")
		if group != "" && strings.HasPrefix(name, "ephone") && len(service) > 0 && !per {
			c.Find(finding.VPNNotConfigured.With(name).As(finding.Likely), f, service[0])
		}
		if group == "" {
			continue
		}
		if groups := c.Of(fact.IOSGroup, "group", group); len(groups) > 0 && len(c.Of(fact.IOSGroup, "group", group, "setting", "vpn-gateway")) == 0 {
			c.Find(finding.VPNNotConfigured.With(name).As(finding.Likely), f, groups[0])
		}
	}
	for _, f := range c.Of(fact.IOSGroup, "setting", "vpn-gateway") {
		if group := f.Get("group"); group != "" && len(c.Of(fact.IOSGroup, "group", group, "setting", "vpn-trustpoint")) == 0 {
			c.Find(finding.VPNNotConfigured.With("every phone of vpn-group "+group).As(finding.Likely), f)
		}
	}
}, finding.VPNNotConfigured)

// iosContexts returns the names of IOS's own SSL VPN contexts.
func (c *Case) iosContexts() (names []string) {
	for _, f := range c.Of(fact.IOSGateway, "setting", "block") {
		if strings.HasPrefix(f.Get("name"), "context ") && !slices.Contains(names, f.Get("name")) {
			names = append(names, f.Get("name"))
		}
	}
	return names
}

var _ = rule(func(c *Case) {
	for _, f := range c.Of(fact.IOSGateway, "setting", "block") {
		name := f.Get("name")
		settings := c.Of(fact.IOSGateway, "name", name)
		ended := len(c.Of(fact.IOSGateway, "name", name, "setting", "end")) > 0
		if c.meant && len(settings) > 2 && ended && len(c.Of(fact.IOSGateway, "name", name, "setting", "inservice", "value", "")) == 0 {
			c.Find(finding.VPNNotEnabledOnInterface.With("the router", "of webvpn "+name).As(finding.Likely), f)
		}
	}
	for _, f := range c.Of(fact.IOSGateway, "setting", "no") {
		if strings.HasPrefix(f.Get("value"), "svc dtls") || strings.HasPrefix(f.Get("value"), "dtls") {
			c.Find(finding.DTLSDisabled.With("the router"), f)
		}
	}
	for _, f := range c.Of(fact.IOSGateway, "setting", "svc") {
		if strings.HasPrefix(f.Get("value"), "split include") || strings.HasPrefix(f.Get("value"), "split exclude") {
			c.Find(finding.SplitTunnel.With(strings.TrimPrefix(f.Get("name"), "context ")).As(finding.Likely), f)
		}
	}
}, finding.VPNNotEnabledOnInterface, finding.SplitTunnel, finding.DTLSDisabled)

// With DTLS, IOS shows its own certificate alone, so the hash of the authority is never met.
var _ = rule(func(c *Case) {
	contexts := c.iosContexts()
	if len(contexts) == 0 {
		return
	}
	for _, f := range c.Of(fact.IOSGroup, "setting", "vpn-trustpoint") {
		if strings.HasSuffix(f.Get("value"), " root") && len(c.asas()) == 0 {
			c.Find(finding.CertificateHashOfWrongCertificate.With("the router", "the root").As(finding.Likely), f)
		}
	}
	var domains []string
	for _, f := range c.Of(fact.IOSGateway, "setting", "gateway") {
		if words := strings.Fields(f.Get("value")); len(words) > 2 && words[1] == "domain" {
			domains = append(domains, words[2])
		}
	}
	for _, f := range c.Of(fact.IOSGroup, "setting", "vpn-gateway") {
		words := strings.Fields(f.Get("value"))
		if len(words) < 2 || len(domains) == 0 || len(c.asas()) > 0 {
			continue
		}
		if u, err := url.Parse(words[1]); err == nil && !slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold("/"+d, strings.TrimSuffix(u.Path, "/")) }) {
			c.Find(finding.GroupURLMismatch.With(words[1]).As(finding.Likely), f)
		}
	}
}, finding.CertificateHashOfWrongCertificate, finding.GroupURLMismatch)

// A router has certificates for more than VPN. One that has ended is a fault where its SSL VPN or the phones' vpn-group names its
// trustpoint, and a question elsewhere.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.IOSCertificate) {
		until, ends := moment(f, "not-after")
		if !ends || c.Now().IsZero() || !c.Now().After(until) {
			continue
		}
		what := "device certificate"
		if f.Get("ca") == "true" {
			what = "CA certificate"
		}
		name := "trustpoint " + cmp.Or(f.Get("trustpoints"), "(not named)")
		if at, used := c.iosUses(f); used && f.Get("ca") == "" {
			c.Find(finding.CertificateExpired.With("(the router's "+name+")", until.Format(time.DateOnly)), f, at)
			continue
		}
		c.Need("if phones' VPN uses it, send `show running-config | section webvpn|vpn-group` of the router: the " + what + " of " + name + " ended " + until.Format(time.DateOnly))
	}
}, finding.CertificateExpired)

// iosUses returns the setting by which a router's SSL VPN, or what it tells phones of theirs, names a trustpoint of a certificate.
func (c *Case) iosUses(certificate fact.Fact) (fact.Fact, bool) {
	for _, f := range slices.Concat(c.Of(fact.IOSGateway, "setting", "ssl"), c.Of(fact.IOSGroup, "setting", "vpn-trustpoint")) {
		words := strings.Fields(f.Get("value"))
		if i := slices.Index(words, "trustpoint"); i >= 0 && i+1 < len(words) && slices.Contains(strings.Fields(certificate.Get("trustpoints")), words[i+1]) {
			return f, true
		}
	}
	return fact.Fact{}, false
}
