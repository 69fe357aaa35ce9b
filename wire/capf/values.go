package capf

import (
	"bytes"
	"crypto/elliptic"
	"encoding/binary"
	"fmt"

	"github.com/longcord/longcord/internal/secret"
)

// Reason says how an operation went, or why a conversation ends.
type Reason uint8

// The published reasons.
const (
	NoAction       Reason = 0
	Updated        Reason = 1 // the certificate is what it should be now
	InvalidElement Reason = 7
	UnknownDevice  Reason = 9
)

// String says it in words.
func (r Reason) String() string {
	switch r {
	case NoAction:
		return "nothing to do"
	case Updated:
		return "certificate updated"
	case InvalidElement:
		return "invalid element"
	case UnknownDevice:
		return "unknown device"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// CertificateType says which of a phone's certificates is meant.
type CertificateType uint8

// The types.
const (
	LSC CertificateType = 1 // made for this office
	MIC CertificateType = 2 // put in by the manufacturer
)

// String returns the name that people use.
func (t CertificateType) String() string {
	switch t {
	case LSC:
		return "LSC"
	case MIC:
		return "MIC"
	}
	return fmt.Sprintf("certificate type %d", uint8(t))
}

// KeyType is the kind of a phone's key.
type KeyType uint8

// The kinds.
const (
	RSA KeyType = 0
	EC  KeyType = 1
)

// Curve is the curve of an EC key.
type Curve uint8

// The curves.
const (
	P256 Curve = 0
	P384 Curve = 1
	P521 Curve = 2
)

// Version of the protocol, as the server says it.
const Version = 3

// digestSHA512 is the number of the only digest that proofs with SHA-2 have been seen with.
const digestSHA512 = 3

// Certificate is one of a phone's certificates.
type Certificate struct {
	Type CertificateType
	DER  []byte
}

// certificateHead is the part before the DER: a byte 1, the length of what follows in two bytes, a byte 0,
// and the type.
const certificateHead = 5

// Proof is what shows that the sender holds the key of the certificate beside it.
type Proof struct {
	SHA1   []byte // signature; nil: none
	SHA512 []byte // likewise
}

// SUDI is a phone's second certificate of the manufacturer, the secure unique device identifier, with its
// proof.
type SUDI struct {
	Certificate []byte // DER
	Proof
}

// find returns the value with a tag. Two of them would let one reader see what another does not.
func find(all []Element, tag Tag) (value []byte, there bool, err error) {
	for _, e := range all {
		if e.Tag != tag {
			continue
		}
		if there {
			return nil, false, fmt.Errorf("capf: tag %d is there twice", tag)
		}
		value, there = e.Value, true
	}
	return value, there, nil
}

// Bytes returns a value, nil when there is none.
func (m Message) Bytes(tag Tag) ([]byte, error) {
	value, _, err := find(m.Elements, tag)
	return value, err
}

// Byte returns a value of one byte that must be there.
func (m Message) Byte(tag Tag) (uint8, error) {
	value, there, err := find(m.Elements, tag)
	switch {
	case err != nil:
		return 0, err
	case !there:
		return 0, fmt.Errorf("capf: %s: tag %d is missing", m.Command, tag)
	case len(value) != 1:
		return 0, fmt.Errorf("capf: %s: tag %d has %d bytes, want 1", m.Command, tag, len(value))
	}
	return value[0], nil
}

// Uint16 returns a value of two bytes that must be there.
func (m Message) Uint16(tag Tag) (uint16, error) {
	value, _, err := find(m.Elements, tag)
	if err == nil && len(value) != 2 {
		err = fmt.Errorf("capf: %s: tag %d has %d bytes, want 2", m.Command, tag, len(value))
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(value), nil
}

// Text returns a text without the zero byte that closes it, empty when there is none.
func (m Message) Text(tag Tag) (string, error) {
	value, _, err := find(m.Elements, tag)
	if err != nil {
		return "", err
	}
	value = bytes.TrimSuffix(value, []byte{0})
	if at := bytes.IndexByte(value, 0); at >= 0 {
		return "", fmt.Errorf("capf: %s: tag %d holds a zero byte at %d", m.Command, tag, at)
	}
	return string(value), nil
}

// Password returns the password, or an empty one.
func (m Message) Password() (secret.String, error) {
	text, err := m.Text(TagPassword)
	return secret.New(text), err
}

// Certificate returns the certificate of the message, one without DER when there is none.
func (m Message) Certificate() (Certificate, error) {
	value, there, err := find(m.Elements, TagCertificate)
	if err != nil || !there {
		return Certificate{}, err
	}
	return parseCertificate(value)
}

func parseCertificate(value []byte) (Certificate, error) {
	if len(value) <= certificateHead || value[0] != 1 || value[3] != 0 {
		return Certificate{}, fmt.Errorf("capf: certificate of %d bytes begins with %x, want 01, a length, 00 and a type", len(value), value[:min(len(value), certificateHead)])
	}
	if n := int(binary.BigEndian.Uint16(value[1:])); n != len(value)-3 {
		return Certificate{}, fmt.Errorf("capf: certificate says it has %d bytes, %d are there", n, len(value)-3)
	}
	return Certificate{CertificateType(value[4]), value[certificateHead:]}, nil
}

// Proof returns the signatures beside the certificate of the message.
func (m Message) Proof() (Proof, error) { return proofOf(m.Elements) }

func proofOf(all []Element) (p Proof, err error) {
	if p.SHA1, _, err = find(all, TagSignature); err != nil {
		return p, err
	}
	value, there, err := find(all, TagSignature2)
	if err != nil || !there {
		return p, err
	}
	if len(value) < tagSize || value[0] != digestSHA512 {
		return p, fmt.Errorf("capf: signature with another digest than SHA-512: %x", value[:min(len(value), tagSize)])
	}
	if n := int(binary.BigEndian.Uint16(value[1:])); n != len(value)-tagSize {
		return p, fmt.Errorf("capf: signature says it has %d bytes, %d are there", n, len(value)-tagSize)
	}
	p.SHA512 = value[tagSize:]
	return p, nil
}

// SUDI returns the manufacturer's second certificate, one without DER when there is none.
func (m Message) SUDI() (SUDI, error) {
	value, there, err := find(m.Elements, TagSUDI)
	if err != nil || !there {
		return SUDI{}, err
	}
	// That the parts have the tags of their kind in a message is inferred (docs/wire/capf.md#sudi).
	parts, err := parseElements(value, 0)
	if err != nil {
		return SUDI{}, err
	}
	s := SUDI{}
	if s.Certificate, _, err = find(parts, TagCertificate); err != nil {
		return s, err
	}
	s.Proof, err = proofOf(parts)
	return s, err
}

// Byte returns an element of one byte.
func Byte[T ~uint8](tag Tag, value T) Element { return Element{tag, []byte{byte(value)}} }

// Uint16 returns an element of two bytes.
func Uint16(tag Tag, value uint16) Element {
	return Element{tag, binary.BigEndian.AppendUint16(nil, value)}
}

// Text returns an element with a text, closed by a zero byte.
func Text(tag Tag, text string) Element { return Element{tag, append([]byte(text), 0)} }

// Element returns the certificate as a message holds it.
func (c Certificate) Element() (Element, error) {
	if len(c.DER) > MaxBody {
		return Element{}, fmt.Errorf("capf: certificate of %d bytes, at most %d are written", len(c.DER), MaxBody)
	}
	value := binary.BigEndian.AppendUint16([]byte{1}, uint16(len(c.DER)+2))
	return Element{TagCertificate, append(append(value, 0, byte(c.Type)), c.DER...)}, nil
}

// Elements returns the signatures as a message holds them.
func (p Proof) Elements() (all []Element) {
	if p.SHA1 != nil {
		all = append(all, Element{TagSignature, p.SHA1})
	}
	if p.SHA512 != nil {
		value := binary.BigEndian.AppendUint16([]byte{digestSHA512}, uint16(len(p.SHA512)))
		all = append(all, Element{TagSignature2, append(value, p.SHA512...)})
	}
	return all
}

// Element returns the certificate and its proof as a message holds them.
func (s SUDI) Element() (Element, error) {
	value, err := appendElements(nil, append([]Element{{TagCertificate, s.Certificate}}, s.Proof.Elements()...))
	return Element{TagSUDI, value}, err
}

// ProofData is what the key of a certificate signs: the device's name closed by a zero byte, then the
// certificate.
func ProofData(device string, der []byte) []byte {
	return append(append([]byte(device), 0), der...)
}

// SUDIData is what the key of a SUDI signs: the session id, here alone with its lowest byte first, then the
// certificate.
func SUDIData(session uint32, der []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, session), der...)
}

// Elliptic returns the curve, or nil for a number that is not known.
func (c Curve) Elliptic() elliptic.Curve {
	switch c {
	case P256:
		return elliptic.P256()
	case P384:
		return elliptic.P384()
	case P521:
		return elliptic.P521()
	}
	return nil
}
