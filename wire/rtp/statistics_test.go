package rtp_test

import (
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/rtp"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// arrive feeds packets of 20 ms with these sequence numbers, each on time, and returns the verdicts.
func arrive(s *rtp.Statistics, sequences ...uint16) (verdicts []rtp.Verdict) {
	for _, sequence := range sequences {
		at := start.Add(time.Duration(sequence) * 20 * time.Millisecond)
		verdicts = append(verdicts, s.Received(at, rtp.Packet{Sequence: sequence, Timestamp: uint32(sequence) * 160, SSRC: 7}))
	}
	return verdicts
}

func TestStatisticsCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                                            string
		sequences                                       []uint16
		expected, received, lost, duplicates, reordered int
		highest                                         uint32
	}{
		{name: "nothing"},
		{"in order", []uint16{5, 6, 7}, 3, 3, 0, 0, 0, 7},
		{"two lost", []uint16{5, 8}, 4, 2, 2, 0, 0, 8},
		{"overtaken", []uint16{5, 7, 6}, 3, 3, 0, 0, 1, 7},
		{"overtaken at the beginning", []uint16{5, 4, 6}, 3, 3, 0, 0, 1, 6},
		{"before the first, across zero", []uint16{0, 65535, 1}, 3, 3, 0, 0, 1, 1},
		{"twice", []uint16{5, 6, 6, 5}, 2, 2, 0, 2, 0, 6},
		{"wrap", []uint16{65534, 65535, 0, 1}, 4, 4, 0, 0, 0, 1<<16 + 1},
		{"wrap with a loss", []uint16{65534, 1}, 4, 2, 2, 0, 0, 1<<16 + 1},
		{"one stray far ahead", []uint16{5, 40000, 6}, 2, 2, 0, 0, 0, 6},
		{"restart", []uint16{5, 6, 40000, 40001, 40003}, 5, 4, 1, 0, 0, 40003},
		{"restart backwards", []uint16{5000, 5001, 10, 11}, 3, 3, 0, 0, 0, 11},
		{"long gap", []uint16{5, 2005}, 2001, 2, 1999, 0, 0, 2005},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := rtp.Statistics{ClockRate: 8000}
			arrive(&s, c.sequences...)
			got := []int{s.Expected(), s.Packets(), s.Lost(), s.Duplicates(), s.Reordered(), int(s.HighestSequence())}
			want := []int{c.expected, c.received, c.lost, c.duplicates, c.reordered, int(c.highest)}
			if !slices.Equal(got, want) {
				t.Errorf("expected, received, lost, duplicates, reordered, highest are %v, want %v", got, want)
			}
		})
	}
}

func TestStatisticsVerdicts(t *testing.T) {
	t.Parallel()
	s := rtp.Statistics{ClockRate: 8000}
	got := arrive(&s, 1, 3, 2, 2, 30000, 30001, 30002)
	want := []rtp.Verdict{rtp.Next, rtp.Next, rtp.Reordered, rtp.Duplicate, rtp.Stray, rtp.Restarted, rtp.Next}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStatisticsFollowsANewSource(t *testing.T) {
	t.Parallel()
	s := rtp.Statistics{ClockRate: 8000}
	arrive(&s, 1, 2)
	for i := range uint16(3) {
		s.Received(start, rtp.Packet{SSRC: 8, Sequence: 50000 + i})
	}
	if s.SSRC() != 8 || s.Packets() != 4 || s.Lost() != 0 {
		t.Errorf("source %d, %d packets, %d lost, want 8, 4, 0", s.SSRC(), s.Packets(), s.Lost())
	}
}

// The integer form of RFC 3550 appendix A.8, worked by hand: a packet 16 ms (128 ticks) late gives
// 0+128−0=128, the next one on time again 128+128−((128+8)>>4)=248, the one after 248−((248+8)>>4)=232.
func TestJitterSteps(t *testing.T) {
	t.Parallel()
	s := rtp.Statistics{ClockRate: 8000}
	var got []uint32
	for i, late := range []time.Duration{0, 16 * time.Millisecond, 0, 0} {
		at := start.Add(time.Duration(i)*20*time.Millisecond + late)
		s.Received(at, rtp.Packet{Sequence: uint16(i), Timestamp: uint32(i) * 160})
		got = append(got, s.Block(at).Jitter)
	}
	if want := []uint32{0, 128 >> 4, 248 >> 4, 232 >> 4}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := s.Jitter(), 1750*time.Microsecond; got != want {
		t.Errorf("232>>4 ticks are %v, want %v", got, want)
	}
}

func TestJitterLeavesOutSilenceAndKeys(t *testing.T) {
	t.Parallel()
	s := rtp.Statistics{ClockRate: 8000, TelephoneEvent: rtp.TelephoneEvent}
	s.Received(start, rtp.Packet{Sequence: 1})
	s.Received(start.Add(20*time.Millisecond), rtp.Packet{Sequence: 2, Timestamp: 160, PayloadType: rtp.TelephoneEvent})
	s.Received(start.Add(40*time.Millisecond), rtp.Packet{Sequence: 3, Timestamp: 160, PayloadType: rtp.TelephoneEvent})
	s.Received(start.Add(60*time.Millisecond), rtp.Packet{Sequence: 4, Timestamp: 480})
	s.Received(start.Add(time.Second), rtp.Packet{Sequence: 5, Timestamp: 640, Marker: true})
	s.Received(start.Add(1020*time.Millisecond), rtp.Packet{Sequence: 6, Timestamp: 800})
	if got := s.Jitter(); got != 0 {
		t.Errorf("got %v, want none", got)
	}
}

func TestFractionLostIsOfTheInterval(t *testing.T) {
	t.Parallel()
	s := rtp.Statistics{ClockRate: 8000}
	arrive(&s, 1, 2, 4) // one of four lost
	first := s.Block(start)
	arrive(&s, 5, 6)
	second := s.Block(start)
	arrive(&s, 6, 6) // two doubled
	third := s.Block(start)
	if first.FractionLost != 64 || first.Lost != 1 {
		t.Errorf("first: %d/256 and %d lost, want 64 and 1", first.FractionLost, first.Lost)
	}
	if second.FractionLost != 0 || second.Lost != 1 {
		t.Errorf("second: %d/256 and %d lost, want 0 and 1", second.FractionLost, second.Lost)
	}
	if third.FractionLost != 0 || third.Lost != -1 {
		t.Errorf("third: %d/256 and %d lost, want 0 and −1", third.FractionLost, third.Lost)
	}
}

func TestStatisticsAllocatesNothing(t *testing.T) {
	s := rtp.Statistics{ClockRate: 8000}
	p := rtp.Packet{}
	if n := testing.AllocsPerRun(1000, func() {
		p.Sequence++
		s.Received(start, p)
		s.Block(start)
	}); n != 0 {
		t.Errorf("%v allocations a packet, want none", n)
	}
}

func BenchmarkReceived(b *testing.B) {
	s := rtp.Statistics{ClockRate: 8000}
	p := rtp.Packet{}
	b.ReportAllocs()
	for b.Loop() {
		p.Sequence++
		s.Received(start, p)
	}
}
