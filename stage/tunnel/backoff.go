package tunnel

import "time"

// reconnectLimit is how long a client tries to come back.
const reconnectLimit = 300 * time.Second

// reconnectWaits are the waits before each try; the last one repeats.
var reconnectWaits = [...]time.Duration{0, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 60 * time.Second}

// backoff spaces a client's tries to reconnect.
type backoff struct {
	lost  time.Time // when the gateway was lost
	tries int
	next  time.Time // zero: nothing to do, or a try is running
}

// start plans the first try, which is due at once.
func (b *backoff) start(now time.Time) {
	*b = backoff{lost: now}
	b.plan(now)
}

// plan sets the time of the next try and reports false when it would be too late for one.
func (b *backoff) plan(now time.Time) bool {
	wait := reconnectWaits[min(b.tries, len(reconnectWaits)-1)]
	b.tries++
	b.next = now.Add(wait)
	return !b.next.After(b.lost.Add(reconnectLimit))
}

// begun notes that a try is running.
func (b *backoff) begun() { b.next = time.Time{} }

func (b *backoff) due() time.Time { return b.next }
