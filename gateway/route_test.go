package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
)

var (
	testPool   = netip.MustParsePrefix("10.8.0.0/22")
	testInside = netip.MustParseAddr("192.0.2.5")
)

func TestRouteLines(t *testing.T) {
	t.Parallel()
	got := RouteLines(netip.MustParsePrefix("10.8.1.7/22"), testInside)
	want := []string{
		"ip route add 10.8.0.0/22 via 192.0.2.5",
		"ip route 10.8.0.0 255.255.252.0 192.0.2.5",
		"route inside 10.8.0.0 255.255.252.0 192.0.2.5 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRouteLinesIPv6(t *testing.T) {
	t.Parallel()
	got := RouteLines(netip.MustParsePrefix("2001:db8:9::1/64"), netip.MustParseAddr("2001:db8:1::5"))
	want := []string{
		"ip -6 route add 2001:db8:9::/64 via 2001:db8:1::5",
		"ipv6 route 2001:db8:9::/64 2001:db8:1::5",
		"ipv6 route inside 2001:db8:9::/64 2001:db8:1::5",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJudgeOverlaps(t *testing.T) {
	t.Parallel()
	office := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	known := []network{
		{netip.MustParsePrefix("192.0.2.0/24"), "office"}, {netip.MustParsePrefix("10.9.0.0/16"), "lab"}, {netip.MustParsePrefix("0.0.0.0/0"), "outside"},
	}
	for pool, want := range map[string]int{
		"192.0.2.128/25": 0, // a part of the office
		"192.0.2.0/24":   1, // all of it
		"192.0.0.0/16":   1, // and more
		"10.8.0.0/24":    0, // nobody else's
		"10.9.1.0/24":    1, // a part of another network
		"2001:db8::/64":  0,
	} {
		found := judgeOverlaps(netip.MustParsePrefix(pool), known, office)
		if len(found) != want {
			t.Errorf("pool %s: %+v, want %d findings", pool, found, want)
		}
		for _, f := range found {
			if f.Code != "pool-overlaps" || len(f.Evidence) != 1 {
				t.Errorf("pool %s: %+v", pool, f)
			}
		}
	}
}

// What somebody else writes into our table changes no setting that is not of the network.
func TestMemoForm(t *testing.T) {
	t.Parallel()
	s := &sysctl{path: "net/ipv4/conf/eth0.100/forwarding", before: "0", want: "1"}
	if m := memoForm.FindStringSubmatch(s.memo()); m == nil || m[1] != s.path || m[2] != "0" || m[3] != "1" {
		t.Errorf("%q is read as %q", s.memo(), m)
	}
	if got := s.String(); got != "net.ipv4.conf.eth0/100.forwarding" {
		t.Errorf("sysctl would not know it as %s", got)
	}
	for _, memo := range []string{
		"", "net/ipv4/x", "kernel/panic was 0, is 1", "net/../kernel/panic was 0, is 1", "/net/x was 0, is 1",
		"net/x was 0, is 1\n", "net/x was rubbish, is 1", "net/no/such/setting was 0, is 1",
	} {
		if err := giveBack(memo); err != nil {
			t.Errorf("%q: %v, want it passed over", memo, err)
		}
	}
}

func TestAnswersFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		office, pool string
		want         bool
	}{
		{"192.0.2.0/24", "192.0.2.128/25", true},
		{"192.0.2.0/24", "192.0.2.0/24", true},
		{"192.0.2.128/25", "192.0.2.0/24", false},
		{"192.0.2.0/24", "10.8.0.0/24", false},
	} {
		if got := answersFor(netip.MustParsePrefix(c.office), netip.MustParsePrefix(c.pool)); got != c.want {
			t.Errorf("pool %s in office %s: got %v, want %v", c.pool, c.office, got, c.want)
		}
	}
}

func TestRoutingConfigRefused(t *testing.T) {
	t.Parallel()
	good := RoutingConfig{TUN: "longcord0", Pools: []RoutedPool{{Network: testPool}}, Inside: testInside, MTU: 1400}
	if err := good.validate(); err != nil {
		t.Fatalf("%+v is refused: %v", good, err)
	}
	for name, change := range map[string]func(*RoutingConfig){
		"no interface": func(c *RoutingConfig) { c.TUN = "" },
		"no pool":      func(c *RoutingConfig) { c.Pools = nil },
		"bad pool":     func(c *RoutingConfig) { c.Pools = []RoutedPool{{}} },
		"no inside":    func(c *RoutingConfig) { c.Inside = netip.Addr{} },
		"no MTU":       func(c *RoutingConfig) { c.MTU = 0 },
		"jumbo":        func(c *RoutingConfig) { c.MTU = 65536 },
	} {
		c := good
		change(&c)
		if err := c.validate(); err == nil {
			t.Errorf("%s: %+v is accepted", name, c)
		}
	}
}

// TestNoAddressToRouteTo: without an IPv6 address inside there is no command to type yet.
func TestNoAddressToRouteTo(t *testing.T) {
	t.Parallel()
	f := noWayBack(netip.MustParsePrefix("2001:db8:99::/64"), netip.Addr{})
	if all := strings.Join(f.Fix, "\n"); strings.Contains(all, "invalid") || strings.Contains(all, "`") || !strings.Contains(all, "IPv6 address") {
		t.Errorf("the remedies are %q", f.Fix)
	}
}

func TestJudgeRouters(t *testing.T) {
	t.Parallel()
	router := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		name      string
		routers   []routerAnswers
		found     int
		severity  finding.Severity
		certainty finding.Certainty
	}{
		{"it answers phones", []routerAnswers{{router, true, true}}, 0, "", ""},
		{"it answers only the office", []routerAnswers{{router, true, false}}, 1, finding.Fault, finding.Likely},
		{"it answers no ping", []routerAnswers{{router, false, false}}, 1, finding.Note, finding.Possible},
		{"there is none", nil, 1, finding.Note, finding.Possible},
		{"one of two", []routerAnswers{{router, true, true}, {router, true, false}}, 1, finding.Fault, finding.Likely},
	} {
		got := judgeRouters(testPool, testInside, c.routers)
		if len(got) != c.found {
			t.Errorf("%s: got %d findings, want %d", c.name, len(got), c.found)
			continue
		}
		for _, f := range got {
			if f.Code != "no-route-to-pool" || f.Severity != c.severity || f.Certainty != c.certainty || len(f.Evidence) != 1 {
				t.Errorf("%s: got %+v, want a %s, %s", c.name, f, c.certainty, c.severity)
			}
			if fixes := strings.Join(f.Fix, "\n"); !strings.Contains(fixes, "on IOS: `ip route 10.8.0.0 255.255.252.0 192.0.2.5`") {
				t.Errorf("%s: the remedy does not say what to type: %s", c.name, fixes)
			}
		}
	}
}
