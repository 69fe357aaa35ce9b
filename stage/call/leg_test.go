package call

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/sip"
)

var stateNames = map[state]string{
	idle: "idle", inviting: "inviting", cancelling: "cancelling", answered: "answered", ringing: "ringing",
	accepted: "accepted", up: "up", leaving: "leaving", hungUp: "hung up", gone: "gone",
}

// did names what actions are.
func did(actions []Action) string {
	var words []string
	for _, action := range actions {
		switch a := action.(type) {
		case Send:
			words = append(words, "send "+a.Request.Method)
		case Acknowledge:
			words = append(words, "acknowledge")
		case Withdraw:
			words = append(words, "withdraw")
		case Abandon:
			words = append(words, "abandon "+a.Request.Method)
		case Respond:
			words = append(words, fmt.Sprintf("%d to %s", a.Response.Status, a.Request.Method))
		case Alerting:
			words = append(words, fmt.Sprintf("alerting %d", a.Status))
		case Ended:
			words = append(words, fmt.Sprintf("ended %d", a.Status))
		case OfferRefused:
			words = append(words, fmt.Sprintf("offer refused %d", a.Status))
		default:
			words = append(words, strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", action), "call.")))
		}
	}
	return strings.Join(words, ", ")
}

func expect(t *testing.T, what string, actions []Action, want string) {
	t.Helper()
	if got := did(actions); got != want {
		t.Errorf("%s: did %q, want %q", what, got, want)
	}
}

var server = sip.URI{Scheme: "sip", User: "1002", Host: "192.0.2.1"}

// fromPeer is a request of the far end.
func fromPeer(method string, cseq int) *sip.Message {
	m := &sip.Message{Method: method, URI: server}
	m.Fields = sip.Fields{{Name: "Via", Value: "SIP/2.0/TCP 192.0.2.9"}, {Name: "From", Value: "<sip:1001@x>;tag=peer"},
		{Name: "To", Value: "<sip:1002@x>"}, {Name: "Call-ID", Value: "c"}, {Name: "CSeq", Value: fmt.Sprint(cseq, " ", method)},
		{Name: "Contact", Value: "<sip:peer@192.0.2.9>"}}
	return m
}

func reply(request *sip.Message, status int) *sip.Message {
	m := sip.NewResponse(request, status, "peer")
	m.Fields.Add("Contact", "<sip:peer@192.0.2.9>")
	return m
}

// in returns a leg that has come to a state in the shortest way.
func in(t *testing.T, want state) *Leg {
	t.Helper()
	config := LegConfig{Contact: server, Rand: &counter{}}
	caller, err := NewCaller(config, sip.Flow{}, sip.Address{URI: server}, sip.Address{URI: server}, server)
	if err != nil {
		t.Fatal(err)
	}
	callee, err := NewCallee(config, sip.Flow{}, fromPeer(sip.Invite, 1))
	if err != nil {
		t.Fatal(err)
	}
	l := caller
	switch want {
	case inviting, cancelling, answered:
		l.Invite([]byte("offer"), nil)
	case ringing:
		l = callee
	case accepted, up, leaving, hungUp, gone:
		l = callee
		l.Accept(begin, []byte("answer"), nil)
	}
	switch want {
	case cancelling:
		l.HangUp(begin, nil)
	case answered:
		l.Answered(begin, l.invite, reply(l.invite, 200))
	case up, leaving, hungUp, gone:
		l.Received(begin, fromPeer(sip.Ack, 1))
	}
	switch want {
	case leaving:
		l.HangUp(begin, nil)
	case hungUp, gone:
		l.Received(begin, fromPeer(sip.Bye, 2))
	}
	if want == gone {
		l.Goodbye(nil)
	}
	if l.state != want {
		t.Fatalf("the leg is %s, want %s", stateNames[l.state], stateNames[want])
	}
	return l
}

// What an owner may do in each state; in every other one it does nothing and changes nothing.
func TestWhatOwnersMayDo(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]struct {
		do      func(*Leg) []Action
		does    map[state]string
		refused string // in the other states
	}{
		"invite":       {do: func(l *Leg) []Action { return l.Invite(nil, nil) }, does: map[state]string{idle: "send INVITE"}},
		"ring":         {do: func(l *Leg) []Action { return l.Ring(180, nil, nil) }, does: map[state]string{ringing: "180 to INVITE"}},
		"accept":       {do: func(l *Leg) []Action { return l.Accept(begin, nil, nil) }, does: map[state]string{ringing: "200 to INVITE"}},
		"refuse":       {do: func(l *Leg) []Action { return l.Refuse(486) }, does: map[state]string{ringing: "486 to INVITE, gone"}},
		"cancelled":    {do: func(l *Leg) []Action { return l.Cancelled() }, does: map[state]string{ringing: "ended 487, gone"}},
		"confirm":      {do: func(l *Leg) []Action { return l.Confirm(nil) }, does: map[state]string{answered: "acknowledge"}},
		"goodbye":      {do: func(l *Leg) []Action { return l.Goodbye(nil) }, does: map[state]string{hungUp: "200 to BYE, gone"}},
		"accept offer": {do: func(l *Leg) []Action { return l.AcceptOffer(begin, nil) }},
		"refuse offer": {do: func(l *Leg) []Action { return l.RefuseOffer(488) }},
		"advance":      {do: func(l *Leg) []Action { return l.Advance(begin) }},
		"lost":         {do: func(l *Leg) []Action { return l.Lost(begin) }, does: map[state]string{ringing: "ended 480, 480 to INVITE, gone"}},
		"offer": {
			do: func(l *Leg) []Action { return l.Offer(begin, nil) }, does: map[state]string{up: "send INVITE"}, refused: "offer refused 491",
		},
		"hang up": {do: func(l *Leg) []Action { return l.HangUp(begin, nil) }, does: map[state]string{
			idle: "gone", ringing: "480 to INVITE, gone", answered: "acknowledge, send BYE", accepted: "send BYE",
			up: "send BYE", hungUp: "200 to BYE, gone",
		}},
	} {
		for at, where := range stateNames {
			l := in(t, at)
			want, legal := what.does[at]
			if !legal {
				want = what.refused
			}
			expect(t, name+" while "+where, what.do(l), want)
			moves := legal || name == "hang up" && at == inviting // which waits for a provisional answer
			if !moves && l.state != at {
				t.Errorf("%s while %s: the leg is %s now", name, where, stateNames[l.state])
			}
		}
	}
}

func TestWhatPeersMayDo(t *testing.T) {
	t.Parallel()
	unknown := map[state]bool{idle: true, inviting: true, cancelling: true, hungUp: true, gone: true}
	for method, does := range map[string]map[state]string{
		sip.Bye: {
			ringing: "487 to INVITE, hungup", accepted: "hungup", answered: "acknowledge, hungup", up: "hungup", leaving: "200 to BYE",
		},
		sip.Invite: {
			ringing: "491 to INVITE", accepted: "491 to INVITE", answered: "491 to INVITE", up: "offered", leaving: "491 to INVITE",
		},
	} {
		for at, where := range stateNames {
			want := does[at]
			if unknown[at] {
				want = "481 to " + method
			}
			expect(t, method+" while "+where, in(t, at).Received(begin, fromPeer(method, 9)), want)
		}
	}
}

func TestACKComesAgain(t *testing.T) {
	t.Parallel()
	l := in(t, accepted)
	expect(t, "of another step", l.Received(begin, fromPeer(sip.Ack, 7)), "")
	expect(t, "first", l.Received(begin, fromPeer(sip.Ack, 1)), "confirmed")
	expect(t, "second", l.Received(begin, fromPeer(sip.Ack, 1)), "")
	if l.state != up || !l.Wake().IsZero() {
		t.Errorf("the leg is %s and wakes at %v", stateNames[l.state], l.Wake())
	}
}

func TestLateAnswerToCancelledCall(t *testing.T) {
	t.Parallel()
	l := in(t, cancelling)
	invite := l.invite
	expect(t, "the answer that CANCEL waited for", l.Answered(begin, invite, reply(invite, 180)), "withdraw")
	expect(t, "ringing on", l.Answered(begin, invite, reply(invite, 183)), "")
	expect(t, "answered after all", l.Answered(begin, invite, reply(invite, 200)), "acknowledge, send BYE")
	if uri := l.bye.URI.String(); uri != "sip:peer@192.0.2.9" || l.bye.ToTag() != "peer" {
		t.Errorf("the BYE goes to %s with tag %q", uri, l.bye.ToTag())
	}
	expect(t, "the end", l.Answered(begin, l.bye, reply(l.bye, 200)), "gone")
}

func TestNothingAnswersTheCANCEL(t *testing.T) {
	t.Parallel()
	l := in(t, inviting)
	l.Answered(begin, l.invite, reply(l.invite, 180))
	expect(t, "hang up", l.HangUp(begin, nil), "withdraw")
	expect(t, "too early", l.Advance(begin.Add(patience-1)), "")
	expect(t, "patience ends", l.Advance(l.Wake()), "abandon INVITE, gone")
}

func TestRequestsFail(t *testing.T) {
	t.Parallel()
	l := in(t, inviting)
	expect(t, "another request", l.Failed(begin, fromPeer(sip.Bye, 1), 408, "x"), "")
	expect(t, "INVITE", l.Failed(begin, l.invite, 408, "x"), "ended 408, gone")
	l = in(t, cancelling)
	expect(t, "INVITE that was given up", l.Failed(begin, l.invite, 408, "x"), "gone")
	l = in(t, leaving)
	expect(t, "BYE", l.Failed(begin, l.bye, 408, "x"), "gone")
	l = in(t, up)
	l.Offer(begin, []byte("hold"))
	expect(t, "change", l.Failed(begin, l.offer, 480, "x"), "offer refused 480")
	if l.Changing() || !l.Wake().IsZero() {
		t.Error("the change is still under way")
	}
}

func TestOfferIsNotAnswered(t *testing.T) {
	t.Parallel()
	l := in(t, up)
	expect(t, "offer", l.Offer(begin, []byte("hold")), "send INVITE")
	expect(t, "trying", l.Answered(begin, l.offer, reply(l.offer, 100)), "")
	expect(t, "the peer's own offer", l.Received(begin, fromPeer(sip.Invite, 2)), "491 to INVITE")
	expect(t, "patience ends", l.Advance(begin.Add(patience)), "abandon INVITE, offer refused 408")
	if l.Changing() {
		t.Error("the change is still under way")
	}
}

// The peer no longer knows the call (RFC 3261 section 12.2.1.2).
func TestPeerHasForgottenTheCall(t *testing.T) {
	t.Parallel()
	for _, status := range []int{481, 408} {
		l := in(t, up)
		l.Offer(begin, []byte("hold"))
		expect(t, fmt.Sprint(status), l.Answered(begin, l.offer, reply(l.offer, status)), fmt.Sprintf("ended %d, send BYE", status))
	}
}

func TestEndOvertakesChange(t *testing.T) {
	t.Parallel()
	l := in(t, up)
	l.Offer(begin, []byte("hold"))
	expect(t, "BYE during our change", l.Received(begin, fromPeer(sip.Bye, 2)), "abandon INVITE, hungup")
	l = in(t, up)
	expect(t, "offer", l.Received(begin, fromPeer(sip.Invite, 2)), "offered")
	expect(t, "BYE during the peer's change", l.Received(begin, fromPeer(sip.Bye, 3)), "487 to INVITE, hungup")
	l = in(t, up)
	l.Received(begin, fromPeer(sip.Invite, 2))
	expect(t, "we hang up during the peer's change", l.HangUp(begin, nil), "487 to INVITE, send BYE")
	expect(t, "too late", l.AcceptOffer(begin, nil), "")
}

func TestNoACKToChange(t *testing.T) {
	t.Parallel()
	l := in(t, up)
	l.Received(begin, fromPeer(sip.Invite, 2))
	expect(t, "taken", l.AcceptOffer(begin, []byte("answer")), "200 to INVITE")
	expect(t, "another change", l.Received(begin, fromPeer(sip.Invite, 3)), "491 to INVITE")
	expect(t, "patience ends", l.Advance(begin.Add(patience)), "ended 408, send BYE")
}

func TestLostTwice(t *testing.T) {
	t.Parallel()
	for _, at := range []state{answered, accepted, up} {
		l := in(t, at)
		l.deadline = time.Time{}
		l.Lost(begin)
		l.Lost(begin.Add(patience / 2))
		if l.Wake() != begin.Add(patience) {
			t.Errorf("%s: waits until %v after the first loss, want %v", stateNames[at], l.Wake().Sub(begin), patience)
		}
		l.Moved(sip.Flow{Transport: sip.UDP}, sip.URI{})
		if !l.Wake().IsZero() || l.Flow().Transport != sip.UDP || l.target.Host == "" {
			t.Errorf("%s: after the phone has come back: wakes at %v, flow %v, target %v", stateNames[at], l.Wake(), l.Flow(), l.target)
		}
		l.Lost(begin)
		if got := did(l.Advance(begin.Add(patience))); !strings.HasPrefix(got, "ended 408") || !strings.HasSuffix(got, "send BYE") {
			t.Errorf("%s: a phone that does not come back: %s", stateNames[at], got)
		}
	}
}

func TestLegsThatCannotBe(t *testing.T) {
	t.Parallel()
	config := LegConfig{Rand: &counter{}}
	for _, contact := range []string{"", "*", "<sip:"} {
		invite := fromPeer(sip.Invite, 1)
		invite.Fields.Set("Contact", contact)
		if _, err := NewCallee(config, sip.Flow{}, invite); err == nil {
			t.Errorf("a leg of an INVITE with contact %q", contact)
		}
	}
	for n := range 20 { // a tag, or a tag and a Call-ID
		config.Rand = strings.NewReader(strings.Repeat("x", n))
		_, callee := NewCallee(config, sip.Flow{}, fromPeer(sip.Invite, 1))
		_, caller := NewCaller(config, sip.Flow{}, sip.Address{}, sip.Address{}, server)
		if (callee == nil) != (n >= 12) || caller == nil {
			t.Errorf("with %d random bytes: %v, %v", n, callee, caller)
		}
	}
}

// Scenarios of the whole exchange.

func TestBothHangUpAtOnce(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = answer
	a, b := x.phones["1001"], x.phones["1002"]
	a.call("1002", "offer")
	x.story = nil
	a.do(a.leg.HangUp(x.now, a.measured().Fields()))
	b.do(b.leg.HangUp(x.now, b.measured().Fields()))
	x.run()
	for _, want := range []string{"manager > 200 to BYE", "1001 gone", "1002 gone"} {
		if !slices.Contains(x.story, want) {
			t.Errorf("there is no %q in\n\t%s", want, strings.Join(x.story, "\n\t"))
		}
	}
	x.over(200, "hung up")
}

// A caller may end a call that still rings by BYE (RFC 3261 section 15).
func TestByeWhileRinging(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = ring
	a := x.phones["1001"]
	a.call("1002", "offer")
	x.story = nil
	x.manager(x.sw.Received(x.now, a.flow, x.through(earlyBye(x, a))))
	x.run()
	x.want("manager > 487 to INVITE", "manager cancels", "1001 ended: 487 Request Terminated", "1001 gone",
		"1002 ended: 487 the caller gave up", "1002 gone", "stack > 487 to INVITE")
	x.over(487, "the caller gave up")
}

// earlyBye is a BYE in the early dialog that the switch's 180 has made.
func earlyBye(x *exchange, p *phone) *sip.Message {
	m := p.leg.numbered(sip.Bye, 2)
	to, _ := m.To()
	to.Params = to.Params.With("tag", x.sw.ordered()[0].a.ID().LocalTag)
	m.Fields.Set("To", to.String())
	return m
}

func TestByeGetsNoAnswer(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = answer
	a := x.phones["1001"]
	a.call("1002", "offer")
	x.gone["1002"] = true
	a.hangUp()
	x.over(200, "hung up")
}

func TestCancelAfterAnswer(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	b := x.phones["1002"]
	b.incoming = answer
	a := x.phones["1001"]
	a.call("1002", "offer")
	x.story = nil
	for _, invite := range []*sip.Message{b.invite, fromPeer(sip.Invite, 1)} {
		x.manager(x.sw.Cancelled(x.now, invite))
	}
	x.want()
	if !a.leg.Up() || !b.leg.Up() {
		t.Error("a cancellation that came too late has ended the call")
	}
}

func TestTooManyCalls(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	for i := range MaxCalls {
		x.sw.calls[fmt.Sprint(i)] = nil
	}
	x.phones["1001"].call("1002", "offer")
	x.want("1001 > INVITE with offer", "manager > 503 to INVITE", "1001 ended: 503 Service Unavailable", "1001 gone")
}

func TestUnknownTransactions(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	m := fromPeer(sip.Invite, 1)
	for name, actions := range map[string][]Action{
		"answered": x.sw.Answered(x.now, m, reply(m, 200)), "failed": x.sw.Failed(x.now, m, 408, "x"),
		"cancelled": x.sw.Cancelled(x.now, m), "lost": x.sw.Lost(x.now, sip.Flow{}), "advance": x.sw.Advance(x.now),
	} {
		expect(t, name, actions, "")
	}
}
