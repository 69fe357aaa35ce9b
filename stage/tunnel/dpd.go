package tunnel

import "time"

// dpd is dead-peer detection on one channel: it asks a silent peer for a sign of life, and again each
// half interval, until the peer has been silent for too long.
type dpd struct {
	interval time.Duration // zero: off
	patience int           // intervals of silence after which the peer is dead
	asked    time.Time     // last request
}

// The patience of each half, in intervals, as openconnect and ocserv have it.
const (
	clientPatience  = 2
	gatewayPatience = 3
)

// ask returns when the next request is due, given when the peer was last heard.
func (d *dpd) ask(heard time.Time) time.Time {
	if d.asked.After(heard) {
		return d.asked.Add(max(d.interval/2, time.Second))
	}
	return heard.Add(d.interval)
}

func (d *dpd) dead(heard time.Time) time.Time {
	return heard.Add(time.Duration(d.patience) * d.interval)
}

func (d *dpd) due(heard time.Time) time.Time {
	if d.interval == 0 {
		return time.Time{}
	}
	return earliest(d.ask(heard), d.dead(heard))
}

// advance says whether to send a request now, or that the peer is dead.
func (d *dpd) advance(now, heard time.Time) (request, dead bool) {
	switch {
	case d.interval == 0:
		return false, false
	case reached(d.dead(heard), now):
		return false, true
	case reached(d.ask(heard), now):
		d.asked = now
		return true, false
	}
	return false, false
}
