package gateway

import (
	"maps"
	"sync"
	"sync/atomic"
)

// shards bounds how much is copied when an entry of a table changes.
const shards = 256

// table is a map that is read for every packet and changed when a session comes or goes. Readers take no
// lock: each shard is an immutable map behind a pointer, replaced as a whole by writers.
type table[K comparable, V any] struct {
	shard [shards]struct {
		mu sync.Mutex // held by writers only
		m  atomic.Pointer[map[K]V]
	}
	hash func(K) uint8
}

func newTable[K comparable, V any](hash func(K) uint8) *table[K, V] {
	return &table[K, V]{hash: hash}
}

// get returns the value under key, or the zero value.
func (t *table[K, V]) get(key K) (value V) {
	if m := t.shard[t.hash(key)].m.Load(); m != nil {
		return (*m)[key]
	}
	return value
}

func (t *table[K, V]) put(key K, value V) {
	t.change(key, func(m map[K]V) { m[key] = value })
}

// remove deletes key if its value is the one meant.
func (t *table[K, V]) remove(key K, meant func(V) bool) {
	t.change(key, func(m map[K]V) {
		if v, ok := m[key]; ok && meant(v) {
			delete(m, key)
		}
	})
}

func (t *table[K, V]) change(key K, edit func(map[K]V)) {
	s := &t.shard[t.hash(key)]
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[K]V{}
	if m := s.m.Load(); m != nil {
		next = maps.Clone(*m)
	}
	edit(next)
	s.m.Store(&next)
}
