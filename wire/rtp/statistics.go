package rtp

import "time"

// Limits of RFC 3550 appendix A.1: a sequence number further ahead than maxDropout, or further behind
// than maxMisorder, is another stream until a second packet in order confirms it.
const (
	maxDropout  = 3000
	maxMisorder = 100
)

// Verdict says what Statistics made of a packet.
type Verdict uint8

// Verdicts.
const (
	Stray     Verdict = iota // far off or of another source; counted nowhere until its successor arrives
	Next                     // new, and ahead of everything before
	Reordered                // new, but overtaken by others
	Duplicate                // here before
	Restarted                // the second in order after a jump: the stream begins anew with it
)

// Statistics counts one received stream by the rules of RFC 3550 appendix A: the zero value with
// ClockRate set is ready. It follows the stream through a wrap of its sequence numbers, and through a
// restart (a jump, or another SSRC) once two packets in order prove it; counts run on over restarts.
// It is not for concurrent use and allocates nothing.
type Statistics struct {
	ClockRate      int   // ticks a second of the codec's RTP clock: 8000 for G.711, G.729 and G.722
	TelephoneEvent uint8 // payload type whose timestamp stands still (RFC 4733) and says nothing of jitter; 0: none

	begun   bool
	ssrc    uint32
	base    uint32 // extended sequence of the first packet since the last restart
	highest uint32 // extended sequence
	seen    uint64 // bit n: highest−n has arrived

	expectedBefore int // before the last restart
	received       int
	duplicates     int
	reordered      int

	stray struct {
		expected bool
		ssrc     uint32
		next     uint16
	}

	began       time.Time
	hasTransit  bool
	lastTransit uint32
	jitter      uint32 // scaled by 16

	reported struct{ expected, received int }
	sender   struct {
		heard  bool
		at     time.Time
		middle uint32
	}
}

// Received takes in a packet that arrived at now and says what it was.
func (s *Statistics) Received(now time.Time, p Packet) Verdict {
	verdict := s.place(p)
	switch verdict {
	case Stray:
		return verdict
	case Duplicate:
		s.duplicates++
		return verdict
	case Reordered:
		s.reordered++
	case Restarted:
		s.hasTransit = false
	}
	s.received++
	s.measure(now, p)
	return verdict
}

func (s *Statistics) place(p Packet) Verdict {
	if !s.begun {
		s.begun = true
		s.begin(p)
		return Next
	}
	ahead := p.Sequence - uint16(s.highest)
	switch {
	case p.SSRC != s.ssrc:
		return s.astray(p)
	case ahead == 0:
		return Duplicate
	case ahead < maxDropout:
		return s.advance(uint32(ahead))
	case -ahead <= maxMisorder:
		return s.fill(uint32(-ahead))
	}
	return s.astray(p)
}

func (s *Statistics) begin(p Packet) {
	// The base sits one wrap up, so that a packet from before the first one has a number too.
	s.ssrc, s.base = p.SSRC, 1<<16|uint32(p.Sequence)
	s.highest, s.seen = s.base, 1
}

func (s *Statistics) advance(ahead uint32) Verdict {
	s.highest += ahead
	s.seen = s.seen<<ahead | 1
	s.stray.expected = false
	return Next
}

// fill takes a packet from behind the highest. What lies further back than the window remembers is
// taken for new: it would have to be a duplicate more than a second old.
func (s *Statistics) fill(behind uint32) Verdict {
	s.stray.expected = false
	if behind < 64 {
		if s.seen&(1<<behind) != 0 {
			return Duplicate
		}
		s.seen |= 1 << behind
	}
	s.base = min(s.base, s.highest-behind)
	return Reordered
}

func (s *Statistics) astray(p Packet) Verdict {
	confirmed := s.stray.expected && s.stray.ssrc == p.SSRC && s.stray.next == p.Sequence
	s.stray.expected, s.stray.ssrc, s.stray.next = true, p.SSRC, p.Sequence+1
	if !confirmed {
		return Stray
	}
	s.expectedBefore = s.Expected()
	s.begin(p)
	s.stray.expected = false
	return Restarted
}

// measure takes the step of the interarrival jitter in the integer form of RFC 3550 appendix A.8. A
// marker begins a talk spurt: the silence before it is not jitter.
func (s *Statistics) measure(now time.Time, p Packet) {
	if s.TelephoneEvent != 0 && p.PayloadType == s.TelephoneEvent {
		return
	}
	if s.began.IsZero() {
		s.began = now
	}
	transit := s.ticks(now.Sub(s.began)) - p.Timestamp
	if s.hasTransit && !p.Marker {
		d := int32(transit - s.lastTransit)
		s.jitter += uint32(max(d, -d)) - (s.jitter+8)>>4
	}
	s.lastTransit, s.hasTransit = transit, true
}

func (s *Statistics) ticks(d time.Duration) uint32 {
	rate := int64(s.ClockRate)
	whole, part := int64(d/time.Second), int64(d%time.Second)
	return uint32(whole*rate + part*rate/int64(time.Second))
}

// Expected is how many packets the sender has sent as far as sequence numbers tell.
func (s *Statistics) Expected() int {
	if !s.begun {
		return 0
	}
	return s.expectedBefore + int(s.highest-s.base) + 1
}

// Packets is how many different packets have arrived.
func (s *Statistics) Packets() int { return s.received }

// Lost is how many packets have not arrived (yet), duplicates left aside.
func (s *Statistics) Lost() int { return s.Expected() - s.received }

// Duplicates is how many packets arrived more than once.
func (s *Statistics) Duplicates() int { return s.duplicates }

// Reordered is how many packets arrived after a later one.
func (s *Statistics) Reordered() int { return s.reordered }

// SSRC is the source of the stream that is counted now; 0 before the first packet.
func (s *Statistics) SSRC() uint32 { return s.ssrc }

// HighestSequence is the extended highest sequence number: the wraps since the beginning of the stream in
// the upper 16 bits, as reports carry it.
func (s *Statistics) HighestSequence() uint32 {
	if !s.begun {
		return 0
	}
	return s.highest - 1<<16
}

// Jitter is the interarrival jitter.
func (s *Statistics) Jitter() time.Duration {
	if s.ClockRate == 0 {
		return 0
	}
	return time.Duration(s.jitter>>4) * time.Second / time.Duration(s.ClockRate)
}

// HeardSender notes a sender report about this stream that arrived at now.
func (s *Statistics) HeardSender(now time.Time, info SenderInfo) {
	s.sender.heard, s.sender.at, s.sender.middle = true, now, middle(info.NTP)
}

// Block is what a report sent at now says of the stream. It begins a new interval for the fraction lost.
// As RFC 3550 section 6.4.1 wants it, duplicates count as received there.
func (s *Statistics) Block(now time.Time) Block {
	expected, received := s.Expected(), s.received+s.duplicates
	block := Block{
		SSRC: s.ssrc, Lost: clamp24(expected - received),
		FractionLost:    fraction(expected-s.reported.expected, received-s.reported.received),
		HighestSequence: s.HighestSequence(), Jitter: s.jitter >> 4,
	}
	if s.sender.heard {
		block.LastReport = s.sender.middle
		block.Delay = uint32(now.Sub(s.sender.at) << 16 / time.Second)
	}
	s.reported.expected, s.reported.received = expected, received
	return block
}

func fraction(expected, received int) uint8 {
	if lost := expected - received; expected > 0 && lost > 0 {
		return uint8(min(255, lost*256/expected))
	}
	return 0
}

func clamp24(n int) int32 { return int32(max(-1<<23, min(n, 1<<23-1))) }
