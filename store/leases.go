package store

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// Leases is the book of leases of a backend that runs in one process. It measures time by the monotonic
// clock, so a clock that is set does not end leases, and calls back when one is over. Removing an ended
// lease together with its records is the backend's work. The zero value is not usable; NewLeases makes one.
type Leases struct {
	ended func()

	mu   sync.Mutex
	book map[LeaseID]*lease
}

type lease struct {
	ttl      time.Duration
	deadline time.Time
	timer    *time.Timer
}

// NewLeases returns an empty book. ended is called from a goroutine of its own when a lease has ended;
// it should remove what Ended returns.
func NewLeases(ended func()) *Leases {
	return &Leases{ended: ended, book: map[LeaseID]*lease{}}
}

// NewLeaseID returns an id that no lease ever had: ids are drawn, not counted, so that a node that comes
// back late does not take up another's lease.
func NewLeaseID() LeaseID {
	var b [8]byte
	rand.Read(b[:])
	return LeaseID(binary.BigEndian.Uint64(b[:])>>1 | 1)
}

// Put enters a lease, or changes one, that ends after left and is renewed by ttl.
func (l *Leases) Put(id LeaseID, ttl, left time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old, ok := l.book[id]; ok {
		old.timer.Stop()
	}
	l.book[id] = &lease{ttl: ttl, deadline: time.Now().Add(left), timer: time.AfterFunc(left, l.ended)}
}

// TTL returns the time to live of a lease, or false when there is no such lease or it has ended.
func (l *Leases) TTL(id LeaseID) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held, ok := l.book[id]
	if !ok || !time.Now().Before(held.deadline) {
		return 0, false
	}
	return held.ttl, true
}

// Ended returns the leases that are over and still in the book.
func (l *Leases) Ended() []LeaseID {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []LeaseID
	now := time.Now()
	for id, held := range l.book {
		if !now.Before(held.deadline) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Remove takes a lease out of the book.
func (l *Leases) Remove(id LeaseID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if held, ok := l.book[id]; ok {
		held.timer.Stop()
		delete(l.book, id)
	}
}

// Stop empties the book; ended is not called any more, though a call under way goes on.
func (l *Leases) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, held := range l.book {
		held.timer.Stop()
		delete(l.book, id)
	}
}
