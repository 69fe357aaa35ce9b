package dtls

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

// pskServer is the gateway's half of a full handshake with a pre-shared key, RFC 4279. The identity that the
// client names is not looked at: the session id has led here, and only the right key leads further.
//
//	waiting --ClientHello--> offered --ClientKeyExchange, Finished--> done
//	   |                        |                                      | repeats its Finished when
//	   +--------- time ---------+---------> failed                     | the client does, for a while
type pskServer struct {
	cfg   Config
	state serverState
	timer retransmission

	flight     flight
	transcript transcript
	in         inbox
	hello      []byte // body of the ClientHello that was answered
	random     [dtls.RandomLen]byte
	ownRandom  [dtls.RandomLen]byte
	extended   bool // extended master secret
	offer      []dtls.Handshake
	master     []byte
	conn       *Conn
	number     uint16 // of our Finished
	finished   []byte // its verify data
}

func newPSKServer(cfg Config) *pskServer {
	return &pskServer{cfg: cfg, flight: flight{version: dtls.Version12}, transcript: transcript{version: dtls.Version12}}
}

func (s *pskServer) Received(now time.Time, datagram []byte) ([]Action, error) {
	return eachRecord(datagram, func(r dtls.Record, raw []byte) ([]Action, error) { return s.record(now, r, raw) })
}

func (s *pskServer) record(now time.Time, r dtls.Record, raw []byte) ([]Action, error) {
	switch {
	case r.Epoch == 0 && r.Type == dtls.HandshakeRecord && s.state == serverWaiting:
		return s.clientHello(now, r)
	case r.Epoch == 0 && r.Type == dtls.HandshakeRecord && s.state == serverAnswered:
		return s.message(r.Fragment)
	case r.Epoch == dataEpoch && s.conn != nil && s.state == serverAnswered:
		return s.clientFinished(now, raw)
	case r.Epoch == dataEpoch && r.Type == dtls.HandshakeRecord && s.state == serverDone:
		if _, err := s.conn.Open(raw); err != nil {
			return nil, err
		}
		return s.last()
	}
	return nil, nil // the client's ChangeCipherSpec, and whatever comes early or late
}

func (s *pskServer) clientHello(now time.Time, r dtls.Record) ([]Action, error) {
	m, _, err := dtls.ParseHandshake(r.Fragment)
	if err != nil {
		return nil, err
	}
	if m.Type != dtls.TypeClientHello {
		return nil, fmt.Errorf("dtls: handshake message %d where the ClientHello should be", m.Type)
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
	return s.offers(), nil
}

// accept checks a ClientHello and prepares our first flight. Of the suites the client's order counts.
func (s *pskServer) accept(m dtls.Handshake, hello dtls.ClientHello) error {
	if err := errors.Join(checkHello(hello, dtls.Version12), hello.Extensions.Check()); err != nil {
		return err
	}
	i := slices.IndexFunc(hello.Suites, dtls.Suite.PSK)
	if i < 0 {
		return errors.New("dtls: client hello offers no suite with a pre-shared key")
	}
	s.transcript.suite = hello.Suites[i]
	if _, err := io.ReadFull(s.cfg.Rand, s.ownRandom[:]); err != nil {
		return fmt.Errorf("dtls: random: %w", err)
	}
	answer := dtls.ServerHello{Version: dtls.Version12, Random: s.ownRandom, Suite: s.transcript.suite}
	if hello.SecureRenegotiation() {
		answer.Extensions = answer.Extensions.With(dtls.RenegotiationInfo, 0)
	}
	if _, s.extended = hello.Extensions.Get(dtls.ExtendedMasterSecret); s.extended {
		answer.Extensions = answer.Extensions.With(dtls.ExtendedMasterSecret)
	}
	s.random, s.hello = hello.Random, bytes.Clone(m.Body)
	s.offer = []dtls.Handshake{
		s.flight.messageOf(dtls.TypeServerHello, answer.AppendBody(nil)),
		s.flight.messageOf(dtls.TypeServerHelloDone, nil),
	}
	s.in.next = m.Number + 1
	s.transcript.add(m)
	for _, own := range s.offer {
		s.transcript.add(own)
	}
	return nil
}

// offers is our first flight, with fresh record numbers each time.
func (s *pskServer) offers() []Action {
	var datagram []byte
	for _, m := range s.offer {
		datagram = append(datagram, s.flight.handshake(m)...)
	}
	return []Action{Send{Datagram: datagram}}
}

func (s *pskServer) message(fragment []byte) ([]Action, error) {
	if m, _, err := dtls.ParseHandshake(fragment); err == nil && m.Type == dtls.TypeClientHello {
		if !bytes.Equal(m.Body, s.hello) {
			return nil, errors.New("dtls: another ClientHello within the handshake")
		}
		return s.offers(), nil // the client did not get our flight
	}
	if err := s.in.add(fragment); err != nil {
		return nil, err
	}
	for {
		m, ok := s.in.take()
		if !ok {
			return nil, nil
		}
		if err := s.keyExchange(m); err != nil {
			return nil, err
		}
	}
}

func (s *pskServer) keyExchange(m dtls.Handshake) error {
	if m.Type != dtls.TypeClientKeyExchange || s.conn != nil {
		return fmt.Errorf("dtls: handshake message %d where the ClientKeyExchange should be", m.Type)
	}
	if _, err := dtls.ParseClientKeyExchange(m.Body); err != nil {
		return err
	}
	s.transcript.add(m)
	s.master = pskMaster(&s.transcript, s.cfg.PSK, s.random[:], s.ownRandom[:], s.extended)
	var err error
	s.conn, err = newConn(dtls.Version12, s.transcript.suite,
		newKeyBlock(dtls.Version12, s.transcript.suite, s.master, s.ownRandom[:], s.random[:]), false, s.cfg.Rand)
	return err
}

func (s *pskServer) clientFinished(now time.Time, raw []byte) ([]Action, error) {
	verify, m, _, err := openFinished(s.conn, raw)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(verify, s.transcript.finished(s.master, clientFinished)) {
		s.state = serverFailed
		s.timer.stop()
		return []Action{Failed{Err: ErrFinished}}, nil
	}
	s.transcript.add(m)
	s.finished, s.number = s.transcript.finished(s.master, serverFinished), s.offer[len(s.offer)-1].Number+1
	s.state = serverDone
	s.timer.linger(now)
	last, err := s.last()
	if err != nil {
		return nil, err
	}
	established := Established{Conn: s.conn, ClientRandom: s.random, MasterSecret: s.master}
	s.transcript, s.in, s.offer, s.hello, s.master = transcript{}, inbox{}, nil, nil, nil
	return append(last, established), nil
}

// last is our last flight, with fresh record numbers each time.
func (s *pskServer) last() ([]Action, error) {
	datagram := s.flight.changeCipherSpec(s.number)
	finished, err := sealedFinished(s.conn, s.number, s.finished)
	if err != nil {
		return nil, err
	}
	return []Action{Send{Datagram: append(datagram, finished...)}}, nil
}

func (s *pskServer) Advance(now time.Time) []Action {
	if s.state == serverDone {
		if !now.Before(s.timer.due) {
			s.timer.stop()
		}
		return nil
	}
	again, over := s.timer.advance(now)
	switch {
	case over:
		s.state = serverFailed
		return []Action{Failed{Err: ErrSilent}}
	case again:
		return s.offers()
	}
	return nil
}

func (s *pskServer) Wake() time.Time { return s.timer.due }
