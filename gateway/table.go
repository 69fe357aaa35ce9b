package gateway

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
)

// shards bounds how much is copied when an entry of a table changes.
const shards = 256

// table is a map that is read for every packet and changed when a session comes or goes. Readers take no
// lock: each shard is an immutable map behind a pointer, replaced as a whole by writers.
type table[K, V any] struct {
	shard [shards]struct {
		mu sync.Mutex // held by writers only
		m  atomic.Pointer[map[tableKey]V]
	}
	key func(K) tableKey
}

// tableKey is an address in a form without gaps and pointers, which a map hashes and compares in one go.
type tableKey struct{ high, low, port uint64 }

func keyOf(addr netip.Addr) tableKey {
	b := addr.As16()
	return tableKey{high: binary.BigEndian.Uint64(b[:8]), low: binary.BigEndian.Uint64(b[8:])}
}

func keyOfPort(addr netip.AddrPort) tableKey {
	k := keyOf(addr.Addr())
	k.port = uint64(addr.Port())
	return k
}

func (k tableKey) shard() uint8 { return uint8(k.low ^ k.low>>8 ^ k.port ^ k.port>>8) }

func newTable[K, V any](key func(K) tableKey) *table[K, V] { return &table[K, V]{key: key} }

// get returns the value under key, or the zero value.
func (t *table[K, V]) get(key K) (value V) {
	k := t.key(key)
	if m := t.shard[k.shard()].m.Load(); m != nil {
		return (*m)[k]
	}
	return value
}

func (t *table[K, V]) put(key K, value V) {
	t.change(t.key(key), func(m map[tableKey]V, k tableKey) { m[k] = value })
}

// remove deletes key if its value is the one meant.
func (t *table[K, V]) remove(key K, meant func(V) bool) {
	t.change(t.key(key), func(m map[tableKey]V, k tableKey) {
		if v, ok := m[k]; ok && meant(v) {
			delete(m, k)
		}
	})
}

func (t *table[K, V]) change(k tableKey, edit func(map[tableKey]V, tableKey)) {
	s := &t.shard[k.shard()]
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[tableKey]V{}
	if m := s.m.Load(); m != nil {
		next = maps.Clone(*m)
	}
	edit(next, k)
	s.m.Store(&next)
}
