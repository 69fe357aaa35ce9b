package tvs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/longcord/longcord/wire/tlv"
)

// Answer is what the service says to a request.
type Answer struct {
	Session     uint32
	ToQuery     bool       // else to a verify request
	Valid       bool       // the certificate is known; without it nothing else is told
	Certificate []byte     // DER
	Roles       []tlv.Role // what it may do; one byte each
	TTL         time.Duration
}

// DefaultTTL is how long phones are told to remember an answer, as CUCM does.
const DefaultTTL = 24 * time.Hour

const (
	statusValid   = 0
	statusUnknown = 1
)

// Answer reads the message as an answer.
func (m Message) Answer() (Answer, error) {
	a := Answer{Session: m.Session, ToQuery: m.Command == QueryResponse}
	if m.Command != QueryResponse && m.Command != VerifyResponse {
		return a, fmt.Errorf("tvs: %s is no answer", m.Command)
	}
	status, _, err := m.find(TagStatus)
	if err != nil {
		return a, err
	}
	if len(status) != 1 {
		return a, fmt.Errorf("tvs: status has %d bytes, want 1", len(status))
	}
	if status[0] != statusValid {
		return a, nil
	}
	a.Valid = true
	roles, _, errRoles := m.find(TagRoles)
	for _, role := range roles {
		a.Roles = append(a.Roles, tlv.Role(role))
	}
	ttl, hasTTL, errTTL := m.find(TagTTL)
	switch {
	case hasTTL && len(ttl) != 4:
		errTTL = fmt.Errorf("tvs: time to live has %d bytes, want 4", len(ttl))
	case hasTTL:
		a.TTL = time.Duration(binary.BigEndian.Uint32(ttl)) * time.Second
	}
	var errCertificate error
	a.Certificate, _, errCertificate = m.find(TagCertificate)
	return a, errors.Join(errRoles, errTTL, errCertificate)
}

// Message returns the answer in the order of the captured one.
func (a Answer) Message() (Message, error) {
	m := Message{Command: VerifyResponse, Session: a.Session}
	if a.ToQuery {
		m.Command = QueryResponse
	}
	if !a.Valid {
		m.Elements = []Element{{TagStatus, []byte{statusUnknown}}}
		return m, nil
	}
	var roles []byte
	for _, role := range a.Roles {
		if role > 0xff {
			return m, fmt.Errorf("tvs: %s does not fit into a byte", role)
		}
		roles = append(roles, byte(role))
	}
	m.Elements = []Element{
		{TagStatus, []byte{statusValid}}, {TagCertificate, a.Certificate}, {TagRoles, roles},
		{TagTTL, binary.BigEndian.AppendUint32(nil, uint32(a.TTL/time.Second))},
	}
	return m, nil
}
