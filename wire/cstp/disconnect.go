package cstp

import "fmt"

// Reason is the first byte of a Disconnect: three bits of severity, five of message code
// (docs/wire/cstp.md#disconnect).
type Reason byte

// The reasons that clients are known to send. Only UserDisconnect gives the session up; after every
// other one the client may come back with its cookie.
const (
	LocalError     Reason = 0x70
	WillReconnect  Reason = 0x91
	UserDisconnect Reason = 0xb0
	Pause          Reason = 0xd1
)

// Severity is a syslog severity, 0 to 7, as it stands in the upper bits of a Reason.
type Severity byte

// The severities seen.
const (
	SeverityError   Severity = 3
	SeverityWarning Severity = 4
	SeverityNotice  Severity = 5
	SeverityInfo    Severity = 6
)

// String returns the severity as gateways log it, such as NOTICE.
func (s Severity) String() string {
	words := [...]string{"EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"}
	return words[s&7]
}

// Severity returns the reason's upper three bits.
func (r Reason) Severity() Severity { return Severity(r >> 5) }

// Code returns the reason's lower five bits: 16 leaving, 17 coming back.
func (r Reason) Code() int { return int(r & 0x1f) }

// String returns what the reason means, if known, and code/severity as gateways log it.
func (r Reason) String() string {
	form := fmt.Sprintf("%d/%v", r.Code(), r.Severity())
	switch r {
	case UserDisconnect:
		return "user disconnect (" + form + ")"
	case LocalError:
		return "local error (" + form + ")"
	case WillReconnect:
		return "will reconnect (" + form + ")"
	case Pause:
		return "pause (" + form + ")"
	}
	return form
}

// Farewell is the payload of a Disconnect.
type Farewell struct {
	Reason Reason // zero: the payload was empty
	Text   string // for people; any bytes the peer liked
}

// String returns the farewell on one line.
func (f Farewell) String() string {
	if f.Text == "" {
		return f.Reason.String()
	}
	return fmt.Sprintf("%v: %q", f.Reason, f.Text)
}

// ParseFarewell reads the payload of a Disconnect. There is none that it refuses.
func ParseFarewell(payload []byte) Farewell {
	if len(payload) == 0 {
		return Farewell{}
	}
	return Farewell{Reason: Reason(payload[0]), Text: string(payload[1:])}
}

// AppendBinary appends the payload to dst. A zero farewell is empty. The error is always nil.
func (f Farewell) AppendBinary(dst []byte) ([]byte, error) {
	if f == (Farewell{}) {
		return dst, nil
	}
	return append(append(dst, byte(f.Reason)), f.Text...), nil
}
