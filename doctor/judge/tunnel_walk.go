package judge

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The answer to CONNECT, as the phone got it.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkTunnel) {
		if f.Get("ok") == "true" {
			if f.Get("include")+f.Get("exclude") != "" {
				c.Find(finding.SplitTunnel.With("of "+f.Get("gateway")).As(finding.Likely), f)
			}
			continue
		}
		if f.Get("status") == "503" && strings.Contains(strings.ToLower(f.Get("reason")), "address") {
			c.Find(finding.AddressPoolExhausted.With("of "+f.Get("gateway")).As(finding.Likely), f)
		}
	}
}, finding.SplitTunnel, finding.AddressPoolExhausted)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkDTLS) {
		gateway := f.Get("gateway")
		switch f.Get("outcome") {
		case "none":
			c.Find(finding.DTLSDisabled.With(gateway), f)
		case "unknown":
			c.Find(finding.DTLSCipherMismatch.With(gateway, f.Get("reason")), f)
		case "silent":
			c.Find(finding.DTLSBlocked.With(f.Get("port")), f)
		case "failed":
			c.Find(finding.DTLSCipherMismatch.With(gateway, f.Get("reason")).As(finding.Possible), f)
		}
	}
}, finding.DTLSDisabled, finding.DTLSCipherMismatch, finding.DTLSBlocked)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkMTU) {
		if f.Get("passes") != f.Get("told") {
			c.Find(finding.MTU.With("the line to "+f.Get("gateway"),
				fmt.Sprintf("%s bytes pass, and the gateway says %s", f.Get("passes"), f.Get("told"))), f)
		}
	}
}, finding.MTU)

// A tunnel through which nothing of the office answers: packets go in, and nothing finds the way back.
var _ = rule(func(c *Case) {
	if !c.officeIsDark() {
		return
	}
	f, _ := c.Last(fact.WalkTunnel)
	pool := f.Get("address")
	if p, ok := c.First(fact.GatewayPool); ok {
		pool = p.Get("network")
	}
	if address, err := netip.ParsePrefix(pool); err == nil && address.Bits() == 32 {
		pool = address.Addr().String()
	}
	c.Find(finding.NoRouteToPool.With(pool, "the gateway's inside address").As(finding.Likely), c.throughTunnel("false")...)
}, finding.NoRouteToPool)

// officeIsDark reports whether the tunnel is up and no server of the office answers through it in any way.
func (c *Case) officeIsDark() bool {
	return c.brokeAt("tunnel") && len(c.throughTunnel("false")) > 0 && len(c.throughTunnel("true")) == 0 &&
		!slices.ContainsFunc(c.All(fact.WalkAsked), func(f fact.Fact) bool { return f.Get("from") == "tunnel" && f.Get("outcome") != "silent" })
}

// answersInTunnel reports whether a server, by its address, has answered through the tunnel in some way.
func (c *Case) answersInTunnel(host string) bool {
	return slices.ContainsFunc(c.throughTunnel("true"), func(f fact.Fact) bool {
		address := f.Get("address")
		if at, err := netip.ParseAddrPort(address); err == nil {
			address = at.Addr().String()
		}
		return address == host
	})
}

// throughTunnel returns pings and attempts by TCP through the tunnel that came out so. A refusal is an answer; a name
// that does not resolve is none of either kind.
func (c *Case) throughTunnel(ok string) []fact.Fact {
	var all []fact.Fact
	for _, f := range slices.Concat(c.All(fact.WalkPing), c.All(fact.WalkReach)) {
		reason := f.Get("reason")
		if f.Get("from") != "tunnel" || reason == "name" {
			continue
		}
		came := f.Get("ok")
		if reason == "refused" || reason == "tls" {
			came = "true"
		}
		if came == ok {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b fact.Fact) int { return cmp.Compare(a.Source, b.Source) })
	return all
}
