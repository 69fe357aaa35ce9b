package storetest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/store"
)

const ttl = 10 * time.Second

// inTime runs a test of a fresh store in a bubble where time passes by itself.
func (b Backend) inTime(t *testing.T, run func(*testing.T, store.Store)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := b.open(t, dir)
		defer closeStore(t, s)
		run(t, s)
	})
}

func grant(t *testing.T, s store.Store, id store.LeaseID) store.LeaseID {
	t.Helper()
	lease, err := s.Grant(context.Background(), id, ttl)
	if err != nil {
		t.Fatalf("grant: %v", err)
	}
	return lease
}

func leased(key string, lease store.LeaseID) store.Op {
	return store.Op{Key: key, Value: []byte("x"), Read: store.Any, Lease: lease}
}

func leaseEnds(t *testing.T, b Backend) {
	b.inTime(t, func(t *testing.T, s store.Store) {
		one, other := grant(t, s, 0), grant(t, s, 0)
		if one == other || one == 0 {
			t.Errorf("leases %d and %d", one, other)
		}
		commit(t, s, put("stays", "x", 0), leased("a", one), leased("b", one))
		last := commit(t, s, leased("c", other))
		if got := wantValue(t, s, "a", "x"); got.Lease != one {
			t.Errorf("lease of the record: got %d, want %d", got.Lease, one)
		}
		w := watch(t, s, "", last)
		time.Sleep(ttl / 2)
		if err := s.KeepAlive(context.Background(), other); err != nil {
			t.Errorf("keep alive: %v", err)
		}
		time.Sleep(ttl/2 - time.Millisecond)
		wantValue(t, s, "a", "x")
		time.Sleep(time.Millisecond)
		wantGone(t, s, "a")
		wantGone(t, s, "b")
		wantValue(t, s, "c", "x")
		wantValue(t, s, "stays", "x")
		events := next(t, w)
		if len(events) != 2 || !events[0].Deleted || events[0].Revision <= last {
			t.Errorf("end of a lease: got %v, want two deletions above %d", events, last)
		}
		if err := s.KeepAlive(context.Background(), one); !errors.Is(err, store.ErrNoLease) {
			t.Errorf("keep alive after the end: got %v, want %v", err, store.ErrNoLease)
		}
		refused(t, s, store.ErrNoLease, leased("a", one))
		// With nobody asking, a watch still learns of the end.
		if events = next(t, w); len(events) != 1 || events[0].Key != "c" || !events[0].Deleted {
			t.Errorf("end of a lease while all is quiet: got %v, want c deleted", events)
		}
	})
}

func leaseKeptAlive(t *testing.T, b Backend) {
	b.inTime(t, func(t *testing.T, s store.Store) {
		lease := grant(t, s, 0)
		commit(t, s, leased("a", lease))
		for range 10 {
			time.Sleep(ttl - time.Second)
			if err := s.KeepAlive(context.Background(), lease); err != nil {
				t.Fatalf("keep alive: %v", err)
			}
		}
		wantValue(t, s, "a", "x")
		time.Sleep(ttl)
		wantGone(t, s, "a")
	})
}

func leaseTakenUp(t *testing.T, b Backend) {
	b.inTime(t, func(t *testing.T, s store.Store) {
		lease := grant(t, s, 0)
		commit(t, s, leased("a", lease))
		time.Sleep(ttl / 2)
		again, err := s.Grant(context.Background(), lease, 2*ttl)
		if err != nil || again != lease {
			t.Fatalf("take up: got %d, %v, want %d", again, err, lease)
		}
		time.Sleep(2*ttl - time.Second)
		wantValue(t, s, "a", "x")
		time.Sleep(time.Second)
		wantGone(t, s, "a")
		if _, err := s.Grant(context.Background(), lease, ttl); !errors.Is(err, store.ErrNoLease) {
			t.Errorf("take up after the end: got %v, want %v", err, store.ErrNoLease)
		}
		if _, err := s.Grant(context.Background(), 12345, ttl); !errors.Is(err, store.ErrNoLease) {
			t.Errorf("take up of a lease that never was: got %v, want %v", err, store.ErrNoLease)
		}
	})
}

func leaseRevoked(t *testing.T, b Backend) {
	s := b.fresh(t)
	lease := grant(t, s, 0)
	last := commit(t, s, leased("a", lease), put("stays", "x", 0))
	w := watch(t, s, "", last)
	if err := s.Revoke(context.Background(), lease); err != nil {
		t.Fatalf("revoke: %v", err)
	}
	wantGone(t, s, "a")
	wantValue(t, s, "stays", "x")
	if events := next(t, w); len(events) != 1 || !events[0].Deleted || events[0].Key != "a" {
		t.Errorf("revocation: got %v, want a deleted", events)
	}
	if err := s.Revoke(context.Background(), lease); !errors.Is(err, store.ErrNoLease) {
		t.Errorf("second revocation: got %v, want %v", err, store.ErrNoLease)
	}
	if err := s.Revoke(context.Background(), grant(t, s, 0)); err != nil {
		t.Errorf("revoke a lease without records: %v", err)
	}
}

// leaseLeft writes a record that had a lease anew without one, and moves another to another lease.
func leaseLeft(t *testing.T, b Backend) {
	b.inTime(t, func(t *testing.T, s store.Store) {
		lease := grant(t, s, 0)
		commit(t, s, leased("stays", lease), leased("moves", lease), leased("goes", lease))
		time.Sleep(ttl / 2)
		other := grant(t, s, 0)
		commit(t, s, leased("stays", 0), leased("moves", other))
		time.Sleep(ttl / 2)
		wantGone(t, s, "goes")
		wantValue(t, s, "moves", "x")
		time.Sleep(ttl / 2)
		wantGone(t, s, "moves")
		wantValue(t, s, "stays", "x")
	})
}
