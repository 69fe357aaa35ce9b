package tunnel

import "time"

// lifetime ends a session some time after its login, whatever it does.
type lifetime struct {
	begin   time.Time
	timeout time.Duration // zero: off
}

func (l lifetime) due() time.Time {
	if l.timeout == 0 {
		return time.Time{}
	}
	return l.begin.Add(l.timeout)
}
