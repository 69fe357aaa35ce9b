// Package capf is how phones come by a certificate of their own, the LSC (locally significant
// certificate): the Certificate Authority Proxy Function's protocol, inside TLS on TCP 3804. The server
// speaks first.
//
//	byte 0     protocol, 0x55
//	byte 1     command
//	byte 2-5   session id, the server's choice
//	byte 6-7   length of what follows
//	           elements: tag (1), length (2), value
//
// Read cuts a Message out of a stream, Parse takes one from bytes. Values have readers on Message (Byte,
// Text, Certificate, …) and writers of the same names. Elements with unknown tags stay where they are.
// A message must reach a phone in one segment: write what AppendBinary returns at once.
// What is known of the protocol and from where: docs/wire/capf.md.
//
// This package decides nothing: the conversation is stage/enrol's.
package capf
