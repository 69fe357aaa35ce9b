package sccp

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Ports of a call manager.
const (
	Port       = 2000
	SecurePort = 2443 // inside TLS
)

const headerSize = 12

// MaxBody is the most that the fields of a message may take, in bytes. The longest that phones are known to send
// have less than 2000.
const MaxBody = 16 << 10

// ID is the number of a message.
type ID uint32

// String returns the name of the message's type, or its number.
func (id ID) String() string {
	fresh, there := known[id]
	if !there {
		return fmt.Sprintf("message 0x%04x", uint32(id))
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", fresh()), "*sccp.")
}

// Message is one message: a pointer to one of the types of this package.
type Message interface {
	ID() ID
	fmt.Stringer
	layout(f *fields) // names every field in its order
}

// Frame is a message as it stands in the stream.
type Frame struct {
	Header uint32 // version of the header
	ID     ID
	Body   []byte
}

// Read cuts one frame out of a stream. At the end of the stream before its first byte the error is io.EOF.
func Read(r io.Reader) (Frame, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return Frame{}, err
	}
	length := binary.LittleEndian.Uint32(header[:])
	if length < 4 || length > 4+MaxBody {
		return Frame{}, fmt.Errorf("sccp: length %d, want 4 to %d", length, 4+MaxBody)
	}
	f := Frame{binary.LittleEndian.Uint32(header[4:]), ID(binary.LittleEndian.Uint32(header[8:])), make([]byte, length-4)}
	if _, err := io.ReadFull(r, f.Body); err != nil {
		return Frame{}, fmt.Errorf("sccp: %s of %d bytes: %w", f.ID, length-4, err)
	}
	return f, nil
}

// Parse reads the fields of a frame by the layout of a version. Of fields that older firmware does not send, none
// need be there; what stands behind the last one is left alone. The message holds no part of the frame.
func Parse(frame Frame, v Version) (Message, error) {
	fresh, there := known[frame.ID]
	if !there {
		return &Unknown{Number: frame.ID, Body: append([]byte{}, frame.Body...)}, nil
	}
	m := fresh()
	f := &fields{mode: reading, version: v, b: frame.Body}
	m.layout(f)
	if f.err != nil {
		return nil, fmt.Errorf("sccp: %s: %w", frame.ID, f.err)
	}
	return m, nil
}

// Append appends a message as it goes on the wire, filled up to a multiple of four bytes. An error names the field that has no room.
func Append(b []byte, m Message, v Version) ([]byte, error) {
	f := &fields{mode: writing, version: v}
	m.layout(f)
	if f.err != nil {
		return nil, fmt.Errorf("sccp: %s: %w", m.ID(), f.err)
	}
	if _, kept := m.(*Unknown); !kept {
		f.fill((4-len(f.b)%4)%4, 0)
	}
	if len(f.b) > MaxBody {
		return nil, fmt.Errorf("sccp: %s of %d bytes, at most %d are sent", m.ID(), len(f.b), MaxBody)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(4+len(f.b)))
	b = binary.LittleEndian.AppendUint32(b, headerOf(m, v))
	b = binary.LittleEndian.AppendUint32(b, uint32(m.ID()))
	return append(b, f.b...), nil
}

// line returns a message on one line: its name and the fields that are not zero.
func line(m Message) string {
	f := &fields{mode: printing, version: Newest}
	m.layout(f)
	return m.ID().String() + string(f.b)
}

// Unknown is a message that has no type here.
type Unknown struct {
	Number ID
	Body   []byte
}

// ID returns the message's number.
func (m *Unknown) ID() ID { return m.Number }

// String says how long it is.
func (m *Unknown) String() string { return fmt.Sprintf("%s of %d bytes", m.Number, len(m.Body)) }

func (m *Unknown) layout(f *fields) { f.raw(&m.Body) }

// empty is a message without fields.
type empty struct{}

func (*empty) layout(*fields) {}
