package call

import (
	"fmt"
	"time"

	"github.com/longcord/longcord/wire/sip"
)

// The half of a leg that is called.

// NewCallee makes a leg of an INVITE that a phone has sent. It returns an error when the INVITE lacks a
// Contact to answer to.
func NewCallee(config LegConfig, flow sip.Flow, invite *sip.Message) (*Leg, error) {
	tag, err := token(config.Rand)
	if err != nil {
		return nil, err
	}
	contacts, err := invite.Contacts()
	if err != nil || len(contacts) == 0 || contacts[0].URI.Host == "*" {
		return nil, fmt.Errorf("call: INVITE without a usable Contact")
	}
	from, _ := invite.From()
	to, _ := invite.To()
	cseq, _, _ := invite.CSeq()
	to.Params = to.Params.With("tag", tag)
	return &Leg{
		config: config, state: ringing, flow: flow, target: contacts[0].URI,
		local: to, remote: from, callID: invite.CallID(), heard: cseq, invite: invite,
	}, nil
}

// Ring tells the caller that somebody is being rung: status 180, or 183 with early media.
func (l *Leg) Ring(status int, body []byte, extra sip.Fields) []Action {
	if l.state != ringing {
		return nil
	}
	return []Action{Respond{l.invite, l.describe(l.response(l.invite, status), body, extra)}}
}

// Accept answers the call.
func (l *Leg) Accept(now time.Time, body []byte, extra sip.Fields) []Action {
	if l.state != ringing {
		return nil
	}
	response := l.describe(l.response(l.invite, 200), body, extra)
	accept := Respond{l.invite, response}
	l.state, l.invite, l.unacked, l.deadline = accepted, nil, l.heard, now.Add(patience)
	return []Action{accept}
}

// Refuse turns the call down.
func (l *Leg) Refuse(status int) []Action {
	if l.state != ringing {
		return nil
	}
	refusal := l.respond(l.invite, status)
	l.state, l.invite = gone, nil
	return []Action{refusal, Gone{}}
}

// Cancelled tells that the caller gave up; the INVITE has been answered already.
func (l *Leg) Cancelled() []Action {
	if l.state != ringing {
		return nil
	}
	return l.over(487, "the caller gave up")
}

func (l *Leg) acked(cseq uint32, body []byte) []Action {
	if l.unacked == 0 || cseq != l.unacked {
		return nil
	}
	l.unacked, l.deadline = 0, time.Time{}
	if l.state == accepted {
		l.state = up
	}
	return []Action{Confirmed{body}}
}

func (l *Leg) reinvited(request *sip.Message) []Action {
	if l.Changing() {
		return []Action{l.respond(request, 491)}
	}
	if contacts, err := request.Contacts(); err == nil && len(contacts) > 0 && contacts[0].URI.Host != "*" {
		l.target = contacts[0].URI
	}
	l.offered = request
	return []Action{Offered{request.Body}}
}

// AcceptOffer takes the media that the far end wants.
func (l *Leg) AcceptOffer(now time.Time, body []byte) []Action {
	if l.offered == nil {
		return nil
	}
	request := l.offered
	cseq, _, _ := request.CSeq()
	l.offered, l.unacked, l.deadline = nil, cseq, now.Add(patience)
	return []Action{Respond{request, l.describe(l.response(request, 200), body, nil)}}
}

// RefuseOffer keeps the media as it was.
func (l *Leg) RefuseOffer(status int) []Action {
	if l.offered == nil {
		return nil
	}
	request := l.offered
	l.offered = nil
	return []Action{l.respond(request, status)}
}
