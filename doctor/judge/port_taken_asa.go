package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

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
