package gateway

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// halfOpenPerAddress is how many connections of one address may be on the way to their CONNECT at once.
// Beyond it the oldest of that address is dropped, so that an attacker behind a shared address cannot
// lock its neighbours out for good, and no address can fill memory.
const halfOpenPerAddress = 64

// gate counts connections that have no session yet, by address.
type gate struct {
	mu     sync.Mutex
	byAddr map[netip.Addr]*list.List // of net.Conn, oldest first
}

func newGate() *gate { return &gate{byAddr: map[netip.Addr]*list.List{}} }

// enter counts conn until leave is called, which may happen more than once.
func (g *gate) enter(addr netip.Addr, conn net.Conn) (leave func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := g.byAddr[addr]
	if waiting == nil {
		waiting = list.New()
		g.byAddr[addr] = waiting
	}
	entry := waiting.PushBack(conn)
	if waiting.Len() > halfOpenPerAddress {
		oldest := waiting.Remove(waiting.Front()).(net.Conn)
		_ = oldest.Close() // its own goroutine tells what became of it
	}
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		waiting.Remove(entry) // does nothing when it was dropped
		if waiting.Len() == 0 && g.byAddr[addr] == waiting {
			delete(g.byAddr, addr)
		}
	})
}
