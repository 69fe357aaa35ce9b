package dtls

import (
	"bytes"
	"crypto/hmac"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

// resumingServer resumes the session that was agreed.
//
//	waiting --ClientHello--> answered --Finished--> done
//	   |                        |
//	   +----------- time -------+---------> failed
type resumingServer struct {
	cfg   Config
	state serverState
	timer retransmission

	flight     flight
	transcript transcript
	hello      []byte // body of the ClientHello that was answered
	random     [dtls.RandomLen]byte
	conn       *Conn
	finished   []byte // verify data of our Finished
	numbers    struct{ ccs, finished uint16 }
	shello     dtls.Handshake
}

type serverState int

const (
	serverWaiting serverState = iota
	serverAnswered
	serverDone
	serverFailed
)

func newResumingServer(cfg Config) *resumingServer {
	return &resumingServer{
		cfg:        cfg,
		flight:     flight{version: cfg.Version},
		transcript: transcript{version: cfg.Version, suite: cfg.Suite},
	}
}

func (s *resumingServer) Received(now time.Time, datagram []byte) ([]Action, error) {
	return eachRecord(datagram, func(r dtls.Record, raw []byte) ([]Action, error) { return s.record(now, r, raw) })
}

func (s *resumingServer) record(now time.Time, r dtls.Record, raw []byte) ([]Action, error) {
	switch {
	case r.Epoch == 0 && r.Type == dtls.HandshakeRecord && (s.state == serverWaiting || s.state == serverAnswered):
		return s.clientHello(now, r)
	case r.Epoch == dataEpoch && s.state == serverAnswered:
		return s.clientFinished(raw)
	}
	return nil, nil // the client's ChangeCipherSpec, and whatever comes early or late
}

func (s *resumingServer) clientHello(now time.Time, r dtls.Record) ([]Action, error) {
	m, _, err := dtls.ParseHandshake(r.Fragment)
	if err != nil {
		return nil, err
	}
	if m.Type != dtls.TypeClientHello {
		return nil, fmt.Errorf("dtls: handshake message %d where the ClientHello should be", m.Type)
	}
	if s.state == serverAnswered {
		if bytes.Equal(m.Body, s.hello) {
			return s.answer() // the client did not get our flight
		}
		return nil, fmt.Errorf("dtls: another ClientHello within the handshake")
	}
	hello, err := dtls.ParseClientHello(m.Body)
	if err != nil {
		return nil, err
	}
	s.flight.answers(hello, r.Sequence)
	if err := s.accept(m, hello); err != nil {
		return nil, err
	}
	s.timer.start(now)
	s.state = serverAnswered
	return s.answer()
}

// accept checks a ClientHello and prepares everything that our flight consists of.
func (s *resumingServer) accept(m dtls.Handshake, hello dtls.ClientHello) error {
	if !bytes.Equal(hello.SessionID, s.cfg.SessionID) {
		return ErrNotResumed
	}
	if !slices.Contains(hello.Suites, s.cfg.Suite) {
		return fmt.Errorf("dtls: client hello does not offer %s", s.cfg.Suite)
	}
	if err := checkHello(hello, s.cfg.Version); err != nil {
		return err
	}
	var random [dtls.RandomLen]byte
	if _, err := io.ReadFull(s.cfg.Rand, random[:]); err != nil {
		return fmt.Errorf("dtls: random: %w", err)
	}
	conn, err := newConn(s.cfg.Version, s.cfg.Suite, newKeyBlock(s.cfg.Version, s.cfg.Suite, s.cfg.MasterSecret, random[:], hello.Random[:]), false, s.cfg.Rand)
	if err != nil {
		return err
	}
	s.conn, s.random, s.hello = conn, hello.Random, bytes.Clone(m.Body)
	s.shello = s.flight.messageOf(dtls.TypeServerHello, dtls.ServerHello{
		Version: s.cfg.Version, Random: random, SessionID: s.cfg.SessionID, Suite: s.cfg.Suite,
	}.AppendBody(nil))
	s.transcript.add(m)
	s.transcript.add(s.shello)
	s.finished = s.transcript.finished(s.cfg.MasterSecret, serverFinished)
	s.numbers.ccs, s.numbers.finished = finishedNumbers(s.cfg.Version, s.shello.Number)
	s.transcript.add(dtls.Handshake{Type: dtls.TypeFinished, Number: s.numbers.finished, Body: s.finished})
	return nil
}

// checkHello checks what every hello must have.
func checkHello(hello dtls.ClientHello, version dtls.Version) error {
	switch {
	case hello.Version != version:
		return fmt.Errorf("dtls: client hello is of DTLS %s instead of %s", hello.Version, version)
	case !slices.Contains(hello.Compressions, 0):
		return fmt.Errorf("dtls: client hello does not offer null compression")
	case hello.Random == [dtls.RandomLen]byte{}:
		return fmt.Errorf("dtls: client hello has an empty random") // GnuTLS 3.6.3 to 3.6.12
	}
	return nil
}

// answer is our flight: ServerHello, ChangeCipherSpec, Finished, with fresh record numbers each time.
func (s *resumingServer) answer() ([]Action, error) {
	datagram := s.flight.handshake(s.shello)
	datagram = append(datagram, s.flight.changeCipherSpec(s.numbers.ccs)...)
	finished, err := sealedFinished(s.conn, s.numbers.finished, s.finished)
	if err != nil {
		return nil, err
	}
	return []Action{Send{Datagram: append(datagram, finished...)}}, nil
}

func (s *resumingServer) clientFinished(raw []byte) ([]Action, error) {
	verify, _, _, err := openFinished(s.conn, raw)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(verify, s.transcript.finished(s.cfg.MasterSecret, clientFinished)) {
		s.state = serverFailed
		s.timer.stop()
		return []Action{Failed{Err: ErrFinished}}, nil
	}
	s.state = serverDone
	s.timer.stop()
	return []Action{Established{Conn: s.conn, ClientRandom: s.random, MasterSecret: s.cfg.MasterSecret}}, nil
}

func (s *resumingServer) Advance(now time.Time) []Action {
	again, over := s.timer.advance(now)
	if over {
		s.state = serverFailed
		return []Action{Failed{Err: ErrSilent}}
	}
	if !again {
		return nil
	}
	actions, err := s.answer()
	if err != nil {
		s.state = serverFailed
		return []Action{Failed{Err: err}}
	}
	return actions
}

func (s *resumingServer) Wake() time.Time { return s.timer.due }
