// Package catalog keeps the inventory in the store: every object under a key of its own, its secrets
// sealed. A change is checked as a whole and made all or nothing, however many objects it touches.
//
// Actors take Current at each decision, or Wait for the next one; Run keeps it fresh, also when another
// node makes the change.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
)

// Sealer encrypts what must not stand in the store in clear; trust.Sealer is one. What was sealed with
// some associated data opens only with the same.
type Sealer interface {
	Seal(text, associated []byte) []byte
	Open(sealed, associated []byte) ([]byte, error)
}

// Config is what a Catalog needs, all of it.
type Config struct {
	Store  store.Store
	Sealer Sealer
	// HashPassword and VerifyPassword turn the passwords that people write into files into the hashes
	// that are kept; login has both.
	HashPassword   func(secret.String) (string, error)
	VerifyPassword func(stored, password secret.String) bool
}

// Ref names an object.
type Ref struct {
	Kind inventory.Kind `json:"kind"`
	Name string         `json:"name"`
}

// String returns kind and name.
func (r Ref) String() string { return string(r.Kind) + " " + r.Name }

func refOf(o inventory.Object) Ref { return Ref{o.Kind(), o.ObjectName()} }

// InvalidError: the inventory would not be valid. Nothing was changed.
type InvalidError struct{ Problems []inventory.Problem }

// Error returns all problems, one a line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Catalog is the inventory in a store. It may be used by several goroutines.
type Catalog struct {
	config Config
	guard  atomic.Pointer[Guard]

	changing sync.Mutex // one change of ours at a time; those of other nodes show as conflicts

	mu       sync.Mutex
	decoded  map[string]decoded // by key
	snapshot snapshot
	fresh    chan struct{} // closed and replaced when snapshot changes
}

// snapshot is an inventory as it was after some change. Its set is not changed any more.
type snapshot struct {
	generation int64
	set        *inventory.Set
}

// Guard objects to a change that is valid and yet would do harm, such as keeping phones out. It is asked
// before each change that is not forced, and must not change the catalog itself.
type Guard func(before, after *inventory.Set) []inventory.Problem

// SetGuard has every change from now on asked about.
func (c *Catalog) SetGuard(g Guard) { c.guard.Store(&g) }

// Open returns the catalog in a store, with Current filled.
func Open(ctx context.Context, c Config) (*Catalog, error) {
	if c.Store == nil || c.Sealer == nil || c.HashPassword == nil || c.VerifyPassword == nil {
		return nil, errors.New("catalog: store, sealer and password functions are required")
	}
	catalog := &Catalog{config: c, decoded: map[string]decoded{}, snapshot: snapshot{generation: -1}, fresh: make(chan struct{})}
	if _, err := catalog.refresh(ctx); err != nil {
		return nil, err
	}
	return catalog, nil
}

// Load reads the inventory from the store, and the revision it stood at.
func (c *Catalog) Load(ctx context.Context) (*inventory.Set, store.Revision, error) {
	s, err := c.read(ctx)
	if err != nil {
		return nil, 0, err
	}
	set, err := c.build(s)
	return set, s.revision, err
}

// Current returns the latest inventory that is known here. Neither it nor its objects may be changed.
func (c *Catalog) Current() *inventory.Set {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshot.set
}

// Wait returns an inventory other than seen, which came from Current or Wait, as soon as there is one.
func (c *Catalog) Wait(ctx context.Context, seen *inventory.Set) (*inventory.Set, error) {
	for {
		c.mu.Lock()
		set, fresh := c.snapshot.set, c.fresh
		c.mu.Unlock()
		if set != seen {
			return set, nil
		}
		select {
		case <-fresh:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Run keeps Current fresh until the context ends, which is no error.
func (c *Catalog) Run(ctx context.Context) error {
	for {
		revision, err := c.refresh(ctx)
		if err == nil {
			err = c.follow(ctx, revision)
		}
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, store.ErrGap) {
			return fmt.Errorf("catalog: follow changes: %w", err)
		}
	}
}

// follow refreshes at every new generation. Every change rewrites the head, so watching it is enough.
func (c *Catalog) follow(ctx context.Context, from store.Revision) error {
	w, err := c.config.Store.Watch(ctx, headKey, from)
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		events, err := w.Next(ctx)
		if err != nil {
			return err
		}
		head, err := decodeHead(events[len(events)-1].Value)
		if err != nil {
			return err
		}
		if c.knows(head.Generation) {
			continue
		}
		if _, err := c.refresh(ctx); err != nil {
			return err
		}
	}
}

func (c *Catalog) knows(generation int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshot.generation >= generation
}

// refresh reads the inventory, makes it Current when it is newer, and returns the revision it stood at.
func (c *Catalog) refresh(ctx context.Context) (store.Revision, error) {
	s, err := c.read(ctx)
	if err != nil {
		return 0, err
	}
	if c.knows(s.head.Generation) {
		return s.revision, nil
	}
	set, err := c.build(s)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snapshot.generation < s.head.Generation {
		c.snapshot = snapshot{s.head.Generation, set}
		close(c.fresh)
		c.fresh = make(chan struct{})
	}
	return s.revision, nil
}
