// Package dtls is the DTLS engine of tunnels: it brings up a connection by resuming the session that was
// agreed over the CSTP channel, or by a handshake with a key that was, and then seals and opens its records
// in place. It speaks version 0x0100, from before RFC 4347, with AES-CBC and HMAC-SHA1 for old phones, and
// DTLS 1.2.
//
// A handshake is a Client or a Server: feed it datagrams and time, do what its actions say. When it
// yields Established, records go through Conn. See docs/wire/dtls.md.
//
// Not here: key exchange, certificates, renegotiation, sockets, timers that run.
package dtls

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

// The lengths that the CONNECT exchange fixes.
const (
	SessionIDLen = 32
	MasterLen    = 48
	PSKLen       = 32
)

// Config is what a handshake is made with: either a session to resume or a pre-shared key.
type Config struct {
	SessionID []byte    // 32 bytes, out of X-DTLS-Session-ID or X-DTLS-App-ID
	Rand      io.Reader // for randoms and IVs

	Version      dtls.Version // of the session to resume
	Suite        dtls.Suite   // likewise
	MasterSecret []byte       // 48 bytes, out of X-DTLS-Master-Secret, used as the master secret itself

	PSK []byte // 32 bytes, or nil where a session is resumed. The version is 1.2, and the suite negotiated
}

func (c Config) validate() error {
	switch {
	case len(c.SessionID) != SessionIDLen:
		return fmt.Errorf("dtls: session id of %d bytes instead of %d", len(c.SessionID), SessionIDLen)
	case c.Rand == nil:
		return errors.New("dtls: no source of randomness")
	case c.PSK != nil && len(c.PSK) != PSKLen:
		return fmt.Errorf("dtls: pre-shared key of %d bytes instead of %d", len(c.PSK), PSKLen)
	case c.PSK != nil:
		return nil
	case c.Version == dtls.Version09 && c.Suite.Cipher() != dtls.AESCBC || c.Suite.KeyLen() == 0:
		return fmt.Errorf("dtls: %s does not go with DTLS %s", c.Suite, c.Version)
	case c.Version != dtls.Version12 && c.Version != dtls.Version09:
		return fmt.Errorf("dtls: version 0x%04x is not spoken here", uint16(c.Version))
	case len(c.MasterSecret) != MasterLen:
		return fmt.Errorf("dtls: master secret of %d bytes instead of %d", len(c.MasterSecret), MasterLen)
	}
	return nil
}

// Server is the gateway's half of one handshake. It is for one client address; a ClientHello with the
// same session id from elsewhere gets a Server of its own.
type Server interface {
	// Received takes a datagram of the client and says what to do. An error means that the datagram was not
	// understood or does not belong here; the handshake goes on.
	Received(now time.Time, datagram []byte) ([]Action, error)
	// Advance says what to do now that time has passed.
	Advance(now time.Time) []Action
	// Wake is when Advance wants to be called. Zero means never: the handshake is over. After Established
	// it may go on for a while, for a client that did not get the last of it.
	Wake() time.Time
}

// NewServer makes the server half of the handshake that cfg calls for.
func NewServer(cfg Config) (Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.PSK != nil {
		return newPSKServer(cfg), nil
	}
	return newResumingServer(cfg), nil
}

// Client is the phone's half of a handshake.
type Client interface {
	// Start begins the handshake.
	Start(now time.Time) []Action
	// Received takes a datagram of the server and says what to do. An error means that the datagram was not
	// understood or does not belong here; the handshake goes on.
	Received(now time.Time, datagram []byte) ([]Action, error)
	// Resend returns the last flight, with fresh record numbers. It is due when the server's Finished
	// arrives again after the connection is established, and never by time.
	Resend() ([]Action, error)
	// Advance says what to do now that time has passed.
	Advance(now time.Time) []Action
	// Wake is when Advance wants to be called; zero means never.
	Wake() time.Time
}

// NewClient makes the client half of the handshake that cfg calls for.
func NewClient(cfg Config) (Client, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.PSK != nil {
		return newPSKClient(cfg)
	}
	return newResumingClient(cfg)
}

// Action is what a handshake wants done: Send, Established or Failed.
type Action interface{ action() }

// Send asks for a datagram to be sent to the peer.
type Send struct{ Datagram []byte }

// Established says that the handshake is done.
type Established struct {
	Conn         *Conn
	ClientRandom [dtls.RandomLen]byte
	MasterSecret []byte // for key logs
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

// eachRecord gives the records of a datagram to f, until one of them leads to something.
func eachRecord(datagram []byte, f func(r dtls.Record, raw []byte) ([]Action, error)) ([]Action, error) {
	for len(datagram) > 0 {
		r, rest, err := dtls.ParseRecord(datagram)
		if err != nil {
			return nil, err
		}
		actions, err := f(r, datagram[:len(datagram)-len(rest)])
		if actions != nil || err != nil {
			return actions, err
		}
		datagram = rest
	}
	return nil, nil
}

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

// linger plans nothing but the end.
func (r *retransmission) linger(now time.Time) { r.due = now.Add(giveUp) }

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

// answers makes f go on where a ClientHello asks for: its first record has the number of the hello's, and
// after a HelloVerifyRequest, which somebody else sent, its first message is the second one. RFC 6347
// section 4.2.1.
func (f *flight) answers(hello dtls.ClientHello, record uint64) {
	f.record = record
	if len(hello.Cookie) > 0 {
		f.message = 1
	}
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
