package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone whose file names no gateway has no VPN.
var _ = rule(func(c *Case) {
	if speaks(c) {
		return
	}
	for _, f := range c.All(fact.SEPFile) {
		if f.Get("whole") == "true" && f.Get("form") != "encrypted" && !hasVPN(c, f.Source) {
			c.Find(finding.VPNNotConfigured.With(device(c)).As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.SEPVPN) {
		if f.Get("whole") == "true" && f.Get("urls") == "0" {
			c.Find(finding.VPNNotConfigured.With(device(c)), f)
		}
	}
	for _, f := range c.All(fact.PhoneDefaultFile) {
		c.Find(finding.VPNNotConfigured.With(device(c)).As(finding.Possible), f)
	}
}, finding.VPNNotConfigured)

func hasVPN(c *Case, source string) bool {
	for _, f := range c.All(fact.SEPVPN) {
		if f.Source == source {
			return true
		}
	}
	return false
}
