// Package tftp reads and writes TFTP packets: requests, data, acknowledgements, errors and the option
// negotiation of blksize, tsize and timeout.
//
//	RRQ, WRQ   01|02  name 0 mode 0 [option 0 value 0]…
//	DATA       03     block   bytes
//	ACK        04     block
//	ERROR      05     code    text 0
//	OACK       06     [option 0 value 0]…
//
// Opcode, block and code are two bytes, big-endian. Parse returns one of *Request, *Data, *Ack, *Error
// and *OptionAck; AppendBinary writes it back. When to send what is stage/provision's work.
// Sources: RFC 1350, 2347, 2348, 2349; docs/wire/tftp.md.
package tftp

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Port is where a server takes requests.
const Port = 69

// Limits of a packet.
const (
	MaxRequest = 512            // bytes of a request, RFC 2347
	MaxPacket  = 4 + MaxBlksize // bytes of the largest DATA packet
)

// Opcode is the first field of every packet.
type Opcode uint16

// The packet kinds.
const (
	OpRead      Opcode = 1 // RRQ
	OpWrite     Opcode = 2 // WRQ
	OpData      Opcode = 3
	OpAck       Opcode = 4
	OpError     Opcode = 5
	OpOptionAck Opcode = 6 // OACK
)

// Packet is one TFTP packet. *Request, *Data, *Ack, *Error and *OptionAck implement it.
type Packet interface {
	// AppendBinary appends the packet's bytes, or refuses a value that has no valid form.
	AppendBinary(b []byte) ([]byte, error)
	// String is the packet on one line, without file content.
	String() string
}

// Mode says how file content is carried. It is compared without regard to case and kept as it came.
type Mode string

// The modes in use; the third of RFC 1350, mail, is refused.
const (
	Octet    Mode = "octet"
	NetASCII Mode = "netascii"
)

// Is reports whether m names the same mode as other.
func (m Mode) Is(other Mode) bool { return strings.EqualFold(string(m), string(other)) }

// Request asks to read a file or, with Write, to write one.
type Request struct {
	Write   bool
	Name    string
	Mode    Mode
	Options Options
}

// Data is one block of a file. A payload shorter than the block size ends the transfer.
type Data struct {
	Block   uint16 // from 1; wraps to 0 after 65535
	Payload []byte // after Parse it shares the packet's memory
}

// Ack acknowledges a block; block 0 acknowledges an OptionAck.
type Ack struct {
	Block uint16
}

// OptionAck is a server's answer to a request's options: those it agrees to.
type OptionAck struct {
	Options Options
}

// ErrorCode says why a transfer ends.
type ErrorCode uint16

// The codes of RFC 1350 and 2347.
const (
	Undefined         ErrorCode = 0 // the text says what
	NotFound          ErrorCode = 1
	AccessViolation   ErrorCode = 2
	DiskFull          ErrorCode = 3
	IllegalOperation  ErrorCode = 4
	UnknownTransfer   ErrorCode = 5
	FileExists        ErrorCode = 6
	NoSuchUser        ErrorCode = 7
	OptionsNotAllowed ErrorCode = 8
)

var codeNames = [...]string{
	"undefined", "file not found", "access violation", "disk full", "illegal operation",
	"unknown transfer", "file exists", "no such user", "options not allowed",
}

// String returns the code in words, or its number.
func (c ErrorCode) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// Error ends a transfer; it is never acknowledged.
type Error struct {
	Code    ErrorCode
	Message string // what the sender says about it; may be empty
}

// Parse reads one packet. Bytes after the end of an ACK or ERROR are ignored, as servers in the field
// pad them.
func Parse(b []byte) (Packet, error) {
	if len(b) < 2 {
		return nil, fmt.Errorf("tftp: packet of %d bytes has no opcode", len(b))
	}
	switch op := Opcode(binary.BigEndian.Uint16(b)); op {
	case OpRead, OpWrite:
		return parseRequest(b, op == OpWrite)
	case OpData:
		return parseData(b)
	case OpAck:
		block, err := number(b, "ack")
		return &Ack{Block: block}, err
	case OpError:
		return parseError(b)
	case OpOptionAck:
		options, err := parseOptions(b, 2)
		return &OptionAck{Options: options}, err
	default:
		return nil, fmt.Errorf("tftp: opcode %d at offset 0 is not known", uint16(op))
	}
}

func parseRequest(b []byte, write bool) (Packet, error) {
	if len(b) > MaxRequest {
		return nil, fmt.Errorf("tftp: request of %d bytes exceeds %d", len(b), MaxRequest)
	}
	name, at, err := text(b, 2, "file name")
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, fmt.Errorf("tftp: file name at offset 2 is empty")
	}
	mode, at, err := text(b, at, "mode")
	if err != nil {
		return nil, err
	}
	options, err := parseOptions(b, at)
	if err != nil {
		return nil, err
	}
	return &Request{Write: write, Name: name, Mode: Mode(mode), Options: options}, nil
}

func parseData(b []byte) (Packet, error) {
	block, err := number(b, "data")
	if err != nil {
		return nil, err
	}
	if len(b) > MaxPacket {
		return nil, fmt.Errorf("tftp: data of %d bytes exceeds %d", len(b)-4, MaxBlksize)
	}
	return &Data{Block: block, Payload: b[4:]}, nil
}

func parseError(b []byte) (Packet, error) {
	code, err := number(b, "error")
	if err != nil {
		return nil, err
	}
	message := string(b[4:]) // some peers leave out the closing zero
	if end := strings.IndexByte(message, 0); end >= 0 {
		message = message[:end]
	}
	return &Error{Code: ErrorCode(code), Message: message}, nil
}

// number reads the two bytes after the opcode.
func number(b []byte, what string) (uint16, error) {
	if len(b) < 4 {
		return 0, fmt.Errorf("tftp: %s of %d bytes has no number at offset 2", what, len(b))
	}
	return binary.BigEndian.Uint16(b[2:]), nil
}

// text reads a zero-terminated text at offset at and returns the offset after it.
func text(b []byte, at int, what string) (string, int, error) {
	for end := at; end < len(b); end++ {
		if b[end] == 0 {
			return string(b[at:end]), end + 1, nil
		}
	}
	return "", at, fmt.Errorf("tftp: %s at offset %d has no end", what, at)
}

// AppendBinary implements Packet. It refuses texts that hold a zero and requests over MaxRequest.
func (p *Request) AppendBinary(b []byte) ([]byte, error) {
	op, start := OpRead, len(b)
	if p.Write {
		op = OpWrite
	}
	b = binary.BigEndian.AppendUint16(b, uint16(op))
	b, err := appendTexts(b, p.Name, string(p.Mode))
	if err != nil {
		return nil, err
	}
	if p.Name == "" {
		return nil, fmt.Errorf("tftp: request without a file name")
	}
	if b, err = p.Options.appendBinary(b); err != nil {
		return nil, err
	}
	if len(b)-start > MaxRequest {
		return nil, fmt.Errorf("tftp: request of %d bytes exceeds %d", len(b)-start, MaxRequest)
	}
	return b, nil
}

// AppendBinary implements Packet.
func (p *Data) AppendBinary(b []byte) ([]byte, error) {
	if len(p.Payload) > MaxBlksize {
		return nil, fmt.Errorf("tftp: data of %d bytes exceeds %d", len(p.Payload), MaxBlksize)
	}
	return append(header(b, OpData, p.Block), p.Payload...), nil
}

// AppendBinary implements Packet; it never fails.
func (p *Ack) AppendBinary(b []byte) ([]byte, error) { return header(b, OpAck, p.Block), nil }

// AppendBinary implements Packet.
func (p *Error) AppendBinary(b []byte) ([]byte, error) {
	return appendTexts(header(b, OpError, uint16(p.Code)), p.Message)
}

// AppendBinary implements Packet.
func (p *OptionAck) AppendBinary(b []byte) ([]byte, error) {
	return p.Options.appendBinary(binary.BigEndian.AppendUint16(b, uint16(OpOptionAck)))
}

func header(b []byte, op Opcode, number uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, uint16(op)), number)
}

func appendTexts(b []byte, texts ...string) ([]byte, error) {
	for _, text := range texts {
		if strings.IndexByte(text, 0) >= 0 {
			return nil, fmt.Errorf("tftp: text %q holds a zero", text)
		}
		b = append(append(b, text...), 0)
	}
	return b, nil
}

func (p *Request) String() string {
	op := "RRQ"
	if p.Write {
		op = "WRQ"
	}
	return fmt.Sprintf("%s %q %s%s", op, p.Name, p.Mode, p.Options)
}

func (p *Data) String() string { return fmt.Sprintf("DATA %d %d bytes", p.Block, len(p.Payload)) }

func (p *Ack) String() string { return fmt.Sprintf("ACK %d", p.Block) }

func (p *Error) String() string {
	return fmt.Sprintf("ERROR %d (%s) %q", uint16(p.Code), p.Code, p.Message)
}

func (p *OptionAck) String() string { return "OACK" + p.Options.String() }
