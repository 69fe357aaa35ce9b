// Package tlv is the format of what phones trust: signed files (.sgn and .enc.sgn) and trust lists (CTL
// and ITL, .tlv), as records of tag, length and value.
//
// The layout is drawn in docs/wire/trust-lists.md. Parse functions return values that encode back to the
// same bytes, unknown tags included. What a signature says, and whom a phone believes, is for
// stage/verify; keys and signing are in trust.
package tlv
