package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"

	wire "layeh.com/radius"
	"layeh.com/radius/rfc2869"
)

// The layout of a packet, RFC 2865 section 3: code, identifier, length in two bytes, authenticator in
// sixteen, then attributes of type, length and value.
const (
	headerLen        = 20
	authenticatorAt  = 4
	authenticatorLen = 16
)

var (
	errUnsigned = errors.New("its reply has no Message-Authenticator; let it send one, or set messageAuthenticatorRequired: false")
	errForged   = errors.New("its reply is not signed with our key")
)

// sign begins a question with a Message-Authenticator (RFC 3579 section 3.2) and returns its bytes.
func sign(p *wire.Packet) ([]byte, error) {
	zeros := &wire.AVP{Type: rfc2869.MessageAuthenticator_Type, Attribute: make(wire.Attribute, md5.Size)}
	p.Attributes = append(wire.Attributes{zeros}, p.Attributes...)
	question, err := p.Encode()
	if err != nil {
		return nil, err
	}
	mac := hmac.New(md5.New, p.Secret)
	mac.Write(question)
	mac.Sum(question[headerLen+2 : headerLen+2])
	return question, nil
}

// cut returns the packet in a datagram, without what may follow it.
func cut(datagram []byte) ([]byte, error) {
	if len(datagram) < headerLen {
		return nil, fmt.Errorf("its reply has %d bytes, a packet has at least %d", len(datagram), headerLen)
	}
	length := int(binary.BigEndian.Uint16(datagram[2:]))
	if length < headerLen || length > len(datagram) {
		return nil, fmt.Errorf("its reply says that it has %d bytes and comes with %d", length, len(datagram))
	}
	return datagram[:length], nil
}

// genuine returns why reply is not one to question: what somebody sent who has not got the key.
func genuine(reply, question, key []byte, unsigned bool) error {
	if reply[1] != question[1] {
		return fmt.Errorf("its reply has identifier %d, the question has %d", reply[1], question[1])
	}
	at, err := messageAuthenticator(reply)
	switch {
	case err != nil:
		return err
	case at == 0 && !unsigned:
		return errUnsigned
	case at != 0 && !hmac.Equal(messageMAC(reply, question, key, at), reply[at:at+md5.Size]),
		!wire.IsAuthenticResponse(reply, question, key):
		return errForged
	}
	return nil
}

// messageMAC computes what the Message-Authenticator at an offset of a reply has to be.
func messageMAC(reply, question, key []byte, at int) []byte {
	mac := hmac.New(md5.New, key)
	mac.Write(reply[:authenticatorAt])
	mac.Write(question[authenticatorAt : authenticatorAt+authenticatorLen])
	mac.Write(reply[headerLen:at])
	mac.Write(make([]byte, md5.Size))
	mac.Write(reply[at+md5.Size:])
	return mac.Sum(nil)
}

// messageAuthenticator returns the offset of the value of the one Message-Authenticator, 0 when there is
// none. It is also what looks at the attributes' lengths.
func messageAuthenticator(packet []byte) (at int, err error) {
	for offset := headerLen; offset < len(packet); {
		if len(packet)-offset < 2 || packet[offset+1] < 2 || int(packet[offset+1]) > len(packet)-offset {
			return 0, fmt.Errorf("its reply has a broken attribute at offset %d", offset)
		}
		length := int(packet[offset+1])
		if wire.Type(packet[offset]) == rfc2869.MessageAuthenticator_Type {
			if at != 0 || length != 2+md5.Size {
				return 0, fmt.Errorf("its reply has a second or broken Message-Authenticator at offset %d", offset)
			}
			at = offset + 2
		}
		offset += length
	}
	return at, nil
}
