package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
)

// drain empties a gateway that is to end without cutting anybody off in mid-call: no new logins, and each
// session is let go once it has been quiet for some time. Its client logs in at another gateway, or here when
// this one is back.
type drain struct {
	begin sync.Once
	begun chan struct{} // closed when it begins
	done  chan struct{} // closed when no session is left
	quiet time.Duration
}

const (
	quietTime = 30 * time.Second
	voiceRate = 10 // packets a second, both ways together; with fewer nobody talks
)

func newDrain() *drain {
	return &drain{begun: make(chan struct{}), done: make(chan struct{}), quiet: quietTime}
}

func (d *drain) on() bool {
	select {
	case <-d.begun:
		return true
	default:
		return false
	}
}

// Drain begins to empty the gateway. The channel it returns is closed when no session is left; the gateway
// runs on until Serve's context ends.
func (g *Gateway) Drain() <-chan struct{} {
	g.drain.begin.Do(func() {
		g.log.Info("gateway drains: no new logins, and sessions are let go when they are quiet", "sessions", len(g.sessions.all()))
		close(g.drain.begun)
	})
	return g.drain.done
}

// runDrain waits until draining begins, and then lets sessions go.
func (g *Gateway) runDrain(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-g.drain.begun:
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	seen := map[*session]use{}
	for {
		left := g.sessions.all()
		if len(left) == 0 {
			g.log.Info("gateway is drained")
			close(g.drain.done)
			<-ctx.Done()
			return nil
		}
		for _, s := range left {
			if g.letsGo(s, seen, time.Now()) {
				s.log.Info("session is quiet, and the gateway drains")
				s.logoff(MustLogIn)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// use is how a session was used when it was last looked at.
type use struct {
	packets uint64
	since   time.Time // quiet since
	at      time.Time
}

// letsGo tells whether a session has been quiet for long enough, and notes how it is used.
func (g *Gateway) letsGo(s *session, seen map[*session]use, now time.Time) bool {
	packets := s.counters.fromPackets.Load() + s.counters.toPackets.Load()
	u, known := seen[s]
	talks := known && float64(packets-u.packets) > voiceRate*now.Sub(u.at).Seconds()
	if !known || talks || g.config.Busy != nil && g.config.Busy(s.record.Device) {
		u.since = now
	}
	u.packets, u.at = packets, now
	seen[s] = u
	return now.Sub(u.since) >= g.drain.quiet
}

// turnsAway tells a login that the gateway drains.
func (c *conn) turnsAway() bool {
	if !c.g.drain.on() {
		return false
	}
	c.log.Info("login turned away: the gateway drains", logging.Stage, "verify")
	return true
}
