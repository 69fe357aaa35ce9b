package lab

import (
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
)

// Result is the document of `longcord lab --json`.
type Result struct {
	Schema    int               `json:"schema"` // 1
	OK        bool              `json:"ok"`     // every step is, and both sides heard what the other played
	Version   string            `json:"version"`
	DurationS float64           `json:"duration_s"`
	Steps     []Step            `json:"steps"` // those reached; one that failed is the last
	Session   *phone.Session    `json:"session,omitempty"`
	Call      *Call             `json:"call,omitempty"`
	Findings  []finding.Finding `json:"findings"`
}

// Step is one step of the story.
type Step struct {
	Step       stage.Step `json:"step"`
	OK         bool       `json:"ok"`
	Detail     string     `json:"detail"` // what happened, or why it failed
	DurationMS int64      `json:"duration_ms"`
}

// Call is the call's two directions.
type Call struct {
	Signalling   string    `json:"signalling"`
	HomeToOffice Direction `json:"home_to_office"`
	OfficeToHome Direction `json:"office_to_home"`
}

// Direction is one direction of the call: Sent as its sender counted, the rest as measured where it
// arrived. Heard means that the recording there holds what was played here.
type Direction struct {
	Sent     int     `json:"sent"`
	Received int     `json:"received"`
	Lost     int     `json:"lost"`
	JitterMS float64 `json:"jitter_ms"`
	MOS      float64 `json:"mos"`
	Heard    bool    `json:"heard"`
}
