// Package tvs is what phones and a trust verification service say to each other, inside TLS on TCP 2445:
// may I believe this certificate, and what may it do? One request and one answer make a connection.
//
//	byte 0     protocol, 0x57
//	byte 1     version, 1
//	byte 2     command
//	byte 3     nobody looks at it
//	byte 4-7   session id, the phone's choice
//	byte 8-9   length of what follows
//	           elements: tag (1), length (2), value
//
// Read cuts a Message out of a stream, Parse takes one from bytes; Message.Request and Message.Answer give
// their meaning, and Request.Message and Answer.Message write it. Elements with unknown tags stay where
// they are. What is known of the protocol and from where: docs/wire/tvs.md.
//
// This package judges nothing: that is stage/verify's.
package tvs
