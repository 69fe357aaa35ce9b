package tunnel

import "time"

// DefaultDisconnectedTimeout is how long a session may be without a channel if its policy does not say.
const DefaultDisconnectedTimeout = 30 * time.Minute

// absence ends a session that nobody comes back to.
type absence struct {
	timeout time.Duration
	since   time.Time // zero: a channel is up
}

func (a absence) due() time.Time {
	if a.since.IsZero() {
		return time.Time{}
	}
	return a.since.Add(a.timeout)
}
