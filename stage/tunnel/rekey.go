package tunnel

import (
	"time"

	"github.com/longcord/longcord/wire/cstp"
)

// rekey renews a client's keys by a new connection. Where the gateway would have TLS renegotiated, which
// our TLS cannot, a new connection serves as well.
type rekey struct {
	at time.Time // zero: never
}

func newRekey(now time.Time, answer cstp.Answer) rekey {
	if answer.RekeyTime == 0 || answer.RekeyMethod == "" || answer.RekeyMethod == cstp.RekeyNone {
		return rekey{}
	}
	return rekey{at: now.Add(answer.RekeyTime)}
}

func (r rekey) due() time.Time { return r.at }
