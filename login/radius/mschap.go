package radius

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"

	wire "layeh.com/radius"
	"layeh.com/radius/rfc2759"
	"layeh.com/radius/vendors/microsoft"
)

var errUnproved = errors.New("its welcome does not prove that it knows the user's password (MS-CHAPv2)")

// addMSCHAPv2 proves the password instead of sending it (RFC 2548 section 2.3.2, RFC 2759).
func addMSCHAPv2(p *wire.Packet, q Question) (prove func(*wire.Packet) error, err error) {
	var challenge, own [16]byte // the gateway's challenge, and the one that the user's side adds
	rand.Read(challenge[:])
	rand.Read(own[:])
	name, password := []byte(q.User), []byte(q.Password.Reveal())
	proof, err := rfc2759.GenerateNTResponse(challenge[:], own[:], name, password)
	if err != nil {
		return nil, fmt.Errorf("radius: password: %w", err)
	}
	want, err := rfc2759.GenerateAuthenticatorResponse(challenge[:], own[:], proof, name, password)
	if err != nil {
		return nil, fmt.Errorf("radius: password: %w", err)
	}
	response := append([]byte{0, 0}, own[:]...) // identifier, flags
	response = append(append(response, make([]byte, 8)...), proof...)
	if err := errors.Join(microsoft.MSCHAPChallenge_Add(p, challenge[:]), microsoft.MSCHAP2Response_Add(p, response)); err != nil {
		return nil, fmt.Errorf("radius: password: %w", err)
	}
	return func(welcome *wire.Packet) error {
		success := microsoft.MSCHAP2Success_Get(welcome)
		if len(success) < 1+len(want) || !hmac.Equal(success[1:1+len(want)], []byte(want)) {
			return errUnproved
		}
		return nil
	}, nil
}
