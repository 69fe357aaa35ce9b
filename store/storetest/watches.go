package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/longcord/longcord/store"
)

// manyEvents is more than any backend is expected to remember.
const manyEvents = 1 << 17

// watchWithoutMisses lists in the middle of other people's commits, follows the changes from there, and
// ends up with what is in the store.
func watchWithoutMisses(t *testing.T, b Backend) {
	s := b.fresh(t)
	const writers, each = 4, 25
	halfway, all := sync.WaitGroup{}, sync.WaitGroup{}
	halfway.Add(writers)
	for w := range writers {
		all.Go(func() { write(t, s, w, each, halfway.Done) })
	}
	halfway.Wait()
	records, revision := list(t, s, "w/")
	copied := map[string]store.Record{}
	for _, r := range records {
		copied[r.Key] = r
	}
	watcher := watch(t, s, "w/", revision)
	all.Wait()
	end := commit(t, s, put("w/end", "", 0))
	follow(t, watcher, copied, revision, end)

	want, _ := list(t, s, "w/")
	if len(copied) != len(want) {
		t.Errorf("copy has %d records, the store %d", len(copied), len(want))
	}
	for _, r := range want {
		if got := copied[r.Key]; string(got.Value) != string(r.Value) || got.Revision != r.Revision {
			t.Errorf("copy of %q: got %q at %d, want %q at %d", r.Key, got.Value, got.Revision, r.Value, r.Revision)
		}
	}
}

func write(t *testing.T, s store.Store, writer, count int, halfway func()) {
	for n := range count {
		if n == count/2 {
			halfway()
		}
		ops := []store.Op{put(fmt.Sprintf("w/%d/%d", writer, n%7), fmt.Sprint(n), store.Any), put(fmt.Sprintf("w/%d/last", writer), fmt.Sprint(n), store.Any)}
		if n%5 == 4 {
			ops[0] = store.Op{Key: ops[0].Key, Delete: true, Read: store.Any}
		}
		if _, err := s.Commit(context.Background(), ops...); err != nil {
			t.Error(err)
		}
	}
}

func follow(t *testing.T, w store.Watcher, copied map[string]store.Record, at, end store.Revision) {
	t.Helper()
	for at < end {
		for _, e := range next(t, w) {
			if e.Revision < at {
				t.Errorf("event of revision %d after %d", e.Revision, at)
			}
			at = e.Revision
			if e.Deleted {
				if e.Value != nil {
					t.Errorf("deletion of %q has a value", e.Key)
				}
				delete(copied, e.Key)
			} else {
				copied[e.Key] = e.Record
			}
		}
	}
}

func watchPrefix(t *testing.T, b Backend) {
	s := b.fresh(t)
	w := watch(t, s, "a/", 0)
	commit(t, s, put("b/1", "x", 0))
	second := commit(t, s, put("a/2", "x", 0), put("b/2", "x", 0), put("a/1", "y", 0))
	events := next(t, w)
	if len(events) != 2 || events[0].Key != "a/2" || events[1].Key != "a/1" || events[1].Revision != second {
		t.Errorf("events of one commit: got %v, want a/2 and a/1 at %d", events, second)
	}
	third := commit(t, s, store.Op{Key: "a/1", Delete: true, Read: store.Any}, store.Op{Key: "a/none", Delete: true, Read: store.Any})
	events = next(t, w)
	if len(events) != 1 || events[0].Key != "a/1" || !events[0].Deleted || events[0].Revision != third {
		t.Errorf("deletion: got %v, want a/1 deleted at %d", events, third)
	}
	late := watch(t, s, "a/", second)
	if events = next(t, late); len(events) != 1 || !events[0].Deleted {
		t.Errorf("late watch: got %v, want the deletion alone", events)
	}
	future := watch(t, s, "a/", third+1)
	commit(t, s, put("a/3", "too early", 0))
	commit(t, s, put("a/3", "in time", store.Any))
	if events = next(t, future); len(events) != 1 || string(events[0].Value) != "in time" {
		t.Errorf("watch from the future: got %v", events)
	}
}

func watchEnds(t *testing.T, b Backend) {
	s := b.fresh(t)
	w := watch(t, s, "", 0)
	ctx, cancel := context.WithCancel(context.Background())
	waiting := make(chan error, 1)
	go func() {
		_, err := w.Next(ctx)
		waiting <- err
	}()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("next with an ended context: got %v", err)
	}
	commit(t, s, put("a", "x", 0))
	if events := next(t, w); len(events) != 1 {
		t.Errorf("watch after an ended context: got %v, want one event", events)
	}
	go func() {
		_, err := w.Next(context.Background())
		waiting <- err
	}()
	w.Close()
	if err := <-waiting; !errors.Is(err, store.ErrClosed) {
		t.Errorf("next of a closed watch: got %v, want %v", err, store.ErrClosed)
	}
	w.Close()
}

func watchGap(t *testing.T, b Backend) {
	s := b.fresh(t)
	first := commit(t, s, put("a", "x", 0))
	slow := watch(t, s, "", first)
	var revision store.Revision
	for events := 0; ; events += store.MaxOps {
		if events > manyEvents {
			t.Fatalf("no gap after %d events", events)
		}
		var ops []store.Op
		for i := range store.MaxOps {
			ops = append(ops, put(fmt.Sprintf("k/%d", i), "x", store.Any))
		}
		revision = commit(t, s, ops...)
		if gap(s, first) {
			break
		}
	}
	if _, err := slow.Next(context.Background()); !errors.Is(err, store.ErrGap) {
		t.Errorf("slow watch: got %v, want %v", err, store.ErrGap)
	}
	_, at := list(t, s, "")
	if at != revision {
		t.Errorf("list: at %d, want %d", at, revision)
	}
	w := watch(t, s, "", at)
	commit(t, s, put("a", "y", store.Any))
	if events := next(t, w); len(events) != 1 || events[0].Key != "a" {
		t.Errorf("watch from a new list: got %v", events)
	}
}

// gap reports whether a watch from a revision meets a gap, here or at its first step.
func gap(s store.Store, from store.Revision) bool {
	w, err := s.Watch(context.Background(), "", from)
	if err != nil {
		return errors.Is(err, store.ErrGap)
	}
	defer w.Close()
	_, err = w.Next(context.Background())
	return errors.Is(err, store.ErrGap)
}
