// Package secret holds values that must not appear in logs, error texts or JSON: passwords, cookies,
// keys. Every form that a program prints by itself is redacted; Reveal is the one deliberate way out.
package secret

import "log/slog"

// Redacted stands wherever a secret would have been printed.
const Redacted = "[secret]"

// String is a text that prints as Redacted. The zero value is "no secret" and prints as empty.
type String struct{ text string }

// New wraps text.
func New(text string) String { return String{text} }

// Reveal returns the text itself. Callers send it to a peer, hash it or seal it; they never print it.
func (s String) Reveal() string { return s.text }

// IsZero reports whether no secret is set; encoders that honour omitzero then leave the field out.
func (s String) IsZero() bool { return s.text == "" }

// String returns Redacted, or nothing when no secret is set.
func (s String) String() string {
	if s.text == "" {
		return ""
	}
	return Redacted
}

// GoString keeps %#v from printing the text.
func (s String) GoString() string { return s.String() }

// LogValue keeps slog from printing the text.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText redacts, so JSON, XML and YAML encoders cannot leak the text.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a secret that somebody typed into a file. The word Redacted itself is taken as
// "no secret", so that a printed document can be read back.
func (s *String) UnmarshalText(text []byte) error {
	s.text = string(text)
	if s.text == Redacted {
		s.text = ""
	}
	return nil
}
