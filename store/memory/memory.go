// Package memory keeps a store in memory, for tests and for fleets of phones in software. Nothing
// survives the process; everything else is as the contract in package store says.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/store"
)

// Store is a store.Store in memory.
type Store struct {
	history *store.History
	leases  *store.Leases

	mu       sync.Mutex
	records  map[string]store.Record
	revision store.Revision
	closed   bool
}

// New returns an empty store.
func New() *Store {
	s := &Store{history: store.NewHistory(0), records: map[string]store.Record{}}
	s.leases = store.NewLeases(func() {
		if s.lock() == nil {
			s.mu.Unlock()
		}
	})
	return s
}

// lock takes the mutex and removes what ended leases held, so that nobody sees it.
func (s *Store) lock() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return store.ErrClosed
	}
	for _, id := range s.leases.Ended() {
		s.end(id)
	}
	return nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	if err := s.enter(ctx); err != nil {
		return store.Record{}, err
	}
	defer s.mu.Unlock()
	record, ok := s.records[key]
	if !ok {
		return store.Record{}, fmt.Errorf("memory: get %q: %w", key, store.ErrNotFound)
	}
	return record, nil
}

func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.lock()
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string) ([]store.Record, store.Revision, error) {
	if err := s.enter(ctx); err != nil {
		return nil, 0, err
	}
	defer s.mu.Unlock()
	var found []store.Record
	for key, record := range s.records {
		if strings.HasPrefix(key, prefix) {
			found = append(found, record)
		}
	}
	slices.SortFunc(found, func(a, b store.Record) int { return strings.Compare(a.Key, b.Key) })
	return found, s.revision, nil
}

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, ops ...store.Op) (store.Revision, error) {
	if err := store.Check(ops); err != nil {
		return 0, err
	}
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	for _, op := range ops {
		if err := s.check(op); err != nil {
			return 0, err
		}
	}
	s.apply(ops)
	return s.revision, nil
}

func (s *Store) check(op store.Op) error {
	if op.Read != store.Any && op.Read != s.records[op.Key].Revision {
		return fmt.Errorf("memory: %q: %w", op.Key, store.ErrConflict)
	}
	if op.Delete || op.Lease == 0 {
		return nil
	}
	if _, ok := s.leases.TTL(op.Lease); !ok {
		return fmt.Errorf("memory: %q under lease %d: %w", op.Key, op.Lease, store.ErrNoLease)
	}
	return nil
}

// apply makes the changes and enters them into the history under one new revision.
func (s *Store) apply(ops []store.Op) {
	revision := s.revision + 1
	var events []store.Event
	for _, op := range ops {
		if !op.Delete {
			record := store.Record{Key: op.Key, Value: bytes.Clone(op.Value), Revision: revision, Lease: op.Lease}
			s.records[op.Key] = record
			events = append(events, store.Event{Record: record})
			continue
		}
		if _, ok := s.records[op.Key]; ok {
			delete(s.records, op.Key)
			events = append(events, store.Event{Record: store.Record{Key: op.Key, Revision: revision}, Deleted: true})
		}
	}
	if len(events) > 0 {
		s.revision = revision
		s.history.Append(revision, events)
	}
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, prefix string, from store.Revision) (store.Watcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.history.Watch(prefix, from)
}

// Grant implements store.Store.
func (s *Store) Grant(ctx context.Context, id store.LeaseID, ttl time.Duration) (store.LeaseID, error) {
	if err := store.CheckTTL(ttl); err != nil {
		return 0, err
	}
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if id == 0 {
		id = store.NewLeaseID()
	} else if _, ok := s.leases.TTL(id); !ok {
		return 0, fmt.Errorf("memory: take up lease %d: %w", id, store.ErrNoLease)
	}
	s.leases.Put(id, ttl, ttl)
	return id, nil
}

// KeepAlive implements store.Store.
func (s *Store) KeepAlive(ctx context.Context, id store.LeaseID) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	ttl, ok := s.leases.TTL(id)
	if !ok {
		return fmt.Errorf("memory: keep lease %d alive: %w", id, store.ErrNoLease)
	}
	s.leases.Put(id, ttl, ttl)
	return nil
}

// Revoke implements store.Store.
func (s *Store) Revoke(ctx context.Context, id store.LeaseID) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.leases.TTL(id); !ok {
		return fmt.Errorf("memory: revoke lease %d: %w", id, store.ErrNoLease)
	}
	s.end(id)
	return nil
}

// end removes a lease and its records.
func (s *Store) end(id store.LeaseID) {
	var ops []store.Op
	for key, record := range s.records {
		if record.Lease == id {
			ops = append(ops, store.Op{Key: key, Delete: true})
		}
	}
	s.leases.Remove(id)
	s.apply(ops)
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.leases.Stop()
	s.history.Close()
	return nil
}
