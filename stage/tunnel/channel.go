package tunnel

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Channel is one path of a session.
type Channel int32

// The channels.
const (
	CSTP Channel = iota // frames over TLS
	DTLS                // datagrams
)

const channels = 2

// String returns the channel's word as logs have it.
func (c Channel) String() string {
	switch c {
	case CSTP:
		return "cstp"
	case DTLS:
		return "dtls"
	}
	return fmt.Sprintf("channel %d", int32(c))
}

// path is what the packet path shares with the session's owner. Times are kept as nanoseconds since
// origin, so that a monotonic clock stays one.
type path struct {
	origin time.Time

	up     [channels]atomic.Bool
	heard  [channels]atomic.Int64 // anything came
	spoke  [channels]atomic.Int64 // anything was sent
	packet atomic.Int64           // a packet came or was sent, on any channel
	choice atomic.Int32           // Channel that data takes while it is up
	chose  atomic.Int64           // when it took to it
}

func (p *path) since(now time.Time) int64          { return int64(now.Sub(p.origin)) }
func (p *path) at(stamp *atomic.Int64) time.Time   { return p.origin.Add(time.Duration(stamp.Load())) }
func (p *path) lastHeard(c Channel) time.Time      { return p.at(&p.heard[c]) }
func (p *path) lastSpoke(c Channel) time.Time      { return p.at(&p.spoke[c]) }
func (p *path) lastPacket() time.Time              { return p.at(&p.packet) }
func (p *path) noteHeard(c Channel, now time.Time) { p.heard[c].Store(p.since(now)) }
func (p *path) noteSpoke(c Channel, now time.Time) { p.spoke[c].Store(p.since(now)) }
func (p *path) chosen(c Channel) bool              { return Channel(p.choice.Load()) == c }
func (p *path) anyUp() bool                        { return p.up[CSTP].Load() || p.up[DTLS].Load() }
func (p *path) send(now time.Time, s Send) Action  { p.noteSpoke(s.Channel, now); return s }

// choose has data take a channel from now on.
func (p *path) choose(c Channel, now time.Time) {
	p.choice.Store(int32(c))
	p.chose.Store(p.since(now))
}

// open marks a channel as up from now on; data takes the newest channel.
func (p *path) open(c Channel, now time.Time) {
	p.noteHeard(c, now)
	p.noteSpoke(c, now)
	p.choose(c, now)
	p.up[c].Store(true)
}

// close marks a channel as down and returns the action for it, none if it was not up.
func (p *path) close(c Channel) []Action {
	if !p.up[c].Swap(false) {
		return nil
	}
	return []Action{CloseChannel{Channel: c}}
}

// DataChannel returns the channel that the next packet takes, and false when none is up. Any goroutine
// may call it.
func (p *path) DataChannel() (Channel, bool) {
	c := Channel(p.choice.Load())
	if p.up[c].Load() {
		return c, true
	}
	other := CSTP + DTLS - c
	return other, p.up[other].Load()
}

// LastHeard returns when anything came on a channel last. Any goroutine may call it.
func (p *path) LastHeard(c Channel) time.Time { return p.lastHeard(c) }

// Spoke notes that a packet was sent on a channel. Any goroutine may call it.
func (p *path) Spoke(c Channel, now time.Time) {
	p.noteSpoke(c, now)
	p.packet.Store(p.since(now))
}

// earliest returns the first of the times that is set, or zero.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// reached reports whether a timer that is due then is due now; a zero time never is.
func reached(then, now time.Time) bool { return !then.IsZero() && !now.Before(then) }
