// Package radius asks RADIUS servers whether somebody may log in, and tells them of sessions (RFC 2865,
// RFC 2866).
//
// RADIUS protects little by itself, so this package guards what it sends and takes. Every question begins
// with a Message-Authenticator; a reply is taken only from the server's address, for the question that was
// asked, with both its signatures right. Anything else that arrives is passed over and waited out, so that
// whoever can send but not sign changes nothing: docs/decisions/radius.md.
//
// Server.Authenticate asks one server once, with as many tries as fit in its timeout. Which server is asked
// when, and what becomes of one that does not answer, is package login's.
package radius
