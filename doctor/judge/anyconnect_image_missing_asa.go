package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Phones load nothing, and yet an ASA serves no tunnel without an image.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ASAClientsOff) { // the message stands for either
		c.Find(lasting(finding.AnyConnectImageMissing.With("the ASA").As(finding.Likely), f), f)
		c.Find(lasting(finding.VPNNotEnabledOnInterface.With("the ASA", "outside, for clients").As(finding.Likely), f), f)
	}
	refused := c.All(fact.ASAImageRefused)
	another := slices.ContainsFunc(c.Of(fact.ASAWebVPN, "setting", "anyconnect image"), func(f fact.Fact) bool {
		return !slices.ContainsFunc(refused, func(r fact.Fact) bool { return r.Source == f.Source && r.Line == f.Line+1 })
	})
	if len(refused) > 0 && !another {
		c.Find(finding.AnyConnectImageMissing.With("the ASA").As(finding.Likely), refused...)
	}
	for _, b := range c.asas() {
		for _, f := range b.all(fact.ASAImages, "installed", "0") {
			c.Find(finding.AnyConnectImageMissing.With(b.name), f)
		}
		block, ok := b.last(fact.ASAWebVPN, "setting", "block")
		serves, enabled := b.last(fact.ASAWebVPN, "setting", "enable")
		if !ok || !enabled {
			continue
		}
		certainty := finding.Likely // the block may have been cut
		if b.whole() {
			certainty = finding.Certain
		}
		_, image := b.webvpn("anyconnect image")
		client, on := b.webvpn("anyconnect enable")
		switch {
		case !image && on && block.Get("listed") != "": // images stand above it
			c.Find(finding.AnyConnectImageMissing.With(b.name).As(certainty), client)
		case !image && b.whole() && c.meant: // else it serves browsers, perhaps
			c.Find(finding.AnyConnectImageMissing.With(b.name).As(certainty), block, serves)
		}
	}
}, finding.AnyConnectImageMissing, finding.VPNNotEnabledOnInterface)
