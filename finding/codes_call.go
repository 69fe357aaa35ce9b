package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step call: can two people talk?
var (
	OneWayAudio = Define(Declaration{
		Code: "one-way-audio", Step: stage.Call, Severity: Fault,
		Args: []string{"one phone", "another phone"},
		Says: "%[1]s does not hear %[2]s",
		Fix:  []string{"check routes and filters for RTP from %[2]s to %[1]s"},
	})
)
