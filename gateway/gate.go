package gateway

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// How many connections may be on the way to their session at once: from one neighbourhood, and in all.
// Beyond it one of that neighbourhood, or of the one with the most, is dropped, so that an attacker behind
// a shared address cannot lock its neighbours out for good, and nobody can fill memory.
const (
	halfOpenPerAddress = 64
	halfOpenInAll      = 4096
)

// gate counts connections that have no session yet. A neighbourhood is an IPv4 address, or the /64 that
// IPv6 gives to each customer. Those that have shaken hands, which costs an attacker as much as it costs us,
// and those that have not are two crowds: the larger loses its oldest, so that neither can push out the other.
type gate struct {
	perAddress, inAll int

	mu      sync.Mutex
	waiting map[netip.Prefix][]*place // oldest first, never empty
	count   int
}

// place is a connection's place at the gate.
type place struct {
	gate   *gate
	from   netip.Prefix
	conn   net.Conn
	shaken bool // gate's mu guards it
}

func newGate() *gate {
	return &gate{perAddress: halfOpenPerAddress, inAll: halfOpenInAll, waiting: map[netip.Prefix][]*place{}}
}

func neighbourhood(addr netip.Addr) netip.Prefix {
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.Prefix(bits) // an address that is not valid is a neighbourhood, too
	return p
}

// enter counts conn until it leaves.
func (g *gate) enter(addr netip.Addr, conn net.Conn) *place {
	p := &place{gate: g, from: neighbourhood(addr), conn: conn}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case len(g.waiting[p.from]) >= g.perAddress:
		g.drop(p.from)
	case g.count >= g.inAll:
		g.drop(g.busiest())
	}
	g.waiting[p.from] = append(g.waiting[p.from], p)
	g.count++
	return p
}

// shook notes that the connection has shaken hands.
func (p *place) shook() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.shaken = true
}

// leave ends the count; it may be called more than once.
func (p *place) leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.gate.remove(p)
}

// drop closes a connection of a neighbourhood; its own goroutine tells what became of it.
func (g *gate) drop(from netip.Prefix) {
	var oldest [2]*place // who has not shaken hands, and who has
	var crowd [2]int
	for _, p := range g.waiting[from] {
		i := 0
		if p.shaken {
			i = 1
		}
		if crowd[i]++; oldest[i] == nil {
			oldest[i] = p
		}
	}
	victim := oldest[0]
	if crowd[1] > crowd[0] {
		victim = oldest[1]
	}
	g.remove(victim)
	_ = victim.conn.Close()
}

func (g *gate) busiest() (most netip.Prefix) {
	for from, places := range g.waiting {
		if len(places) > len(g.waiting[most]) {
			most = from
		}
	}
	return most
}

// remove does nothing when the place is empty already.
func (g *gate) remove(p *place) {
	i := slices.Index(g.waiting[p.from], p)
	if i < 0 {
		return
	}
	g.count--
	g.waiting[p.from] = slices.Delete(g.waiting[p.from], i, i+1)
	if len(g.waiting[p.from]) == 0 {
		delete(g.waiting, p.from)
	}
}
