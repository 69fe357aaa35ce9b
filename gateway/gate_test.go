package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// closing tells whether it was closed.
type closing struct {
	net.Conn
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func enter(g *gate, addr string) (*closing, *place) {
	c := &closing{}
	return c, g.enter(netip.MustParseAddr(addr), c)
}

func TestGateDropsTheOldestOfAnAddress(t *testing.T) {
	t.Parallel()
	g := newGate()
	neighbour, _ := enter(g, "192.0.2.1")
	var conns []*closing
	var places []*place
	for range g.perAddress {
		c, at := enter(g, "192.0.2.2")
		conns, places = append(conns, c), append(places, at)
	}
	places[0].leave() // it logged in
	enter(g, "192.0.2.2")
	if conns[0].closed || conns[1].closed {
		t.Error("dropped below the limit")
	}
	enter(g, "192.0.2.2")
	if conns[0].closed || !conns[1].closed || conns[2].closed || neighbour.closed {
		t.Error("not the oldest of those that wait was dropped, or more")
	}
	places[1].leave() // as its goroutine does when it ends
	enter(g, "192.0.2.2")
	if !conns[2].closed || conns[3].closed {
		t.Error("a dropped one was counted twice")
	}
}

// Who has shaken hands and who has not cannot push each other out.
func TestGateDropsFromTheLargerCrowd(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.perAddress = 6
	var shaken, silent []*closing
	add := func(shakes bool) {
		c, at := enter(g, "192.0.2.2")
		if !shakes {
			silent = append(silent, c)
			return
		}
		at.shook()
		shaken = append(shaken, c)
	}
	left := func(all []*closing) (n int) {
		for i, c := range all {
			if !c.closed {
				n++
			} else if i > 0 && !all[i-1].closed {
				t.Error("not the oldest was dropped")
			}
		}
		return n
	}
	add(true)
	for range 100 {
		add(false)
	}
	if left(shaken) != 1 || left(silent) != 5 {
		t.Errorf("a silent flood leaves %d and %d", left(shaken), left(silent))
	}
	for range 100 {
		add(true)
	}
	if left(shaken) != 4 || left(silent) != 2 {
		t.Errorf("a flood that shakes hands leaves %d and %d", left(shaken), left(silent))
	}
}

func TestGateDropsFromTheBusiest(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.inAll = 10
	first, _ := enter(g, "192.0.2.1")
	var many []*closing
	for range 9 {
		c, _ := enter(g, "192.0.2.2")
		many = append(many, c)
	}
	enter(g, "192.0.2.3")
	if first.closed || !many[0].closed || many[1].closed {
		t.Error("not the busiest address gave way")
	}
}

func TestGateCountsIPv6ByCustomer(t *testing.T) {
	t.Parallel()
	g := newGate()
	var first *closing
	for i := range g.perAddress + 1 {
		c, _ := enter(g, fmt.Sprintf("2001:db8::%x", i))
		if first == nil {
			first = c
		}
	}
	other, _ := enter(g, "2001:db8:0:1::1")
	if !first.closed || other.closed {
		t.Error("addresses of one /64 are counted apart, or another /64 with them")
	}
}

func TestGateEmptiesItself(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.inAll = 50
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			_, at := enter(g, fmt.Sprintf("192.0.2.%d", i%7))
			at.shook()
			at.leave()
			at.leave()
		})
	}
	all.Wait()
	if g.count != 0 || len(g.waiting) != 0 {
		t.Errorf("%d are counted, of %d addresses, and none is left", g.count, len(g.waiting))
	}
}
