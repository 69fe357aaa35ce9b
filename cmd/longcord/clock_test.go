package main

import (
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
)

// clockWorld is a clock that a test sets.
type clockWorld struct {
	*clock
	t          *testing.T
	now        time.Time
	running    time.Duration
	kept, told bool
	all        []dated
}

func newClockWorld(t *testing.T) *clockWorld {
	w := &clockWorld{t: t, now: time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC), told: true}
	w.clock = &clock{findings: finding.NewBoard(), written: func() []dated { return w.all }, kept: func() (bool, bool) { return w.kept, w.told }}
	return w
}

// after has a minute pass in which the clock goes that much further than time, and expects a finding of that certainty, or none.
func (w *clockWorld) after(what string, further time.Duration, want finding.Certainty) {
	w.t.Helper()
	w.now, w.running = w.now.Add(time.Minute+further), w.running+time.Minute
	w.look(w.now, w.running)
	var got finding.Certainty
	for _, f := range w.findings.Findings() {
		got = f.Certainty
		if f.Code != finding.ClockWrong.Code || f.Subject != ownClock {
			w.t.Errorf("%s: %+v", what, f)
		}
	}
	if got != want {
		w.t.Errorf("%s: got %q want %q: %+v", what, got, want, w.findings.Findings())
	}
}

// TestClockBehind: a clock that shows less than what was written by it is wrong, until it shows more again.
func TestClockBehind(t *testing.T) {
	t.Parallel()
	w := newClockWorld(t)
	w.kept = true
	w.after("a fresh system", 0, "")
	w.all = []dated{{"a delivery to SEP001122334455", w.now.Add(time.Minute)}}
	w.after("what two nodes may differ by", 0, "")
	w.all = append(w.all, dated{"a registration of line 1001", w.now.Add(time.Hour)}, dated{"an older registration", w.now.Add(-time.Hour)})
	w.after("a session of the future", 0, finding.Likely)
	if f := w.findings.Findings()[0]; !strings.Contains(f.Says, "and a registration of line 1001 is of ") || !strings.Contains(f.Evidence[0].Text, "is synchronised") {
		t.Errorf("%+v", f)
	}
	w.after("an hour later", time.Hour, "")
}

// TestClockJumps: a jump counts where nobody answers for what the clock shows, until somebody does.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	w := newClockWorld(t)
	w.after("unsynchronised by itself", 0, "")
	w.after("a correction", time.Minute, "")
	w.after("a jump", -3*time.Hour, finding.Possible)
	w.after("and it goes on", 0, finding.Possible)
	w.kept = true
	w.after("NTP has taken over", 0, "")
	w.after("NTP has set it", 3*time.Hour, "")
	w.kept, w.told = false, false
	w.after("a jump in a container that is not told", time.Hour, "")
	w.told = true
	w.after("ahead", time.Hour, finding.Possible)
	w.all = []dated{{"a delivery to SEP001122334455", w.now.Add(time.Hour)}}
	w.after("and back", 0, finding.Likely)
	w.all = nil
	w.after("what was ahead is gone", 0, "")
}

// TestKernelClock: the kernel is asked what exists; what it says is its own affair.
func TestKernelClock(t *testing.T) {
	t.Parallel()
	if kept, told := kernelClock(); kept && !told {
		t.Error("synchronised, and not told")
	}
	if a, b := sinceStart(), sinceStart(); a <= 0 || b < a {
		t.Errorf("the machine runs since %v, then %v", a, b)
	}
}
