// Package register decides registration: does the call manager know this phone? By SIP Registrar is
// the call manager's half, Registration the phone's; each is told what happened and returns what to do. By SCCP
// the halves are SCCPServer, of one connection, and SCCPClient; the lines of its phones the Registrar knows, too.
//
// By SIP two kinds of phone meet the registrar. Any standard phone gets the time it asks for, within bounds.
// Cisco's enterprise firmware, known by the device name in its Contact, gets its own rules
// (docs/wire/sip.md#register): always the same short time, which is its keep-alive; a mark when the
// registration is new to us; and the lines of its device behind the first registered with it.
//
// A registered phone can be told to read its files again: Teller says which phone is told what and when, Obey
// what the phone makes of it.
//
// Not here: sockets, the store, calls.
package register

import (
	"time"

	"github.com/longcord/longcord/wire/sip"
)

// Action is what a half wants done. The types below are all there are.
type Action interface{ action() }

// Respond answers a request.
type Respond struct{ Request, Response *sip.Message }

// Keep has a binding written to the store: it is new, has changed, or outlives what was written last.
type Keep struct{ Binding Binding }

// Forget has a binding removed from the store.
type Forget struct{ Binding Binding }

// Registered reports a line that has become reachable, or is so at another place than Before.
type Registered struct {
	Binding Binding
	Before  Binding // zero: there was none
}

// Denied reports a REGISTER that was refused, and why.
type Denied struct{ Line, Why string }

// Unregistered reports a line that is no longer reachable there, and why.
type Unregistered struct {
	Binding Binding
	Why     string
}

// Connect wants a connection to the call manager; Connected or Unreachable says what became of it.
type Connect struct{}

// Send sends a request of the phone to the call manager.
type Send struct{ Request *sip.Message }

// Accepted reports that the phone is registered until then, if nothing more happens.
type Accepted struct{ Until time.Time }

// Refused reports the call manager's refusal, or that its answers make no sense to us. The phone tries
// again later.
type Refused struct {
	Status int // 0: we could not make sense of the answer
	Why    string
}

// Occupied reports where the line is registered already. The phone leaves it there; Finished follows.
type Occupied struct{ Contacts []sip.Address }

// Unreachable reports that no call manager answers. The phone tries again later.
type Unreachable struct{ Why string }

// Finished reports that the phone has taken back its registration, or has given up trying to.
type Finished struct{}

func (Respond) action()      {}
func (Keep) action()         {}
func (Forget) action()       {}
func (Registered) action()   {}
func (Unregistered) action() {}
func (Denied) action()       {}
func (Connect) action()      {}
func (Send) action()         {}
func (Accepted) action()     {}
func (Refused) action()      {}
func (Occupied) action()     {}
func (Unreachable) action()  {}
func (Finished) action()     {}
