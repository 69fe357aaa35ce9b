package limiter

import (
	"net/netip"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := New()
	from := netip.MustParseAddr("192.0.2.1")
	passed := 0
	for range 3 * burst {
		if l.Allow(from, 0, now) {
			passed++
		}
	}
	if passed != burst {
		t.Errorf("%d messages pass at once, want %d", passed, burst)
	}
	if other := netip.MustParseAddr("192.0.2.2"); !l.Allow(other, 0, now) {
		t.Error("another address is limited too")
	}
	if !l.Allow(from, 0, now.Add(time.Second)) {
		t.Error("a second later nothing passes")
	}
	for i := range 3 * maxBuckets {
		l.Allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 0, now)
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d addresses are remembered, want at most %d", len(l.buckets), maxBuckets)
	}
}
