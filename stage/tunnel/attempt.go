package tunnel

import "time"

// attemptEvery is how long a client waits after a failed or dead DTLS channel before it tries again.
const attemptEvery = 60 * time.Second

// attempt decides when the client tries to bring DTLS up.
type attempt struct {
	running bool
	next    time.Time // zero: not wanted, running or up
}

// start notes that one is running.
func (a *attempt) start() { *a = attempt{running: true} }

// failed plans the next.
func (a *attempt) failed(now time.Time) { *a = attempt{next: now.Add(attemptEvery)} }

func (a *attempt) due() time.Time { return a.next }
