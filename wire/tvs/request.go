package tvs

import (
	"bytes"
	"errors"
	"fmt"
)

// Request is a phone's question. It holds a certificate, or it names one by its issuer and number.
type Request struct {
	Session     uint32
	Device      string // such as CP-8861-SEP001122334455
	Certificate []byte // DER; nil: a query
	Subject     string // of a query: as it stands in the signed file
	Issuer      string // likewise
	Serial      []byte // likewise; the number as it stands in the certificate, without a leading zero
}

// IsQuery reports whether the request names a certificate instead of holding it.
func (r Request) IsQuery() bool { return r.Certificate == nil }

// ErrOtherForm: a query holds elements, and not those that we take for issuer and serial. Say so to people
// who can change it.
var ErrOtherForm = errors.New("tvs: the query names issuer and serial by other tags than are known")

// device names begin with this byte, for which no source has a meaning.
const deviceMark = 1

// Request reads the message as a request.
func (m Message) Request() (Request, error) {
	r := Request{Session: m.Session}
	device, _, err := m.find(TagDevice)
	if err != nil {
		return r, err
	}
	if len(device) > 0 && device[0] == deviceMark {
		device = device[1:]
	}
	if r.Device, err = text("device name", device); err != nil {
		return r, err
	}
	switch m.Command {
	case VerifyRequest:
		return m.verifyRequest(r)
	case QueryRequest:
		return m.queryRequest(r)
	}
	return r, fmt.Errorf("tvs: %s is no request", m.Command)
}

func (m Message) verifyRequest(r Request) (_ Request, err error) {
	if r.Certificate, _, err = m.find(TagCertificate); err != nil {
		return r, err
	}
	if len(r.Certificate) == 0 {
		return r, errors.New("tvs: verify request without a certificate")
	}
	return r, nil
}

func (m Message) queryRequest(r Request) (Request, error) {
	subject, _, err := m.find(TagSubject)
	if err != nil {
		return r, err
	}
	issuer, hasIssuer, err := m.find(TagIssuer)
	if err != nil {
		return r, err
	}
	serial, hasSerial, err := m.find(TagSerial)
	if err != nil {
		return r, err
	}
	if !hasIssuer || !hasSerial || len(serial) == 0 {
		return r, fmt.Errorf("%w: %s", ErrOtherForm, m)
	}
	if r.Subject, err = text("subject", subject); err != nil {
		return r, err
	}
	if r.Issuer, err = text("issuer", issuer); err != nil {
		return r, fmt.Errorf("%w: %w", ErrOtherForm, err)
	}
	r.Serial = bytes.TrimLeft(serial, "\x00")
	return r, nil
}

// text reads a text with or without the zero byte that closes it.
func text(what string, b []byte) (string, error) {
	b = bytes.TrimSuffix(b, []byte{0})
	if at := bytes.IndexByte(b, 0); at >= 0 {
		return "", fmt.Errorf("tvs: %s holds a zero byte at %d", what, at)
	}
	return string(b), nil
}

// Message returns the request as phones send it.
func (r Request) Message() Message {
	m := Message{Command: QueryRequest, Session: r.Session, Elements: []Element{
		{TagDevice, append([]byte{deviceMark}, r.Device...)},
	}}
	if !r.IsQuery() {
		m.Command = VerifyRequest
		m.Elements = append(m.Elements, Element{TagCertificate, r.Certificate})
		return m
	}
	m.Elements = append(m.Elements,
		Element{TagSubject, append([]byte(r.Subject), 0)}, Element{TagIssuer, append([]byte(r.Issuer), 0)}, Element{TagSerial, r.Serial})
	return m
}
