package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/longcord/longcord/store"
)

func readsBack(t *testing.T, b Backend) {
	s := b.fresh(t)
	wantGone(t, s, "a")
	value := []byte("one")
	first, err := s.Commit(context.Background(), store.Op{Key: "a", Value: value})
	if err != nil {
		t.Fatal(err)
	}
	value[0] = 'X'
	if got := wantValue(t, s, "a", "one"); got.Revision != first || got.Lease != 0 {
		t.Errorf("record: got revision %d, lease %d, want %d, 0", got.Revision, got.Lease, first)
	}
	second := commit(t, s, put("a", "two", first))
	if second <= first {
		t.Errorf("revisions: %d after %d", second, first)
	}
	wantValue(t, s, "a", "two")
	commit(t, s, store.Op{Key: "a", Delete: true, Read: second})
	wantGone(t, s, "a")
	commit(t, s, put("empty", "", 0), put("nul\x00\xff key", "nul\x00\xff value", 0))
	wantValue(t, s, "empty", "")
	wantValue(t, s, "nul\x00\xff key", "nul\x00\xff value")
}

func conflicts(t *testing.T, b Backend) {
	s := b.fresh(t)
	refused(t, s, store.ErrConflict, put("a", "one", 1))
	refused(t, s, store.ErrConflict, store.Op{Key: "a", Delete: true, Read: 1})
	first := commit(t, s, put("a", "one", 0))
	refused(t, s, store.ErrConflict, put("a", "two", 0))
	second := commit(t, s, put("a", "two", first))
	refused(t, s, store.ErrConflict, put("a", "three", first))
	refused(t, s, store.ErrConflict, store.Op{Key: "a", Delete: true, Read: first})
	third := commit(t, s, put("a", "three", store.Any))
	if third <= second {
		t.Errorf("revisions: %d after %d", third, second)
	}
	commit(t, s, store.Op{Key: "a", Delete: true, Read: store.Any})
	// A record that was deleted and made again is another one.
	commit(t, s, put("a", "four", 0))
	refused(t, s, store.ErrConflict, put("a", "five", third))
	for _, read := range []store.Revision{0, store.Any} {
		before := commit(t, s, put("b", "", store.Any))
		if after := commit(t, s, store.Op{Key: "not there", Delete: true, Read: read}); after != before {
			t.Errorf("delete of nothing: revision went from %d to %d", before, after)
		}
	}
}

func allOrNothing(t *testing.T, b Backend) {
	s := b.fresh(t)
	before := commit(t, s, put("b", "old", 0), put("c", "old", 0))
	refused(t, s, store.ErrConflict,
		put("a", "new", 0), store.Op{Key: "b", Delete: true, Read: before}, put("c", "new", before-1))
	refused(t, s, store.ErrNoLease,
		put("a", "new", 0), store.Op{Key: "c", Value: []byte("new"), Read: before, Lease: 7})
	wantGone(t, s, "a")
	wantValue(t, s, "b", "old")
	wantValue(t, s, "c", "old")
	if _, now := list(t, s, ""); now != before {
		t.Errorf("revision after refused commits: got %d, want %d", now, before)
	}
	after := commit(t, s, put("a", "new", 0), store.Op{Key: "b", Delete: true, Read: before}, put("c", "new", before))
	for _, key := range []string{"a", "c"} {
		if got := wantValue(t, s, key, "new"); got.Revision != after {
			t.Errorf("revision of %q: got %d, want the commit's %d", key, got.Revision, after)
		}
	}
	wantGone(t, s, "b")
}

func limits(t *testing.T, b Backend) {
	s := b.fresh(t)
	longest := strings.Repeat("k", store.MaxKey)
	largest := strings.Repeat("v", store.MaxValue)
	commit(t, s, put(longest, largest, 0))
	wantValue(t, s, longest, largest)
	refused(t, s, store.ErrLimit, put(longest+"k", "", 0))
	refused(t, s, store.ErrLimit, put("a", largest+"v", 0))
	refused(t, s, store.ErrLimit, put("a", largest, 0), put("b", largest, 0))
	var ops []store.Op
	for i := range store.MaxOps {
		ops = append(ops, put(fmt.Sprintf("n/%03d", i), "", 0))
	}
	refused(t, s, store.ErrLimit, append(ops, put("one too many", "", 0))...)
	if found, _ := list(t, s, "n/"); len(found) != 0 {
		t.Errorf("refused commit left %d records", len(found))
	}
	commit(t, s, ops...)
	if found, _ := list(t, s, "n/"); len(found) != store.MaxOps {
		t.Errorf("largest commit left %d records, want %d", len(found), store.MaxOps)
	}
}

func nonsense(t *testing.T, b Backend) {
	s := b.fresh(t)
	refused(t, s, store.ErrInvalid)
	refused(t, s, store.ErrInvalid, put("", "x", 0))
	refused(t, s, store.ErrInvalid, put("a", "x", -2))
	refused(t, s, store.ErrInvalid, put("a", "x", 0), put("b", "y", 0), store.Op{Key: "a", Delete: true, Read: store.Any})
	if _, err := s.Grant(context.Background(), 0, 0); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("lease without time to live: got %v, want %v", err, store.ErrInvalid)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Commit(ctx, put("a", "x", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit with an ended context: got %v", err)
	}
	wantGone(t, s, "a")
}

func lists(t *testing.T, b Backend) {
	s := b.fresh(t)
	last := commit(t, s, put("t/b", "2", 0), put("t/a", "1", 0), put("t", "x", 0), put("t0", "x", 0),
		put("t/\xff\xff", "3", 0), put("T/a", "x", 0), put("\xff", "x", 0))
	for prefix, want := range map[string]string{
		"t/": "t/a t/b t/\xff\xff", "t/a": "t/a", "nothing/": "", "\xff": "\xff",
		"": "T/a t t/a t/b t/\xff\xff t0 \xff",
	} {
		records, revision := list(t, s, prefix)
		var keys []string
		for _, r := range records {
			keys = append(keys, r.Key)
		}
		if got := strings.Join(keys, " "); got != want || revision != last {
			t.Errorf("list %q: got %q at %d, want %q at %d", prefix, got, revision, want, last)
		}
	}
}

// concurrentWriters counts up one record from several goroutines by read, commit and try again.
func concurrentWriters(t *testing.T, b Backend) {
	s := b.fresh(t)
	const writers, each = 8, 10
	commit(t, s, put("count", "0", 0))
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				if err := countUp(s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	wantValue(t, s, "count", strconv.Itoa(writers*each))
}

func countUp(s store.Store) error {
	for {
		record, err := s.Get(context.Background(), "count")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(record.Value))
		if err != nil {
			return err
		}
		_, err = s.Commit(context.Background(), put("count", strconv.Itoa(n+1), record.Revision))
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

func closed(t *testing.T, b Backend) {
	s := b.open(t, t.TempDir())
	w := watch(t, s, "", 0)
	commit(t, s, put("a", "x", 0))
	closeStore(t, s)
	ctx := context.Background()
	_, getErr := s.Get(ctx, "a")
	_, _, listErr := s.List(ctx, "")
	_, commitErr := s.Commit(ctx, put("a", "y", store.Any))
	_, watchErr := s.Watch(ctx, "", 0)
	_, nextErr := w.Next(ctx)
	_, grantErr := s.Grant(ctx, 0, 1)
	for name, err := range map[string]error{
		"get": getErr, "list": listErr, "commit": commitErr, "watch": watchErr, "next": nextErr, "grant": grantErr,
		"keep alive": s.KeepAlive(ctx, 1), "revoke": s.Revoke(ctx, 1),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s on a closed store: got %v, want %v", name, err, store.ErrClosed)
		}
	}
	closeStore(t, s)
}
