package dtls

import (
	"encoding/binary"
	"fmt"
)

// ContentType says what a record carries.
type ContentType uint8

// The content types of tunnels.
const (
	ChangeCipherSpec ContentType = 20
	AlertRecord      ContentType = 21
	HandshakeRecord  ContentType = 22
	ApplicationData  ContentType = 23
)

// String returns the content type's usual name.
func (t ContentType) String() string {
	switch t {
	case ChangeCipherSpec:
		return "change cipher spec"
	case AlertRecord:
		return "alert"
	case HandshakeRecord:
		return "handshake"
	case ApplicationData:
		return "application data"
	}
	return fmt.Sprintf("content type %d", uint8(t))
}

// Record is one record. On the wire, big-endian:
//
//	type 1 | version 2 | epoch 2 | sequence number 6 | length 2 | fragment
type Record struct {
	Type     ContentType
	Version  Version
	Epoch    uint16
	Sequence uint64 // 48 bits, counted afresh in each epoch
	Fragment []byte // aliases what was parsed
}

// MaxFragment is the most that a record's fragment may hold: 2^14 bytes and what ciphers add.
const MaxFragment = 1<<14 + 2048

// ParseRecord cuts the first record off a datagram and returns what follows it.
func ParseRecord(datagram []byte) (r Record, rest []byte, err error) {
	if len(datagram) < RecordHeaderLen {
		return r, nil, fmt.Errorf("dtls: record header needs %d bytes, found %d", RecordHeaderLen, len(datagram))
	}
	length := int(binary.BigEndian.Uint16(datagram[11:]))
	if length > MaxFragment {
		return r, nil, fmt.Errorf("dtls: record length %d at offset 11 exceeds %d", length, MaxFragment)
	}
	if len(datagram)-RecordHeaderLen < length {
		return r, nil, fmt.Errorf("dtls: record length %d at offset 11 exceeds the %d bytes that follow", length, len(datagram)-RecordHeaderLen)
	}
	r = Record{
		Type:     ContentType(datagram[0]),
		Version:  Version(binary.BigEndian.Uint16(datagram[1:])),
		Epoch:    binary.BigEndian.Uint16(datagram[3:]),
		Sequence: binary.BigEndian.Uint64(datagram[3:]) & (1<<48 - 1),
		Fragment: datagram[RecordHeaderLen : RecordHeaderLen+length],
	}
	return r, datagram[RecordHeaderLen+length:], nil
}

// PutHeader writes a record's header into the first RecordHeaderLen bytes of dst.
func PutHeader(dst []byte, t ContentType, v Version, epoch uint16, sequence uint64, length int) {
	binary.BigEndian.PutUint64(dst[3:], uint64(epoch)<<48|sequence&(1<<48-1))
	dst[0] = byte(t)
	binary.BigEndian.PutUint16(dst[1:], uint16(v))
	binary.BigEndian.PutUint16(dst[11:], uint16(length))
}

// AppendBinary appends the record as it goes onto the wire.
func (r Record) AppendBinary(dst []byte) ([]byte, error) {
	if len(r.Fragment) > MaxFragment {
		return dst, fmt.Errorf("dtls: fragment of %d bytes exceeds %d", len(r.Fragment), MaxFragment)
	}
	var header [RecordHeaderLen]byte
	PutHeader(header[:], r.Type, r.Version, r.Epoch, r.Sequence, len(r.Fragment))
	return append(append(dst, header[:]...), r.Fragment...), nil
}

// String prints the record on one line, without its content.
func (r Record) String() string {
	return fmt.Sprintf("%s, DTLS %s, epoch %d, sequence %d, %d bytes", r.Type, r.Version, r.Epoch, r.Sequence, len(r.Fragment))
}
