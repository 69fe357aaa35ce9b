package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The port of the VPN given to somebody else, on an interface that serves it.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		port, dtls := "443", "443"
		if f, ok := b.webvpn("port"); ok {
			port = f.Get("value")
		}
		if f, ok := b.webvpn("dtls port"); ok {
			dtls = f.Get("value")
		}
		for _, f := range b.facts[fact.ASATranslation] {
			if !slices.Contains(b.outside(), strings.ToLower(f.Get("out"))) {
				continue
			}
			switch f.Get("service") {
			case "tcp/" + port:
				c.Find(finding.PortTaken.With("TCP "+port+" of interface "+f.Get("out"), "a port forward to "+f.Get("source")).As(finding.Likely), f)
			case "udp/" + dtls:
				c.Find(finding.DTLSBlocked.With("443").As(finding.Likely), f)
			}
		}
	}
}, finding.PortTaken, finding.DTLSBlocked)
