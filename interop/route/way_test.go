//go:build interop && linux

package route_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/gateway"
)

const (
	inside6     = "2001:db8:1::1"
	hostInside6 = "2001:db8:1::50"
	nearPool6   = "2001:db8:1::8000/113"
	nearTUN6    = "2001:db8:1::8001/113"
	nearPhone6  = "2001:db8:1::8002"
	farPool6    = "2001:db8:9::/64"
	farPhone6   = "2001:db8:9::2"
	internet    = "198.51.100.9"
)

// settings are all that routing may touch.
var settings = []string{
	"net/ipv4/ip_forward", "net/ipv4/conf/" + officeName + "/forwarding", "net/ipv4/conf/" + officeName + "/rp_filter",
	"net/ipv4/neigh/" + officeName + "/proxy_delay", "net/ipv4/conf/" + officeName + "/proxy_arp",
	"net/ipv6/conf/all/forwarding", "net/ipv6/conf/" + officeName + "/forwarding", "net/ipv6/conf/" + officeName + "/accept_ra",
	"net/ipv6/conf/" + officeName + "/proxy_ndp", "net/ipv6/neigh/" + officeName + "/proxy_delay",
}

func values(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range settings {
		all[path] = sysctl(t, path)
	}
	return all
}

// untouched fails the test when the host is not as it was.
func (w *world) untouched(t *testing.T, before map[string]string) {
	t.Helper()
	for path, got := range values(t) {
		if got != before[path] {
			t.Errorf("%s is %s, was %s", path, got, before[path])
		}
	}
	for what, show := range map[string][]string{
		"proxy entries": {"ip", "neigh", "show", "proxy"}, "IPv6 proxy entries": {"ip", "-6", "neigh", "show", "proxy"},
		"filter rules": {"nft", "list", "ruleset"},
	} {
		if got := w.here(t, show[0], show[1:]...); got != "" {
			t.Errorf("%s are left: %s", what, got)
		}
	}
	for _, family := range []string{"-4", "-6"} {
		if got := w.here(t, "ip", family, "rule"); strings.Contains(got, tunName) {
			t.Errorf("rules are left: %s", got)
		}
		if got := w.here(t, "ip", family, "route", "show", "table", "all"); strings.Contains(got, "1279524863") {
			t.Errorf("routes are left: %s", got)
		}
	}
}

// withIPv6 gives the office and the TUN IPv6 addresses.
func (w *world) withIPv6(t *testing.T, tunAddress string) {
	t.Helper()
	w.here(t, "ip", "-6", "addr", "add", inside6+"/64", "dev", officeName, "nodad")
	w.there(t, "ip", "-6", "addr", "add", hostInside6+"/64", "dev", "lc-host", "nodad")
	w.here(t, "ip", "-6", "addr", "add", tunAddress, "dev", tunName, "nodad")
}

// everything is a configuration that touches all there is to touch.
func everything() gateway.RoutingConfig {
	return gateway.RoutingConfig{
		TUN: tunName, Inside: netip.MustParseAddr(inside), MTU: 1400,
		Pools: []gateway.RoutedPool{
			{Network: netip.MustParsePrefix(nearPool)}, {Network: netip.MustParsePrefix(nearPool6)},
			{Network: netip.MustParsePrefix(farPool), NAT: true},
		},
		Tunneled: []netip.Addr{netip.MustParseAddr(hostInside), netip.MustParseAddr(hostInside6)},
	}
}

func TestNATByChoice(t *testing.T) {
	w := newWorld(t, farTUN)
	before := values(t)
	r := open(t, farPool)
	if w.phonePings(t, farPhone, hostInside) {
		t.Fatal("the office finds a pool that it has no route to")
	}
	must(t, r.Close())

	r = openWith(t, gateway.RoutingConfig{
		TUN: tunName, Inside: netip.MustParseAddr(inside), MTU: 1400,
		Pools: []gateway.RoutedPool{{Network: netip.MustParsePrefix(farPool), NAT: true}},
	})
	if !w.phonePings(t, farPhone, hostInside) {
		t.Error("the phone gets no answer through NAT")
	}
	if found := r.CheckWayBack(t.Context()); len(found) > 0 {
		t.Errorf("found %+v, want nothing", found)
	}
	rules := w.here(t, "nft", "list", "chain", "ip", "longcord", "postrouting")
	if want := `oifname "` + officeName + `" ip saddr ` + farPool + ` masquerade`; !strings.Contains(rules, want) || strings.Count(rules, "masquerade") != 1 {
		t.Errorf("nft reads the rules as %s, want just %q", rules, want)
	}
	w.here(t, "nft", "flush", "ruleset")
	one(t, r.CheckWayBack(t.Context()), "no-route-to-pool", finding.Certain)
	must(t, r.Close())
	w.untouched(t, before)
}

// Packets out of the tunnel go to a next hop in the office, and the host's own go where they went: what
// comes back from beyond passes the strict reverse-path filter, whose host would answer elsewhere.
func TestTunneledDefaultRoute(t *testing.T) {
	w := newWorld(t, nearTUN)
	w.there(t, "ip", "addr", "add", internet+"/32", "dev", "lo")
	w.there(t, "ip", "link", "set", "lo", "up")
	w.here(t, "ip", "link", "add", "lc-out", "type", "veth", "peer", "name", "lc-beyond")
	t.Cleanup(func() { w.here(t, "ip", "link", "del", "lc-out") })
	w.here(t, "ip", "addr", "add", "203.0.113.2/24", "dev", "lc-out")
	w.here(t, "ip", "link", "set", "lc-out", "up")
	w.here(t, "ip", "link", "set", "lc-beyond", "up")
	w.here(t, "ip", "route", "add", "default", "via", "203.0.113.1")
	w.here(t, "ip", "route", "add", "198.51.100.128/25", "via", "203.0.113.7")
	setSysctl(t, "net/ipv4/conf/"+officeName+"/rp_filter", "1")
	before := values(t)

	c := gateway.RoutingConfig{
		TUN: tunName, Inside: netip.MustParseAddr(inside), MTU: 1400,
		Pools: []gateway.RoutedPool{{Network: netip.MustParsePrefix(nearPool)}},
	}
	r := openWith(t, c)
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone)))
	if w.phonePings(t, nearPhone, internet) {
		t.Fatal("the phone reaches beyond the office without a route")
	}
	must(t, r.Close())

	c.Tunneled = []netip.Addr{netip.MustParseAddr(hostInside)}
	r = openWith(t, c)
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone)))
	if !w.phonePings(t, nearPhone, internet) {
		t.Error("the phone does not reach what lies beyond the tunneled default route")
	}
	for from, want := range map[string]string{
		"a tunnel":               "via " + hostInside + " dev " + officeName,
		"this host":              "via 203.0.113.1 dev lc-out",
		"a tunnel, better known": "via 203.0.113.7 dev lc-out",
	} {
		args := []string{"route", "get", internet}
		switch from {
		case "a tunnel":
			args = append(args, "from", nearPhone, "iif", tunName)
		case "a tunnel, better known":
			args = []string{"route", "get", "198.51.100.200", "from", nearPhone, "iif", tunName}
		}
		if got := w.here(t, "ip", args...); !strings.Contains(got, want) {
			t.Errorf("from %s the kernel goes %q, want %q", from, got, want)
		}
	}
	must(t, r.Close())
	w.untouched(t, before)
}

func TestSeveralPools(t *testing.T) {
	w := newWorld(t, nearTUN)
	w.withIPv6(t, nearTUN6)
	w.here(t, "ip", "route", "add", farPool, "dev", tunName)
	w.here(t, "ip", "-6", "route", "add", farPool6, "dev", tunName)
	before := values(t)
	r := open(t, nearPool, farPool, nearPool6, farPool6)
	for _, phone := range []string{nearPhone, farPhone, nearPhone6, farPhone6} {
		must(t, r.AddProxy(netip.MustParseAddr(phone)))
	}
	if err := r.AddProxy(netip.MustParseAddr("192.0.2.9")); err == nil {
		t.Error("an address of no pool is answered for")
	}
	w.there(t, "ip", "route", "add", farPool, "via", inside)
	line := strings.Fields(gateway.RouteLines(netip.MustParsePrefix(farPool6), netip.MustParseAddr(inside6))[0])
	w.there(t, line[0], line[1:]...)
	for _, phone := range []string{nearPhone, farPhone, nearPhone6, farPhone6} {
		if !w.reaches(t, phone) {
			t.Errorf("%s is not reached", phone)
		}
	}
	if w.pings(t, "2001:db8:1::8003") {
		t.Error("the gateway answers for an IPv6 address that no phone has")
	}
	w.here(t, "ip", "route", "add", "default", "via", hostInside)
	w.here(t, "ip", "-6", "route", "add", "default", "via", hostInside6)
	if found := r.CheckWayBack(t.Context()); len(found) > 0 {
		t.Errorf("found %+v, want nothing", found)
	}
	w.there(t, "ip", "-6", "route", "del", farPool6, "via", inside6)
	one(t, r.CheckWayBack(t.Context()), "no-route-to-pool", finding.Likely)
	must(t, r.Close())
	w.untouched(t, before)
}

// On a host that forwarded no IPv6 the tunnel is all that it forwards now, and router advertisements,
// which a router does not listen to, go on to be heard.
func TestIPv6IsForwardedForTheTunnelOnly(t *testing.T) {
	w := newWorld(t, nearTUN)
	w.withIPv6(t, nearTUN6)
	other := further(t, "lc-other", "lc-far", "2001:db8:2::1/64", "2001:db8:2::50/64")
	w.there(t, "ip", "-6", "route", "add", "default", "via", inside6)
	other.there(t, "ip", "-6", "route", "add", "default", "via", "2001:db8:2::1")
	before := values(t)
	r := open(t, nearPool6)
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone6)))
	if got := sysctl(t, "net/ipv6/conf/"+officeName+"/accept_ra"); got != "2" {
		t.Errorf("accept_ra is %s, want 2", got)
	}
	if !w.reaches(t, nearPhone6) {
		t.Error("the phone is not reached")
	}
	if w.pings(t, "2001:db8:2::50") {
		t.Error("the gateway forwards between two interfaces that are not the tunnel")
	}
	if _, err := other.tryThere(t, "ping", "-n", "-c", "1", "-W", "1", nearPhone6); err == nil {
		t.Error("the gateway forwards from an interface that is not the office's")
	}
	must(t, r.Close())
	w.untouched(t, before)
}

// What a gateway that was killed changed is changed back to what was before it, not to what it made.
func TestKilledGatewayIsUndoneByTheNext(t *testing.T) {
	w := newWorld(t, nearTUN)
	w.here(t, "ip", "addr", "add", farTUN, "dev", tunName)
	w.withIPv6(t, nearTUN6)
	setSysctl(t, "net/ipv4/conf/"+officeName+"/rp_filter", "1")
	before := values(t)
	killed := openWith(t, everything())
	must(t, killed.AddProxy(netip.MustParseAddr(nearPhone)))
	must(t, killed.AddProxy(netip.MustParseAddr(nearPhone6)))
	during := values(t)
	for _, path := range settings {
		if strings.HasSuffix(path, "proxy_arp") || path == "net/ipv4/ip_forward" {
			continue
		}
		if before[path] == during[path] {
			t.Errorf("%s stays %s: the test shows nothing", path, before[path])
		}
	}
	again := openWith(t, everything())
	for path, got := range values(t) {
		if got != during[path] {
			t.Errorf("%s is %s with the next gateway, was %s with the first", path, got, during[path])
		}
	}
	if !w.phonePings(t, farPhone, hostInside) {
		t.Error("the next gateway forwards nothing")
	}
	must(t, again.Close())
	w.untouched(t, before)
}

// The next gateway may need less, and what somebody has changed since is theirs.
func TestNextGatewayNeedsLess(t *testing.T) {
	w := newWorld(t, nearTUN)
	w.withIPv6(t, nearTUN6)
	before := values(t)
	openWith(t, everything())
	setSysctl(t, "net/ipv4/neigh/"+officeName+"/proxy_delay", "40")
	before["net/ipv4/neigh/"+officeName+"/proxy_delay"] = "40"
	r := open(t, farPool)
	if got := sysctl(t, "net/ipv6/conf/all/forwarding"); got != "0" {
		t.Errorf("IPv6 is still forwarded: %s", got)
	}
	must(t, r.Close())
	w.untouched(t, before)
}

func TestMend(t *testing.T) {
	w := newWorld(t, nearTUN)
	w.withIPv6(t, nearTUN6)
	c := everything()
	c.Pools = c.Pools[:2]
	before := values(t)
	r := openWith(t, c)
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone)))
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone6)))
	if mended, err := r.Mend(); len(mended) > 0 || err != nil {
		t.Errorf("mended %q, %v, where nothing was broken", mended, err)
	}
	w.here(t, "nft", "flush", "ruleset")
	w.here(t, "ip", "link", "set", officeName, "down") // takes routes and proxy entries with it
	w.here(t, "ip", "link", "set", officeName, "up")
	w.here(t, "ip", "-6", "addr", "add", inside6+"/64", "dev", officeName, "nodad")
	w.here(t, "ip", "rule", "del", "priority", "10101")
	mended, err := r.Mend()
	must(t, err)
	for _, want := range []string{"packet filter rules", "the answer for " + nearPhone, "the answer for " + nearPhone6, "tunneled default route"} {
		if !strings.Contains(strings.Join(mended, ", "), want) {
			t.Errorf("mended %q, want %q too", mended, want)
		}
	}
	if !w.reaches(t, nearPhone) || !w.reaches(t, nearPhone6) {
		t.Error("a phone is not reached after mending")
	}
	if mended, err := r.Mend(); len(mended) > 0 || err != nil {
		t.Errorf("mended %q, %v, again", mended, err)
	}
	must(t, r.Close())
	if mended, err := r.Mend(); len(mended) > 0 || err != nil {
		t.Errorf("mended %q, %v, after the end", mended, err)
	}
	w.untouched(t, before)
}

func TestPoolOverlaps(t *testing.T) {
	w := newWorld(t, farTUN)
	w.here(t, "ip", "addr", "add", nearTUN, "dev", tunName)
	r := open(t, nearPool, farPool)
	w.here(t, "ip", "route", "add", "default", "via", hostInside)
	w.there(t, "ip", "route", "add", farPool, "via", inside)
	if found := r.CheckWayBack(t.Context()); len(found) > 0 {
		t.Errorf("found %+v, want nothing", found)
	}
	w.here(t, "ip", "route", "add", "10.8.0.128/25", "via", hostInside)
	one(t, r.CheckWayBack(t.Context()), "pool-overlaps", finding.Certain)
	w.here(t, "ip", "route", "del", "10.8.0.128/25")
	// A host in the office holds an address of the pool, as a DHCP server may have given it.
	w.here(t, "ip", "neigh", "replace", "192.0.2.200", "lladdr", "02:00:00:00:00:01", "nud", "stale", "dev", officeName)
	one(t, r.CheckWayBack(t.Context()), "pool-overlaps", finding.Certain)
	must(t, r.Close())
}
