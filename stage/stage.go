// Package stage names the steps of a phone's life in the order in which they happen. Logs, findings,
// metrics and screens all use these words.
//
// The packages below it decide what happens in each step, for both ends of the conversation, with time
// and input passed in. They open no connection and read no clock.
package stage

import "fmt"

// Step is one step of a phone's life. The zero value is not a step.
type Step int

// The steps, in the order in which a phone lives them.
const (
	Provision Step = iota + 1 // who am I, and which files are mine?
	Detect                    // am I inside or outside?
	Connect                   // which gateway, and can I reach it?
	Verify                    // is this my gateway, and am I who I say?
	Tunnel                    // do packets flow?
	Register                  // does the call manager know me?
	Call                      // can two people talk?
	Diagnose                  // what is wrong, and who can fix it?
)

var names = [...]string{
	Provision: "provision",
	Detect:    "detect",
	Connect:   "connect",
	Verify:    "verify",
	Tunnel:    "tunnel",
	Register:  "register",
	Call:      "call",
	Diagnose:  "diagnose",
}

// String returns the step's word, lower case, as it stands in logs and documents.
func (s Step) String() string {
	if s < Provision || s > Diagnose {
		return fmt.Sprintf("step %d", int(s))
	}
	return names[s]
}

// MarshalText writes the step's word. A value that is not a step is refused.
func (s Step) MarshalText() ([]byte, error) {
	if s < Provision || s > Diagnose {
		return nil, fmt.Errorf("stage: %d is not a step", int(s))
	}
	return []byte(names[s]), nil
}

// UnmarshalText reads a step's word.
func (s *Step) UnmarshalText(text []byte) error {
	for step := Provision; step <= Diagnose; step++ {
		if names[step] == string(text) {
			*s = step
			return nil
		}
	}
	return fmt.Errorf("stage: %q is not a step", text)
}
