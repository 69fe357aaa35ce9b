package tvs

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Port is where phones ask.
const Port = 2445

// What every message begins with.
const (
	protocol   = 0x57
	version    = 1
	headerSize = 10
	tagSize    = 3 // tag and length of an element
)

// MaxBody is the most that a body may have here, in bytes: certificates are the longest that comes, and
// none of a phone or its servers has more than some 3000.
const MaxBody = 16 << 10

// Command says what a message is (docs/wire/tvs.md#commands).
type Command uint8

// The commands. A verify request holds a certificate, a query names one.
const (
	VerifyRequest  Command = 1
	VerifyResponse Command = 2
	QueryRequest   Command = 3
	QueryResponse  Command = 4
)

// String returns the command's name.
func (c Command) String() string {
	names := map[Command]string{
		VerifyRequest: "verify request", VerifyResponse: "verify response", QueryRequest: "query request", QueryResponse: "query response",
	}
	if name, ok := names[c]; ok {
		return name
	}
	return fmt.Sprintf("command %d", uint8(c))
}

// Tag says what an element is.
type Tag uint8

// The tags. No source names the numbers of issuer and serial: they follow from their place in a captured
// query (docs/wire/tvs.md#elements), and stand here alone.
const (
	TagDevice      Tag = 1
	TagCertificate Tag = 2
	TagSubject     Tag = 3
	TagIssuer      Tag = 4 // inferred
	TagSerial      Tag = 5 // inferred
	TagStatus      Tag = 7
	TagRoles       Tag = 8
	TagTTL         Tag = 9
)

// Element is one tag with its value.
type Element struct {
	Tag   Tag
	Value []byte
}

// Message is one message as it stands on the wire.
type Message struct {
	Command  Command
	Reserved uint8 // 0 from phones; CUCM has sent others
	Session  uint32
	Elements []Element
}

// Parse reads a whole message. The values are parts of b.
func Parse(b []byte) (Message, error) {
	length, err := bodyLength(b)
	if err != nil {
		return Message{}, err
	}
	if len(b) != headerSize+length {
		return Message{}, fmt.Errorf("tvs: %d bytes behind the header, its length says %d", len(b)-headerSize, length)
	}
	m := Message{Command: Command(b[2]), Reserved: b[3], Session: binary.BigEndian.Uint32(b[4:])}
	for at := headerSize; at < len(b); {
		if len(b)-at < tagSize {
			return Message{}, fmt.Errorf("tvs: element at offset %d is cut off", at)
		}
		tag, n := Tag(b[at]), int(binary.BigEndian.Uint16(b[at+1:]))
		at += tagSize
		if n > len(b)-at {
			return Message{}, fmt.Errorf("tvs: tag %d at offset %d has length %d, %d bytes are left", tag, at-tagSize, n, len(b)-at)
		}
		m.Elements = append(m.Elements, Element{tag, b[at : at+n : at+n]})
		at += n
	}
	return m, nil
}

// bodyLength checks a header.
func bodyLength(b []byte) (int, error) {
	if len(b) < headerSize {
		return 0, fmt.Errorf("tvs: %d bytes, a header has %d", len(b), headerSize)
	}
	if b[0] != protocol || b[1] != version {
		return 0, fmt.Errorf("tvs: begins with %02x %02x, want %02x %02x", b[0], b[1], protocol, version)
	}
	length := int(binary.BigEndian.Uint16(b[8:]))
	if length > MaxBody {
		return 0, fmt.Errorf("tvs: body length %d exceeds %d", length, MaxBody)
	}
	return length, nil
}

// Read reads one message. At the end of the stream before its first byte the error is io.EOF.
func Read(r io.Reader) (Message, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return Message{}, err
	}
	length, err := bodyLength(header)
	if err != nil {
		return Message{}, err
	}
	whole := append(header, make([]byte, length)...)
	if _, err := io.ReadFull(r, whole[headerSize:]); err != nil {
		return Message{}, fmt.Errorf("tvs: body of %d bytes: %w", length, err)
	}
	return Parse(whole)
}

// AppendBinary appends the message as it goes on the wire.
func (m Message) AppendBinary(b []byte) ([]byte, error) {
	begin := len(b)
	b = append(b, protocol, version, byte(m.Command), m.Reserved)
	b = binary.BigEndian.AppendUint32(b, m.Session)
	b = append(b, 0, 0)
	for _, e := range m.Elements {
		if len(e.Value) > MaxBody {
			return nil, fmt.Errorf("tvs: tag %d has %d bytes, at most %d are written", e.Tag, len(e.Value), MaxBody)
		}
		b = binary.BigEndian.AppendUint16(append(b, byte(e.Tag)), uint16(len(e.Value)))
		b = append(b, e.Value...)
	}
	length := len(b) - begin - headerSize
	if length > MaxBody {
		return nil, fmt.Errorf("tvs: body length %d exceeds %d", length, MaxBody)
	}
	binary.BigEndian.PutUint16(b[begin+8:], uint16(length))
	return b, nil
}

// String returns the message on one line.
func (m Message) String() string {
	var line strings.Builder
	fmt.Fprintf(&line, "%s, session %08x", m.Command, m.Session)
	for _, e := range m.Elements {
		switch e.Tag {
		case TagDevice, TagSubject, TagIssuer:
			fmt.Fprintf(&line, ", tag %d %q", e.Tag, e.Value)
		case TagSerial, TagStatus, TagRoles, TagTTL:
			fmt.Fprintf(&line, ", tag %d %x", e.Tag, e.Value)
		default:
			fmt.Fprintf(&line, ", tag %d of %d bytes", e.Tag, len(e.Value))
		}
	}
	return line.String()
}

// find returns the value with a tag. Two of them would let one reader see what another does not.
func (m Message) find(tag Tag) (value []byte, there bool, err error) {
	for _, e := range m.Elements {
		if e.Tag != tag {
			continue
		}
		if there {
			return nil, false, fmt.Errorf("tvs: tag %d is there twice", tag)
		}
		value, there = e.Value, true
	}
	return value, there, nil
}
