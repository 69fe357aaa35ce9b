package provision

import (
	"fmt"
	"time"

	"github.com/longcord/longcord/wire/tftp"
)

// Times and counts of a TFTP transfer.
const (
	retransmitAfter = time.Second // when the timeout option is not negotiated
	maxSends        = 3           // of one packet, until the peer is given up
)

// Action is what a transfer wants done: Send, Finished or Failed.
type Action interface{ isTransferAction() }

// Send asks for a packet to be sent to the peer.
type Send struct{ Packet tftp.Packet }

// Finished ends a transfer: all of the file has arrived.
type Finished struct{ Bytes int64 }

// Failed ends a transfer. Err is a *PeerError when the peer ended it.
type Failed struct{ Err error }

func (Send) isTransferAction()     {}
func (Finished) isTransferAction() {}
func (Failed) isTransferAction()   {}

// PeerError is an ERROR packet from the other end.
type PeerError struct {
	Code    tftp.ErrorCode
	Message string
}

// Error returns the peer's code and words.
func (e *PeerError) Error() string {
	return fmt.Sprintf("provision: tftp peer says %s: %q", e.Code, e.Message)
}

// retransmission sends the last packet again until an answer comes: the timer of both ends.
type retransmission struct {
	packet tftp.Packet
	after  time.Duration
	sends  int
	due    time.Time // zero: nothing is waited for
}

// send makes p the packet that waits for an answer.
func (r *retransmission) send(now time.Time, p tftp.Packet) []Action {
	r.packet, r.sends, r.due = p, 1, now.Add(r.after)
	return []Action{Send{p}}
}

// await makes p what is sent when nothing comes.
func (r *retransmission) await(now time.Time, p tftp.Packet) {
	r.packet, r.sends, r.due = p, 0, now.Add(r.after)
}

// advance sends again what is due. It is false when the peer is given up.
func (r *retransmission) advance(now time.Time) ([]Action, bool) {
	if r.due.IsZero() || now.Before(r.due) {
		return nil, true
	}
	if r.sends == maxSends {
		return nil, false
	}
	r.sends++
	r.due = now.Add(r.after)
	return []Action{Send{r.packet}}, true
}

func (r *retransmission) stop() { r.due = time.Time{} }

func silence(p tftp.Packet) Action {
	return Failed{fmt.Errorf("provision: tftp peer does not answer %s, sent %d times", p, maxSends)}
}
