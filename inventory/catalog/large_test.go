package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/store"
)

var errCrash = errors.New("crash")

// crashStore commits a few times and then no more, as if the process had died.
type crashStore struct {
	store.Store
	mu      sync.Mutex
	commits int // left
	stops   bool
}

func (c *crashStore) Commit(ctx context.Context, ops ...store.Op) (store.Revision, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stops && c.commits == 0 {
		return 0, errCrash
	}
	c.commits--
	return c.Store.Commit(ctx, ops...)
}

// TestLargeChangeCrashes lets a change of more objects than a commit takes crash after each of its
// commits. What a reader finds is the inventory before or after, and the next change finishes the work.
func TestLargeChangeCrashes(t *testing.T) {
	t.Parallel()
	const before, after = 150, 420
	made := false
	for commits := 0; !made || commits < 5; commits++ {
		s := newStore(t)
		apply(t, open(t, s), catalog.Options{}, lines(1000, before)...)
		crashing := &crashStore{Store: s, commits: commits, stops: true}
		_, err := open(t, crashing).Apply(ctx, lines(1100, after), catalog.Options{Prune: true})
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		c := open(t, s)
		found := len(c.Current().Lines)
		switch {
		case err == nil && found != after, found != before && found != after:
			t.Errorf("crash after %d commits (%v): %d lines, want %d or %d", commits, err, found, before, after)
		case found == after && (c.Current().Lines["1000"] != nil || c.Current().Lines["1100"].Secret.Reveal() != "secret of it"):
			t.Errorf("crash after %d commits: the wrong lines", commits)
		}
		apply(t, c, catalog.Options{}, line("9999", ""))
		settled(t, s, found+1)
		made = err == nil && crashing.commits > 0
	}
}

// settled checks that nothing but objects and the head is left.
func settled(t *testing.T, s store.Store, objects int) {
	t.Helper()
	records, _, err := s.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if strings.Contains(r.Key, "/.staged/") {
			t.Errorf("left over: %s", r.Key)
		}
	}
	if len(records) != objects+1 {
		t.Errorf("%d records, want %d objects and the head", len(records), objects)
	}
}

// TestManyParts makes a change whose staged parts do not fit into one record, nor into one commit.
func TestManyParts(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var objects []inventory.Object
	for i := range 120 {
		l := line(fmt.Sprint(1000+i), "x")
		l.DisplayName = strings.Repeat("n", 20)
		objects = append(objects, l, &inventory.GroupPolicy{Name: fmt.Sprint("policy", i), Banner: strings.Repeat("welcome ", 1500)})
	}
	apply(t, open(t, s), catalog.Options{}, objects...)
	settled(t, s, len(objects))
	want(t, "again", apply(t, open(t, s), catalog.Options{}, objects...), "+[] ~[] -[]")
}

// TestTwoNodes lets two nodes make small and large changes at the same time; none is lost.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	const rounds, large = 5, 120
	var all sync.WaitGroup
	for node := range 2 {
		c := open(t, s)
		all.Go(func() {
			for round := range rounds {
				first := 10000*(node+1) + 1000*round
				for _, change := range [][]inventory.Object{lines(first, large), lines(first+large, 1)} {
					if _, err := c.Apply(ctx, change, catalog.Options{}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	c := open(t, s)
	want(t, "lines", fmt.Sprint(len(c.Current().Lines)), fmt.Sprint(2*rounds*(large+1)))
	apply(t, c, catalog.Options{}, line("1", ""))
	settled(t, s, 2*rounds*(large+1)+1)
}
