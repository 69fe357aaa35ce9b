package fact

import "github.com/longcord/longcord/stage"

// What Longcord's own programs say: `longcord phone --json`, and their logs.
const (
	// OwnFinding: a part of Longcord raised a finding; code, says and certainty, or code and the log line's other values.
	OwnFinding Kind = "own.finding"
	// OwnStep: a step of the software phone went well; step, stored (true: it got no new file, and lives with the stored one).
	OwnStep Kind = "own.step"
	// OwnStepFailed: it did not; step, detail. A symptom.
	OwnStepFailed Kind = "own.step-failed"
	// OwnLost: a gateway gave a client's TCP connection up that gave no sign of life; session, user, device.
	OwnLost Kind = "own.lost"
	// OwnBack: a client that was lost is back in the same session; session.
	OwnBack Kind = "own.back"
)

var _ = symptom(OwnStepFailed, stage.Call,
	"run the software phone once more with `longcord phone --json --verbose` and send all of its output")
