package gateway

import (
	"slices"
	"testing"
	"time"
)

func TestWheel(t *testing.T) {
	t.Parallel()
	origin := time.Now()
	at := func(seconds float64) time.Time { return origin.Add(time.Duration(seconds * float64(time.Second))) }
	w := newWheel(origin)
	names := map[*session]string{}
	arm := func(name string, seconds float64) *session {
		s := &session{}
		names[s] = name
		w.arm(s, at(seconds))
		return s
	}
	expect := func(seconds float64, want ...string) {
		t.Helper()
		var got []string
		for _, s := range w.due(at(seconds)) {
			got = append(got, names[s])
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("at %v s: %v want %v", seconds, got, want)
		}
	}
	arm("half", 0.5)
	arm("past", -10)
	sooner, later := arm("sooner", 5), arm("later", 3)
	w.arm(sooner, at(2.5))
	w.arm(later, at(9)) // is woken all the same, and looks for itself
	arm("never", 0).armed = never
	w.arm(arm("forgotten", 4), time.Time{})
	w.forget(arm("ended", 4))
	arm("far", 1000)
	expect(0.9)
	expect(1, "half", "past")
	expect(2)
	expect(3, "later", "sooner")
	expect(3.5)
	expect(20, "forgotten")
	expect(wheelSlots-1, "far") // one turn; it is armed again for the rest
	expect(3 * wheelSlots)
	w.arm(sooner, at(0)) // the past, after a long sleep
	expect(3*wheelSlots+1, "sooner")
}
