package judge

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/asa"
)

// Drops by the ASA's own word, and translation of the office's addresses without an exemption for those of phones.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ASANATFailed) {
		if c.asaPhoneHas(f.Get("from")) || c.asaPhoneHas(f.Get("to")) {
			c.Find(graver(finding.NATInTheWay.With("the ASA", "it drops packets between "+f.Get("from")+" and "+f.Get("to"))), f)
		} else if !c.asaKnowsAddresses() && asaPrivate(f.Get("from")) && asaPrivate(f.Get("to")) {
			certainty := finding.Possible
			if slices.Contains(callManagerPorts, f.Get("port")) {
				certainty = finding.Likely
			}
			found := finding.NATInTheWay.With("the ASA", "it drops packets between "+f.Get("from")+" and "+f.Get("to")).As(certainty)
			if certainty == finding.Likely {
				found = graver(found)
			}
			c.Find(found, f)
		}
	}
	for _, b := range c.asas() {
		if !b.whole() {
			continue
		}
		for _, p := range b.phonePools() {
			if f, ok := b.translated(p); ok {
				c.Find(finding.NATInTheWay.With(b.name, "answers to pool "+p.String()+" fall under it, because no rule exempts them").As(finding.Likely), p.at, f)
			}
		}
	}
}, finding.NATInTheWay)

func asaPrivate(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.IsPrivate()
}

// asaAllPools are the pools of phones on every ASA.
func (c *Case) asaAllPools() (pools []asaPool) {
	for _, b := range c.asas() {
		pools = append(pools, b.phonePools()...)
	}
	return pools
}

func (c *Case) asaPoolHas(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(c.asaAllPools(), func(p asaPool) bool { return p.has(a) })
}

// translated returns the rule that translates packets from the office to a pool of phones.
func (b *asaBox) translated(p asaPool) (fact.Fact, bool) {
	var dynamic fact.Fact
	found := false
	outside := b.outside()
	for _, f := range b.facts[fact.ASATranslation] {
		from, to := strings.ToLower(f.Get("in")), strings.ToLower(f.Get("out"))
		switch {
		case f.Get("kind") == "exempt" && asaCovers(f.Get("destination"), p):
			return fact.Fact{}, false
		case f.Get("kind") == "dynamic" && f.Get("destination") == "" && !slices.Contains(outside, from) && (to == "" || slices.Contains(outside, to)):
			dynamic, found = f, true
		}
	}
	return dynamic, found
}

// asaCovers reports whether networks, none for all, have all addresses of a pool.
func asaCovers(networks string, p asaPool) bool {
	if networks == "" {
		return true
	}
	var all []netip.Prefix
	for _, text := range strings.Split(networks, ",") {
		if n, err := netip.ParsePrefix(text); err == nil {
			all = append(all, n)
		}
	}
	for _, block := range asa.Blocks(p.first, p.last) {
		if !slices.ContainsFunc(all, func(n netip.Prefix) bool { return n.Contains(block.Addr()) && n.Bits() <= block.Bits() }) {
			return false
		}
	}
	return true
}
