package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// Talk is how clients talk. The zero value is ten seconds of ordinary calls.
type Talk struct {
	Rate   float64       // packets a second from each client and to each; zero: DefaultRate
	Length time.Duration // that counts; zero: DefaultLength
	Warm   time.Duration // before that; zero: DefaultWarm
	Way    Way
}

// Way says who talks.
type Way int

// The ways that a Talk can go.
const (
	BothWays Way = iota
	UpOnly
	DownOnly
	Across // clients talk to each other, through the gateway twice; the result stands in Up
)

// Defaults of a Talk.
const (
	DefaultRate   = 50
	DefaultLength = 10 * time.Second
	DefaultWarm   = time.Second
)

const (
	maxRate   = 1e6                    // of all clients one way
	maxLength = time.Hour              //
	settle    = 500 * time.Millisecond // of silence, after which what has not come is lost
	maxLate   = 30 * time.Second       // after which what could not be sent is let go
)

// Above these the generator is taken for the limit.
const (
	fullCore = 0.9
	tooLate  = 10 * time.Millisecond
)

// Talk has all clients that are up talk at once.
func (f *Fleet) Talk(ctx context.Context, talk Talk) (Voice, error) {
	talk.Rate = cmp.Or(talk.Rate, DefaultRate)
	talk.Length = cmp.Or(talk.Length, DefaultLength)
	talk.Warm = cmp.Or(talk.Warm, DefaultWarm)
	if talk.Rate < 0 || talk.Rate*float64(len(f.clients)) > maxRate || talk.Length < 0 || talk.Length > maxLength {
		return Voice{}, fmt.Errorf("fleet: no talk of %v packets a second and client for %v", talk.Rate, talk.Length)
	}
	before, err := f.usage()
	if err != nil {
		return Voice{}, err
	}
	var t *talking
	f.loop.order(func() { t = f.loop.begin(talk) })
	if len(t.clients) == 0 {
		return Voice{}, errors.New("fleet: no client is up")
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		f.loop.order(func() { f.loop.talk = nil })
		return Voice{}, fmt.Errorf("fleet: talk: %w", context.Cause(ctx))
	}
	after, err := f.usage()
	if err != nil {
		return Voice{}, err
	}
	v := t.voice(talk)
	used := after.Minus(before)
	v.GatewayCPU, v.Wakes = used.CPU, used.Wakes
	v.Gateway = float64(v.GatewayCPU) / float64(t.end.Sub(t.begun))
	return v, nil
}

// usage is what the gateway has used so far, if that is known.
func (f *Fleet) usage() (Usage, error) {
	if f.config.Usage == nil {
		return Usage{}, nil
	}
	used, err := f.config.Usage()
	if err != nil {
		return Usage{}, fmt.Errorf("fleet: what the gateway used: %w", err)
	}
	return used, nil
}

// talking is a Talk under way. It is the packet thread's until done is closed.
type talking struct {
	loop    *loop
	clients []*client // those that were up
	id      uint32    // even; packets that count say id+1
	gap     float64   // nanoseconds between two packets of one direction
	courses []*course
	begun   time.Time
	counts  time.Time // from here on packets count
	end     time.Time
	moved   time.Time // when a packet came or was sent last

	up, down tally
	late     histogram
	carried  uint64
	thread   time.Duration // CPU time of the packet thread: at first what it had used before
	done     chan struct{}
}

// course is one direction's packets in their order: the clients take turns, evenly spread over the time
// between two packets of one client. The two courses begin with clients far apart: what one client says has
// nothing to do with when he hears something, and must not share a wake-up with it.
type course struct {
	offset time.Duration
	first  int   // client that begins
	next   int64 // number of the next packet
	put    func(t *talking, c *client, talk uint32, now time.Time) bool
	tally  *tally
}

// begin starts a talk.
func (l *loop) begin(talk Talk) *talking {
	l.talks += 2
	t := &talking{loop: l, id: l.talks, begun: time.Now(), thread: threadTime(), done: make(chan struct{})}
	for _, c := range l.fleet.clients {
		c.toInside, c.toClient, c.across, c.hears = flow{}, flow{}, nil, nil
		if c.conn != nil {
			t.clients = append(t.clients, c)
		}
	}
	if len(t.clients) == 0 {
		return t
	}
	t.counts = t.begun.Add(talk.Warm)
	t.end = t.counts.Add(talk.Length)
	t.gap = float64(time.Second) / (talk.Rate * float64(len(t.clients)))
	if talk.Way == Across {
		t.pair()
		t.courses = append(t.courses, &course{put: (*talking).putAcross, tally: &t.up})
	}
	if talk.Way == BothWays || talk.Way == UpOnly {
		t.courses = append(t.courses, &course{put: (*talking).putUp, tally: &t.up})
	}
	if talk.Way == BothWays || talk.Way == DownOnly {
		t.courses = append(t.courses, &course{offset: time.Duration(t.gap / 2), first: len(t.clients) / 2, put: (*talking).putDown, tally: &t.down})
	}
	l.talk = t
	return t
}

// pair says who talks to whom.
func (t *talking) pair() {
	for i, c := range t.clients {
		to := t.clients[(i+len(t.clients)/2)%len(t.clients)]
		c.across, to.hears = newVoice(c.number, c.inner, to.inner), c
	}
}

func (t *talking) due(c *course) time.Time {
	return t.begun.Add(c.offset + time.Duration(t.gap*float64(c.next)))
}

// send sends what is due, but not for so long that what arrives has to wait.
func (t *talking) send() {
	for range mostBatches {
		sent := false
		for _, c := range t.courses {
			sent = t.sendChunk(c) || sent
		}
		if !sent {
			break
		}
	}
	if now := time.Now(); now.After(t.end) && (t.complete() || now.Sub(t.moved) > settle) {
		t.thread = threadTime() - t.thread
		t.loop.talk = nil
		close(t.done)
	}
}

func (t *talking) complete() bool {
	return t.up.sent == t.up.received && t.down.sent == t.down.received
}

// sendChunk sends a few packets of one course, with one look at the clock, and reports whether it sent any.
func (t *talking) sendChunk(c *course) bool {
	now := time.Now()
	n := 0
	for ; n < chunk; n++ {
		due := t.due(c)
		if due.After(now) || !due.Before(t.end) {
			break
		}
		who := t.clients[(int64(c.first)+c.next)%int64(len(t.clients))]
		c.next++
		id := t.id
		if !due.Before(t.counts) {
			id++
			c.tally.sent++
			t.late.add(now.Sub(due))
		}
		t.carried++
		if !c.put(t, who, id, now) {
			c.tally.unsent++
		}
	}
	if n > 0 {
		t.loop.out.flush()
		t.moved = now
	}
	c.tally.unsent += t.loop.out.unsent
	t.loop.out.unsent = 0
	return n > 0
}

// putUp has a client send its next packet to the far end.
func (t *talking) putUp(c *client, talk uint32, now time.Time) bool {
	return t.putOut(c, c.voice, talk, now)
}

// putAcross has a client send its next packet to another.
func (t *talking) putAcross(c *client, talk uint32, now time.Time) bool {
	return t.putOut(c, c.across, talk, now)
}

func (t *talking) putOut(c *client, v *voice, talk uint32, now time.Time) bool {
	if c.conn == nil {
		return false
	}
	buf := t.loop.out.buffer(c.socket)
	at := c.conn.Headroom()
	buf[at] = byte(cstp.Data)
	packet := buf[at+1 : at+1+packetLen]
	copy(packet, v[:ipHeader+udpHeader])
	v.fill(packet[ipHeader+udpHeader:], talk, c.toInside.next, now.UnixNano())
	c.toInside.next++
	datagram, err := c.conn.Seal(buf, 1+packetLen)
	if err != nil {
		return false
	}
	t.loop.out.add(datagram, c.gateway, c.source4())
	c.half.Spoke(tunnel.DTLS, now)
	return true
}

// putDown has the far end send a client its next packet.
func (t *talking) putDown(c *client, talk uint32, now time.Time) bool {
	buf := t.loop.out.buffer(t.loop.inside)
	c.voice.fill(buf[:payloadLen], talk, c.toClient.next, now.UnixNano())
	c.toClient.next++
	t.loop.out.add(buf[:payloadLen], c.inner, [4]byte{})
	return true
}

// pause is how long there is nothing to send.
func (t *talking) pause() time.Duration {
	wait := time.Duration(mostNap)
	for _, c := range t.courses {
		if due := t.due(c); due.Before(t.end) {
			wait = min(wait, time.Until(due))
		}
	}
	return wait
}

// wentUp takes a datagram that came to the far end.
func (t *talking) wentUp(a *arrival) {
	s, ours := readStamp(a.datagram)
	if !ours {
		return
	}
	if !s.intact || int(s.client) >= len(t.loop.fleet.clients) || t.loop.fleet.clients[s.client].inner != a.peer {
		t.up.corrupted++
		return
	}
	t.arrived(&t.up, &t.loop.fleet.clients[s.client].toInside, s, a.at)
}

// wentDown takes a packet that came to a client.
func (t *talking) wentDown(c *client, packet []byte, at int64) {
	if len(packet) < ipHeader+udpHeader {
		return
	}
	s, ours := readStamp(packet[ipHeader+udpHeader:])
	if !ours {
		return // the gateway's network has more to say than we ask for
	}
	if c.hears != nil {
		t.cameAcross(c, packet, s, at)
		return
	}
	if !s.intact || int(s.client) != c.number || !isFrom(packet, t.loop.fleet.config.Far, c.inner) {
		t.down.corrupted++
		return
	}
	t.arrived(&t.down, &c.toClient, s, at)
}

// cameAcross takes a packet of another client.
func (t *talking) cameAcross(c *client, packet []byte, s stamp, at int64) {
	if !s.intact || int(s.client) != c.hears.number || !isFrom(packet, c.hears.inner, c.inner) {
		t.up.corrupted++
		return
	}
	t.arrived(&t.up, &c.hears.toInside, s, at)
}

func (t *talking) arrived(way *tally, f *flow, s stamp, at int64) {
	if s.talk == t.id+1 {
		way.arrived(f, s.number, time.Duration(at-s.sent))
		t.moved = t.loop.now
	}
}

// voice is the result.
func (t *talking) voice(talk Talk) Voice {
	v := Voice{
		Clients: len(t.clients), Rate: talk.Rate, Took: t.end.Sub(t.counts), Up: t.up.direction(), Down: t.down.direction(),
		Carried: t.carried, OwnCPU: t.thread, Busy: float64(t.thread) / float64(t.end.Sub(t.begun)), Late: t.late.latency(),
	}
	for _, c := range t.clients {
		if c.conn == nil {
			v.Ended++
		}
	}
	v.Limited = v.Busy > fullCore || v.Late.P99 > tooLate
	return v
}
