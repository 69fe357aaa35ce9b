package fact

import "github.com/longcord/longcord/stage"

// Symptom is what a kind of fact means when nothing explains it: something failed, and the fact does not say why.
type Symptom struct {
	Step stage.Step // that failed
	Ask  []string   // what to send so that the cause can be told, in the imperative
}

var symptoms = map[Kind]Symptom{}

// symptom declares a kind as a symptom, where the kind is declared: var _ = symptom(…).
func symptom(k Kind, step stage.Step, ask ...string) struct{} {
	symptoms[k] = Symptom{Step: step, Ask: ask}
	return struct{}{}
}

// SymptomOf returns what a kind is a symptom of.
func SymptomOf(k Kind) (Symptom, bool) {
	s, ok := symptoms[k]
	return s, ok
}
