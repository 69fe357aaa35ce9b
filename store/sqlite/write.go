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

// commit is a Commit that waits for its turn. What it came to is written under the Store's mu.
type commit struct {
	ops      []store.Op
	done     bool
	revision store.Revision
	err      error
}

// Commit implements store.Store. Whoever's turn it is carries out all commits that wait, in order and in one
// transaction: the disk is waited for once.
func (s *Store) Commit(ctx context.Context, ops ...store.Op) (store.Revision, error) {
	if err := store.Check(ops); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	// From here the context has no say: a commit cut off halfway would leave the file and the history
	// apart.
	c := &commit{ops: ops}
	s.join(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.done {
		s.commitAll(context.WithoutCancel(ctx), s.queued())
	}
	return c.revision, c.err
}

func (s *Store) join(c *commit) {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	s.queue = append(s.queue, c)
}

// queued takes all commits that wait.
func (s *Store) queued() []*commit {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	queue := s.queue
	s.queue = nil
	return queue
}

// commitAll carries out commits. One that is refused has changed nothing, and the others go on; when the
// file cannot be written, none has happened. mu is held.
func (s *Store) commitAll(ctx context.Context, commits []*commit) {
	revision := s.revision
	events := make([][]store.Event, len(commits))
	err := s.removeEnded()
	if err == nil {
		revision = s.revision
		err = s.transaction(ctx, func() error {
			for i, c := range commits {
				if c.err = s.admit(ctx, c.ops); c.err != nil {
					continue
				}
				var err error
				if events[i], err = s.apply(ctx, c.ops, revision+1); err != nil {
					return err
				}
				if len(events[i]) > 0 {
					revision++
				}
				c.revision = revision
			}
			return s.setRevision(ctx, revision)
		})
	}
	for i, c := range commits {
		c.done = true
		switch {
		case err != nil:
			c.revision, c.err = 0, fmt.Errorf("sqlite: commit: %w", err)
		case c.err != nil:
			c.err = fmt.Errorf("sqlite: commit: %w", c.err)
		case len(events[i]) > 0:
			s.revision = c.revision
			s.history.Append(c.revision, events[i])
		}
	}
}

func (s *Store) setRevision(ctx context.Context, revision store.Revision) error {
	if revision == s.revision {
		return nil
	}
	return s.exec(ctx, "UPDATE state SET revision = ?", revision)
}

// admit returns why operations may not be done.
func (s *Store) admit(ctx context.Context, ops []store.Op) error {
	for _, op := range ops {
		if err := s.check(ctx, op); err != nil {
			return err
		}
	}
	return nil
}

// apply carries out operations that were admitted.
func (s *Store) apply(ctx context.Context, ops []store.Op, revision store.Revision) ([]store.Event, error) {
	var events []store.Event
	for _, op := range ops {
		event := store.Event{Record: store.Record{Key: op.Key, Revision: revision}, Deleted: op.Delete}
		changed, err := true, error(nil)
		if op.Delete {
			changed, err = s.delete(ctx, op.Key)
		} else {
			event.Value, event.Lease = bytes.Clone(op.Value), op.Lease
			err = s.put(ctx, event.Record)
		}
		if err != nil {
			return nil, err
		}
		if changed {
			events = append(events, event)
		}
	}
	return events, nil
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

// check returns why an operation may not be done.
func (s *Store) check(ctx context.Context, op store.Op) error {
	if op.Read != store.Any {
		if revision, err := s.revisionOf(ctx, op.Key); err != nil {
			return err
		} else if op.Read != revision {
			return fmt.Errorf("%q: %w", op.Key, store.ErrConflict)
		}
	}
	if !op.Delete && op.Lease != 0 {
		if _, ok := s.leases.TTL(op.Lease); !ok {
			return fmt.Errorf("%q under lease %d: %w", op.Key, op.Lease, store.ErrNoLease)
		}
	}
	return nil
}

// revisionOf is zero when there is no record under key.
func (s *Store) revisionOf(ctx context.Context, key string) (revision store.Revision, err error) {
	query, err := s.prepared(ctx, "SELECT revision FROM record WHERE key = ?")
	if err != nil {
		return 0, err
	}
	if err = query.QueryRowContext(ctx, []byte(key)).Scan(&revision); errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return revision, err
}

// delete reports whether there was a record.
func (s *Store) delete(ctx context.Context, key string) (bool, error) {
	statement, err := s.prepared(ctx, "DELETE FROM record WHERE key = ?")
	if err != nil {
		return false, err
	}
	result, err := statement.ExecContext(ctx, []byte(key))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
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
	revision := s.revision
	var events []store.Event
	err := s.transaction(ctx, func() (err error) {
		if events, err = s.held(ctx, id); err != nil {
			return err
		}
		if len(events) > 0 {
			revision++
		}
		return errors.Join(
			s.exec(ctx, "DELETE FROM lease WHERE id = ?", id),
			s.exec(ctx, "DELETE FROM record WHERE lease = ? AND lease <> 0", id),
			s.setRevision(ctx, revision),
		)
	})
	if err != nil {
		return err
	}
	if len(events) > 0 {
		s.revision = revision
		s.history.Append(revision, events)
	}
	s.leases.Remove(id)
	return nil
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
