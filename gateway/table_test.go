package gateway

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
)

func TestTable(t *testing.T) {
	t.Parallel()
	tab := newTable[int, string](func(k int) tableKey { return tableKey{high: uint64(k)} }) // all in one shard
	if got := tab.get(1); got != "" {
		t.Errorf("an empty table has %q", got)
	}
	tab.put(1, "one")
	tab.put(2, "two")
	tab.remove(1, func(v string) bool { return v == "another" })
	tab.remove(3, func(string) bool { return true })
	if tab.get(1) != "one" || tab.get(2) != "two" {
		t.Errorf("got %q, %q", tab.get(1), tab.get(2))
	}
	tab.remove(1, func(v string) bool { return v == "one" })
	if tab.get(1) != "" || tab.get(2) != "two" {
		t.Errorf("after remove: got %q, %q", tab.get(1), tab.get(2))
	}
}

func TestTableKeys(t *testing.T) {
	t.Parallel()
	seen := map[tableKey]string{}
	for _, text := range []string{"10.0.0.1", "10.0.0.2", "10.1.0.1", "2001:db8::1", "2001:db8:1::1", "::1"} {
		addr := netip.MustParseAddr(text)
		for _, k := range []tableKey{keyOf(addr), keyOfPort(netip.AddrPortFrom(addr, 1)), keyOfPort(netip.AddrPortFrom(addr, 2))} {
			if other := seen[k]; other != "" {
				t.Errorf("%s has the key of %s", text, other)
			}
			seen[k] = text
		}
	}
}

func TestTableConcurrently(t *testing.T) {
	t.Parallel()
	tab := newTable[int, int](func(k int) tableKey { return tableKey{high: uint64(k), low: uint64(k % 3)} })
	var done atomic.Bool
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for !done.Load() {
				for k := range 30 {
					if v := tab.get(k); v != 0 && v%100 != k {
						t.Errorf("under %d stands %d", k, v)
					}
				}
			}
		})
	}
	for w := range 3 {
		writers.Go(func() {
			for i := range 300 {
				k := w*10 + i%10
				tab.put(k, 100*(i+1)+k)
				if i%3 == 0 {
					tab.remove(k, func(v int) bool { return v == 100*(i+1)+k })
				}
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
	for k := range 30 { // each writer's last ten: 291 to 300, of which those with i%3 == 0 are removed
		i := 290 + k%10
		want := 100*(i+1) + k
		if i%3 == 0 {
			want = 0
		}
		if got := tab.get(k); got != want {
			t.Errorf("under %d stands %d want %d", k, got, want)
		}
	}
}

// count is how many entries there are.
func (t *table[K, V]) count() (n int) {
	for i := range t.shard {
		if m := t.shard[i].m.Load(); m != nil {
			n += len(*m)
		}
	}
	return n
}
