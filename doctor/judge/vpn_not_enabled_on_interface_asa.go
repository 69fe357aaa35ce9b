package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// webvpn without enable, without its client enabled, or enabled where the way from the Internet does not lead.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		block, ok := b.last(fact.ASAWebVPN, "setting", "block")
		if !ok {
			c.judgeNoVPN(b)
			continue
		}
		outside := b.internet()
		serves := b.outside()
		_, image := b.webvpn("anyconnect image")
		image = image && !c.Has(fact.ASAImageRefused) // then it is a command that failed
		_, on := b.webvpn("anyconnect enable")
		certainty := finding.Likely
		if b.whole() {
			certainty = finding.Certain
		}
		listed := block.Get("listed")
		switch {
		case listed == "":
		case len(serves) == 0 && (image || on || b.whole() && c.meant): // both stand below it
			if outside == "" {
				outside = "outside"
			}
			c.Find(finding.VPNNotEnabledOnInterface.With(b.name, outside).As(certainty), block)
		case len(serves) > 0 && image && !on && (listed == "whole" || b.whole()):
			f, _ := b.webvpn("anyconnect image")
			c.Find(finding.VPNNotEnabledOnInterface.With(b.name, serves[0]).As(certainty), f, block)
		case len(serves) > 0 && outside != "" && c.meant && !slices.Contains(serves, strings.ToLower(outside)):
			f, _ := b.last(fact.ASAWebVPN, "setting", "enable")
			c.Find(finding.VPNNotEnabledOnInterface.With(b.name, outside).As(finding.Likely), f)
		}
	}
}, finding.VPNNotEnabledOnInterface)

// judgeNoVPN is for configurations without webvpn: of a whole one nothing is missing.
func (c *Case) judgeNoVPN(b *asaBox) {
	at, whole := b.last(fact.ASAConfiguration, "whole", "true")
	switch {
	case whole && !c.meant:
		c.Need("say which URL the phone's VPN should reach, with `--url URL`, or send the phone's file: this ASA has no SSL VPN, and nothing that was sent speaks of one")
	case whole:
		c.Find(finding.VPNNotEnabledOnInterface.With(b.name, cmp.Or(b.internet(), "outside")), at)
	case len(b.facts[fact.ASAConfiguration]) > 0 && len(b.facts[fact.ASAGroup])+len(b.facts[fact.ASAPolicy])+len(b.facts[fact.GatewayPool])+len(b.facts[fact.ASAWebVPN]) == 0:
		c.Need("send `show run webvpn`, `show run tunnel-group` and `show run group-policy` of the ASA: what was sent does not speak of its VPN")
	}
}

// internet returns the interface of the default route; empty: there is none, or there are several.
func (b *asaBox) internet() (name string) {
	for _, f := range b.all(fact.ASARoute, "network", "0.0.0.0/0") {
		if f.Get("tunneled") != "" {
			continue
		}
		if name != "" && name != f.Get("interface") {
			return ""
		}
		name = f.Get("interface")
	}
	return name
}
