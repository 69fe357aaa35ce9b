// Package storetest is the contract of package store as a test suite that every backend must pass. A
// backend's test calls Run; a durable one's TestMain calls Main as well.
package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/longcord/longcord/store"
)

// Backend is what the suite needs to know of a backend.
type Backend struct {
	// Open opens the store that is kept in dir, which exists.
	Open func(dir string) (store.Store, error)
	// Durable: what was committed is there when dir is opened again.
	Durable bool
}

// Run runs the suite.
func Run(t *testing.T, b Backend) {
	tests := []struct {
		name string
		run  func(*testing.T, Backend)
	}{
		{"reads what was written", readsBack},
		{"refuses conflicts", conflicts},
		{"commits all or nothing", allOrNothing},
		{"keeps limits", limits},
		{"refuses nonsense", nonsense},
		{"lists by prefix", lists},
		{"counts with concurrent writers", concurrentWriters},
		{"watches without misses", watchWithoutMisses},
		{"watches by prefix", watchPrefix},
		{"ends a watch", watchEnds},
		{"says when a watch has a gap", watchGap},
		{"ends leases", leaseEnds},
		{"keeps leases alive", leaseKeptAlive},
		{"hands leases on", leaseTakenUp},
		{"revokes leases", leaseRevoked},
		{"frees records of a lease", leaseLeft},
		{"is closed", closed},
	}
	if b.Durable {
		tests = append(tests, []struct {
			name string
			run  func(*testing.T, Backend)
		}{
			{"survives a restart", restart},
			{"keeps leases over a restart", leaseRestart},
			{"survives a kill", kill},
		}...)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, b)
		})
	}
}

func (b Backend) open(t *testing.T, dir string) store.Store {
	t.Helper()
	s, err := b.Open(dir)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

// fresh opens an empty store that is closed when the test ends.
func (b Backend) fresh(t *testing.T) store.Store {
	t.Helper()
	s := b.open(t, t.TempDir())
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func put(key, value string, read store.Revision) store.Op {
	return store.Op{Key: key, Value: []byte(value), Read: read}
}

func commit(t *testing.T, s store.Store, ops ...store.Op) store.Revision {
	t.Helper()
	revision, err := s.Commit(context.Background(), ops...)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return revision
}

func refused(t *testing.T, s store.Store, want error, ops ...store.Op) {
	t.Helper()
	if _, err := s.Commit(context.Background(), ops...); !errors.Is(err, want) {
		t.Errorf("commit: got %v, want %v", err, want)
	}
}

func wantValue(t *testing.T, s store.Store, key, want string) store.Record {
	t.Helper()
	record, err := s.Get(context.Background(), key)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	if record.Key != key || string(record.Value) != want {
		t.Errorf("get %q: got %q = %q, want %q", key, record.Key, record.Value, want)
	}
	return record
}

func wantGone(t *testing.T, s store.Store, key string) {
	t.Helper()
	if record, err := s.Get(context.Background(), key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("get %q: got %q, %v, want no such record", key, record.Value, err)
	}
}

func list(t *testing.T, s store.Store, prefix string) ([]store.Record, store.Revision) {
	t.Helper()
	records, revision, err := s.List(context.Background(), prefix)
	if err != nil {
		t.Fatalf("list %q: %v", prefix, err)
	}
	return records, revision
}

func watch(t *testing.T, s store.Store, prefix string, from store.Revision) store.Watcher {
	t.Helper()
	w, err := s.Watch(context.Background(), prefix, from)
	if err != nil {
		t.Fatalf("watch %q: %v", prefix, err)
	}
	t.Cleanup(w.Close)
	return w
}

func next(t *testing.T, w store.Watcher) []store.Event {
	t.Helper()
	events, err := w.Next(context.Background())
	if err != nil {
		t.Fatalf("next: %v", err)
	}
	return events
}
