// Package call decides calls: can two people talk? A Leg is one phone's part in a call, as the phone
// itself or the call manager sees it; a Switch is the call manager, which joins two legs to a call and
// finds out by number whom to ring.
//
// A Leg is one SIP dialog. It is told what came from the network (Received, Answered, Failed, Cancelled)
// and what its owner wants (Invite, Ring, Accept, Refuse, Offer, HangUp), and returns actions: some for
// the network, some reports for its owner. Retransmission and the ACK of refusals happen below
// (package sipnet); a transaction is named by its request.
//
// Session descriptions go through unread: media flows between the phones. Not here: sockets,
// registration, transfer, conferences, SCCP.
package call

import (
	"github.com/longcord/longcord/wire/sip"
)

// Action is what a leg or a switch wants done, or reports. The types below are all there are.
type Action interface{ action() }

// For the network.
type (
	// Send sends a request. Answered or Failed tell what becomes of it.
	Send struct {
		Flow    sip.Flow
		Request *sip.Message
	}
	// Acknowledge sends the ACK for the 2xx of an INVITE.
	Acknowledge struct{ Invite, Ack *sip.Message }
	// Withdraw cancels an INVITE that has been answered provisionally.
	Withdraw struct{ Invite *sip.Message }
	// Abandon forgets a request that nobody will answer any more.
	Abandon struct{ Request *sip.Message }
	// Respond answers a request.
	Respond struct{ Request, Response *sip.Message }
)

// Reports of a leg to its owner. A Body is a session description, or empty.
type (
	// Alerting: the far phone rings, or sends early media.
	Alerting struct {
		Status int
		Body   []byte
	}
	// Answered: the far phone was answered. The owner says Confirm.
	Answered struct{ Body []byte }
	// Confirmed: the far end has acknowledged our Accept or AcceptOffer. Body answers an offer in it.
	Confirmed struct{ Body []byte }
	// Offered: the far end wants to change the media. The owner says AcceptOffer or RefuseOffer.
	Offered struct{ Body []byte }
	// OfferAnswered: the far end has taken our Offer. The owner says Confirm.
	OfferAnswered struct{ Body []byte }
	// OfferRefused: the far end keeps the media as it was.
	OfferRefused struct{ Status int }
	// HungUp: the far end sent BYE, with what it measured. The owner says Goodbye.
	HungUp struct{ Measured Measured }
	// Ended: the leg is over without the owner having asked for it. Status is the final answer, or the
	// one that says best what happened.
	Ended struct {
		Status int
		Why    string
	}
	// Gone: nothing more comes from this leg. Measured is set when the far end told it on our BYE.
	Gone struct{ Measured Measured }
)

// Reports of a Switch.
type (
	// Changed reports a call that began, was answered or ended.
	Changed struct{ Call Info }
)

func (Send) action()          {}
func (Acknowledge) action()   {}
func (Withdraw) action()      {}
func (Abandon) action()       {}
func (Respond) action()       {}
func (Alerting) action()      {}
func (Answered) action()      {}
func (Confirmed) action()     {}
func (Offered) action()       {}
func (OfferAnswered) action() {}
func (OfferRefused) action()  {}
func (HungUp) action()        {}
func (Ended) action()         {}
func (Gone) action()          {}
func (Changed) action()       {}

// Measured is what a phone counted of a call; nil is "not told".
type Measured struct{ Received, Sent *sip.RTPStat }

// Fields writes the measurements for a BYE or the answer to one.
func (m Measured) Fields() sip.Fields {
	var f sip.Fields
	if m.Received != nil {
		f.Add(sip.RxStat, m.Received.Received())
	}
	if m.Sent != nil {
		f.Add(sip.TxStat, m.Sent.Sent())
	}
	return f
}

func measured(m *sip.Message) Measured {
	var out Measured
	if s, err := sip.ParseRTPStat(m.Fields.Get(sip.RxStat)); err == nil {
		out.Received = &s
	}
	if s, err := sip.ParseRTPStat(m.Fields.Get(sip.TxStat)); err == nil {
		out.Sent = &s
	}
	return out
}
