package call

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/longcord/longcord/wire/sip"
)

// NoAnswer is how long a phone is rung.
const NoAnswer = 60 * time.Second

// Limits on calls at a time. A phone has a handful of call appearances.
const (
	MaxCalls         = 10000
	maxCallsPerPhone = 16
)

// SwitchConfig is what a Switch needs.
type SwitchConfig struct {
	Plan DialPlan
	// Caller returns the line that a request over this flow speaks for; ok is false when the number it
	// claims is not registered there.
	Caller func(flow sip.Flow, number string) (p Party, ok bool)
	// Contact returns our own address towards a peer.
	Contact   func(flow sip.Flow) sip.URI
	UserAgent string
	Rand      io.Reader
}

// Switch is the call manager's half of all calls: a back-to-back user agent. Each call joins a leg from
// the caller with a leg to the callee; what one phone does is told to the other.
type Switch struct {
	config   SwitchConfig
	calls    map[string]*joined // by ID
	legs     map[ID]*Leg
	owner    map[*Leg]*joined
	requests map[*sip.Message]*Leg // transactions of either side that are open
	begun    map[ID]bool           // calls by Call-ID and the caller's tag
	perFlow  map[sip.Flow]int      // calls begun by a phone
	wake     time.Time             // not after the first moment at which something waits
}

// NewSwitch makes a switch without calls.
func NewSwitch(config SwitchConfig) *Switch {
	return &Switch{
		config: config, calls: map[string]*joined{}, legs: map[ID]*Leg{}, owner: map[*Leg]*joined{},
		requests: map[*sip.Message]*Leg{}, begun: map[ID]bool{}, perFlow: map[sip.Flow]int{},
	}
}

// State is where a call stands, as logs and screens name it.
type State string

// The states of a call.
const (
	Ringing State = "ringing"
	Talking State = "talking"
	Over    State = "over"
)

// Info describes a call.
type Info struct {
	ID     string
	Caller string // number
	Called string
	// Device names of the two. That of the called phone is empty when there is none to ring.
	CallerPhone, CalledPhone string

	State    State
	Begun    time.Time
	Answered time.Time // zero: not yet, or never
	Status   int       // when over: 200 after a conversation, else the status that the caller got
	Why      string    // when over
	// What the phones measured, when over and told.
	FromCaller, FromCalled Measured
}

// joined is a call: two legs and what passes between them.
type joined struct {
	info    Info
	a, b    *Leg // caller's and callee's
	begunOn sip.Flow
	late    bool      // the last INVITE held no offer, so the ACKs hold the answer
	giveUp  time.Time // when ringing ends
	gone    int       // legs that are gone
}

// first identifies the call by what the caller's INVITE holds.
func (c *joined) first() ID { return ID{c.a.callID, c.a.remote.Params.Get("tag")} }

// other returns the leg opposite to l.
func (c *joined) other(l *Leg) *Leg {
	if l == c.a {
		return c.b
	}
	return c.a
}

// Received takes a request from a phone: INVITE, or anything within a call.
func (s *Switch) Received(now time.Time, flow sip.Flow, request *sip.Message) []Action {
	if tag := request.ToTag(); tag != "" {
		leg := s.legs[ID{request.CallID(), tag}]
		switch {
		case leg != nil && leg.remote.Params.Get("tag") == request.FromTag():
			return s.run(now, leg, leg.Received(now, request))
		case request.Method == sip.Ack:
			return nil
		}
		return []Action{Respond{request, sip.NewResponse(request, 481, tag)}}
	}
	if request.Method != sip.Invite {
		if request.Method == sip.Ack {
			return nil
		}
		return []Action{refusal(request, 481)}
	}
	return s.begin(now, flow, request)
}

// refusal answers a request for which there is no leg. Its tag need not be remembered.
func refusal(request *sip.Message, status int) Action {
	r := sip.NewResponse(request, status, request.FromTag()+"-refused")
	if status == 405 {
		r.Fields.Add("Allow", allow)
	}
	return Respond{request, r}
}

// begin decides a new call.
func (s *Switch) begin(now time.Time, flow sip.Flow, invite *sip.Message) []Action {
	from, _ := invite.From()
	if s.begun[ID{invite.CallID(), invite.FromTag()}] { // it came another way already (RFC 3261 8.2.2.2)
		return []Action{refusal(invite, 482)}
	}
	caller, ok := s.config.Caller(flow, from.URI.User)
	if !ok {
		return []Action{refusal(invite, 403)}
	}
	if len(s.calls) >= MaxCalls || s.perFlow[flow] >= maxCallsPerPhone {
		return []Action{refusal(invite, 503)}
	}
	a, err := NewCallee(s.leg(flow), flow, invite)
	if err != nil {
		return []Action{refusal(invite, 400)}
	}
	info := Info{ID: a.ID().LocalTag, Caller: caller.Number, Called: invite.URI.User, State: Ringing, Begun: now}
	info.CallerPhone = caller.Phone
	called, status := s.config.Plan.Route(caller.Number, invite.URI.User)
	if status != 0 {
		info.State, info.Status, info.Why = Over, status, sip.Phrase(status)
		return []Action{a.respond(invite, status), Changed{info}}
	}
	info.CalledPhone = called.Phone
	shown := sip.URI{Scheme: "sip", User: caller.Number, Host: s.config.Contact(called.Flow).Host}
	b, err := NewCaller(s.leg(called.Flow), called.Flow,
		sip.Address{Name: caller.Name, URI: shown},
		sip.Address{Name: called.Name, URI: sip.URI{Scheme: "sip", User: called.Number, Host: shown.Host}}, called.Target)
	if err != nil {
		return []Action{a.respond(invite, 500)}
	}
	c := &joined{info: info, a: a, b: b, begunOn: flow, late: len(invite.Body) == 0, giveUp: now.Add(NoAnswer)}
	s.calls[info.ID] = c
	s.begun[c.first()] = true
	s.perFlow[flow]++
	for _, leg := range []*Leg{a, b} {
		s.legs[leg.ID()], s.owner[leg] = leg, c
	}
	s.requests[invite] = a
	display := party("calling", caller.Name, shown)
	return append([]Action{Changed{info}}, s.run(now, b, b.Invite(invite.Body, display))...)
}

func (s *Switch) leg(flow sip.Flow) LegConfig {
	return LegConfig{Contact: s.config.Contact(flow), UserAgent: s.config.UserAgent, Rand: s.config.Rand}
}

// party is the field from which a phone's display takes the other's name.
func party(role, name string, uri sip.URI) sip.Fields {
	return sip.Fields{{Name: "Remote-Party-ID", Value: sip.RemoteParty{Name: name, URI: uri, Role: role}.String()}}
}

// Cancelled takes the news that a caller gave up.
func (s *Switch) Cancelled(now time.Time, invite *sip.Message) []Action {
	leg := s.requests[invite]
	if leg == nil {
		return nil
	}
	delete(s.requests, invite)
	return s.run(now, leg, leg.Cancelled())
}

// Answered takes the answer to a request of ours.
func (s *Switch) Answered(now time.Time, request, response *sip.Message) []Action {
	leg := s.requests[request]
	if leg == nil {
		return nil
	}
	if response.Final() {
		delete(s.requests, request)
	}
	return s.run(now, leg, leg.Answered(now, request, response))
}

// Failed takes the news that a request of ours is not answered; status as for Leg.Failed.
func (s *Switch) Failed(now time.Time, request *sip.Message, status int, why string) []Action {
	leg := s.requests[request]
	if leg == nil {
		return nil
	}
	delete(s.requests, request)
	return s.run(now, leg, leg.Failed(now, request, status, why))
}

// Lost takes the news that a phone can no longer be reached over a flow.
func (s *Switch) Lost(now time.Time, flow sip.Flow) []Action {
	var actions []Action
	for _, leg := range s.on(flow) {
		actions = append(actions, s.run(now, leg, leg.Lost(now))...)
	}
	return actions
}

// Moved takes the news that a line has registered at a new place: calls of it that had lost their way to
// the phone go on there.
func (s *Switch) Moved(number string, flow sip.Flow, target sip.URI) {
	for _, c := range s.calls {
		if c.info.Caller == number && !c.a.lost.IsZero() {
			c.a.Moved(flow, target)
		}
		if c.info.Called == number && !c.b.lost.IsZero() {
			c.b.Moved(flow, target)
		}
	}
}

func (s *Switch) on(flow sip.Flow) []*Leg {
	var legs []*Leg
	for _, c := range s.ordered() {
		for _, leg := range []*Leg{c.a, c.b} {
			if leg.flow == flow {
				legs = append(legs, leg)
			}
		}
	}
	return legs
}

func (s *Switch) ordered() []*joined {
	return slices.SortedFunc(maps.Values(s.calls), func(x, y *joined) int {
		return cmp.Or(x.info.Begun.Compare(y.info.Begun), cmp.Compare(x.info.ID, y.info.ID))
	})
}

// Advance ends what has waited too long.
func (s *Switch) Advance(now time.Time) []Action {
	if s.wake.IsZero() || now.Before(s.wake) {
		return nil
	}
	var actions []Action
	for _, c := range s.ordered() {
		if !c.giveUp.IsZero() && !now.Before(c.giveUp) {
			actions = append(actions, s.finish(now, c, 480, "nobody answered")...)
		}
		for _, leg := range []*Leg{c.a, c.b} {
			actions = append(actions, s.run(now, leg, leg.Advance(now))...)
		}
	}
	s.wake = time.Time{}
	for _, c := range s.calls {
		s.wake = earlier(s.wake, c.wake())
	}
	return actions
}

// Wake returns when Advance wants to be called next; zero when nothing waits.
func (s *Switch) Wake() time.Time { return s.wake }

func (c *joined) wake() time.Time { return earlier(c.giveUp, earlier(c.a.Wake(), c.b.Wake())) }

// Calls returns the calls under way, oldest first.
func (s *Switch) Calls() []Info {
	var all []Info
	for _, c := range s.ordered() {
		all = append(all, c.info)
	}
	return all
}

// run passes on what a leg wants of the network, and has its reports heard.
func (s *Switch) run(now time.Time, leg *Leg, actions []Action) []Action {
	var out []Action
	c := s.owner[leg]
	for _, action := range actions {
		switch action := action.(type) {
		case Send:
			s.requests[action.Request] = leg
			out = append(out, action)
		case Abandon:
			delete(s.requests, action.Request)
			out = append(out, action)
		case Respond:
			delete(s.requests, action.Request)
			if !action.Response.Final() {
				s.requests[action.Request] = leg
			}
			out = append(out, action)
		case Acknowledge, Withdraw:
			out = append(out, action)
		default:
			out = append(out, s.heard(now, c, leg, action)...)
		}
	}
	s.wake = earlier(s.wake, c.wake())
	return out
}

// heard tells one leg's report to the other.
func (s *Switch) heard(now time.Time, c *joined, leg *Leg, report Action) []Action {
	other := c.other(leg)
	switch report := report.(type) {
	case Alerting:
		return s.run(now, c.a, c.a.Ring(report.Status, report.Body, s.called(c)))
	case Answered:
		return s.connect(now, c, report.Body)
	case Confirmed:
		return s.confirmed(now, c, leg, report.Body)
	case Offered:
		c.late = len(report.Body) == 0
		return s.run(now, other, other.Offer(now, report.Body))
	case OfferAnswered:
		actions := s.run(now, other, other.AcceptOffer(now, report.Body))
		if !c.late {
			actions = append(actions, s.run(now, leg, leg.Confirm(nil))...)
		}
		return actions
	case OfferRefused:
		return s.run(now, other, other.RefuseOffer(report.Status))
	case HungUp:
		s.measure(c, leg, report.Measured)
		status, why := 200, "hung up"
		if c.info.Answered.IsZero() { // a caller may send BYE in place of CANCEL
			status, why = 487, "the caller gave up"
		}
		actions := s.run(now, leg, leg.Goodbye(nil))
		return append(actions, s.finish(now, c, status, why)...)
	case Ended:
		return s.finish(now, c, report.Status, report.Why)
	case Gone:
		s.measure(c, leg, report.Measured)
		return s.forget(c, leg)
	}
	return nil
}

// connect tells the caller that the callee has answered.
func (s *Switch) connect(now time.Time, c *joined, body []byte) []Action {
	c.giveUp, c.info.State, c.info.Answered = time.Time{}, Talking, now
	actions := append([]Action{Changed{c.info}}, s.run(now, c.a, c.a.Accept(now, body, s.called(c)))...)
	if !c.late {
		actions = append(actions, s.run(now, c.b, c.b.Confirm(nil))...)
	}
	return actions
}

// called is what the caller's display shows.
func (s *Switch) called(c *joined) sip.Fields {
	uri := c.b.remote.URI
	uri.Host = s.config.Contact(c.a.flow).Host
	return party("called", c.b.remote.Name, uri)
}

// confirmed passes on an ACK that holds the answer to an offer.
func (s *Switch) confirmed(now time.Time, c *joined, leg *Leg, body []byte) []Action {
	if !c.late {
		return nil
	}
	other := c.other(leg)
	return s.run(now, other, other.Confirm(body))
}

// finish ends both legs of a call.
func (s *Switch) finish(now time.Time, c *joined, status int, why string) []Action {
	if c.info.State == Over {
		return nil
	}
	c.giveUp, c.info.State, c.info.Status, c.info.Why = time.Time{}, Over, status, why
	actions := s.run(now, c.a, c.a.Refuse(forCaller(status)))
	actions = append(actions, s.run(now, c.a, c.a.HangUp(now, nil))...)
	return append(actions, s.run(now, c.b, c.b.HangUp(now, nil))...)
}

// forCaller turns a callee's answer into one that makes sense to the caller: where else to go, and a
// login, would be between the callee and us.
func forCaller(status int) int {
	if status < 400 || status == 401 || status == 407 {
		return 480
	}
	return status
}

func (s *Switch) measure(c *joined, leg *Leg, m Measured) {
	switch {
	case m == Measured{}:
	case leg == c.a:
		c.info.FromCaller = m
	default:
		c.info.FromCalled = m
	}
}

// forget drops a leg, and the call with its second leg.
func (s *Switch) forget(c *joined, leg *Leg) []Action {
	delete(s.legs, leg.ID())
	if c.gone++; c.gone < 2 {
		return nil
	}
	delete(s.calls, c.info.ID)
	delete(s.begun, c.first())
	delete(s.owner, c.a)
	delete(s.owner, c.b)
	if s.perFlow[c.begunOn]--; s.perFlow[c.begunOn] == 0 {
		delete(s.perFlow, c.begunOn)
	}
	return []Action{Changed{c.info}}
}
