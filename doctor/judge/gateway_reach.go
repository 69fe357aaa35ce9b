package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Names that do not resolve, and gateways that nobody reaches.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.GatewayNoName) {
		found := finding.GatewayNameUnresolved.With(serverOf(c, f))
		if f.Get("unsure") == "true" {
			found = found.As(finding.Possible)
			c.Need("say what was typed as the gateway's name, and send what `nslookup NAME` prints")
		}
		c.Find(c.unlessReached(found, f), f)
	}
	for _, f := range c.All(fact.PhoneNoName) {
		for _, u := range c.All(fact.FileURL) {
			if host := hostOf(u.Get("url")); host != "" && strings.EqualFold(host, f.Get("host")) {
				c.Find(finding.GatewayNameUnresolved.With(host), f, u)
			}
		}
		if f.Get("host") == "" && speaks(c) && !c.Has(fact.PhoneTLS, fact.PhoneLeafHash) {
			c.Find(finding.GatewayNameUnresolved.With(gateway(c)).As(finding.Possible), f)
		}
	}
	for _, f := range c.All(fact.GatewayNoAnswer) {
		c.Find(c.unlessReached(finding.GatewayUnreachable.With(serverOf(c, f)).As(finding.Likely), f), f)
	}
}, finding.GatewayNameUnresolved, finding.GatewayUnreachable)

// unlessReached makes a note of what is found of a gateway that answers further down: a phone's TLS with it, or that of
// whoever tried the same host.
func (c *Case) unlessReached(found finding.Finding, f fact.Fact) finding.Finding {
	host := hostOf("//" + f.Get("server"))
	reached := host == "" && (c.later(fact.PhoneTLS, f) || c.later(fact.PhoneLeafHash, f) || connected(c, f)) ||
		host != "" && slices.ContainsFunc(c.All(fact.Handshake, fact.GatewayCertificate), func(in fact.Fact) bool {
			return below(in, f) && strings.EqualFold(hostOf("//"+in.Get("server")), host)
		})
	if reached {
		return aside(found)
	}
	return found
}

// serverOf returns the host that a fact is about, or else the gateway's.
func serverOf(c *Case, f fact.Fact) string {
	if host := hostOf("//" + f.Get("server")); host != "" {
		return host
	}
	return gateway(c)
}
