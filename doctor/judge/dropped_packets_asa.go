package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

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
