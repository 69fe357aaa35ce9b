package tunnel

import "time"

// idle ends a session that carries no packets. Keepalives and dead-peer detection do not count.
type idle struct {
	timeout time.Duration // zero: off
}

func (i idle) due(packet time.Time) time.Time {
	if i.timeout == 0 {
		return time.Time{}
	}
	return packet.Add(i.timeout)
}
