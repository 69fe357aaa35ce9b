package login

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// sweepAfter is how long after a hash its memory goes back to the system.
const sweepAfter = 10 * time.Second

// sweep gives back what hashing leaves behind. Each argon2id hash fills 19 MiB once and drops them, and Go
// keeps what was dropped for minutes in case somebody needs it, which after a morning's logins nobody does.
type sweep struct{ due atomic.Bool }

// leftovers are the whole program's, as its memory is.
var leftovers sweep

// soon is called after a hash.
func (s *sweep) soon() {
	if s.due.Swap(true) {
		return
	}
	time.AfterFunc(sweepAfter, func() {
		s.due.Store(false)
		debug.FreeOSMemory()
	})
}
