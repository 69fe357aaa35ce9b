package tunnel

import "time"

// keepalive keeps address translation on the way awake: it is due when nothing was sent on a channel for
// the interval. It is not answered.
type keepalive struct {
	interval time.Duration // zero: off
}

func (k keepalive) due(spoke time.Time) time.Time {
	if k.interval == 0 {
		return time.Time{}
	}
	return spoke.Add(k.interval)
}
