// Package tunnel decides how a session carries packets: what a gateway grants, which of the two channels
// data takes, when a silent peer is asked for a sign of life, when it is dead, and when the session ends.
//
// Negotiate turns a client's CONNECT and the session's Policy into the Answer. After that Session is the
// gateway's half and Client the phone's. Both are told what happened, with the time, and return actions
// for their owner to carry out; one goroutine calls them. The exceptions are Heard, Spoke and
// DataChannel, which the packet path calls from any goroutine, for each packet, without locks.
//
// A session has a CSTP channel over TLS and, if both ends can, a DTLS channel. CSTP comes first and
// carries data until DTLS is up, and again when DTLS falls silent. Losing both does not end the session:
// the client comes back with its cookie.
//
// Each timer is a small struct in a file of its own that answers when it is due. Rules and sources:
// docs/wire/cstp.md#life. The DTLS handshake and records are package dtls below this one.
package tunnel
