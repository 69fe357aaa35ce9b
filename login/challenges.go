package login

import (
	"crypto/rand"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/secret"
)

const (
	challengeTime     = 4 * time.Minute // as long as a connection may take to log in
	maxChallenges     = 4096
	maxFromOneAddress = 64
)

// pending is a login that waits for a further answer: a server's challenge, or a code of ours.
type pending struct {
	request Request
	until   time.Time

	server *server // that asked; nil: a code of ours is missing
	state  []byte  // the server's
	result Result  // what a right code gives
}

// challenges holds the logins that wait for an answer. What peers hold is a number without meaning; what
// a server gave with its challenge never leaves this process but to that server.
type challenges struct {
	mu    sync.Mutex
	open  map[string]pending
	from  map[netip.Prefix]int // how many of them, by source
	order []string             // oldest first; those that are gone too
}

func newChallenges() *challenges {
	return &challenges{open: map[string]pending{}, from: map[netip.Prefix]int{}}
}

// ask keeps a login until its answer comes and returns the question. When too many wait, the oldest is
// forgotten; a source that has too many open is busy.
func (c *challenges) ask(r Request, prompt string, p pending) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(time.Now())
	source := sourceOf(r.Source)
	if c.from[source] >= maxFromOneAddress {
		return ErrBusy
	}
	for len(c.open) >= maxChallenges {
		c.drop(c.order[0])
		c.order = c.order[1:]
	}
	if len(c.order) > 2*maxChallenges {
		c.order = slices.DeleteFunc(c.order, func(state string) bool { _, open := c.open[state]; return !open })
	}
	state := rand.Text()
	r.Password = secret.String{} // it has done its work
	p.request, p.until = r, time.Now().Add(challengeTime)
	c.open[state] = p
	c.order = append(c.order, state)
	c.from[source]++
	return &Challenge{Prompt: prompt, State: state}
}

// take returns the login that r answers. There is one answer to each.
func (c *challenges) take(r Request) (pending, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(time.Now())
	p, ok := c.open[r.State]
	first := p.request
	if !ok || first.User != r.User || first.TunnelGroup != r.TunnelGroup || sourceOf(first.Source) != sourceOf(r.Source) {
		return pending{}, false
	}
	c.drop(r.State)
	return p, true
}

// forget drops what nobody answered in time, and takes those that were answered out of order.
func (c *challenges) forget(now time.Time) {
	for len(c.order) > 0 {
		p, ok := c.open[c.order[0]]
		if ok && now.Before(p.until) {
			return
		}
		c.drop(c.order[0])
		c.order = c.order[1:]
	}
}

func (c *challenges) drop(state string) {
	p, ok := c.open[state]
	if !ok {
		return
	}
	delete(c.open, state)
	source := sourceOf(p.request.Source)
	if c.from[source]--; c.from[source] == 0 {
		delete(c.from, source)
	}
}
