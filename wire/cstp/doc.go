// Package cstp is the format of the tunnel's TLS channel: the headers of the CONNECT exchange that opens
// it, the frames that follow, and the one type byte that stands for a frame on the DTLS channel.
//
// A frame has eight bytes of header and a payload (docs/wire/cstp.md#frames):
//
//	offset  0    1    2    3    4..5    6     7    8
//	        'S'  'T'  'F'  01   length  type  00   payload
//
// A client sends a Request and gets an Answer or a Refusal; from then on both ends write frames, one per
// TLS record, and cut what they read with a Reader. On the DTLS channel the same types are the first
// byte of each record's content.
//
// Not here: compression, which we never agree to, and the DTLS records themselves, which are package
// wire/dtls. The package is offered to others; its API follows the format.
package cstp
