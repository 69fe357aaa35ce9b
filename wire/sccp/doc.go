// Package sccp is what Cisco's older phones and their call manager say to each other: the Skinny Client Control
// Protocol, on TCP 2000, or 2443 inside TLS. Every message is
//
//	byte 0-3    length of what follows from byte 8 on
//	byte 4-7    version of the header
//	byte 8-11   number of the message, an ID
//	byte 12-    its fields
//
// with the lowest byte of a number first, and addresses as they stand in IP. Read cuts a Frame out of a stream;
// Parse makes a message of it, one type for each; Append writes one. Layouts depend on the version that phone and
// call manager have agreed on, which Negotiate chooses. A message that is not known here is an Unknown and is
// written back as it came. What is known of the protocol and from where: docs/wire/sccp.md.
//
// Messages of media are not here yet. This package decides nothing: registration is stage/register's.
package sccp
