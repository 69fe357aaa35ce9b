package sip

import (
	"fmt"
	"strings"
)

// Events of a NOTIFY by which a server asks a phone to read its files again (docs/wire/sip.md#service-control).
const (
	EventServiceControl = "service-control" // enterprise firmware; the body is a ServiceControl
	EventCheckSync      = "check-sync"      // everybody else, and 7940 and 7960; no body
)

// ServiceAction is what a phone is told to do.
type ServiceAction string

// The actions, as they stand in the body.
const (
	CheckVersion  ServiceAction = "check-version" // compare the stamps, read again what differs
	ApplyConfig   ServiceAction = "apply-config"  // read again, and restart if that needs it
	Restart       ServiceAction = "restart"       // unregister, read again, register
	Reset         ServiceAction = "reset"         // boot
	ReportProblem ServiceAction = "prt-report"    // send logs to the problem report address
)

// StampKind names a version stamp in the body.
type StampKind string

// The stamps, by the file whose version they are.
const (
	ConfigStamp         StampKind = "ConfigVersionStamp"
	DialplanStamp       StampKind = "DialplanVersionStamp"
	SoftkeyStamp        StampKind = "SoftkeyVersionStamp"
	FeatureControlStamp StampKind = "FeatureControlVersionStamp"
	HeadsetStamp        StampKind = "HeadsetVersionStamp"
)

// ServiceControl is the body of a service-control NOTIFY: lines of key and value. Values stand in braces.
//
//	action=apply-config
//	RegisterCallId={call id}
//	ConfigVersionStamp={stamp}
type ServiceControl struct {
	Action ServiceAction
	CallID string // RegisterCallId: the phone's own, of its REGISTER. Empty: none is named
	Lines  Fields // all other lines in their order, stamps and what nobody here knows, as they were written
}

// Names of the two lines that are not kept as they came.
const (
	keyAction = "action"
	keyCallID = "RegisterCallId"
)

// maxServiceLines is more than any server writes.
const maxServiceLines = 64

// Stamp returns a version stamp without its braces, and whether the body names it.
func (s ServiceControl) Stamp(kind StampKind) (string, bool) {
	for _, line := range s.Lines {
		if strings.EqualFold(line.Name, string(kind)) {
			stamp, err := unbrace(line.Value)
			return stamp, err == nil
		}
	}
	return "", false
}

// AddStamp adds a version stamp.
func (s *ServiceControl) AddStamp(kind StampKind, stamp string) {
	s.Lines.Add(string(kind), "{"+stamp+"}")
}

// ParseServiceControl reads a body. It refuses one without an action, with two, and with a brace that does
// not close, as in a body that was cut.
func ParseServiceControl(body []byte) (ServiceControl, error) {
	var s ServiceControl
	named, offset := map[string]bool{}, 0
	for text := range strings.SplitSeq(string(body), "\n") {
		at := offset
		offset += len(text) + 1
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		inner, err := unbrace(value)
		low := strings.ToLower(key)
		switch {
		case !ok || key == "":
			return s, fmt.Errorf("sip: service-control: %.40q at offset %d is not key=value", text, at)
		case err != nil:
			return s, fmt.Errorf("sip: service-control: %s at offset %d: %w", key, at, err)
		case named[low]:
			return s, fmt.Errorf("sip: service-control: second %s at offset %d", key, at)
		case len(named) == maxServiceLines:
			return s, fmt.Errorf("sip: service-control: more than %d lines", maxServiceLines)
		}
		named[low] = true
		switch low {
		case keyAction:
			s.Action = ServiceAction(value)
		case strings.ToLower(keyCallID):
			s.CallID = inner
		default:
			s.Lines.Add(key, value)
		}
	}
	if s.Action == "" {
		return s, fmt.Errorf("sip: service-control: no action")
	}
	return s, nil
}

// unbrace takes the braces off a value that has them.
func unbrace(value string) (string, error) {
	opened, closed := strings.HasPrefix(value, "{"), strings.HasSuffix(value, "}")
	if opened != closed || opened && len(value) < 2 {
		return "", fmt.Errorf("brace of %.40q is not closed", value)
	}
	if !opened {
		return value, nil
	}
	return strings.TrimSpace(value[1 : len(value)-1]), nil
}

// AppendBinary appends the body in its wire form. A line break in any part is refused.
func (s ServiceControl) AppendBinary(b []byte) ([]byte, error) {
	lines := Fields{{keyAction, string(s.Action)}}
	if s.CallID != "" {
		lines.Add(keyCallID, "{"+s.CallID+"}")
	}
	for _, line := range append(lines, s.Lines...) {
		if strings.ContainsAny(line.Name+line.Value, "\r\n") {
			return b, fmt.Errorf("sip: service-control: %q: %w", line.Name, errLineBreak)
		}
		b = append(append(append(append(b, line.Name...), '='), line.Value...), "\r\n"...)
	}
	return b, nil
}

// String returns the body on one line.
func (s ServiceControl) String() string {
	text := fmt.Sprintf("%s for %s", s.Action, s.CallID)
	for _, line := range s.Lines {
		text += fmt.Sprintf(" %s=%s", line.Name, line.Value)
	}
	return text
}
