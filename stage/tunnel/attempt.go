package tunnel

import "time"

// attemptWaits are a client's waits after each DTLS attempt in a row that failed; the last one repeats.
var attemptWaits = [...]time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second}

// attempt decides when the client tries to bring DTLS up.
type attempt struct {
	running bool
	next    time.Time // zero: not wanted, running or up
	failed  int       // how many in a row have failed
}

// start notes that one is running.
func (a *attempt) start() { a.running, a.next = true, time.Time{} }

// fail notes that one has failed, or that the channel is gone, and plans the next.
func (a *attempt) fail(now time.Time) {
	a.running, a.next = false, now.Add(attemptWaits[min(a.failed, len(attemptWaits)-1)])
	a.failed++
}

func (a *attempt) due() time.Time { return a.next }
