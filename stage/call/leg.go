package call

import (
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/longcord/longcord/wire/sdp"
	"github.com/longcord/longcord/wire/sip"
)

// patience is how long a leg waits for what must come promptly: an ACK, the end of a cancelled or
// changed call, a phone that comes back (64 times T1 of RFC 3261).
const patience = 32 * time.Second

// allow is what a leg understands.
const allow = "INVITE,ACK,CANCEL,BYE,OPTIONS"

// LegConfig is what a Leg needs.
type LegConfig struct {
	Contact   sip.URI // our own address towards this peer
	UserAgent string
	Rand      io.Reader // makes tags and Call-IDs
}

// state is where a leg stands.
//
//	caller:  idle --Invite--> inviting --2xx--> answered --Confirm--> up
//	callee:  ringing --Accept--> accepted --ACK--> up
//	both:    up --HangUp--> leaving --answer--> gone        up --BYE--> hungUp --Goodbye--> gone
//	         inviting --HangUp--> cancelling --final--> gone       ringing --Refuse, Cancelled--> gone
type state int

const (
	idle state = iota
	inviting
	cancelling
	answered
	ringing
	accepted
	up
	leaving
	hungUp
	gone
)

// Leg is one phone's part in a call: one SIP dialog, seen from our end.
type Leg struct {
	config LegConfig
	state  state
	flow   sip.Flow
	target sip.URI     // where requests within the dialog go
	local  sip.Address // From of our requests, with our tag
	remote sip.Address // To of our requests, with the peer's tag once known
	callID string
	cseq   uint32 // of our last request
	heard  uint32 // CSeq of the peer's last request

	invite      *sip.Message // the INVITE that made the leg, until it is up
	provisional bool         // ours has been answered provisionally, so it may be cancelled
	offer       *sip.Message // our INVITE within the dialog, until its ACK
	offered     *sip.Message // the peer's INVITE within the dialog, until answered
	unacked     uint32       // CSeq of the peer's INVITE whose ACK we wait for; 0: none
	bye         *sip.Message // the peer's BYE, until Goodbye; or ours, until answered

	deadline time.Time // when patience ends
	lost     time.Time // when a leg without a connection is given up
}

// ID identifies a leg among all: what requests within the dialog carry.
type ID struct{ CallID, LocalTag string }

// ID returns the leg's identity.
func (l *Leg) ID() ID { return ID{l.callID, l.local.Params.Get("tag")} }

// Flow returns the way to the leg's phone.
func (l *Leg) Flow() sip.Flow { return l.flow }

// Ringing reports whether the leg is a callee's that has neither been accepted nor refused.
func (l *Leg) Ringing() bool { return l.state == ringing }

// Up reports whether the call is answered and not over.
func (l *Leg) Up() bool { return l.state == up || l.state == accepted || l.state == answered }

// Changing reports whether a change of media is under way, so that none may be begun.
func (l *Leg) Changing() bool {
	return l.state != up || l.offer != nil || l.offered != nil || l.unacked != 0
}

func token(random io.Reader) (string, error) {
	var b [12]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("call: tag: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// request starts a request of ours within the dialog, or the one that makes it.
func (l *Leg) request(method string) *sip.Message {
	l.cseq++
	return l.numbered(method, l.cseq)
}

func (l *Leg) numbered(method string, cseq uint32) *sip.Message {
	m := &sip.Message{Method: method, URI: l.target}
	m.Fields.Add("From", l.local.String())
	m.Fields.Add("To", l.remote.String())
	m.Fields.Add("Call-ID", l.callID)
	m.Fields.Add("CSeq", fmt.Sprintf("%d %s", cseq, method))
	if l.config.UserAgent != "" {
		m.Fields.Add("User-Agent", l.config.UserAgent)
	}
	return m
}

// describe adds what an INVITE and its answers carry.
func (l *Leg) describe(m *sip.Message, body []byte, extra sip.Fields) *sip.Message {
	m.Fields.Add("Contact", sip.Address{URI: l.config.Contact}.String())
	m.Fields.Add("Allow", allow)
	m.Fields = append(m.Fields, extra...)
	if len(body) > 0 {
		m.Fields.Add("Content-Type", sdp.ContentType)
		m.Body = body
	}
	return m
}

func (l *Leg) response(request *sip.Message, status int) *sip.Message {
	return sip.NewResponse(request, status, l.local.Params.Get("tag"))
}

func (l *Leg) respond(request *sip.Message, status int) Action {
	return Respond{request, l.response(request, status)}
}

// Received takes a request within the dialog.
func (l *Leg) Received(now time.Time, request *sip.Message) []Action {
	cseq, _, _ := request.CSeq()
	if request.Method == sip.Ack {
		return l.acked(cseq, request.Body)
	}
	switch l.state {
	case idle, inviting, cancelling, hungUp, gone:
		return []Action{l.respond(request, 481)}
	}
	if cseq <= l.heard {
		return []Action{l.respond(request, 500)} // RFC 3261 12.2.2
	}
	l.heard = cseq
	switch request.Method {
	case sip.Bye:
		return l.byed(request)
	case sip.Invite:
		return l.reinvited(request)
	case sip.Options:
		return []Action{Respond{request, l.describe(l.response(request, 200), nil, nil)}}
	case sip.Refer:
		return []Action{l.respond(request, 603)} // transfer is not ours yet; the phone says so and keeps the call
	}
	response := l.response(request, 405)
	response.Fields.Add("Allow", allow)
	return []Action{Respond{request, response}}
}

func (l *Leg) byed(request *sip.Message) []Action {
	if l.state == leaving { // both hung up at once
		return []Action{l.respond(request, 200)}
	}
	var before []Action
	if l.state == ringing { // allowed to a caller in place of CANCEL
		before = []Action{l.respond(l.invite, 487)}
	}
	before = append(before, l.settleOffers()...)
	l.state, l.bye, l.deadline, l.lost = hungUp, request, time.Time{}, time.Time{}
	return append(before, HungUp{measured(request)})
}

// settleOffers closes changes of media that the end of the call overtakes.
func (l *Leg) settleOffers() []Action {
	var actions []Action
	if l.invite != nil && l.state == answered {
		actions = append(actions, l.acknowledge(l.invite, nil))
	}
	if l.offered != nil {
		actions = append(actions, l.respond(l.offered, 487))
	}
	if l.offer != nil {
		actions = append(actions, Abandon{l.offer})
	}
	l.invite, l.offered, l.offer, l.unacked = nil, nil, nil, 0
	return actions
}

// Goodbye answers the peer's BYE, with what we measured.
func (l *Leg) Goodbye(extra sip.Fields) []Action {
	if l.state != hungUp {
		return nil
	}
	response := l.response(l.bye, 200)
	response.Fields = append(response.Fields, extra...)
	l.state = gone
	return []Action{Respond{l.bye, response}, Gone{}}
}

// HangUp ends the leg, wherever it stands: by BYE with what we measured, by giving up an INVITE, or by
// refusing one. Gone follows.
func (l *Leg) HangUp(now time.Time, extra sip.Fields) []Action {
	switch l.state {
	case idle:
		l.state = gone
		return []Action{Gone{}}
	case inviting:
		return l.cancel(now)
	case ringing:
		return l.Refuse(480)
	case answered, accepted, up:
		actions := l.settleOffers()
		l.bye = l.request(sip.Bye)
		l.bye.Fields = append(l.bye.Fields, extra...)
		l.state, l.deadline, l.lost = leaving, time.Time{}, time.Time{}
		return append(actions, Send{l.flow, l.bye})
	case hungUp:
		return l.Goodbye(extra)
	}
	return nil
}

// Answered takes the answer to a request of ours.
func (l *Leg) Answered(now time.Time, request, response *sip.Message) []Action {
	switch request {
	case l.invite:
		return l.invited(now, response)
	case l.offer:
		return l.offerAnswered(response)
	case l.bye:
		if l.state == leaving && response.Final() {
			l.state = gone
			return []Action{Gone{measured(response)}}
		}
	}
	return nil
}

// Failed takes the news that a request of ours is not answered, and why: 408 when nobody spoke, 480 when
// there is no way to the phone.
func (l *Leg) Failed(now time.Time, request *sip.Message, status int, why string) []Action {
	switch {
	case request == l.invite && (l.state == inviting || l.state == cancelling):
		return l.over(status, why)
	case request == l.offer:
		l.offer, l.deadline = nil, time.Time{}
		return []Action{OfferRefused{status}}
	case request == l.bye && l.state == leaving:
		l.state = gone
		return []Action{Gone{}}
	}
	return nil
}

// over ends a leg that has no dialog, or whose dialog is beyond saving.
func (l *Leg) over(status int, why string) []Action {
	asked := l.state == cancelling
	l.state, l.invite, l.deadline, l.lost = gone, nil, time.Time{}, time.Time{}
	if asked {
		return []Action{Gone{}}
	}
	return []Action{Ended{status, why}, Gone{}}
}

// Lost tells that the way to the phone is gone. A phone that comes back in time keeps its call.
func (l *Leg) Lost(now time.Time) []Action {
	switch l.state {
	case ringing:
		refusal := l.Refuse(480)
		return append([]Action{Ended{480, "the caller's connection is gone"}}, refusal...)
	case accepted, answered, up:
		if l.lost.IsZero() {
			l.lost = now.Add(patience)
		}
	}
	return nil
}

// Moved tells that the peer is reached another way now, and under which address; the zero URI keeps it.
func (l *Leg) Moved(flow sip.Flow, target sip.URI) {
	l.flow, l.lost = flow, time.Time{}
	if target.Host != "" {
		l.target = target
	}
}

// Advance ends what has waited too long.
func (l *Leg) Advance(now time.Time) []Action {
	if !l.lost.IsZero() && !now.Before(l.lost) {
		return l.abort(now, "the phone did not come back")
	}
	if l.deadline.IsZero() || now.Before(l.deadline) {
		return nil
	}
	l.deadline = time.Time{}
	switch {
	case l.state == cancelling:
		invite := l.invite
		return append([]Action{Abandon{invite}}, l.over(487, "no answer to the cancellation")...)
	case l.offer != nil:
		offer := l.offer
		return append([]Action{Abandon{offer}}, l.Failed(now, offer, 408, "no answer to the change")...)
	case l.unacked != 0:
		return l.abort(now, "no ACK came")
	}
	return nil
}

// abort hangs up a leg whose phone no longer plays its part.
func (l *Leg) abort(now time.Time, why string) []Action {
	return append([]Action{Ended{408, why}}, l.HangUp(now, nil)...)
}

// Wake returns when Advance wants to be called next; zero when nothing waits.
func (l *Leg) Wake() time.Time { return earlier(l.deadline, l.lost) }

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
