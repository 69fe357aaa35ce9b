package cstp

import (
	"encoding/binary"
	"fmt"
)

// Sizes of a frame in bytes.
const (
	HeaderLen  = 8
	MaxPayload = 65535 // what the length field can say; no peer sends more than 16 KB, a TLS record
)

// Type says what a frame or a DTLS message carries.
type Type byte

// The types. Both channels use the same numbers.
const (
	Data        Type = 0 // one IPv4 or IPv6 packet
	DPDRequest  Type = 3 // empty, or filler up to the MTU when it also measures the path
	DPDResponse Type = 4 // as long as the request on DTLS; empty or an echo on CSTP
	Disconnect  Type = 5 // the client ends the session or leaves it for a while: a Reason and text
	Keepalive   Type = 7 // empty; keeps address translation on the way awake, not answered
	Compressed  Type = 8 // a packet compressed as the headers agreed; ends openconnect if they did not
	Terminate   Type = 9 // the gateway ends the session: empty, or text
)

// String returns the type's name in lower case.
func (t Type) String() string {
	switch t {
	case Data:
		return "data"
	case DPDRequest:
		return "dpd request"
	case DPDResponse:
		return "dpd response"
	case Disconnect:
		return "disconnect"
	case Keepalive:
		return "keepalive"
	case Compressed:
		return "compressed"
	case Terminate:
		return "terminate"
	}
	return fmt.Sprintf("type %d", byte(t))
}

// Control reports whether frames of this type concern the tunnel itself; the others carry packets.
func (t Type) Control() bool { return t != Data && t != Compressed }

// PutHeader writes the header of a frame with n bytes of payload over the first HeaderLen bytes of b, so
// that a packet can be framed where it lies. It panics if n is negative or above MaxPayload.
func PutHeader(b []byte, t Type, n int) {
	if n < 0 || n > MaxPayload {
		panic(fmt.Sprintf("cstp: payload of %d bytes", n))
	}
	_ = b[HeaderLen-1]
	b[0], b[1], b[2], b[3] = 'S', 'T', 'F', 1
	binary.BigEndian.PutUint16(b[4:], uint16(n))
	b[6], b[7] = byte(t), 0
}

// AppendFrame appends a frame to dst. It panics as PutHeader does.
func AppendFrame(dst []byte, t Type, payload []byte) []byte {
	var header [HeaderLen]byte
	PutHeader(header[:], t, len(payload))
	return append(append(dst, header[:]...), payload...)
}

// ParseHeader reads the first HeaderLen bytes of a frame and returns its type, which may be unknown, and
// the length of its payload.
func ParseHeader(b []byte) (Type, int, error) {
	if len(b) < HeaderLen {
		return 0, 0, fmt.Errorf("cstp: frame header of %d bytes, want %d", len(b), HeaderLen)
	}
	if [4]byte(b) != [4]byte{'S', 'T', 'F', 1} {
		return 0, 0, fmt.Errorf("cstp: frame begins with % x, want 53 54 46 01", b[:4])
	}
	if b[7] != 0 {
		return 0, 0, fmt.Errorf("cstp: frame byte 0x%02x at offset 7, want 00", b[7])
	}
	return Type(b[6]), int(binary.BigEndian.Uint16(b[4:])), nil
}

// AppendMessage appends the content of a DTLS record to dst: the type byte and the payload.
func AppendMessage(dst []byte, t Type, payload []byte) []byte {
	return append(append(dst, byte(t)), payload...)
}

// ParseMessage splits the content of a DTLS record. The payload is part of b.
func ParseMessage(b []byte) (Type, []byte, error) {
	if len(b) == 0 {
		return 0, nil, fmt.Errorf("cstp: dtls message without a type")
	}
	return Type(b[0]), b[1:], nil
}
