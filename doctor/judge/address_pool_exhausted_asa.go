package judge

import (
	"cmp"
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	events := c.asaEvents(fact.ASANoAddress)
	said := slices.DeleteFunc(slices.Clone(events), func(f fact.Fact) bool { return f.Get("reason") == "unsaid" })
	if len(events) > 0 && len(said) == 0 { // pools, DHCP servers and servers of users are asked, and it may have none of them
		c.Need("send what the ASA logs beside `Address assignment failed`: `show log | include 737|722020`",
			"send `show run ip local pool`, `show ip local pool NAME` of each, `show run vpn-addr-assign` and `show run tunnel-group`: whether there is no pool, or none with a free address")
	}
	for _, f := range said {
		if f.Get("reason") == "dhcp" {
			c.Find(finding.AddressPoolExhausted.With("of tunnel group "+cmp.Or(f.Get("group"), "of phones")+" (its DHCP server gives none)").As(finding.Likely), f)
			continue
		}
		c.Find(lasting(finding.AddressPoolExhausted.With(c.asaPoolOf(f.Get("group"))).As(finding.Likely), f), f)
	}
	for _, f := range c.All(fact.ASAPoolUse) {
		if f.Get("free") == "0" {
			c.Find(finding.AddressPoolExhausted.With(f.Get("network")), f)
		}
	}
	for _, b := range c.asas() {
		for _, p := range b.phonePools() {
			if phones := c.asaPhones(); phones > p.size() {
				c.Find(finding.AddressPoolExhausted.With(p.String()).As(finding.Likely), p.at)
			}
		}
	}
}, finding.AddressPoolExhausted)

// asaPoolOf names the pool of a tunnel group, or the group.
func (c *Case) asaPoolOf(group string) string {
	for _, b := range c.asas() {
		names, _ := b.pools(asaGroup{name: group, policy: b.policyOf(group)})
		for _, p := range b.phonePools() {
			if slices.Contains(names, p.name) || group == "" {
				return p.String()
			}
		}
	}
	if group == "" {
		return "of phones"
	}
	return "of tunnel group " + group
}

// Groups whose policy and attributes name no pool, or one that is not there.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phoneGroups() {
			at, seen := b.listed(fact.ASAGroup, "group", g.name, "setting", "general-attributes")
			_, policy := b.listed(fact.ASAPolicy, "policy", g.policy, "setting", "attributes")
			_, dhcp := b.last(fact.ASAGroup, "group", g.name, "setting", "dhcp-server")
			names, where := b.pools(g)
			switch {
			case len(names) == 0 && !dhcp && (b.whole() || seen && policy) && !b.framed():
				if !seen {
					at, _ = b.last(fact.ASAGroup, "group", g.name)
				}
				c.Find(g.as(finding.AddressPoolExhausted.With("of tunnel group "+g.name+" (neither it nor its group policy names one)").As(finding.Likely)), at)
			case b.whole():
				for _, name := range names {
					if _, ok := b.last(fact.GatewayPool, "name", name); !ok {
						c.Find(g.as(finding.AddressPoolExhausted.With(name+" of tunnel group "+g.name+" (it is not there)")), where...)
					}
				}
			}
		}
	}
}, finding.AddressPoolExhausted)

// framed reports whether users or servers may name addresses themselves.
func (b *asaBox) framed() bool {
	if _, ok := b.last(fact.ASAUser, "setting", "vpn-framed-ip-address"); ok {
		return true
	}
	for _, f := range b.all(fact.ASAGroup, "setting", "authentication-server-group") {
		if f.Get("value") != "LOCAL" {
			return true
		}
	}
	return false
}
