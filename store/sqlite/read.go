package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/longcord/longcord/store"
)

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	if err := s.settle(); err != nil {
		return store.Record{}, err
	}
	record := store.Record{Key: key}
	err := s.reads.QueryRowContext(ctx, "SELECT value, revision, lease FROM record WHERE key = ?", []byte(key)).
		Scan(&record.Value, &record.Revision, &record.Lease)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Record{}, fmt.Errorf("sqlite: get %q: %w", key, err)
	}
	return record, nil
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string) ([]store.Record, store.Revision, error) {
	if err := s.settle(); err != nil {
		return nil, 0, err
	}
	records, revision, err := s.list(ctx, prefix)
	if err != nil {
		return nil, 0, fmt.Errorf("sqlite: list %q: %w", prefix, err)
	}
	return records, revision, nil
}

// list reads revision and records in one transaction, which is one snapshot.
func (s *Store) list(ctx context.Context, prefix string) (records []store.Record, revision store.Revision, err error) {
	tx, err := s.reads.BeginTx(ctx, nil)
	if err != nil {
		return nil, 0, err
	}
	defer tx.Rollback() // nothing was written
	if err := tx.QueryRowContext(ctx, "SELECT revision FROM state").Scan(&revision); err != nil {
		return nil, 0, err
	}
	rows, err := tx.QueryContext(ctx,
		"SELECT key, value, revision, lease FROM record WHERE key >= ? AND key < ? ORDER BY key",
		[]byte(prefix), end(prefix))
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var key []byte
		var record store.Record
		if err := rows.Scan(&key, &record.Value, &record.Revision, &record.Lease); err != nil {
			return nil, 0, err
		}
		record.Key = string(key)
		records = append(records, record)
	}
	return records, revision, rows.Err()
}

// end returns a blob above all keys that begin with prefix and below all other keys above those.
func end(prefix string) []byte {
	return append([]byte(prefix), bytes.Repeat([]byte{0xff}, store.MaxKey+1)...)
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, prefix string, from store.Revision) (store.Watcher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.history.Watch(prefix, from)
}
