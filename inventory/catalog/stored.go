package catalog

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
)

// A change that fits into one commit is that commit, with the head in it. A larger one goes through
// these states of the head, each a commit; a crash leaves one of them:
//
//	           stage            decide            carry over
//	settled ───────────▶ Staging ───────▶ Pending ──────────▶ settled
//	   ▲                    │
//	   └────────────────────┘ another change takes over: what was staged never counts
//
// From Pending on every reader lays the staged parts over the objects, so all see the change whole; and
// whoever changes anything first finishes carrying over. Each commit names the revision of the head it
// read, so of two who carry over, or stage, the slower one notices.

// maxPart is the size that a staged part is cut at, in bytes; well below store.MaxValue, since the last
// object goes over it.
const maxPart = 256 << 10

// state is all of the catalog's records at one revision.
type state struct {
	revision     store.Revision
	head         head
	headRevision store.Revision // 0: there is none yet
	objects      map[string][]byte
	staged       []store.Record
}

func (c *Catalog) read(ctx context.Context) (state, error) {
	records, revision, err := c.config.Store.List(ctx, prefix)
	if err != nil {
		return state{}, fmt.Errorf("catalog: %w", err)
	}
	s := state{revision: revision, objects: make(map[string][]byte, len(records))}
	for _, r := range records {
		switch {
		case r.Key == headKey:
			s.headRevision = r.Revision
			if s.head, err = decodeHead(r.Value); err != nil {
				return state{}, err
			}
		case strings.HasPrefix(r.Key, stagedPrefix):
			s.staged = append(s.staged, r)
		default:
			s.objects[r.Key] = r.Value
		}
	}
	return s, s.layOver()
}

// layOver applies the pending change, if there is one, to objects.
func (s *state) layOver() error {
	writes, err := s.pending()
	for _, w := range writes {
		if w.deletes() {
			delete(s.objects, w.Key)
		} else {
			s.objects[w.Key] = w.Value
		}
	}
	return err
}

func (s *state) pending() (writes []write, err error) {
	if s.head.Pending == "" {
		return nil, nil
	}
	for _, r := range s.staged {
		if !strings.HasPrefix(r.Key, partPrefix(s.head.Pending)) {
			continue
		}
		var part []write
		if err := json.Unmarshal(r.Value, &part); err != nil {
			return nil, fmt.Errorf("catalog: %s: %w", r.Key, err)
		}
		writes = append(writes, part...)
	}
	return writes, nil
}

func partPrefix(id string) string { return stagedPrefix + id + "/" }

// build decodes the objects into an inventory.
func (c *Catalog) build(s state) (*inventory.Set, error) {
	set := inventory.NewSet()
	for key, value := range s.objects {
		o, err := c.decode(key, value)
		if err != nil {
			return nil, err
		}
		if err := set.Add(o); err != nil {
			return nil, fmt.Errorf("catalog: %s: %w", key, err)
		}
	}
	c.forget(s)
	return set, nil
}

// forget drops decoded objects that are no longer stored.
func (c *Catalog) forget(s state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.decoded) == len(s.objects) {
		return
	}
	for key := range c.decoded {
		if _, ok := s.objects[key]; !ok {
			delete(c.decoded, key)
		}
	}
}

// settled returns the present state with no change pending. Reading alone does not need that.
func (c *Catalog) settled(ctx context.Context, readOnly bool) (state, error) {
	s, err := c.read(ctx)
	if err != nil || readOnly {
		return s, err
	}
	if err := c.carryOver(ctx, &s); err != nil {
		return state{}, err
	}
	return s, nil
}

// clean deletes what was staged, now that the head names none of it: it cannot come to count any more.
func (c *Catalog) clean(ctx context.Context, s state) error {
	for parts := range slices.Chunk(s.staged, store.MaxOps) {
		var ops []store.Op
		for _, r := range parts {
			ops = append(ops, store.Op{Key: r.Key, Delete: true, Read: store.Any})
		}
		if _, err := c.config.Store.Commit(ctx, ops...); err != nil {
			return fmt.Errorf("catalog: clean up: %w", err)
		}
	}
	return nil
}

// write makes a change that was planned from s. ErrConflict: s is no longer how things are, and nothing
// of the change counts.
func (c *Catalog) write(ctx context.Context, s state, writes []write) error {
	if len(batched(writes, store.MaxOps-1, store.MaxCommit-maxHead, write.size)) > 1 {
		return c.writeLarge(ctx, s, writes)
	}
	if err := c.commit(ctx, &s, head{Generation: s.head.Generation + 1}, ops(writes)...); err != nil {
		return err
	}
	// The change is made; what cannot be cleaned up now is cleaned up after the next one.
	_ = c.clean(ctx, s)
	return nil
}

// maxHead is more than the head's key and value take, in bytes.
const maxHead = 1 << 10

func (w write) size() int { return len(w.Key) + len(w.Value) }

func ops(writes []write) []store.Op {
	ops := make([]store.Op, len(writes))
	for i, w := range writes {
		ops[i] = w.op()
	}
	return ops
}

// batched cuts items into runs of at most count and, unless a single item is larger, size.
func batched[T any](items []T, count, size int, sizeOf func(T) int) (batches [][]T) {
	first, total := 0, 0
	for i, item := range items {
		if n := sizeOf(item); i > first && (i-first == count || total+n > size) {
			batches = append(batches, items[first:i])
			first, total = i, 0
		}
		total += sizeOf(item)
	}
	return append(batches, items[first:])
}

// commit writes the head together with some operations, if the head is as s says, and notes the new one
// in s.
func (c *Catalog) commit(ctx context.Context, s *state, h head, ops ...store.Op) error {
	op, err := h.op(s.headRevision)
	if err != nil {
		return err
	}
	revision, err := c.config.Store.Commit(ctx, append(ops, op)...)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	s.head, s.headRevision = h, revision
	return nil
}

// writeLarge stages a change, decides it, and carries it over.
func (c *Catalog) writeLarge(ctx context.Context, s state, writes []write) error {
	id := rand.Text()
	if err := c.commit(ctx, &s, head{Generation: s.head.Generation, Staging: id}); err != nil {
		return err
	}
	parts, err := c.stage(ctx, id, writes)
	if err != nil {
		return err
	}
	if err := c.commit(ctx, &s, head{Generation: s.head.Generation + 1, Pending: id}); err != nil {
		return err
	}
	// From here on the change is made. What cannot be carried over now is carried over by the next one.
	s.staged = append(s.staged, parts...)
	if c.carryOver(ctx, &s) == nil {
		_ = c.clean(ctx, s)
	}
	return nil
}

// stage writes a change aside.
func (c *Catalog) stage(ctx context.Context, id string, writes []write) (parts []store.Record, err error) {
	for i, part := range batched(writes, len(writes), maxPart, write.size) {
		value, err := json.Marshal(part)
		if err != nil {
			return nil, fmt.Errorf("catalog: stage: %w", err)
		}
		record := store.Record{Key: fmt.Sprintf("%s%06d", partPrefix(id), i), Value: value}
		if _, err := c.config.Store.Commit(ctx, store.Op{Key: record.Key, Value: value}); err != nil {
			return nil, fmt.Errorf("catalog: stage: %w", err)
		}
		parts = append(parts, record)
	}
	return parts, nil
}

// carryOver writes the pending change to the objects, if there is one, and settles the head.
func (c *Catalog) carryOver(ctx context.Context, s *state) error {
	writes, err := s.pending()
	if err != nil || s.head.Pending == "" {
		return err
	}
	for _, batch := range batched(writes, store.MaxOps-1, store.MaxCommit-maxHead, write.size) {
		if err := c.commit(ctx, s, s.head, ops(batch)...); err != nil {
			return err
		}
	}
	return c.commit(ctx, s, head{Generation: s.head.Generation})
}
