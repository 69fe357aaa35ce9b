package gateway

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
)

func mustTake(t *testing.T, p *pool, owner, want string) {
	t.Helper()
	got, ok := p.again(owner)
	if !ok {
		got, ok = p.take(owner)
	}
	if !ok || got.String() != want {
		t.Errorf("%s gets %v, %v; want %s", owner, got, ok, want)
	}
}

func TestPoolGivesAnAddressBack(t *testing.T) {
	t.Parallel()
	p := newPool(netip.MustParsePrefix("10.0.0.0/29")) // .1 is the gateway's, .2 to .6 are left
	mustTake(t, p, "a", "10.0.0.2")
	mustTake(t, p, "b", "10.0.0.3")
	p.release(netip.MustParseAddr("10.0.0.2"))
	mustTake(t, p, "c", "10.0.0.4") // not a's while others are free
	mustTake(t, p, "a", "10.0.0.2")
	mustTake(t, p, "a", "10.0.0.5") // a second session of the same owner
	mustTake(t, p, "d", "10.0.0.6")
	if addr, ok := p.take("e"); ok {
		t.Errorf("an exhausted pool gave %s", addr)
	}
	p.release(netip.MustParseAddr("10.0.0.3"))
	mustTake(t, p, "e", "10.0.0.3") // b's, as no other is left
	p.release(netip.MustParseAddr("10.0.0.4"))
	mustTake(t, p, "b", "10.0.0.4")
}

// TestPoolForgets has more owners than addresses come and go.
func TestPoolForgets(t *testing.T) {
	t.Parallel()
	p := newPool(netip.MustParsePrefix("10.0.0.0/28"))
	for i := range 1000 {
		addr, ok := p.take(fmt.Sprint(i))
		if !ok {
			t.Fatalf("owner %d gets no address", i)
		}
		p.release(addr)
	}
	if len(p.had) > p.size() || len(p.owner) > p.size() || len(p.held) != 0 {
		t.Errorf("after 1000 owners of %d addresses: %d owners, %d addresses remembered, %d held", p.size(), len(p.had), len(p.owner), len(p.held))
	}
}

func TestPoolSizes(t *testing.T) {
	t.Parallel()
	for network, want := range map[string]int{
		"10.0.0.0/32": 0, "10.0.0.0/31": 0, "10.0.0.0/30": 1, "10.0.0.0/29": 5, "255.255.255.252/30": 1, "0.0.0.0/24": 253,
		"10.1.2.77/26": 61, // as an operator might write it
	} {
		p := newPool(netip.MustParsePrefix(network))
		seen := map[netip.Addr]bool{}
		for i := 0; ; i++ {
			addr, ok := p.take(fmt.Sprint(i))
			if !ok {
				break
			}
			if seen[addr] || !p.network.Contains(addr) || addr == p.own() {
				t.Fatalf("%s: gave %s", network, addr)
			}
			seen[addr] = true
		}
		if len(seen) != want || p.size() != want {
			t.Errorf("%s: gave %d addresses, of %d, want %d", network, len(seen), p.size(), want)
		}
	}
}

func TestPoolClaim(t *testing.T) {
	t.Parallel()
	p := newPool(netip.MustParsePrefix("10.0.0.0/29"))
	if err := p.claim(netip.MustParseAddr("10.0.0.2"), "a"); err != nil {
		t.Error(err)
	}
	for _, addr := range []string{"10.0.0.0", "10.0.0.1", "10.0.0.7", "10.0.0.8", "10.0.0.2", "::1"} {
		if err := p.claim(netip.MustParseAddr(addr), "a"); err == nil {
			t.Errorf("%s could be claimed", addr)
		}
	}
	mustTake(t, p, "b", "10.0.0.3")
	p.release(netip.MustParseAddr("10.0.0.2"))
	mustTake(t, p, "a", "10.0.0.2")
}

func TestPoolConcurrently(t *testing.T) {
	t.Parallel()
	p := newPool(netip.MustParsePrefix("10.0.0.0/27"))
	var all sync.WaitGroup
	var mu sync.Mutex
	holder := map[netip.Addr]string{}
	for i := range 8 {
		all.Go(func() {
			me := fmt.Sprint(i)
			for range 500 {
				addr, ok := p.take(me)
				if !ok {
					t.Error("29 addresses are not enough for 8")
					return
				}
				mu.Lock()
				if other := holder[addr]; other != "" {
					t.Errorf("%s is given to %s and %s", addr, me, other)
				}
				holder[addr] = me
				mu.Unlock()
				mu.Lock()
				delete(holder, addr)
				mu.Unlock()
				p.release(addr)
			}
		})
	}
	all.Wait()
}
