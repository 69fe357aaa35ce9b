package fleet

import "time"

// tally counts one direction of a talk.
type tally struct {
	sent, received, repeated, reordered, corrupted, unsent uint64

	latency histogram
}

func (t *tally) direction() Direction {
	return Direction{
		Sent: t.sent, Received: t.received, Lost: t.sent - t.received, Repeated: t.repeated, Reordered: t.reordered,
		Corrupted: t.corrupted, Unsent: t.unsent, Latency: t.latency.latency(),
	}
}

// arrived counts a packet of a flow that arrived intact.
func (t *tally) arrived(f *flow, number uint32, took time.Duration) {
	switch f.see(number) {
	case repeated:
		t.repeated++
		return
	case reordered:
		t.reordered++
	}
	t.received++
	t.latency.add(took)
}

// flow is one client's packets in one direction.
type flow struct {
	next   uint32 // number of the next packet to send
	begun  bool
	newest uint32
	before uint64 // bit i: newest-1-i was seen
}

type order int

const (
	inOrder order = iota
	reordered
	repeated
)

const remembered = 64

// see notes a number. One that is too old to remember counts as reordered.
func (f *flow) see(number uint32) order {
	switch {
	case !f.begun:
		f.begun, f.newest = true, number
		return inOrder
	case number > f.newest:
		ahead := number - f.newest
		f.before = f.before<<ahead | 1<<(ahead-1)
		f.newest = number
		return inOrder
	case number == f.newest:
		return repeated
	}
	behind := f.newest - number - 1
	if behind >= remembered {
		return reordered
	}
	if f.before&(1<<behind) != 0 {
		return repeated
	}
	f.before |= 1 << behind
	return reordered
}
