package gateway

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// How many connections may be on the way to their session at once: from one neighbourhood, and in all.
// Beyond it the oldest of that neighbourhood, or of the one with the most, is dropped, so that an attacker
// behind a shared address cannot lock its neighbours out for good, and nobody can fill memory.
const (
	halfOpenPerAddress = 64
	halfOpenInAll      = 4096
)

// gate counts connections that have no session yet. A neighbourhood is an IPv4 address, or the /64 that
// IPv6 gives to each customer.
type gate struct {
	perAddress, inAll int

	mu      sync.Mutex
	waiting map[netip.Prefix][]net.Conn // oldest first, never empty
	count   int
}

func newGate() *gate {
	return &gate{perAddress: halfOpenPerAddress, inAll: halfOpenInAll, waiting: map[netip.Prefix][]net.Conn{}}
}

func neighbourhood(addr netip.Addr) netip.Prefix {
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.Prefix(bits) // an address that is not valid is a neighbourhood, too
	return p
}

// enter counts conn until leave is called, which may happen more than once.
func (g *gate) enter(addr netip.Addr, conn net.Conn) (leave func()) {
	from := neighbourhood(addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting[from] = append(g.waiting[from], conn)
	g.count++
	switch {
	case len(g.waiting[from]) > g.perAddress:
		g.drop(from)
	case g.count > g.inAll:
		g.drop(g.busiest())
	}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.remove(from, conn)
	}
}

// drop closes the oldest connection of a neighbourhood; its own goroutine tells what became of it.
func (g *gate) drop(from netip.Prefix) {
	oldest := g.waiting[from][0]
	g.remove(from, oldest)
	_ = oldest.Close()
}

func (g *gate) busiest() (most netip.Prefix) {
	for from, conns := range g.waiting {
		if len(conns) > len(g.waiting[most]) {
			most = from
		}
	}
	return most
}

// remove does nothing when conn has left already.
func (g *gate) remove(from netip.Prefix, conn net.Conn) {
	i := slices.Index(g.waiting[from], conn)
	if i < 0 {
		return
	}
	g.count--
	g.waiting[from] = slices.Delete(g.waiting[from], i, i+1)
	if len(g.waiting[from]) == 0 {
		delete(g.waiting, from)
	}
}
