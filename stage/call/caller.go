package call

import (
	"time"

	"github.com/longcord/longcord/wire/sip"
)

// The half of a leg that calls.

// NewCaller makes a leg that will call a phone: from and to as they are to be shown to it, target the
// address it gave for itself.
func NewCaller(config LegConfig, flow sip.Flow, from, to sip.Address, target sip.URI) (*Leg, error) {
	callID, err := token(config.Rand)
	if err != nil {
		return nil, err
	}
	tag, err := token(config.Rand)
	if err != nil {
		return nil, err
	}
	from.Params = sip.Params{{Name: "tag", Value: tag}}
	to.Params = nil
	return &Leg{config: config, flow: flow, target: target, local: from, remote: to, callID: callID}, nil
}

// Invite rings the phone, with an offer or without (then its answer holds one).
func (l *Leg) Invite(body []byte, extra sip.Fields) []Action {
	if l.state != idle {
		return nil
	}
	l.state = inviting
	l.invite = l.describe(l.request(sip.Invite), body, extra)
	return []Action{Send{l.flow, l.invite}}
}

// invited takes an answer to our INVITE.
func (l *Leg) invited(now time.Time, response *sip.Message) []Action {
	switch {
	case !response.Final():
		first := !l.provisional
		l.provisional = true
		if l.state == cancelling {
			if first {
				return []Action{Withdraw{l.invite}}
			}
			return nil
		}
		if response.Status > 100 {
			return []Action{Alerting{response.Status, response.Body}}
		}
		return nil
	case response.OK():
		return l.taken(response)
	default:
		return l.over(response.Status, response.Reason)
	}
}

// taken makes the dialog of a 2xx (RFC 3261 section 12.1.2).
func (l *Leg) taken(response *sip.Message) []Action {
	late := l.state == cancelling
	to, _ := response.To()
	l.remote.Params = to.Params
	if contacts, err := response.Contacts(); err == nil && len(contacts) > 0 {
		l.target = contacts[0].URI
	}
	l.state, l.deadline = answered, time.Time{}
	if late { // answered while we gave up
		return l.HangUp(time.Time{}, nil)
	}
	return []Action{Answered{response.Body}}
}

// Confirm acknowledges an Answered or OfferAnswered; body is the answer to an offer in it.
func (l *Leg) Confirm(body []byte) []Action {
	switch {
	case l.state == answered && l.invite != nil:
		ack := l.acknowledge(l.invite, body)
		l.state, l.invite = up, nil
		return []Action{ack}
	case l.offer != nil:
		ack := l.acknowledge(l.offer, body)
		l.offer = nil
		return []Action{ack}
	}
	return nil
}

func (l *Leg) acknowledge(invite *sip.Message, body []byte) Action {
	cseq, _, _ := invite.CSeq()
	ack := l.numbered(sip.Ack, cseq)
	if len(body) > 0 {
		ack.Fields.Add("Content-Type", "application/sdp")
		ack.Body = body
	}
	return Acknowledge{invite, ack}
}

// cancel gives up our INVITE. CANCEL may only follow a provisional answer (RFC 3261 section 9.1).
func (l *Leg) cancel(now time.Time) []Action {
	l.state, l.deadline = cancelling, now.Add(patience)
	if l.provisional {
		return []Action{Withdraw{l.invite}}
	}
	return nil
}

// Offer changes the media of a call that is up.
func (l *Leg) Offer(now time.Time, body []byte) []Action {
	if l.Changing() {
		return []Action{OfferRefused{491}}
	}
	l.offer = l.describe(l.request(sip.Invite), body, nil)
	l.deadline = now.Add(patience)
	return []Action{Send{l.flow, l.offer}}
}

func (l *Leg) offerAnswered(response *sip.Message) []Action {
	if !response.Final() {
		return nil
	}
	l.deadline = time.Time{}
	if response.OK() {
		return []Action{OfferAnswered{response.Body}}
	}
	l.offer = nil
	if response.Status == 481 || response.Status == 408 { // the peer has no such call (RFC 3261 12.2.1.2)
		return append([]Action{Ended{response.Status, response.Reason}}, l.HangUp(time.Time{}, nil)...)
	}
	return []Action{OfferRefused{response.Status}}
}
