package phone

import (
	"time"

	"github.com/longcord/longcord/wire/g711"
)

// The playout buffer's depths. Desk phones adapt theirs between some 20 and 200 ms (inferred).
const (
	playoutDepth    = 60 * time.Millisecond  // of the first packet, and after a restart
	playoutMaxDepth = 200 * time.Millisecond // how far late packets may push playout back
	playoutAhead    = 800 * time.Millisecond // a packet further ahead shows that the sender began anew
	playoutGivesUp  = 50                     // packets in a row too late: the sender's clock was set back
)

func samples(d time.Duration) int { return int(d * g711.SampleRate / time.Second) }

// playout puts received voice back into its order and time: samples go in at their RTP timestamp and come
// out frame by frame, silence where nothing came. A late packet pushes playout back, up to a limit; one
// later than that is thrown away. It is not for concurrent use.
type playout struct {
	ring    [int((playoutAhead + playoutMaxDepth) * g711.SampleRate / time.Second)]int16
	at      int // index in ring of the next sample to play
	begun   bool
	next    uint32        // its timestamp
	depth   time.Duration // by which playout follows arrival
	late    int           // packets thrown away in a row
	dropped int           // packets thrown away in all
}

// put stores the samples of one packet that begins at timestamp.
func (p *playout) put(timestamp uint32, voice []int16) {
	if !p.begun {
		p.restart(timestamp)
	}
	ahead := int(int32(timestamp - p.next))
	if ahead < 0 && !p.pushBack(-ahead) {
		p.dropped++
		if p.late++; p.late < playoutGivesUp {
			return
		}
	}
	if p.late == playoutGivesUp || ahead+len(voice) > samples(playoutAhead) {
		p.restart(timestamp)
	}
	p.late = 0
	p.store(int(timestamp-p.next), voice)
}

func (p *playout) store(ahead int, voice []int16) {
	for i, sample := range voice[:min(len(voice), samples(playoutAhead))] {
		p.ring[(p.at+ahead+i)%len(p.ring)] = sample
	}
}

// restart begins anew: the sample at timestamp will be played after the first depth.
func (p *playout) restart(timestamp uint32) {
	clear(p.ring[:])
	p.begun, p.at, p.depth, p.late = true, 0, playoutDepth, 0
	p.next = timestamp - uint32(samples(playoutDepth))
}

// pushBack delays playout by n samples, so that a packet that late is still heard. It reports false when
// that would go too far.
func (p *playout) pushBack(n int) bool {
	if n > samples(playoutMaxDepth-p.depth) {
		return false
	}
	p.depth += time.Duration(n) * time.Second / g711.SampleRate
	p.next -= uint32(n)
	p.at = (p.at - n + len(p.ring)) % len(p.ring)
	return true
}

// take fills frame with what is to be heard now. Before the first packet it reports false.
func (p *playout) take(frame []int16) bool {
	if !p.begun {
		return false
	}
	for i := range frame {
		frame[i], p.ring[p.at] = p.ring[p.at], 0
		p.at = (p.at + 1) % len(p.ring)
	}
	p.next += uint32(len(frame))
	return true
}
