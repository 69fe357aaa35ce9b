package login

import (
	"context"
	"net/netip"
	"sync"
)

// queue lets a few in at a time and makes the others wait, each source in its own line; the lines take
// turns. When everybody's places are taken, whoever's line is shorter takes the last place of the longest
// line, so one source cannot keep the others out.
type queue struct {
	places int // that may wait, in all

	mu      sync.Mutex
	free    int // that may come in at once
	waiting int
	lines   []*line // none empty; the first is next
}

// line is who waits from one source.
type line struct {
	source  netip.Prefix
	waiters []waiter
}

// waiter is told true to come in, false to go away.
type waiter chan bool

func newQueue(inside, places int) *queue {
	return &queue{places: places, free: inside}
}

// enter waits for a turn. It returns ErrBusy when there is no place to wait or the place was lost to
// another source. Without error the caller calls leave.
func (q *queue) enter(ctx context.Context, from netip.Addr) error {
	w, err := q.join(sourceOf(from))
	if w == nil {
		return err
	}
	select {
	case in := <-w:
		if !in {
			return ErrBusy
		}
		return nil
	case <-ctx.Done():
		q.quit(w)
		return ctx.Err()
	}
}

// join returns a waiter, or nil when the caller is in, or ErrBusy.
func (q *queue) join(source netip.Prefix) (waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		q.free--
		return nil, nil
	}
	own := q.lineOf(source)
	if q.waiting >= q.places && !q.pushOut(len(own.waiters)+1) {
		return nil, ErrBusy
	}
	w := make(waiter, 1)
	if len(own.waiters) == 0 {
		q.lines = append(q.lines, own)
	}
	own.waiters = append(own.waiters, w)
	q.waiting++
	return w, nil
}

func (q *queue) lineOf(source netip.Prefix) *line {
	for _, l := range q.lines {
		if l.source == source {
			return l
		}
	}
	return &line{source: source}
}

// pushOut sends the last of the longest line away, if that line is longer than keep.
func (q *queue) pushOut(keep int) bool {
	var longest *line
	for _, l := range q.lines {
		if longest == nil || len(l.waiters) > len(longest.waiters) {
			longest = l
		}
	}
	if longest == nil || len(longest.waiters) <= keep {
		return false
	}
	last := len(longest.waiters) - 1
	longest.waiters[last] <- false
	longest.waiters = longest.waiters[:last]
	q.waiting--
	return true
}

// leave lets the next one in.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) == 0 {
		q.free++
		return
	}
	next := q.lines[0]
	q.lines = q.lines[1:]
	next.waiters[0] <- true
	next.waiters = next.waiters[1:]
	q.waiting--
	if len(next.waiters) > 0 {
		q.lines = append(q.lines, next)
	}
}

// quit takes out a waiter that gave up; if its turn has come meanwhile, the turn goes on.
func (q *queue) quit(w waiter) {
	if !q.remove(w) && <-w {
		q.leave()
	}
}

func (q *queue) remove(w waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, l := range q.lines {
		for j := range l.waiters {
			if l.waiters[j] != w {
				continue
			}
			l.waiters = append(l.waiters[:j], l.waiters[j+1:]...)
			if len(l.waiters) == 0 {
				q.lines = append(q.lines[:i], q.lines[i+1:]...)
			}
			q.waiting--
			return true
		}
	}
	return false
}

// sourceOf returns what counts as one source: an IPv4 address, or an IPv6 network of 64 bits, of which
// one customer has at least one.
func sourceOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits) // the zero Prefix for the zero Addr
	return prefix
}
