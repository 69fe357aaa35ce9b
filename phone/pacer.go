package phone

import "time"

const (
	frameTime = 20 * time.Millisecond // of one packet of voice
	maxBurst  = 10                    // packets sent at once to catch up; as much as the other side's buffer takes
)

// pacer says when frames are due. Its schedule is absolute, so that lateness of one frame does not add to
// the next.
type pacer struct{ next time.Time }

// due returns how many frames are to be sent at now, and how many are past saving, because the machine
// slept. It moves the schedule on beyond now.
func (p *pacer) due(now time.Time) (send, skip int) {
	if now.Before(p.next) {
		return 0, 0
	}
	all := int(now.Sub(p.next)/frameTime) + 1
	p.next = p.next.Add(time.Duration(all) * frameTime)
	return min(all, maxBurst), max(0, all-maxBurst)
}
