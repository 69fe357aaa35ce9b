package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Versions and ciphers: what the gateway's alerts say, and whether old phones could speak what it speaks.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneAlert) {
		if f.Get("by") != "gateway" {
			continue
		}
		switch name := strings.ToLower(f.Get("name")); {
		case name == "protocol version":
			c.Find(finding.TLSVersion.With(gateway(c)), f)
		case slices.Contains(ofCiphers, name):
			c.Find(finding.TLSCipher.With(gateway(c)).As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.HandshakeFailed) {
		if c.elsewhere(f.Get("server")) {
			continue
		}
		certainty := finding.Possible
		switch offered := f.Get("offered"); {
		case old(c) && offered == "", offered == "TLSv1" && (old(c) || f.Get("by") == "gateway"): // in a capture, phones alone offer so little
			certainty = finding.Likely
		}
		server := cmp.Or(f.Get("server"), gateway(c))
		switch alert := f.Get("alert"); {
		case alert == "protocol version":
			c.Find(finding.TLSVersion.With(server).As(certainty), f)
		case slices.Contains(ofCiphers, alert):
			c.Find(finding.TLSCipher.With(server).As(certainty), f)
		}
	}
	for _, f := range c.All(fact.GatewayVersions) {
		server, versions := f.Get("server"), strings.Split(f.Get("versions"), ",")
		if c.elsewhere(server) || !strings.HasSuffix(server, ":443") && !c.gatewayHost(hostOf("//"+server)) {
			continue
		}
		switch oldest := versions[0]; { // the newest that phones' VPN clients speak is 1.2, and old phones speak 1.0 only
		case !slices.ContainsFunc(versions, func(v string) bool { return v != "TLSv1.3" }):
			c.Find(finding.TLSVersion.With(server).As(finding.Likely), f)
		case old(c) && oldest != "SSLv3" && oldest != "TLSv1":
			c.Find(finding.TLSVersion.With(server).As(finding.Likely), f)
		}
	}
	for _, f := range leaves(c) {
		if strings.HasPrefix(f.Get("key"), "EC ") && f.Get("presented") == "true" && old(c) {
			c.Find(finding.TLSCipher.With(gateway(c)).As(finding.Likely), f)
		}
	}
}, finding.TLSVersion, finding.TLSCipher)

// ofCiphers are the alerts of who finds no cipher that both have.
var ofCiphers = []string{"handshake failure", "insufficient security", "no cipher"}
