package judge

import (
	"net/netip"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Host Scan and Cisco Secure Desktop cannot run on a phone; without-csd excepts its group.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		var on fact.Fact
		found := false
		for _, setting := range []string{"csd enable", "hostscan enable"} {
			if f, ok := b.webvpn(setting); ok {
				on, found = f, true
			}
		}
		if !found {
			continue
		}
		for _, g := range b.phoneGroups() {
			at, seen := b.last(fact.ASAGroup, "group", g.name, "setting", "webvpn-attributes")
			if _, without := b.last(fact.ASAGroup, "group", g.name, "setting", "without-csd"); seen && !without {
				c.Find(finding.HostScanOnPhones.With(g.name).As(finding.Likely), on, at)
			}
		}
	}
}, finding.HostScanOnPhones)

// A banner waits for somebody who accepts it.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			if f, ok := b.setting(g.policy, "banner"); ok && strings.HasPrefix(f.Get("value"), "value") {
				c.Find(finding.BannerOnPhones.With(g.policy).As(finding.Possible), f)
			}
		}
	}
}, finding.BannerOnPhones)

// Packets of phones that the ASA drops: by a list, because it knows no way, or because they go from phone to phone.
var _ = rule(func(c *Case) {
	pools := c.asaAllPools()
	for _, f := range c.All(fact.ASADenied) {
		from, to := c.asaPoolHas(f.Get("from")), c.asaPoolHas(f.Get("to"))
		switch {
		case from && to:
			c.Find(finding.PhoneToPhoneDenied.With("the ASA").As(finding.Likely), f)
		case from:
			c.Find(finding.RegistrationUnreachable.With(f.Get("to")).As(finding.Likely), f)
		case len(pools) == 0 && asaCallPorts[f.Get("port")]:
			c.Find(finding.RegistrationUnreachable.With(f.Get("to")).As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.ASANoRoute) {
		switch {
		case c.asaPoolHas(f.Get("to")):
			c.Find(finding.NoRouteToPool.With(f.Get("to"), "the ASA").As(finding.Likely), f)
		case c.asaPoolHas(f.Get("from")), len(pools) == 0 && asaPrivate(f.Get("from")) && asaPrivate(f.Get("to")):
			c.Find(finding.RegistrationUnreachable.With(f.Get("to")).As(finding.Likely), f)
		}
	}
}, finding.PhoneToPhoneDenied, finding.RegistrationUnreachable, finding.NoRouteToPool)

// asaCallPorts are those that phones register by and fetch files from.
var asaCallPorts = map[string]bool{"69": true, "2000": true, "2443": true, "5060": true, "5061": true, "6970": true, "2445": true, "3804": true}

// What a configuration lacks and phones may not need: notes.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		if !b.whole() || len(b.phoneGroups()) == 0 {
			continue
		}
		at, _ := b.last(fact.ASAConfiguration, "whole", "true")
		if _, ok := b.last(fact.ASAGlobal, "setting", "same-security-traffic", "value", "permit intra-interface"); !ok {
			found := finding.PhoneToPhoneDenied.With(b.name)
			found.Severity = finding.Note
			c.Find(found, at)
		}
		if f, ok := b.lostDefault(); ok {
			c.Find(finding.TunneledRouteMissing.With(f.Get("interface")), f)
		}
	}
}, finding.PhoneToPhoneDenied, finding.TunneledRouteMissing)

// lostDefault returns the default route to the Internet where it is the only one, and nothing leads further inside.
func (b *asaBox) lostDefault() (found fact.Fact, ok bool) {
	outside := strings.ToLower(b.internet())
	for _, f := range b.facts[fact.ASARoute] {
		network, err := netip.ParsePrefix(f.Get("network"))
		switch {
		case err != nil, f.Get("tunneled") != "": // a routing protocol, or what was looked for
			return fact.Fact{}, false
		case network.Bits() == 0:
			found, ok = f, true
		case strings.ToLower(f.Get("interface")) != outside:
			return fact.Fact{}, false
		}
	}
	return found, ok
}

// The port of the VPN given to somebody else.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.facts[fact.ASATranslation] {
			if len(b.outside()) == 0 {
				continue
			}
			switch f.Get("service") {
			case "tcp/443":
				c.Find(finding.PortTaken.With("TCP 443 of interface "+f.Get("out"), "a port forward to "+f.Get("source")).As(finding.Likely), f)
			case "udp/443":
				c.Find(finding.DTLSBlocked.With("443").As(finding.Likely), f)
			}
		}
	}
}, finding.PortTaken, finding.DTLSBlocked)

// Old protocols in use.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.facts[fact.ASASession] {
			if f.Get("phone") == "true" && f.Get("tls") == "TLSv1.0" {
				c.Find(finding.LegacyInUse.With(f.Get("group"), "a phone"), f)
			}
		}
	}
}, finding.LegacyInUse)
