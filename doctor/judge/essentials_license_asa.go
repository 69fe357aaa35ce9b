package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The command counts; that the licence is there alone says little, because it may be switched off.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		if f, ok := b.webvpn("anyconnect-essentials"); ok {
			c.Find(finding.EssentialsLicense.With(b.name), f)
			continue
		}
		_, block := b.listed(fact.ASAWebVPN, "setting", "block")
		if f, ok := b.last(fact.ASALicence, "feature", "essentials", "value", "Enabled"); ok && !block && !b.whole() {
			c.Find(finding.EssentialsLicense.With(b.name).As(finding.Possible), f)
			c.Need("send `show run webvpn`: it says whether anyconnect-essentials is on")
		}
	}
}, finding.EssentialsLicense)
