package gateway

import (
	"net/netip"
	"sync"
	"time"
)

const (
	doubtTime   = 24 * time.Hour // how long a client is not shown again what it did not go on with
	maxDoubters = 4096           // addresses that are remembered
)

// doubters are the addresses of clients that offered to verify ECDSA, met such a certificate, and did not go
// on. What else comes from there and may be a phone meets the other one from then on: what real phones make of
// ECDSA nobody has seen, and none shall stay out for it. Who speaks TLS 1.3 or names the host is a computer
// (inferred: no phone is known to), whose user may have refused an unknown certificate in order to name it at
// the next try; it has to stay the same.
type doubters struct {
	mu    sync.Mutex
	until map[netip.Addr]time.Time
}

// add notes an address. When there are too many, one of the others is forgotten.
func (d *doubters) add(from netip.Addr, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = map[netip.Addr]time.Time{}
	}
	if len(d.until) >= maxDoubters {
		for other := range d.until {
			delete(d.until, other)
			break
		}
	}
	d.until[from] = now.Add(doubtTime)
}

func (d *doubters) has(from netip.Addr, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	until, known := d.until[from]
	if known && now.After(until) {
		delete(d.until, from)
		return false
	}
	return known
}

// doubted is told that the client went away before its first request.
func (c *conn) doubted() {
	if c.metECDSA && !c.computer {
		c.g.doubters.add(c.peer.Addr(), time.Now())
	}
}
