package fact

// What the doctor did itself, standing where the phone stands.
const (
	// WalkStep: a step of the walk ended; step is its word, ok is true or false. The first that is not ok ends the walk.
	WalkStep Kind = "walk.step"
)
