package tunnel

import "time"

// dpd is dead-peer detection on one channel: it asks a silent peer for a sign of life, and again and again
// until the peer has been silent for too long.
type dpd struct {
	interval time.Duration // zero: off
	patience int           // intervals of silence after which the peer is dead
	again    time.Duration // between requests without an answer; zero: half the interval
	asked    time.Time     // last request
}

// The patience of each half, in intervals, as openconnect and ocserv have it.
const (
	clientPatience  = 2
	gatewayPatience = 3
)

// A client that talks into a dead DTLS channel is not heard, and CSTP could carry its voice. So it asks
// there as soon as the gateway falls back, in 25 s, whatever the interval, and often enough that loss alone
// does not make a channel dead.
const (
	dtlsInterval = 12500 * time.Millisecond
	dtlsAgain    = 2500 * time.Millisecond
)

// dtlsDPD is the client's detection on the DTLS channel for which the gateway gave an interval.
func dtlsDPD(interval time.Duration) dpd {
	interval = min(interval, dtlsInterval)
	return dpd{interval: interval, patience: clientPatience, again: min(interval/2, dtlsAgain)}
}

// ask returns when the next request is due, given when the peer was last heard.
func (d *dpd) ask(heard time.Time) time.Time {
	if d.asked.After(heard) {
		again := d.again
		if again == 0 {
			again = d.interval / 2
		}
		return d.asked.Add(max(again, time.Second))
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
