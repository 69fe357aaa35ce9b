package login

import "time"

// bucket counts failures and forgets them one after the other. The zero value is empty.
type bucket struct {
	level float64
	at    time.Time // when level was so
}

// limit says how many failures a bucket takes, and how long it takes to forget one.
type limit struct {
	failures int
	forget   time.Duration
}

// leak brings the level to now.
func (b *bucket) leak(l limit, now time.Time) {
	b.level = max(0, b.level-float64(now.Sub(b.at))/float64(l.forget))
	b.at = now
}

// add counts one failure and reports whether the bucket is full by it.
func (b *bucket) add(l limit, now time.Time) (full bool) {
	b.leak(l, now)
	was := b.full(l)
	b.level++
	return !was && b.full(l)
}

// full reports whether there is no room for one more failure. The level is that of the last leak.
func (b *bucket) full(l limit) bool { return b.level > float64(l.failures-1) }

// until is when a full bucket has room again.
func (b *bucket) until(l limit) time.Time {
	return b.at.Add(time.Duration((b.level - float64(l.failures-1)) * float64(l.forget)))
}
