package register

import (
	"time"

	"github.com/longcord/longcord/wire/sccp"
	"github.com/longcord/longcord/wire/sip"
)

// SCCP marks the flow of a phone that speaks SCCP: no message of SIP reaches it.
const SCCP sip.Transport = "SCCP"

// Times of SCCP (docs/wire/sccp.md#keep-alive).
const (
	// KeepAlive is how often a registered phone says that it is there.
	KeepAlive = 30 * time.Second
	// StandbyKeepAlive is how often another does, that keeps a connection for the case that its own server fails.
	StandbyKeepAlive = 60 * time.Second
	// missed is how many keep-alives in a row may be missing.
	missed = 3
)

// Say sends a message of SCCP in the version that its half says: the call manager over that flow, a phone over its
// connection.
type Say struct {
	Flow    sip.Flow
	Message sccp.Message
}

// Close closes the connection.
type Close struct {
	Flow sip.Flow
	Why  string
}

// Settled reports that a phone has asked all that it asks while it registers, and takes orders.
type Settled struct{ Device string }

// Pressed reports that somebody wants to call at a phone that carries no calls.
type Pressed struct {
	Flow   sip.Flow
	Device string
	Key    string // what the phone sent
}

// Ordered reports what the call manager tells a phone to do.
type Ordered struct{ Order Order }

// Shown reports what the call manager writes on the phone's display.
type Shown struct{ Text string }

func (Say) action()     {}
func (Close) action()   {}
func (Settled) action() {}
func (Pressed) action() {}
func (Ordered) action() {}
func (Shown) action()   {}

// resets are the orders that SCCP knows.
var resets = map[sip.ServiceAction]sccp.ResetType{
	sip.Reset: sccp.ResetPhone, sip.Restart: sccp.RestartPhone, sip.ApplyConfig: sccp.ApplyConfig,
	sip.CheckVersion: sccp.ApplyConfig, // which a phone that has the newest file does nothing about
}

// orderOf returns what a Reset orders.
func orderOf(t sccp.ResetType) (Order, bool) {
	switch t {
	case sccp.ResetPhone:
		return Order{Action: sip.Reset}, true
	case sccp.RestartPhone:
		return Order{Action: sip.Restart}, true
	case sccp.ApplyConfig:
		return Order{Action: sip.ApplyConfig}, true
	}
	return Order{}, false
}
