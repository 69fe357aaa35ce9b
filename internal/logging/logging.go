// Package logging fixes the keys of structured logs, so that one filter on "phone" tells one phone's
// story across every part of the program.
package logging

import "log/slog"

// The keys. Every log line uses these spellings and no synonyms.
const (
	Actor   = "actor"   // provisioner, gateway, callmanager, phone, control
	Stage   = "stage"   // a stage.Step
	Phone   = "phone"   // device name, SEP and the MAC address
	Session = "session" // gateway session, its public number
	Channel = "channel" // cstp or dtls
	Call    = "call"    // call identifier
	User    = "user"    // who logged in
	Peer    = "peer"    // address of the other end
	Finding = "finding" // code of a finding
	Err     = "err"     // an error
)

// LevelTrace is below debug: the wire itself, one line a message.
const LevelTrace = slog.LevelDebug - 4

// Or returns log, or a logger that discards everything when log is nil.
func Or(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
