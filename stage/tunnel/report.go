package tunnel

import "time"

// Report is how a session stands, for people.
type Report struct {
	Up    bool      // any channel is
	Data  Channel   // that packets take, if any is up
	Since time.Time // when they took to it; zero where the channel before ended by itself
	Idle  time.Time // when the last packet came or went
	Gone  time.Time // since when there is no channel; zero while there is one

	Channels [channels]ChannelReport
}

// ChannelReport is how a channel stands. Times are zero while it is down.
type ChannelReport struct {
	Up    bool
	Heard time.Time // last sign of life
	Spoke time.Time // when something was sent last
	Asked time.Time // when dead-peer detection asked last, if ever
}

// Report returns how the session stands.
func (s *Session) Report() Report {
	r := Report{Idle: s.lastPacket(), Gone: s.absence.since}
	if r.Data, r.Up = s.DataChannel(); r.Up && s.chosen(r.Data) {
		r.Since = s.at(&s.chose)
	}
	for c := CSTP; c < channels; c++ {
		if s.up[c].Load() {
			r.Channels[c] = ChannelReport{true, s.lastHeard(c), s.lastSpoke(c), s.dpd[c].asked}
		}
	}
	return r
}
