package gateway

import (
	"sync"
	"time"
)

// wheelSlots is how many seconds ahead the wheel sees. Who has longer to wait is looked at once in a turn.
const wheelSlots = 64

// wheel wakes sessions, by the second. It stands for a timer in each, or for looking at all of them each
// second: thousands have nothing to do for half a minute.
type wheel struct {
	origin time.Time

	mu     sync.Mutex
	served int64 // the second, counted from origin, whose slot was emptied last
	slots  [wheelSlots][]*session
}

func newWheel(now time.Time) *wheel { return &wheel{origin: now} }

// arm has a session woken at a time, or sooner, as it was to be before. Zero is never.
func (w *wheel) arm(s *session, at time.Time) {
	if at.IsZero() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	second := int64((at.Sub(w.origin) + time.Second - 1) / time.Second) // not before its time
	second = min(max(second, w.served+1), w.served+wheelSlots-1)
	if s.armed == never || s.armed != 0 && s.armed <= second {
		return
	}
	s.armed = second
	slot := &w.slots[second%wheelSlots]
	*slot = append(*slot, s)
}

// due returns the sessions whose second has come. They are armed no more.
func (w *wheel) due(now time.Time) (due []*session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for current := int64(now.Sub(w.origin) / time.Second); w.served < current; {
		w.served++
		slot := &w.slots[w.served%wheelSlots]
		for _, s := range *slot {
			if s.armed == w.served { // else it was armed again for sooner, and has been woken
				s.armed = 0
				due = append(due, s)
			}
		}
		*slot = nil
	}
	return due
}

// never is the second in which a session is woken that has ended.
const never = -1

func (w *wheel) forget(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.armed = never
}
