package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A gateway of CUCM without a certificate gives phones no hash, and a group without a gateway no URL.
var _ = rule(func(c *Case) {
	with := func(kind, setting string) map[string]bool {
		names := map[string]bool{}
		for _, f := range c.All(fact.CUCMObject) {
			if f.Get("type") == kind && f.Get("setting") == setting {
				names[f.Get("name")] = true
			}
		}
		return names
	}
	certificates, gateways := with("gateway", "certificates"), with("group", "gateways")
	for _, f := range c.All(fact.CUCMObject) {
		switch {
		case f.Get("setting") != "":
		case f.Get("type") == "gateway" && !certificates[f.Get("name")]:
			c.Find(finding.VPNNotConfigured.With("every phone of VPN gateway "+f.Get("name")).As(finding.Likely), f)
		case f.Get("type") == "group" && !gateways[f.Get("name")]:
			c.Find(finding.VPNNotConfigured.With("every phone of VPN group "+f.Get("name")).As(finding.Likely), f)
		}
	}
}, finding.VPNNotConfigured)
