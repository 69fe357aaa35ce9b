//go:build interop && linux

// Package route_test judges the gateway's routing by the kernel, ping, ip and nft: a host in the office
// that knows nothing of the pool reaches a phone in it.
package route_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/gateway"
)

const (
	nearPool  = "192.0.2.128/25"
	nearTUN   = "192.0.2.129/25"
	nearPhone = "192.0.2.130"
	farPool   = "10.8.0.0/24"
	farTUN    = "10.8.0.1/24"
	farPhone  = "10.8.0.2"
)

func open(t *testing.T, pools ...string) *gateway.Routing {
	t.Helper()
	c := gateway.RoutingConfig{TUN: tunName, Inside: netip.MustParseAddr(inside), MTU: 1400}
	for _, pool := range pools {
		c.Pools = append(c.Pools, gateway.RoutedPool{Network: netip.MustParsePrefix(pool)})
	}
	return openWith(t, c)
}

func openWith(t *testing.T, c gateway.RoutingConfig) *gateway.Routing {
	t.Helper()
	r, err := gateway.OpenRouting(c)
	must(t, err)
	return r
}

func TestHostWithoutRouteReachesPhone(t *testing.T) {
	w := newWorld(t, nearTUN)
	if w.pings(t, nearPhone) {
		t.Fatal("the phone is reached before there is any routing")
	}
	r := open(t, nearPool)
	if w.pings(t, nearPhone) {
		t.Error("the phone is reached before it is there")
	}
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone)))
	begin := time.Now()
	if !w.reaches(t, nearPhone) {
		t.Error("the phone is not reached")
	}
	if took := time.Since(begin); took > 700*time.Millisecond {
		t.Errorf("the first ping took %v: ARP waited", took)
	}
	if w.pings(t, "192.0.2.131") {
		t.Error("the gateway answers for an address that no phone has")
	}
	if found := r.CheckWayBack(t.Context()); len(found) > 0 {
		t.Errorf("found %+v, want nothing", found)
	}
	must(t, r.RemoveProxy(netip.MustParseAddr(nearPhone)))
	if w.pings(t, nearPhone) {
		t.Error("the phone is reached after it left")
	}
	must(t, r.Close())
}

func TestStrictReversePathFilterPasses(t *testing.T) {
	w := newWorld(t, nearTUN)
	setSysctl(t, "net/ipv4/conf/all/rp_filter", "1")
	defer setSysctl(t, "net/ipv4/conf/all/rp_filter", "0")
	r := open(t, nearPool)
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone)))
	if !w.reaches(t, nearPhone) {
		t.Error("the phone is not reached")
	}
	must(t, r.Close())
}

func TestCloseLeavesTheHostAsItWas(t *testing.T) {
	w := newWorld(t, nearTUN)
	settings := []string{
		"net/ipv4/ip_forward", "net/ipv4/conf/" + officeName + "/forwarding", "net/ipv4/conf/" + tunName + "/forwarding",
		"net/ipv4/neigh/" + officeName + "/proxy_delay", "net/ipv4/conf/" + officeName + "/proxy_arp",
	}
	before := map[string]string{}
	for _, path := range settings {
		before[path] = sysctl(t, path)
	}
	r := open(t, nearPool)
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone)))
	if got := sysctl(t, "net/ipv4/ip_forward"); got != "0" {
		t.Errorf("the whole host forwards: ip_forward is %s", got)
	}
	if got := w.here(t, "ip", "neigh", "show", "proxy"); !strings.Contains(got, nearPhone+" dev "+officeName) {
		t.Errorf("proxy entries are %q, want one for %s", got, nearPhone)
	}
	must(t, r.Close())
	for path, want := range before {
		if got := sysctl(t, path); got != want {
			t.Errorf("%s is %s, was %s", path, got, want)
		}
	}
	if got := w.here(t, "ip", "neigh", "show", "proxy"); got != "" {
		t.Errorf("proxy entries are left: %s", got)
	}
	if got := w.here(t, "nft", "list", "ruleset"); got != "" {
		t.Errorf("rules are left: %s", got)
	}
}

func TestLeftOversAreRemoved(t *testing.T) {
	w := newWorld(t, nearTUN)
	w.here(t, "ip", "neigh", "add", "proxy", "192.0.2.140", "dev", officeName)
	w.here(t, "ip", "neigh", "add", "proxy", "192.0.2.60", "dev", officeName)
	w.here(t, "nft", "add table ip longcord; add chain ip longcord old")
	w.here(t, "nft", "add table ip other")
	defer w.here(t, "nft", "delete table ip other")
	r := open(t, nearPool)
	if got := w.here(t, "ip", "neigh", "show", "proxy"); strings.Contains(got, "192.0.2.140") || !strings.Contains(got, "192.0.2.60") {
		t.Errorf("proxy entries are %q, want the pool's gone and the other one there", got)
	}
	if got := w.here(t, "nft", "list", "ruleset"); strings.Contains(got, "chain old") || !strings.Contains(got, "table ip other") {
		t.Errorf("rules are %s, want the old chain gone and the other table there", got)
	}
	must(t, r.Close())
}

func TestOpenRefusedLeavesNothing(t *testing.T) {
	w := newWorld(t, nearTUN)
	for name, c := range map[string]gateway.RoutingConfig{
		"no such interface": {TUN: "lc-none", Inside: netip.MustParseAddr(inside)},
		"no such address":   {TUN: tunName, Inside: netip.MustParseAddr("192.0.2.99")},
	} {
		c.Pools, c.MTU = []gateway.RoutedPool{{Network: netip.MustParsePrefix(nearPool)}}, 1400
		if r, err := gateway.OpenRouting(c); err == nil {
			t.Errorf("%s: opened", name)
			r.Close()
		}
	}
	if got := w.here(t, "nft", "list", "ruleset"); got != "" {
		t.Errorf("rules are left: %s", got)
	}
}

// The office host plays the router: without the route it does not answer the pool, with the very line
// that the remedy prints it does.
func TestRoutedPool(t *testing.T) {
	w := newWorld(t, farTUN)
	r := open(t, farPool)
	must(t, r.AddProxy(netip.MustParseAddr(farPhone)))
	if got := w.here(t, "ip", "neigh", "show", "proxy"); got != "" {
		t.Errorf("proxy entries for a routed pool: %s", got)
	}
	one(t, r.CheckWayBack(t.Context()), "no-route-to-pool", finding.Possible)

	w.here(t, "ip", "route", "add", "default", "via", hostInside)
	one(t, r.CheckWayBack(t.Context()), "no-route-to-pool", finding.Likely)

	line := strings.Fields(gateway.RouteLines(netip.MustParsePrefix(farPool), netip.MustParseAddr(inside))[0])
	w.there(t, line[0], line[1:]...)
	if found := r.CheckWayBack(t.Context()); len(found) > 0 {
		t.Errorf("found %+v with the route there, want nothing", found)
	}
	if !w.reaches(t, farPhone) {
		t.Error("the phone is not reached")
	}
	must(t, r.Close())
}

func TestWhatBreaksIsFound(t *testing.T) {
	w := newWorld(t, nearTUN)
	r := open(t, nearPool)
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone)))
	setSysctl(t, "net/ipv4/conf/"+officeName+"/forwarding", "0")
	one(t, r.CheckWayBack(t.Context()), "forwarding-off", finding.Certain)
	setSysctl(t, "net/ipv4/conf/"+officeName+"/forwarding", "1")
	w.here(t, "ip", "neigh", "del", "proxy", nearPhone, "dev", officeName)
	one(t, r.CheckWayBack(t.Context()), "no-route-to-pool", finding.Certain)
	must(t, r.Close())
}

func one(t *testing.T, found []finding.Finding, code string, certainty finding.Certainty) {
	t.Helper()
	if len(found) != 1 || found[0].Code != code || found[0].Certainty != certainty || len(found[0].Evidence) == 0 {
		t.Errorf("found %+v, want one %s, %s, with evidence", found, code, certainty)
	}
}

func TestSegmentsFitTheTunnel(t *testing.T) {
	w := newWorld(t, nearTUN)
	r := open(t, nearPool)
	must(t, r.AddProxy(netip.MustParseAddr(nearPhone)))
	rules := w.here(t, "nft", "list", "table", "ip", "longcord")
	for _, direction := range []string{"iifname", "oifname"} {
		if want := direction + ` "` + tunName + `" tcp flags syn / syn,rst tcp option maxseg size set 1360`; !strings.Contains(rules, want) {
			t.Errorf("nft reads the rules as %s, want %q", rules, want)
		}
	}
	for announced, want := range map[int]uint16{1460: 1360, 500: 500} {
		go w.inHost(t, func() error {
			dialer := net.Dialer{Timeout: time.Second, Control: func(_, _ string, raw syscall.RawConn) error {
				return raw.Control(func(fd uintptr) {
					syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, announced)
				})
			}}
			if conn, err := dialer.Dial("tcp4", nearPhone+":443"); err == nil {
				conn.Close()
			}
			return nil
		})
		if got := w.announcedSize(t); got != want {
			t.Errorf("a segment size of %d came out of the tunnel as %d, want %d", announced, got, want)
		}
	}
	must(t, r.Close())
}

// announcedSize reads the next TCP SYN out of the tunnel. The size is its first option.
func (w *world) announcedSize(t *testing.T) uint16 {
	t.Helper()
	for p := range w.packets {
		if p[9] == syscall.IPPROTO_TCP && p[33]&0x02 != 0 && p[40] == 2 {
			return binary.BigEndian.Uint16(p[42:])
		}
	}
	t.Fatal("no SYN came")
	return 0
}

// From phone to phone the packet goes out of the interface that it came in by: no message tells the
// phone to go elsewhere.
func TestPhoneToPhone(t *testing.T) {
	w := newWorld(t, nearTUN)
	r := open(t, nearPool)
	for range 3 {
		_, err := w.tun.Write(datagram(nearPhone, "192.0.2.131"))
		must(t, err)
		p := <-w.packets
		if p[9] != syscall.IPPROTO_UDP {
			t.Errorf("got protocol %d type %d to %v, want the datagram", p[9], p[20], net.IP(p[16:20]))
		}
	}
	must(t, r.Close())
}
