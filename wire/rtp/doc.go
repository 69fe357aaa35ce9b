// Package rtp is what carries the voice of a call: media packets (RTP), the reports about them (RTCP),
// the receiver's statistics and an estimate of how the call sounds.
//
// Parse cuts one datagram without copying or allocating; AppendBinary writes it back. Statistics keeps
// count of one received stream; its Block goes into the reports. EModel turns loss and delay into a mean
// opinion score. Times are arguments.
//
//	byte  0        1        2 3        4-7         8-11
//	      V P X CC M type   sequence   timestamp   SSRC   CSRC (4 each), extension, payload, padding
//
// It does not encrypt (SRTP), mix, or reorder; a payload's meaning belongs to the codec.
//
// The package is offered to others; docs/wire/rtp.md says where each rule comes from.
package rtp
