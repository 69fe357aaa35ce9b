package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/longcord/longcord/store"
)

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, ops ...store.Op) (store.Revision, error) {
	if err := store.Check(ops); err != nil {
		return 0, err
	}
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	// From here the context has no say: a commit cut off halfway would leave the file and the history
	// apart.
	ctx = context.WithoutCancel(ctx)
	err := s.write(ctx, func() ([]store.Event, error) { return s.apply(ctx, ops) })
	if err != nil {
		return 0, fmt.Errorf("sqlite: commit: %w", err)
	}
	return s.revision, nil
}

// enter takes the mutex for a writer and removes what ended leases held.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	err := s.removeEnded()
	if err != nil {
		s.mu.Unlock()
	}
	return err
}

// settle makes sure that a read sees nothing of ended leases; without any it takes no writer's lock.
func (s *Store) settle() error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if len(s.leases.Ended()) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.removeEnded()
}

// sweep is called when a lease has ended.
func (s *Store) sweep() {
	if err := s.settle(); err != nil && !errors.Is(err, store.ErrClosed) {
		time.AfterFunc(sweepAgain, s.sweep)
	}
}

func (s *Store) removeEnded() error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	for _, id := range s.leases.Ended() {
		if err := s.end(context.Background(), id); err != nil {
			return fmt.Errorf("sqlite: end lease %d: %w", id, err)
		}
	}
	return nil
}

// write runs a change as one transaction and enters its events into the history.
func (s *Store) write(ctx context.Context, change func() ([]store.Event, error)) error {
	revision := s.revision
	var events []store.Event
	err := s.transaction(ctx, func() (err error) {
		if events, err = change(); err != nil || len(events) == 0 {
			return err
		}
		revision++
		return s.exec(ctx, "UPDATE state SET revision = ?", revision)
	})
	if err != nil {
		return err
	}
	if len(events) > 0 {
		s.revision = revision
		s.history.Append(revision, events)
	}
	return nil
}

func (s *Store) apply(ctx context.Context, ops []store.Op) ([]store.Event, error) {
	var events []store.Event
	for _, op := range ops {
		found, err := s.check(ctx, op)
		if err != nil {
			return nil, err
		}
		event := store.Event{Record: store.Record{Key: op.Key, Revision: s.revision + 1}, Deleted: op.Delete}
		switch {
		case !op.Delete:
			event.Value, event.Lease = bytes.Clone(op.Value), op.Lease
			err = s.put(ctx, event.Record)
		case found:
			err = s.exec(ctx, "DELETE FROM record WHERE key = ?", []byte(op.Key))
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
}

// check returns whether there is a record under the operation's key, or why it may not be done.
func (s *Store) check(ctx context.Context, op store.Op) (found bool, err error) {
	var revision store.Revision
	err = s.conn.QueryRowContext(ctx, "SELECT revision FROM record WHERE key = ?", []byte(op.Key)).Scan(&revision)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if op.Read != store.Any && op.Read != revision {
		return false, fmt.Errorf("%q: %w", op.Key, store.ErrConflict)
	}
	if !op.Delete && op.Lease != 0 {
		if _, ok := s.leases.TTL(op.Lease); !ok {
			return false, fmt.Errorf("%q under lease %d: %w", op.Key, op.Lease, store.ErrNoLease)
		}
	}
	return revision != 0, nil
}

func (s *Store) put(ctx context.Context, record store.Record) error {
	value := record.Value
	if value == nil {
		value = []byte{} // nil would be NULL
	}
	return s.exec(ctx, `INSERT INTO record (key, value, revision, lease) VALUES (?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision, lease = excluded.lease`,
		[]byte(record.Key), value, record.Revision, record.Lease)
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
		return 0, fmt.Errorf("sqlite: take up lease %d: %w", id, store.ErrNoLease)
	}
	if err := s.renew(ctx, id, ttl); err != nil {
		return 0, err
	}
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
		return fmt.Errorf("sqlite: keep lease %d alive: %w", id, store.ErrNoLease)
	}
	return s.renew(ctx, id, ttl)
}

func (s *Store) renew(ctx context.Context, id store.LeaseID, ttl time.Duration) error {
	at := time.Now().Add(ttl).UnixMilli()
	err := s.exec(context.WithoutCancel(ctx), "INSERT OR REPLACE INTO lease (id, ttl, at) VALUES (?, ?, ?)", id, ttl.Milliseconds(), at)
	if err != nil {
		return fmt.Errorf("sqlite: renew lease %d: %w", id, err)
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
		return fmt.Errorf("sqlite: revoke lease %d: %w", id, store.ErrNoLease)
	}
	if err := s.end(context.WithoutCancel(ctx), id); err != nil {
		return fmt.Errorf("sqlite: revoke lease %d: %w", id, err)
	}
	return nil
}

// end removes a lease and its records.
func (s *Store) end(ctx context.Context, id store.LeaseID) error {
	err := s.write(ctx, func() ([]store.Event, error) {
		events, err := s.held(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := s.exec(ctx, "DELETE FROM lease WHERE id = ?", id); err != nil {
			return nil, err
		}
		return events, s.exec(ctx, "DELETE FROM record WHERE lease = ? AND lease <> 0", id)
	})
	if err == nil {
		s.leases.Remove(id)
	}
	return err
}

// held returns the deletions of a lease's records.
func (s *Store) held(ctx context.Context, id store.LeaseID) ([]store.Event, error) {
	rows, err := s.conn.QueryContext(ctx, "SELECT key FROM record WHERE lease = ? AND lease <> 0 ORDER BY key", id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []store.Event
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		events = append(events, store.Event{Record: store.Record{Key: string(key), Revision: s.revision + 1}, Deleted: true})
	}
	return events, rows.Err()
}
