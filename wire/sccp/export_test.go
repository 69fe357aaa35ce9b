package sccp

// Samples returns every message that has a type, with something in each of its fields.
func Samples() []Message { return all() }
