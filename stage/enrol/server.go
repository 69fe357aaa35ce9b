package enrol

import (
	"fmt"
	"time"

	"github.com/longcord/longcord/wire/capf"
)

// Times that a phone may take. A key takes old ones minutes, and they may say now and then that they are
// at it.
const (
	answerTime  = 20 * time.Second
	keyTime     = 5 * time.Minute  // since it last said something
	keyTimeMost = 15 * time.Minute // in all
)

// Task is what is to be done with a phone.
type Task struct {
	Known     bool // the phone's claim is taken
	Operation Operation
	Key       Key    // of Install
	Why       string // of an unknown one, for people; the phone does not hear it
}

// Server is CAPF's half of one conversation. It speaks first.
//
//	Start
//	  │
//	asked ──auth response──▶ judging ──Judged──┬──▶ generating ─key▶ signing ─Signed▶ storing ──┐
//	                                           ├──▶ deleting ──────────────────────────────────┤
//	                                           ├──▶ fetching ──────────────────────────────────┤
//	                                           └──▶ (nothing to do, unknown) ──────────────────┴─▶ over
//
// Whatever comes out of turn, too late or badly formed leads to over.
type Server struct {
	session  uint32
	state    serverState
	task     Task
	outcome  Outcome
	wake     time.Time // the phone must have spoken by then
	deadline time.Time // of the whole key
}

type serverState int

const (
	asked serverState = iota + 1
	judging
	generating
	signing
	storing
	deleting
	fetching
	over
)

// String names the state in errors.
func (s serverState) String() string {
	if names := []string{"new", "asked", "judging", "generating", "signing", "storing", "deleting", "fetching", "over"}; int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("state %d", int(s))
}

// NewServer returns a conversation that has not begun. The session is a random number.
func NewServer(session uint32) *Server { return &Server{session: session} }

// Start begins.
func (s *Server) Start(now time.Time) []Action {
	s.await(now, asked)
	return []Action{s.send(capf.AuthRequest, capf.Byte(capf.TagVersion, uint8(capf.Version)), capf.Byte(capf.TagAuthType, uint8(0)))}
}

// Wake is when Advance wants to be called. Zero: not at all.
func (s *Server) Wake() time.Time { return s.wake }

// Advance tells that time has passed.
func (s *Server) Advance(now time.Time) []Action {
	if s.wake.IsZero() || now.Before(s.wake) {
		return nil
	}
	return s.end(capf.NoAction, "the phone said nothing while it was "+s.state.String())
}

// Received takes a message of the phone.
func (s *Server) Received(now time.Time, m capf.Message) []Action {
	if m.Session != s.session && s.state != over {
		return s.end(capf.InvalidElement, fmt.Sprintf("%s for session %08x, which is %08x", m.Command, m.Session, s.session))
	}
	switch {
	case s.state == asked && m.Command == capf.AuthResponse:
		return s.authenticated(m)
	case s.state == generating && m.Command == capf.InProgress:
		s.wake = earlier(now.Add(keyTime), s.deadline)
		return nil
	case s.state == generating && m.Command == capf.KeyGenerateResponse:
		return s.generated(m)
	case s.state == storing && m.Command == capf.StoreResponse, s.state == deleting && m.Command == capf.DeleteResponse:
		return s.confirmed(m)
	case s.state == fetching && m.Command == capf.FetchResponse:
		return s.fetched(m)
	case m.Command == capf.EndSession || m.Command == capf.Abort:
		return s.end(capf.NoAction, "the phone ended it: "+m.String())
	}
	return s.end(capf.InvalidElement, fmt.Sprintf("%s while it was %s", m.Command, s.state))
}

func (s *Server) authenticated(m capf.Message) []Action {
	claim, err := claimOf(m)
	if err != nil {
		return s.end(capf.InvalidElement, err.Error())
	}
	s.outcome.Device = claim.Device
	s.state, s.wake = judging, time.Time{}
	return []Action{Judge{claim}}
}

// Judged says what is to be done with the phone.
func (s *Server) Judged(now time.Time, t Task) []Action {
	if s.state != judging {
		return nil
	}
	s.task = t
	switch {
	case !t.Known:
		return s.end(capf.UnknownDevice, t.Why)
	case t.Operation == Install:
		s.await(now, generating)
		s.wake, s.deadline = now.Add(keyTime), now.Add(keyTimeMost)
		if t.Key.Type == capf.EC {
			return []Action{s.send(capf.KeyGenerateRequest, capf.Byte(capf.TagKeyType, capf.EC), capf.Byte(capf.TagCurve, t.Key.Curve))}
		}
		return []Action{s.send(capf.KeyGenerateRequest, capf.Byte(capf.TagKeyType, capf.RSA), capf.Uint16(capf.TagKeySize, uint16(t.Key.Bits)))}
	case t.Operation == Delete:
		s.await(now, deleting)
		return []Action{s.send(capf.DeleteRequest, capf.Byte(capf.TagCertificateType, capf.LSC))}
	case t.Operation == Fetch:
		s.await(now, fetching)
		return []Action{s.send(capf.FetchRequest, capf.Byte(capf.TagCertificateType, capf.LSC))}
	}
	s.outcome.Done = true
	return s.end(capf.NoAction, "nothing to do")
}

func (s *Server) generated(m capf.Message) []Action {
	spki, err := m.Bytes(capf.TagPublicKey)
	if err != nil {
		return s.end(capf.InvalidElement, err.Error())
	}
	if spki == nil {
		return s.end(capf.NoAction, "the phone made no key: "+m.String())
	}
	public, err := s.task.Key.Take(spki)
	if err != nil {
		return s.end(capf.InvalidElement, err.Error())
	}
	s.state, s.wake = signing, time.Time{}
	return []Action{Sign{s.outcome.Device, public}}
}

// Signed hands over the certificate, or nothing where none was issued.
func (s *Server) Signed(now time.Time, der []byte) []Action {
	if s.state != signing {
		return nil
	}
	if der == nil {
		return s.end(capf.NoAction, "no certificate was issued")
	}
	certificate, err := capf.Certificate{Type: capf.LSC, DER: der}.Element()
	if err != nil {
		return s.end(capf.NoAction, err.Error())
	}
	s.outcome.Certificate = der
	s.await(now, storing)
	return []Action{s.send(capf.StoreRequest, capf.Byte(capf.TagCertificateType, capf.LSC), certificate)}
}

func (s *Server) confirmed(m capf.Message) []Action {
	reason, err := m.Byte(capf.TagReason)
	switch {
	case err != nil:
		return s.end(capf.InvalidElement, err.Error())
	case capf.Reason(reason) != capf.Updated:
		return s.end(capf.NoAction, "the phone says: "+capf.Reason(reason).String())
	}
	s.outcome.Done = true
	return s.end(capf.Updated, capf.Updated.String())
}

func (s *Server) fetched(m capf.Message) []Action {
	certificate, err := m.Certificate()
	if err != nil {
		return s.end(capf.InvalidElement, err.Error())
	}
	s.outcome.Done, s.outcome.Certificate = true, certificate.DER
	return s.end(capf.NoAction, "the phone has shown its certificate")
}

func (s *Server) await(now time.Time, next serverState) {
	s.state, s.wake = next, now.Add(answerTime)
}

func (s *Server) send(c capf.Command, elements ...capf.Element) Action {
	return Send{capf.Message{Command: c, Session: s.session, Elements: elements}}
}

// end ends the conversation, once.
func (s *Server) end(reason capf.Reason, says string) []Action {
	if s.state == over {
		return nil
	}
	s.state, s.wake = over, time.Time{}
	s.outcome.Operation, s.outcome.Says = s.task.Operation, says
	return []Action{End{s.outcome}, s.send(capf.EndSession, capf.Byte(capf.TagReason, reason))}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
