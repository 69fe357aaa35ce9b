package dtls

import (
	"fmt"

	"github.com/longcord/longcord/wire/dtls"
)

// inbox puts the peer's handshake messages together out of fragments and hands them out in the order of
// their numbers, each once.
type inbox struct {
	next     uint16 // number of the message to hand out next
	messages map[uint16]*message
}

// message is one that is not whole yet, or not yet its turn.
type message struct {
	dtls.Handshake
	have    []bool // which bytes of the body came
	missing int
}

const (
	maxMessage = 4 << 10 // of a body; a pre-shared key's messages are far below
	maxAhead   = 4       // messages before their turn
)

// add enters the fragments in a record.
func (in *inbox) add(record []byte) error {
	for len(record) > 0 {
		f, rest, err := dtls.ParseFragment(record)
		if err != nil {
			return err
		}
		record = rest
		if ahead := f.Number - in.next; ahead >= maxAhead { // or behind: the difference wraps
			continue
		}
		if f.Length > maxMessage {
			return fmt.Errorf("dtls: handshake message %d of %d bytes exceeds %d", f.Type, f.Length, maxMessage)
		}
		if err := in.put(f); err != nil {
			return err
		}
	}
	return nil
}

func (in *inbox) put(f dtls.Fragment) error {
	m := in.messages[f.Number]
	if m == nil {
		m = &message{
			Handshake: dtls.Handshake{Type: f.Type, Number: f.Number, Body: make([]byte, f.Length)},
			have:      make([]bool, f.Length), missing: f.Length,
		}
		if in.messages == nil {
			in.messages = map[uint16]*message{}
		}
		in.messages[f.Number] = m
	}
	if m.Type != f.Type || len(m.Body) != f.Length {
		return fmt.Errorf("dtls: fragment of message %d with %d bytes, but the message is %d with %d", f.Type, f.Length, m.Type, len(m.Body))
	}
	for i, b := range f.Part {
		if at := f.Offset + i; !m.have[at] {
			m.have[at], m.Body[at] = true, b
			m.missing--
		}
	}
	return nil
}

// take returns the message whose turn it is, and false until it is whole.
func (in *inbox) take() (dtls.Handshake, bool) {
	m := in.messages[in.next]
	if m == nil || m.missing > 0 {
		return dtls.Handshake{}, false
	}
	delete(in.messages, in.next)
	in.next++
	return m.Handshake, true
}
