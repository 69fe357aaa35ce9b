package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrVersion: a record was written by a newer program. Upgrade this one; nothing is lost.
var ErrVersion = errors.New("store: record of a newer version")

// Table is typed access to the records under one prefix. A record is JSON in an envelope that says which
// version of T it holds:
//
//	{"version": 2, "record": {…}}
//
// Several tables may share a store; their operations go into one Commit by way of PutOp and DeleteOp.
type Table[T any] struct {
	store   Store
	prefix  string
	version int
	older   func(version int, record []byte) (T, error)
}

// Entry is one typed record.
type Entry[T any] struct {
	Name     string // the key without the table's prefix
	Value    T
	Revision Revision
	Lease    LeaseID
}

// Change is one typed change. When Deleted, Value is the zero value.
type Change[T any] struct {
	Entry[T]
	Deleted bool
}

type envelope struct {
	Version int             `json:"version"`
	Record  json.RawMessage `json:"record"`
}

// NewTable returns the table under prefix, which ends in a slash. Records are written as version, 1 or
// more; older decodes the versions before it and may be nil for version 1.
func NewTable[T any](s Store, prefix string, version int, older func(version int, record []byte) (T, error)) *Table[T] {
	if !strings.HasSuffix(prefix, "/") || version < 1 || version > 1 && older == nil {
		panic(fmt.Sprintf("store: table %q, version %d", prefix, version))
	}
	return &Table[T]{s, prefix, version, older}
}

// Get returns the record called name, or ErrNotFound.
func (t *Table[T]) Get(ctx context.Context, name string) (Entry[T], error) {
	record, err := t.store.Get(ctx, t.prefix+name)
	if err != nil {
		return Entry[T]{}, err
	}
	return t.entry(record)
}

// List returns all records in the order of names, and the revision to Watch from.
func (t *Table[T]) List(ctx context.Context) ([]Entry[T], Revision, error) {
	records, revision, err := t.store.List(ctx, t.prefix)
	if err != nil {
		return nil, 0, err
	}
	entries := make([]Entry[T], len(records))
	for i, record := range records {
		if entries[i], err = t.entry(record); err != nil {
			return nil, 0, err
		}
	}
	return entries, revision, nil
}

// Put writes one record that the caller had read at revision read (0: there was none; Any) and returns
// the new one. It lives until deleted; PutOp also takes a lease.
func (t *Table[T]) Put(ctx context.Context, name string, value T, read Revision) (Revision, error) {
	op, err := t.PutOp(name, value, read, 0)
	if err != nil {
		return 0, err
	}
	return t.store.Commit(ctx, op)
}

// Delete removes one record that the caller had read at revision read.
func (t *Table[T]) Delete(ctx context.Context, name string, read Revision) error {
	_, err := t.store.Commit(ctx, t.DeleteOp(name, read))
	return err
}

// PutOp returns the put for a Commit of the caller's.
func (t *Table[T]) PutOp(name string, value T, read Revision, lease LeaseID) (Op, error) {
	record, err := json.Marshal(value)
	if err != nil {
		return Op{}, fmt.Errorf("store: encode %s: %w", t.prefix+name, err)
	}
	data, err := json.Marshal(envelope{t.version, record})
	if err != nil {
		return Op{}, fmt.Errorf("store: encode %s: %w", t.prefix+name, err)
	}
	return Op{Key: t.prefix + name, Value: data, Read: read, Lease: lease}, nil
}

// DeleteOp returns the delete for a Commit of the caller's.
func (t *Table[T]) DeleteOp(name string, read Revision) Op {
	return Op{Key: t.prefix + name, Delete: true, Read: read}
}

func (t *Table[T]) entry(record Record) (Entry[T], error) {
	entry := Entry[T]{Name: strings.TrimPrefix(record.Key, t.prefix), Revision: record.Revision, Lease: record.Lease}
	value, err := t.decode(record.Value)
	if err != nil {
		return entry, fmt.Errorf("store: decode %s: %w", record.Key, err)
	}
	entry.Value = value
	return entry, nil
}

func (t *Table[T]) decode(data []byte) (value T, err error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return value, err
	}
	switch {
	case e.Version > t.version:
		return value, fmt.Errorf("%w: %d, this program knows %d", ErrVersion, e.Version, t.version)
	case e.Version < 1:
		return value, fmt.Errorf("version %d", e.Version)
	case e.Version < t.version:
		return t.older(e.Version, e.Record)
	}
	err = json.Unmarshal(e.Record, &value)
	return value, err
}

// Watch hands out typed changes with revisions above from; see Store.Watch.
func (t *Table[T]) Watch(ctx context.Context, from Revision) (*TableWatcher[T], error) {
	w, err := t.store.Watch(ctx, t.prefix, from)
	if err != nil {
		return nil, err
	}
	return &TableWatcher[T]{t, w}, nil
}

// TableWatcher is a Watcher of typed changes.
type TableWatcher[T any] struct {
	table   *Table[T]
	watcher Watcher
}

// Next blocks like Watcher.Next. A record that cannot be decoded is an error, after which the watch goes
// on with what came later.
func (w *TableWatcher[T]) Next(ctx context.Context) ([]Change[T], error) {
	events, err := w.watcher.Next(ctx)
	if err != nil {
		return nil, err
	}
	changes := make([]Change[T], len(events))
	for i, event := range events {
		if event.Deleted {
			changes[i] = Change[T]{Entry[T]{Name: strings.TrimPrefix(event.Key, w.table.prefix), Revision: event.Revision}, true}
			continue
		}
		if changes[i].Entry, err = w.table.entry(event.Record); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// Close frees the watch.
func (w *TableWatcher[T]) Close() { w.watcher.Close() }
