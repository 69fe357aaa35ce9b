package dtls

import (
	"encoding/binary"
	"fmt"
)

// HandshakeType says which handshake message it is.
type HandshakeType uint8

// The messages of a handshake that resumes a session or uses a pre-shared key.
const (
	TypeClientHello        HandshakeType = 1
	TypeServerHello        HandshakeType = 2
	TypeHelloVerifyRequest HandshakeType = 3
	TypeServerKeyExchange  HandshakeType = 12
	TypeServerHelloDone    HandshakeType = 14
	TypeClientKeyExchange  HandshakeType = 16
	TypeFinished           HandshakeType = 20
)

// HandshakeHeaderLen is the length of a handshake message's header.
const HandshakeHeaderLen = 12

// Handshake is one handshake message, whole. On the wire, big-endian:
//
//	type 1 | length 3 | message number 2 | fragment offset 3 | fragment length 3 | body
type Handshake struct {
	Type   HandshakeType
	Number uint16
	Body   []byte // aliases what was parsed
}

// Fragment is a part of a handshake message, or all of it.
type Fragment struct {
	Type   HandshakeType
	Number uint16
	Length int    // of the whole message's body
	Offset int    // of Part in it
	Part   []byte // aliases what was parsed
}

// ParseFragment cuts the first part of a handshake message off a record's fragment.
func ParseFragment(b []byte) (f Fragment, rest []byte, err error) {
	if len(b) < HandshakeHeaderLen {
		return f, nil, fmt.Errorf("dtls: handshake header needs %d bytes, found %d", HandshakeHeaderLen, len(b))
	}
	length, offset, part := uint24(b[1:]), uint24(b[6:]), uint24(b[9:])
	if offset+part > length {
		return f, nil, fmt.Errorf("dtls: handshake fragment of %d bytes from %d exceeds the message's %d", part, offset, length)
	}
	if len(b)-HandshakeHeaderLen < part {
		return f, nil, fmt.Errorf("dtls: handshake length %d at offset 9 exceeds the %d bytes that follow", part, len(b)-HandshakeHeaderLen)
	}
	f = Fragment{
		Type: HandshakeType(b[0]), Number: binary.BigEndian.Uint16(b[4:]), Length: length, Offset: offset,
		Part: b[HandshakeHeaderLen : HandshakeHeaderLen+part],
	}
	return f, b[HandshakeHeaderLen+part:], nil
}

// ParseHandshake cuts the first handshake message off a record's fragment, where it must stand whole: so
// do the messages of a resumed handshake, which are far below any MTU, and every ClientHello.
func ParseHandshake(b []byte) (h Handshake, rest []byte, err error) {
	f, rest, err := ParseFragment(b)
	if err != nil {
		return h, nil, err
	}
	if len(f.Part) != f.Length {
		return h, nil, fmt.Errorf("dtls: handshake message of %d bytes comes in fragments (%d bytes from %d)", f.Length, len(f.Part), f.Offset)
	}
	return Handshake{Type: f.Type, Number: f.Number, Body: f.Part}, rest, nil
}

// AppendBinary appends the message with its header, unfragmented.
func (h Handshake) AppendBinary(dst []byte) ([]byte, error) {
	if len(h.Body) >= 1<<24 {
		return dst, fmt.Errorf("dtls: handshake body of %d bytes is too long", len(h.Body))
	}
	dst = append(dst, byte(h.Type))
	dst = appendUint24(dst, len(h.Body))
	dst = binary.BigEndian.AppendUint16(dst, h.Number)
	dst = appendUint24(dst, 0)
	dst = appendUint24(dst, len(h.Body))
	return append(dst, h.Body...), nil
}

// RandomLen is the length of a hello's random.
const RandomLen = 32

// ClientHello is the body of a ClientHello.
type ClientHello struct {
	Version      Version
	Random       [RandomLen]byte
	SessionID    []byte
	Cookie       []byte
	Suites       []Suite
	Compressions []byte
	Extensions   Extensions
}

// ParseClientHello reads a ClientHello's body.
func ParseClientHello(body []byte) (ClientHello, error) {
	c := cursor{b: body, what: "client hello"}
	var h ClientHello
	h.Version = Version(c.uint16("version"))
	copy(h.Random[:], c.take(RandomLen, "random"))
	h.SessionID = c.vector8("session id", 32)
	h.Cookie = c.vector8("cookie", 255)
	suites := c.take(int(c.uint16("suites")), "suites")
	if c.err == nil && len(suites)%2 != 0 {
		return h, fmt.Errorf("dtls: client hello: suites of odd length %d", len(suites))
	}
	for ; len(suites) >= 2; suites = suites[2:] {
		h.Suites = append(h.Suites, Suite(binary.BigEndian.Uint16(suites)))
	}
	h.Compressions = c.vector8("compressions", 255)
	h.Extensions = c.extensions()
	return h, c.end()
}

// AppendBody appends the body as it goes onto the wire.
func (h ClientHello) AppendBody(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Version))
	dst = append(dst, h.Random[:]...)
	dst = appendVector8(dst, h.SessionID)
	dst = appendVector8(dst, h.Cookie)
	dst = binary.BigEndian.AppendUint16(dst, uint16(2*len(h.Suites)))
	for _, s := range h.Suites {
		dst = binary.BigEndian.AppendUint16(dst, uint16(s))
	}
	dst = appendVector8(dst, h.Compressions)
	return append(dst, h.Extensions...)
}

// ServerHello is the body of a ServerHello.
type ServerHello struct {
	Version     Version
	Random      [RandomLen]byte
	SessionID   []byte
	Suite       Suite
	Compression byte
	Extensions  Extensions
}

// ParseServerHello reads a ServerHello's body.
func ParseServerHello(body []byte) (ServerHello, error) {
	c := cursor{b: body, what: "server hello"}
	var h ServerHello
	h.Version = Version(c.uint16("version"))
	copy(h.Random[:], c.take(RandomLen, "random"))
	h.SessionID = c.vector8("session id", 32)
	h.Suite = Suite(c.uint16("suite"))
	if b := c.take(1, "compression"); len(b) == 1 {
		h.Compression = b[0]
	}
	h.Extensions = c.extensions()
	return h, c.end()
}

// AppendBody appends the body as it goes onto the wire.
func (h ServerHello) AppendBody(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Version))
	dst = append(dst, h.Random[:]...)
	dst = appendVector8(dst, h.SessionID)
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Suite))
	dst = append(dst, h.Compression)
	return append(dst, h.Extensions...)
}

// HelloVerifyRequest is the body of a HelloVerifyRequest: the server wants to see the cookie again.
type HelloVerifyRequest struct {
	Version Version
	Cookie  []byte
}

// ParseHelloVerifyRequest reads a HelloVerifyRequest's body.
func ParseHelloVerifyRequest(body []byte) (HelloVerifyRequest, error) {
	c := cursor{b: body, what: "hello verify request"}
	h := HelloVerifyRequest{Version: Version(c.uint16("version"))}
	h.Cookie = c.vector8("cookie", 255)
	return h, c.end()
}

// AppendBody appends the body as it goes onto the wire.
func (h HelloVerifyRequest) AppendBody(dst []byte) []byte {
	return appendVector8(binary.BigEndian.AppendUint16(dst, uint16(h.Version)), h.Cookie)
}

// ServerKeyExchange is the body of a ServerKeyExchange for a pre-shared key, RFC 4279 section 2. A server
// leaves the message out when it has no hint to give.
type ServerKeyExchange struct{ Hint []byte }

// ParseServerKeyExchange reads a ServerKeyExchange's body.
func ParseServerKeyExchange(body []byte) (ServerKeyExchange, error) {
	c := cursor{b: body, what: "server key exchange"}
	k := ServerKeyExchange{Hint: c.vector16("identity hint")}
	return k, c.end()
}

// AppendBody appends the body as it goes onto the wire.
func (k ServerKeyExchange) AppendBody(dst []byte) []byte { return appendVector16(dst, k.Hint) }

// ClientKeyExchange is the body of a ClientKeyExchange for a pre-shared key, RFC 4279 section 2.
type ClientKeyExchange struct{ Identity []byte }

// ParseClientKeyExchange reads a ClientKeyExchange's body.
func ParseClientKeyExchange(body []byte) (ClientKeyExchange, error) {
	c := cursor{b: body, what: "client key exchange"}
	k := ClientKeyExchange{Identity: c.vector16("identity")}
	return k, c.end()
}

// AppendBody appends the body as it goes onto the wire.
func (k ClientKeyExchange) AppendBody(dst []byte) []byte { return appendVector16(dst, k.Identity) }

// HelloOf returns the ClientHello that a datagram begins with, and the number of its record: by its
// RoutingID a gateway finds the session a new datagram belongs to. It reports false for everything else.
func HelloOf(datagram []byte) (hello ClientHello, record uint64, ok bool) {
	r, _, err := ParseRecord(datagram)
	if err != nil || r.Type != HandshakeRecord || r.Epoch != 0 {
		return hello, 0, false
	}
	m, _, err := ParseHandshake(r.Fragment)
	if err != nil || m.Type != TypeClientHello {
		return hello, 0, false
	}
	hello, err = ParseClientHello(m.Body)
	return hello, r.Sequence, err == nil
}

// cursor reads fields one after another and keeps the first error.
type cursor struct {
	b    []byte
	at   int
	what string
	err  error
}

func (c *cursor) take(n int, field string) []byte {
	if c.err != nil {
		return nil
	}
	if len(c.b)-c.at < n {
		c.err = fmt.Errorf("dtls: %s: %s at offset %d needs %d bytes, found %d", c.what, field, c.at, n, len(c.b)-c.at)
		return nil
	}
	c.at += n
	return c.b[c.at-n : c.at]
}

func (c *cursor) uint16(field string) uint16 {
	if b := c.take(2, field); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) vector8(field string, most int) []byte {
	b := c.take(1, field)
	if b == nil {
		return nil
	}
	if int(b[0]) > most {
		c.err = fmt.Errorf("dtls: %s: %s of %d bytes exceeds %d", c.what, field, b[0], most)
		return nil
	}
	return c.take(int(b[0]), field)
}

func (c *cursor) vector16(field string) []byte { return c.take(int(c.uint16(field)), field) }

// extensions takes the rest of a hello, checked only for its length: what is in it Extensions reads.
func (c *cursor) extensions() []byte {
	if c.err != nil || c.at == len(c.b) {
		return nil
	}
	start := c.at
	c.take(int(c.uint16("extensions")), "extensions")
	if c.err != nil {
		return nil
	}
	return c.b[start:c.at]
}

func (c *cursor) end() error {
	if c.err == nil && c.at != len(c.b) {
		return fmt.Errorf("dtls: %s: %d bytes too many at offset %d", c.what, len(c.b)-c.at, c.at)
	}
	return c.err
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

func appendUint24(dst []byte, n int) []byte {
	return append(dst, byte(n>>16), byte(n>>8), byte(n))
}

func appendVector8(dst, v []byte) []byte { return append(append(dst, byte(len(v))), v...) }

func appendVector16(dst, v []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(v))), v...)
}
