package gateway

import (
	"net/netip"
	"sync/atomic"

	"github.com/longcord/longcord/stage/tunnel"
)

// Totals are how many sessions and channels there are, and were since the start.
type Totals struct {
	Sessions     Tally
	Disconnected int // sessions without a channel now
	TLS, DTLS    Tally
	Capacity     int // inner addresses of all pools
}

// Tally is how many there are, were in all, and were at most at a time.
type Tally struct {
	Now  int
	All  uint64
	Most int
}

// tally counts what comes and goes.
type tally struct {
	now, most atomic.Int64
	all       atomic.Uint64
}

func (t *tally) comes() {
	t.all.Add(1)
	now := t.now.Add(1)
	for most := t.most.Load(); now > most && !t.most.CompareAndSwap(most, now); {
		most = t.most.Load()
	}
}

func (t *tally) goes() { t.now.Add(-1) }

func (t *tally) count() Tally {
	return Tally{Now: int(t.now.Load()), All: t.all.Load(), Most: int(t.most.Load())}
}

// Totals returns how many there are and were.
func (g *Gateway) Totals() Totals {
	r := g.sessions
	totals := Totals{TLS: r.channels[tunnel.CSTP].count(), DTLS: r.channels[tunnel.DTLS].count()}
	r.mu.Lock()
	totals.Sessions = Tally{Now: len(r.byName), All: r.begun, Most: r.most}
	r.mu.Unlock()
	for _, s := range r.all() {
		if s.dead() {
			totals.Disconnected++
		}
	}
	for _, p := range r.pools.of {
		totals.Capacity += capacity(p.network)
	}
	return totals
}

// capacity is how many addresses a network has for clients: all but its own two, and the gateway's.
func capacity(network netip.Prefix) int {
	host := network.Addr().BitLen() - network.Bits()
	if host >= 24 {
		return 1 << 24 // nobody has more clients
	}
	return max(1<<host-3, 0)
}
