package judge

import (
	"fmt"
	"net/netip"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
)

// Addresses that ocserv gives out, and keeps giving to the same.
var _ = rule(func(c *Case) {
	for _, o := range c.ocservFiles() {
		pool, f, ok := o.pool()
		if !ok {
			continue
		}
		if home, whose, ok := inventory.HomeNetwork(pool); ok && pool.Bits() >= 16 { // who gives out a whole 10.0.0.0/8 gives out other parts first
			c.Find(finding.PoolOverlaps.With(pool.String(), home.String()+" of many homes ("+whose+")", "the phone's own network").As(finding.Possible), f)
		}
		if n, limit, ok := o.number("max-clients"); ok && pool.Addr().Is4() && pool.Bits() > 16 {
			if room := 1<<(32-pool.Bits()) - 3; n > room && room < 16 { // network, broadcast and the gateway's own
				c.Find(finding.AddressPoolExhausted.With(pool.String()).As(finding.Possible), f, limit)
			}
		}
	}
	for _, f := range c.All(fact.SEPServer) { // an address of the tunnels cannot be a server's, too
		if address, err := netip.ParseAddr(f.Get("host")); err == nil {
			if pool, _ := c.poolOf(address); pool != "" && !gatewaysOwn(pool, address) && !c.answersInTunnel(f.Get("host")) {
				c.Find(finding.PoolOverlaps.With(pool, "the server "+f.Get("host")+" of the phone's file", "the office's own network"), f)
			}
		}
	}
	others := map[string][]fact.Fact{}
	var users []string
	for _, f := range c.All(fact.OcservAddress) {
		user := f.Get("user") + " " + f.Get("client") // who comes from two places has two devices
		if len(others[user]) == 0 {
			users = append(users, user)
		}
		others[user] = append(others[user], f)
	}
	for _, user := range users {
		if all := others[user]; len(all) > 1 {
			found := finding.AddressChanged.With(all[0].Get("user"), fmt.Sprintf("%s, then %s", all[0].Get("address"), all[1].Get("address"))).As(finding.Possible)
			for _, o := range c.ocservFiles() {
				if f, off := o.is("predictable-ips", false); off {
					found = found.As(finding.Likely).Because(f.Source, f.Line, f.Text)
				}
			}
			c.Find(found, all...)
		}
	}
}, finding.PoolOverlaps, finding.AddressPoolExhausted, finding.AddressChanged)

// gatewaysOwn reports whether an address is the one that ocserv and we take of a network for ourselves: a call manager or
// file server may run beside the gateway, and be out of reach.
func gatewaysOwn(network string, address netip.Addr) bool {
	p, err := netip.ParsePrefix(network)
	return err == nil && address == p.Masked().Addr().Next()
}
