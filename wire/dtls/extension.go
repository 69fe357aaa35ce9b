package dtls

import (
	"encoding/binary"
	"fmt"
)

// Extension is the number of a hello's extension.
type Extension uint16

// The extensions that mean something to us.
const (
	ExtendedMasterSecret Extension = 23     // RFC 7627; empty
	AppID                Extension = 48018  // openconnect's own: opaque<1..255>, the id of X-DTLS-App-ID
	RenegotiationInfo    Extension = 0xff01 // RFC 5746; in a first handshake one byte, zero
)

// RenegotiationSuite stands among a client's suites instead of RenegotiationInfo, RFC 5746 section 3.3.
const RenegotiationSuite Suite = 0x00ff

// Extensions are a hello's extensions as they stand, with their length; empty when there are none. Each,
// big-endian:
//
//	extension 2 | length 2 | value
type Extensions []byte

// Check reports what is wrong with the form of the extensions.
func (e Extensions) Check() error {
	for rest := e.list(); len(rest) > 0; {
		if len(rest) < 4 {
			return fmt.Errorf("dtls: extension at offset %d needs 4 bytes, found %d", len(e)-len(rest), len(rest))
		}
		n := int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest)-4 < n {
			return fmt.Errorf("dtls: extension length %d at offset %d exceeds the %d bytes that follow", n, len(e)-len(rest)+2, len(rest)-4)
		}
		rest = rest[4+n:]
	}
	return nil
}

// Get returns the value of an extension, and false when it is not there. What follows an extension of
// bad form is not there.
func (e Extensions) Get(want Extension) (value []byte, found bool) {
	for rest := e.list(); len(rest) >= 4; {
		n := int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest)-4 < n {
			return nil, false
		}
		if Extension(binary.BigEndian.Uint16(rest)) == want {
			return rest[4 : 4+n], true
		}
		rest = rest[4+n:]
	}
	return nil, false
}

// With returns the extensions and one more.
func (e Extensions) With(x Extension, value ...byte) Extensions {
	out := append(Extensions{0, 0}, e.list()...)
	out = binary.BigEndian.AppendUint16(out, uint16(x))
	out = appendVector16(out, value)
	binary.BigEndian.PutUint16(out, uint16(len(out)-2))
	return out
}

func (e Extensions) list() []byte {
	if len(e) < 2 {
		return nil
	}
	return e[2:]
}

// RoutingID is the id by which a gateway finds the session of a ClientHello: the value of AppID, which
// older clients send, else the session id.
func (h ClientHello) RoutingID() []byte {
	if value, ok := h.Extensions.Get(AppID); ok && len(value) > 1 && int(value[0]) == len(value)-1 {
		return value[1:]
	}
	return h.SessionID
}

// SecureRenegotiation reports whether the client says that it knows RFC 5746, in one of two ways.
func (h ClientHello) SecureRenegotiation() bool {
	if _, ok := h.Extensions.Get(RenegotiationInfo); ok {
		return true
	}
	for _, s := range h.Suites {
		if s == RenegotiationSuite {
			return true
		}
	}
	return false
}
