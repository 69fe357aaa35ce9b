package capf

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Port is where phones enrol.
const Port = 3804

const (
	protocol   = 0x55
	headerSize = 8
	tagSize    = 3 // tag and length of an element
)

// MaxBody is the most that a body may have here, in bytes: two certificates and their proofs, with room.
const MaxBody = 16 << 10

// Command says what a message is (docs/wire/capf.md#commands).
type Command uint8

// The commands. Others are published by number alone and unused.
const (
	AuthRequest         Command = 1
	AuthResponse        Command = 2
	KeyGenerateRequest  Command = 3
	KeyGenerateResponse Command = 4
	StoreRequest        Command = 9
	StoreResponse       Command = 10
	FetchRequest        Command = 11
	FetchResponse       Command = 12
	DeleteRequest       Command = 13
	DeleteResponse      Command = 14
	EndSession          Command = 15
	RetryLater          Command = 16
	InProgress          Command = 17 // the phone is still at it: making a key takes old ones minutes
	Abort               Command = 20
)

// String returns the command's name.
func (c Command) String() string {
	names := map[Command]string{
		AuthRequest: "auth request", AuthResponse: "auth response",
		KeyGenerateRequest: "key generate request", KeyGenerateResponse: "key generate response",
		StoreRequest: "store request", StoreResponse: "store response", FetchRequest: "fetch request", FetchResponse: "fetch response",
		DeleteRequest: "delete request", DeleteResponse: "delete response",
		EndSession: "end session", RetryLater: "retry later", InProgress: "in progress", Abort: "abort",
	}
	if name, ok := names[c]; ok {
		return name
	}
	return fmt.Sprintf("command %d", uint8(c))
}

// Tag says what an element is (docs/wire/capf.md#elements).
type Tag uint8

// The tags.
const (
	TagReason          Tag = 1
	TagReasonText      Tag = 2
	TagCertificateType Tag = 3
	TagCertificate     Tag = 4
	TagCertificateID   Tag = 5
	TagSignature       Tag = 6 // SHA-1
	TagVersion         Tag = 7
	TagAuthType        Tag = 8
	TagPublicKey       Tag = 9 // SubjectPublicKeyInfo, DER
	TagKeySize         Tag = 10
	TagPassword        Tag = 11
	TagRetryDelay      Tag = 12
	TagDevice          Tag = 13
	TagSUDI            Tag = 16
	TagKeyType         Tag = 17
	TagCurve           Tag = 18
	TagDigest          Tag = 19
	TagSignature2      Tag = 20 // SHA-2
)

// Element is one tag with its value.
type Element struct {
	Tag   Tag
	Value []byte
}

// Message is one message as it stands on the wire.
type Message struct {
	Command  Command
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
		return Message{}, fmt.Errorf("capf: %d bytes behind the header, its length says %d", len(b)-headerSize, length)
	}
	elements, err := parseElements(b[headerSize:], headerSize)
	return Message{Command: Command(b[1]), Session: binary.BigEndian.Uint32(b[2:]), Elements: elements}, err
}

// parseElements reads b to its end. from is where b begins in the message.
func parseElements(b []byte, from int) (all []Element, err error) {
	for at := 0; at < len(b); {
		if len(b)-at < tagSize {
			return nil, fmt.Errorf("capf: element at offset %d is cut off", from+at)
		}
		tag, n := Tag(b[at]), int(binary.BigEndian.Uint16(b[at+1:]))
		at += tagSize
		if n > len(b)-at {
			return nil, fmt.Errorf("capf: tag %d at offset %d has length %d, %d bytes are left", tag, from+at-tagSize, n, len(b)-at)
		}
		all = append(all, Element{tag, b[at : at+n : at+n]})
		at += n
	}
	return all, nil
}

// bodyLength checks a header.
func bodyLength(b []byte) (int, error) {
	if len(b) < headerSize {
		return 0, fmt.Errorf("capf: %d bytes, a header has %d", len(b), headerSize)
	}
	if b[0] != protocol {
		return 0, fmt.Errorf("capf: begins with %02x, want %02x", b[0], protocol)
	}
	length := int(binary.BigEndian.Uint16(b[6:]))
	if length > MaxBody {
		return 0, fmt.Errorf("capf: body length %d exceeds %d", length, MaxBody)
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
		return Message{}, fmt.Errorf("capf: body of %d bytes: %w", length, err)
	}
	return Parse(whole)
}

// AppendBinary appends the message as it goes on the wire, header and body in one piece.
func (m Message) AppendBinary(b []byte) ([]byte, error) {
	begin := len(b)
	b = append(b, protocol, byte(m.Command))
	b = binary.BigEndian.AppendUint32(b, m.Session)
	b = append(b, 0, 0)
	b, err := appendElements(b, m.Elements)
	if err != nil {
		return nil, err
	}
	length := len(b) - begin - headerSize
	if length > MaxBody {
		return nil, fmt.Errorf("capf: body length %d exceeds %d", length, MaxBody)
	}
	binary.BigEndian.PutUint16(b[begin+6:], uint16(length))
	return b, nil
}

func appendElements(b []byte, all []Element) ([]byte, error) {
	for _, e := range all {
		if len(e.Value) > MaxBody {
			return nil, fmt.Errorf("capf: tag %d has %d bytes, at most %d are written", e.Tag, len(e.Value), MaxBody)
		}
		b = binary.BigEndian.AppendUint16(append(b, byte(e.Tag)), uint16(len(e.Value)))
		b = append(b, e.Value...)
	}
	return b, nil
}

// String returns the message on one line. Passwords are not in it.
func (m Message) String() string {
	var line strings.Builder
	fmt.Fprintf(&line, "%s, session %08x", m.Command, m.Session)
	for _, e := range m.Elements {
		switch {
		case e.Tag == TagDevice || e.Tag == TagReasonText:
			fmt.Fprintf(&line, ", tag %d %q", e.Tag, e.Value)
		case e.Tag != TagPassword && len(e.Value) <= 4:
			fmt.Fprintf(&line, ", tag %d %x", e.Tag, e.Value)
		case e.Tag == TagPassword:
			fmt.Fprintf(&line, ", tag %d", e.Tag)
		default:
			fmt.Fprintf(&line, ", tag %d of %d bytes", e.Tag, len(e.Value))
		}
	}
	return line.String()
}
