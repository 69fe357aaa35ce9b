// Package limiter counts what each address sends, so that one that sends too much holds up no other.
package limiter

import (
	"net/netip"
	"sync"
	"time"
)

// What one address may send. A phone sends a few messages a minute; a whole office behind one address,
// registering after a power cut, fits into the burst.
const (
	perSecond  = 200
	burst      = 2000
	maxBuckets = 1 << 14
)

// Limiter counts what each address sends: one for a message or a read, and one for every 512 bytes.
type Limiter struct {
	mu      sync.Mutex
	buckets map[netip.Addr]*bucket
	others  bucket // shared by all new addresses while the table is full
	swept   time.Time
}

type bucket struct {
	spent float64
	at    time.Time
}

// New makes one that has counted nothing.
func New() *Limiter { return &Limiter{buckets: map[netip.Addr]*bucket{}} }

// Allow reports whether an address may send n more bytes now.
func (l *Limiter) Allow(from netip.Addr, n int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[from]
	if b == nil {
		b = l.add(from, now)
	}
	b.drain(now)
	if b.spent >= burst {
		return false
	}
	b.spent += 1 + float64(n)/512
	return true
}

func (b *bucket) drain(now time.Time) {
	b.spent = max(0, b.spent-perSecond*now.Sub(b.at).Seconds())
	b.at = now
}

func (l *Limiter) add(from netip.Addr, now time.Time) *bucket {
	if len(l.buckets) >= maxBuckets && now.Sub(l.swept) > time.Second {
		l.swept = now
		for addr, b := range l.buckets {
			if b.drain(now); b.spent == 0 {
				delete(l.buckets, addr)
			}
		}
	}
	if len(l.buckets) >= maxBuckets {
		return &l.others
	}
	b := &bucket{at: now}
	l.buckets[from] = b
	return b
}
