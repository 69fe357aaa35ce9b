package phone

import (
	"slices"
	"testing"
	"time"
)

// frameOf is a frame that holds one value.
func frameOf(value int16) []int16 {
	return slices.Repeat([]int16{value}, frameSamples)
}

// hear takes n frames and returns the value each holds; −1 for one that holds more than one value.
func hear(p *playout, n int) (heard []int16) {
	frame := make([]int16, frameSamples)
	for range n {
		p.take(frame)
		value := frame[0]
		if slices.ContainsFunc(frame, func(s int16) bool { return s != value }) {
			value = -1
		}
		heard = append(heard, value)
	}
	return heard
}

// put feeds frames by number: frame n holds the value n and stands at n frames from the beginning.
func put(p *playout, frames ...int) {
	for _, n := range frames {
		p.put(uint32(4294967000+n*frameSamples), frameOf(int16(n)))
	}
}

func TestPlayoutOrders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		frames []int
		want   []int16
	}{
		{"in order, three frames deep, across the wrap", []int{1, 2, 3}, []int16{0, 0, 0, 1, 2, 3, 0}},
		{"overtaken", []int{1, 3, 2, 4}, []int16{0, 0, 0, 1, 2, 3, 4}},
		{"missing is silence", []int{1, 2, 4}, []int16{0, 0, 0, 1, 2, 0, 4}},
		{"before the first", []int{2, 1}, []int16{0, 0, 1, 2, 0}},
		{"twice", []int{1, 1, 2}, []int16{0, 0, 0, 1, 2}},
		{"a second ahead begins anew", []int{1, 60, 61}, []int16{0, 0, 0, 60, 61}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &playout{}
			put(p, c.frames...)
			if got := hear(p, len(c.want)); !slices.Equal(got, c.want) {
				t.Errorf("heard %v, want %v", got, c.want)
			}
		})
	}
}

func TestPlayoutWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	p := &playout{}
	if p.take(make([]int16, frameSamples)) {
		t.Error("played before the first packet")
	}
}

func TestPlayoutPushedBackByLatePackets(t *testing.T) {
	t.Parallel()
	p := &playout{}
	put(p, 1)
	hear(p, 6) // frame 2 and 3 were due in the last two
	put(p, 2, 3)
	if got, want := hear(p, 3), []int16{2, 3, 0}; !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
	if want := 100 * time.Millisecond; p.depth != want || p.dropped != 0 {
		t.Errorf("depth %v, %d dropped, want %v, 0", p.depth, p.dropped, want)
	}
	hear(p, 10) // frames 4 to 13 stay away
	put(p, 4, 13)
	if got, want := hear(p, 2), []int16{13, 0}; !slices.Equal(got, want) || p.dropped != 1 {
		t.Errorf("heard %v, %d dropped, want %v, 1", got, p.dropped, want)
	}
}

// A sender whose clock is set back half a second is followed after a second of patience.
func TestPlayoutFollowsAClockSetBack(t *testing.T) {
	t.Parallel()
	p := &playout{}
	put(p, 100)
	for n := range playoutGivesUp {
		hear(p, 1)
		put(p, 75+n)
	}
	if got, want := hear(p, 5), []int16{0, 0, 0, 124, 0}; !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
}

func TestPlayoutTakesAnyPacketTime(t *testing.T) {
	t.Parallel()
	p := &playout{}
	p.put(0, append(frameOf(1), frameOf(2)[:80]...)) // 30 ms
	p.put(240, append(frameOf(2)[:80], frameOf(3)...))
	p.put(480, make([]int16, 60000)) // more than there is room for
	if got, want := hear(p, 3), []int16{0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
}

func TestPacer(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := pacer{next: begin}
	for _, c := range []struct {
		at         time.Duration
		send, skip int
	}{
		{-time.Millisecond, 0, 0},
		{0, 1, 0},
		{3 * time.Millisecond, 0, 0},
		{27 * time.Millisecond, 1, 0}, // 7 ms late: the next one is still due at 40
		{40 * time.Millisecond, 1, 0},
		{105 * time.Millisecond, 3, 0},
		{2 * time.Second, maxBurst, 95 - maxBurst},
		{2020 * time.Millisecond, 1, 0},
	} {
		if send, skip := p.due(begin.Add(c.at)); send != c.send || skip != c.skip {
			t.Errorf("at %v: send %d, skip %d, want %d, %d", c.at, send, skip, c.send, c.skip)
		}
	}
}
