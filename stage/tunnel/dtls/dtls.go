// Package dtls is the DTLS engine of tunnels: it brings up a connection by resuming the session that was
// agreed over the CSTP channel, and then seals and opens its records in place. It speaks version 0x0100,
// from before RFC 4347, with AES-CBC and HMAC-SHA1 for old phones, and DTLS 1.2 with AES-GCM.
//
// A handshake is a Client or a Server: feed it datagrams and time, do what its actions say. When it
// yields Established, records go through Conn. See docs/wire/dtls.md.
//
// Not here: full handshakes, key exchange, certificates, renegotiation, sockets, timers that run.
package dtls

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

// SessionIDLen and MasterLen are the lengths that the CONNECT exchange fixes.
const (
	SessionIDLen = 32
	MasterLen    = 48
)

// Config is the session to resume. Every field is required.
type Config struct {
	Version      dtls.Version
	Suite        dtls.Suite
	SessionID    []byte    // 32 bytes, out of X-DTLS-Session-ID
	MasterSecret []byte    // 48 bytes, out of X-DTLS-Master-Secret, used as the master secret itself
	Rand         io.Reader // for randoms and IVs
}

func (c Config) validate() error {
	switch {
	case c.Version == dtls.Version12 && !c.Suite.GCM(), c.Version == dtls.Version09 && c.Suite.GCM():
		return fmt.Errorf("dtls: %s does not go with DTLS %s", c.Suite, c.Version)
	case c.Version != dtls.Version12 && c.Version != dtls.Version09:
		return fmt.Errorf("dtls: version 0x%04x is not spoken here", uint16(c.Version))
	case len(c.SessionID) != SessionIDLen:
		return fmt.Errorf("dtls: session id of %d bytes instead of %d", len(c.SessionID), SessionIDLen)
	case len(c.MasterSecret) != MasterLen:
		return fmt.Errorf("dtls: master secret of %d bytes instead of %d", len(c.MasterSecret), MasterLen)
	case c.Rand == nil:
		return errors.New("dtls: no source of randomness")
	}
	return nil
}

// Action is what a handshake wants done: Send, Established or Failed.
type Action interface{ action() }

// Send asks for a datagram to be sent to the peer.
type Send struct{ Datagram []byte }

// Established says that the handshake is done. ClientRandom is for key logs.
type Established struct {
	Conn         *Conn
	ClientRandom [dtls.RandomLen]byte
}

// Failed says that the handshake has ended without a connection. Nothing is sent to the peer.
type Failed struct{ Err error }

func (Send) action()        {}
func (Established) action() {}
func (Failed) action()      {}

var (
	// ErrNotResumed: the peer wants another session than the one agreed, or a full handshake. Somebody
	// may stand in between; use the CSTP channel.
	ErrNotResumed = errors.New("dtls: the peer does not resume the session")
	// ErrFinished: the peer's Finished does not fit. It holds another master secret.
	ErrFinished = errors.New("dtls: the peer's Finished does not fit")
	// ErrSilent: the peer did not answer in time.
	ErrSilent = errors.New("dtls: the peer does not answer")

	errReplay     = errors.New("dtls: record was seen before")
	errOtherEpoch = errors.New("dtls: record is not of this connection's epoch and version")
)

// retransmission says when a flight is sent again: after first, then twice as long each time, until
// giveUp has passed since the handshake began.
type retransmission struct {
	began, due time.Time
	wait       time.Duration
}

const (
	firstRetransmission = 400 * time.Millisecond // voice cannot wait for RFC 6347's one second
	giveUp              = 12 * time.Second
)

func (r *retransmission) start(now time.Time) {
	if r.began.IsZero() {
		r.began = now
	}
	r.wait = firstRetransmission
	r.due = now.Add(r.wait)
}

func (r *retransmission) stop() { r.due = time.Time{} }

// advance reports whether the flight is due again, or the time is over.
func (r *retransmission) advance(now time.Time) (again, over bool) {
	if r.due.IsZero() || now.Before(r.due) {
		return false, false
	}
	if now.Sub(r.began) >= giveUp {
		r.stop()
		return false, true
	}
	r.wait *= 2
	r.due = now.Add(r.wait)
	return true, false
}

// flight builds the datagrams of a handshake before the keys are in use: epoch 0, with message and
// record numbers counted on.
type flight struct {
	version dtls.Version
	message uint16 // number of the next handshake message
	record  uint64 // number of the next record of epoch 0
}

func (f *flight) recordOf(kind dtls.ContentType, fragment []byte) []byte {
	out, _ := dtls.Record{Type: kind, Version: f.version, Sequence: f.record, Fragment: fragment}.AppendBinary(nil)
	f.record++
	return out // the fragment is short: appending cannot fail
}

// messageOf gives a handshake message its number.
func (f *flight) messageOf(kind dtls.HandshakeType, body []byte) dtls.Handshake {
	m := dtls.Handshake{Type: kind, Number: f.message, Body: body}
	f.message++
	return m
}

func (f *flight) handshake(m dtls.Handshake) []byte {
	body, _ := m.AppendBinary(nil) // bodies are short
	return f.recordOf(dtls.HandshakeRecord, body)
}

// changeCipherSpec is one byte; at 0x0100 it carries a message number and takes that number.
func (f *flight) changeCipherSpec(number uint16) []byte {
	if f.version == dtls.Version09 {
		return f.recordOf(dtls.ChangeCipherSpec, []byte{1, byte(number >> 8), byte(number)})
	}
	return f.recordOf(dtls.ChangeCipherSpec, []byte{1})
}

// finishedNumbers returns the message numbers of the ChangeCipherSpec and the Finished that follow a
// hello with this number.
func finishedNumbers(v dtls.Version, hello uint16) (ccs, finished uint16) {
	if v == dtls.Version09 {
		return hello + 1, hello + 2
	}
	return hello + 1, hello + 1
}

// sealedFinished is a Finished message as the next record of conn.
func sealedFinished(conn *Conn, number uint16, verify []byte) ([]byte, error) {
	body, err := dtls.Handshake{Type: dtls.TypeFinished, Number: number, Body: verify}.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, conn.Overhead()+len(body))
	copy(buf[conn.Headroom():], body)
	return conn.seal(buf, len(body), dtls.HandshakeRecord)
}

// openFinished reads a Finished message's verify data out of the first record of a datagram.
func openFinished(conn *Conn, datagram []byte) (verify []byte, m dtls.Handshake, rest []byte, err error) {
	opened, err := conn.Open(datagram)
	if err != nil {
		return nil, m, opened.Rest, err
	}
	if opened.Type != dtls.HandshakeRecord {
		return nil, m, opened.Rest, fmt.Errorf("dtls: %s where the Finished should be", opened.Type)
	}
	m, _, err = dtls.ParseHandshake(opened.Content)
	if err != nil {
		return nil, m, opened.Rest, err
	}
	if m.Type != dtls.TypeFinished || len(m.Body) != verifyDataLen {
		return nil, m, opened.Rest, fmt.Errorf("dtls: handshake message %d of %d bytes where the Finished should be", m.Type, len(m.Body))
	}
	return m.Body, m, opened.Rest, nil
}
