package judge

import (
	"net/netip"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

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
