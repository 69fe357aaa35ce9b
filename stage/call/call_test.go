package call

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/sip"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// counter is a reader of bytes that differ.
type counter struct{ n byte }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		b[i] = c.n
	}
	return len(b), nil
}

// exchange is a call manager and its phones without a network. Messages wait in one queue and are
// delivered in order; transactions are what package sipnet makes of them.
type exchange struct {
	t      *testing.T
	now    time.Time
	sw     *Switch
	phones map[string]*phone // by number
	gone   map[string]bool   // phones that cannot be reached
	queue  []func()
	story  []string
	timed  bool                                // the story says when
	hears  map[*sip.Message]func(*sip.Message) // who hears the ACK of a request sent, the answers to one delivered
	ends   map[*sip.Message]func()             // how an INVITE is cancelled
	calls  []Info                              // as reported
}

// phone is the other end of a Switch: a leg of its own.
type phone struct {
	x        *exchange
	number   string
	flow     sip.Flow
	leg      *Leg
	incoming func(*phone) // what it does when it is rung
	invite   *sip.Message
	offer    string
}

func newExchange(t *testing.T) *exchange {
	x := &exchange{
		t: t, now: begin, phones: map[string]*phone{}, gone: map[string]bool{},
		hears: map[*sip.Message]func(*sip.Message){}, ends: map[*sip.Message]func(){},
	}
	names := map[string]string{"1001": "Ann", "1002": "Bob", "1003": "Carl"}
	x.sw = NewSwitch(SwitchConfig{
		Plan: DialPlan{
			Known: func(n string) (string, bool) { name, ok := names[n]; return name, ok },
			Reach: func(n string) []Party {
				if p := x.phones[n]; p != nil {
					return []Party{{Phone: "SEP" + n, Flow: p.flow, Target: p.contact()}}
				}
				return nil
			},
		},
		Caller: func(flow sip.Flow, n string) (Party, bool) {
			p := x.phones[n]
			return Party{Number: n, Phone: "SEP" + n, Name: names[n]}, p != nil && p.flow == flow
		},
		Contact: func(sip.Flow) sip.URI { return sip.URI{Scheme: "sip", Host: "192.0.2.1"} },
		Rand:    &counter{},
	})
	x.add("1001")
	x.add("1002")
	return x
}

func (x *exchange) add(number string) *phone {
	at := netip.AddrFrom4([4]byte{192, 0, 2, number[3]})
	p := &phone{x: x, number: number, flow: sip.Flow{Transport: sip.TCP, Peer: netip.AddrPortFrom(at, 5060)}}
	x.phones[number] = p
	return p
}

func (p *phone) contact() sip.URI {
	return sip.URI{Scheme: "sip", User: "uuid-" + p.number, Host: p.flow.Peer.Addr().String()}
}

func (p *phone) config() LegConfig {
	return LegConfig{Contact: p.contact(), Rand: &counter{n: p.number[3]}}
}

func (x *exchange) tell(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if x.timed {
		line = fmt.Sprintf("%-6s %s", x.now.Sub(begin), line)
	}
	x.story = append(x.story, line)
}

// run delivers messages until none waits.
func (x *exchange) run() {
	for len(x.queue) > 0 {
		next := x.queue[0]
		x.queue = x.queue[1:]
		next()
	}
}

func (x *exchange) later(what func()) { x.queue = append(x.queue, what) }

func (x *exchange) at(flow sip.Flow) *phone {
	for _, p := range x.phones {
		if p.flow == flow {
			return p
		}
	}
	return nil
}

func describe(who string, m *sip.Message) string {
	text := who + " " + m.Method
	if !m.IsRequest() {
		text = fmt.Sprintf("%s %d to %s", who, m.Status, m.Method)
	}
	if len(m.Body) > 0 {
		text += " with " + string(m.Body)
	}
	return text
}

// through is a message after its way over the wire.
func (x *exchange) through(m *sip.Message) *sip.Message {
	out := *m
	if out.IsRequest() {
		out.Fields = append(sip.Fields{{Name: "Via", Value: "SIP/2.0/TCP 192.0.2.99;branch=z9hG4bKx"}}, m.Fields...)
	}
	wire, err := out.AppendBinary(nil)
	if err != nil {
		x.t.Fatal(err)
	}
	got, err := sip.Parse(wire)
	if err != nil {
		x.t.Fatalf("%v in %s", err, wire)
	}
	return got
}

// manager carries out what the switch wants.
func (x *exchange) manager(actions []Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case Send:
			p := x.at(a.Flow)
			if p == nil || x.gone[p.number] {
				x.later(func() { x.manager(x.sw.Failed(x.now, a.Request, 480, "no way")) })
				continue
			}
			got := x.through(a.Request)
			x.tell("%s", describe("manager > "+p.number, got))
			x.open(a.Request, got, func(m *sip.Message) { p.received(m) },
				func(r *sip.Message) { x.manager(x.sw.Answered(x.now, a.Request, r)) }, p.cancelled)
			x.later(func() { p.received(got) })
		case Acknowledge:
			got := x.through(a.Ack)
			x.tell("%s", describe("manager >", got))
			deliver := x.hears[a.Invite]
			x.later(func() { deliver(got) })
		case Withdraw:
			x.tell("manager cancels")
			x.later(x.ends[a.Invite])
		case Respond:
			x.respond(a.Request, a.Response, "manager >")
		case Changed:
			x.calls = append(x.calls, a.Call)
		}
	}
}

// open notes the transaction of a request: where its ACK, its answers and its cancellation go.
func (x *exchange) open(sent, got *sip.Message, ack, answered func(*sip.Message), cancelled func(*sip.Message)) {
	x.hears[sent] = ack
	x.hears[got] = answered
	x.ends[sent] = func() {
		if x.hears[got] == nil {
			return // answered already
		}
		cancelled(got)
		x.respond(got, sip.NewResponse(got, 487, "c"), "stack >")
	}
}

func (x *exchange) respond(request, response *sip.Message, who string) {
	answered := x.hears[request]
	if answered == nil {
		return
	}
	if response.Final() {
		delete(x.hears, request)
	}
	got := x.through(response)
	x.tell("%s", describe(who, got))
	x.later(func() { answered(got) })
}

// do carries out what a phone's leg wants and tells what it reports.
func (p *phone) do(actions []Action) {
	x := p.x
	for _, action := range actions {
		switch a := action.(type) {
		case Send:
			got := x.through(a.Request)
			x.tell("%s", describe(p.number+" >", got))
			x.open(a.Request, got, func(m *sip.Message) { x.manager(x.sw.Received(x.now, p.flow, m)) },
				func(r *sip.Message) { p.do(p.leg.Answered(x.now, a.Request, r)) },
				func(invite *sip.Message) { x.manager(x.sw.Cancelled(x.now, invite)) })
			x.later(func() { x.manager(x.sw.Received(x.now, p.flow, got)) })
		case Acknowledge:
			got := x.through(a.Ack)
			x.tell("%s", describe(p.number+" >", got))
			deliver := x.hears[a.Invite]
			x.later(func() { deliver(got) })
		case Withdraw:
			x.tell("%s cancels", p.number)
			x.later(x.ends[a.Invite])
		case Respond:
			x.respond(a.Request, a.Response, p.number+" >")
		case Answered:
			if string(a.Body) == "late offer" {
				p.do(p.leg.Confirm([]byte("late answer")))
			} else {
				p.do(p.leg.Confirm(nil))
			}
		case Offered:
			if strings.HasPrefix(string(a.Body), "bad") {
				p.do(p.leg.RefuseOffer(488))
			} else {
				p.do(p.leg.AcceptOffer(x.now, []byte("answer to "+string(a.Body))))
			}
		case OfferAnswered:
			p.do(p.leg.Confirm(nil))
		case OfferRefused:
			x.tell("%s keeps its media: %d", p.number, a.Status)
		case HungUp:
			p.do(p.leg.Goodbye(p.measured().Fields()))
		case Ended:
			x.tell("%s ended: %d %s", p.number, a.Status, a.Why)
		case Gone:
			x.tell("%s gone", p.number)
		}
	}
}

func (p *phone) measured() Measured {
	n := int(p.number[3] - '0')
	return Measured{Received: &sip.RTPStat{Packets: 100 * n, Lost: n}, Sent: &sip.RTPStat{Packets: 10 * n}}
}

func (p *phone) received(m *sip.Message) {
	if m.ToTag() != "" {
		p.do(p.leg.Received(p.x.now, m))
		return
	}
	leg, err := NewCallee(p.config(), p.flow, m)
	if err != nil {
		p.x.t.Fatal(err)
	}
	p.leg, p.invite, p.offer = leg, m, string(m.Body)
	if p.incoming != nil {
		p.incoming(p)
	}
}

func (p *phone) cancelled(*sip.Message) { p.do(p.leg.Cancelled()) }

func (p *phone) call(number, offer string) {
	p.x.t.Helper()
	server := func(user string) sip.URI { return sip.URI{Scheme: "sip", User: user, Host: "192.0.2.1"} }
	leg, err := NewCaller(p.config(), p.flow, sip.Address{URI: server(p.number)}, sip.Address{URI: server(number)}, server(number))
	if err != nil {
		p.x.t.Fatal(err)
	}
	p.leg = leg
	p.do(leg.Invite([]byte(offer), nil))
	p.x.run()
}

// ring rings and waits; answer rings and answers.
func ring(p *phone) { p.do(p.leg.Ring(180, nil, nil)) }

func answer(p *phone) {
	ring(p)
	body := "answer to " + p.offer
	if p.offer == "" {
		body = "late offer"
	}
	p.do(p.leg.Accept(p.x.now, []byte(body), nil))
}

func (p *phone) hangUp() {
	p.do(p.leg.HangUp(p.x.now, p.measured().Fields()))
	p.x.run()
}

func (x *exchange) want(story ...string) {
	x.t.Helper()
	if !slices.Equal(x.story, story) {
		x.t.Errorf("what happened:\n\t%s\nwant:\n\t%s", strings.Join(x.story, "\n\t"), strings.Join(story, "\n\t"))
	}
	x.story = nil
}

// over checks that the last call ended so, and that nothing of it is left.
func (x *exchange) over(status int, why string) Info {
	x.t.Helper()
	last := x.calls[len(x.calls)-1]
	if last.State != Over || last.Status != status || last.Why != why {
		x.t.Errorf("the call ended as %s %d %q, want %d %q", last.State, last.Status, last.Why, status, why)
	}
	s := x.sw
	if n := len(s.calls) + len(s.legs) + len(s.owner) + len(s.requests) + len(s.begun) + len(s.perFlow); n != 0 {
		x.t.Errorf("%d entries are left in the switch: %+v", n, s)
	}
	return last
}

var setUp = []string{
	"1001 > INVITE with offer",
	"manager > 1002 INVITE with offer",
	"1002 > 180 to INVITE",
	"1002 > 200 to INVITE with answer to offer",
	"manager > 180 to INVITE",
	"manager > 200 to INVITE with answer to offer",
	"manager > ACK",
	"1001 > ACK",
}

func TestCallBothWaysOfHangingUp(t *testing.T) {
	t.Parallel()
	for _, leaver := range []string{"1001", "1002"} {
		t.Run(leaver, func(t *testing.T) {
			x := newExchange(t)
			a, b := x.phones["1001"], x.phones["1002"]
			b.incoming = answer
			a.call("1002", "offer")
			x.want(setUp...)
			if got := x.sw.Calls(); len(got) != 1 || got[0].State != Talking || got[0].Caller != "1001" || got[0].Called != "1002" {
				t.Errorf("calls %+v", got)
			} else if got[0].CallerPhone != "SEP1001" || got[0].CalledPhone != "SEP1002" {
				t.Errorf("the call of %q and %q, want the phones' names", got[0].CallerPhone, got[0].CalledPhone)
			}
			x.now = begin.Add(time.Minute)
			left := map[string]string{"1001": "1002", "1002": "1001"}[leaver]
			x.phones[leaver].hangUp()
			x.want(leaver+" > BYE", "manager > 200 to BYE", "manager > "+left+" BYE",
				leaver+" gone", left+" > 200 to BYE", left+" gone")
			info := x.over(200, "hung up")
			if info.FromCaller.Received == nil || info.FromCaller.Received.Lost != 1 || info.FromCalled.Sent == nil || info.FromCalled.Sent.Packets != 20 {
				t.Errorf("measured %+v and %+v", info.FromCaller, info.FromCalled)
			}
			if !x.sw.Wake().IsZero() {
				x.sw.Advance(x.sw.Wake())
			}
			if !x.sw.Wake().IsZero() {
				t.Error("something waits after the call")
			}
		})
	}
}

// What a phone's display shows, and the addresses requests go to.
func TestWhatPhonesAreTold(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	b := x.phones["1002"]
	b.incoming = answer
	x.phones["1001"].call("1002", "offer")
	if got, want := b.invite.URI.String(), "sip:uuid-1002@192.0.2.50"; got != want {
		t.Errorf("1002 is rung as %s, want the address it gave: %s", got, want)
	}
	party, err := sip.ParseRemoteParty(b.invite.Fields.Get("Remote-Party-ID"))
	if err != nil || party.Name != "Ann" || party.URI.User != "1001" || party.Role != "calling" {
		t.Errorf("1002 is told of %+v (%v)", party, err)
	}
	from, _ := b.invite.From()
	if from.Name != "Ann" || from.URI.String() != "sip:1001@192.0.2.1" {
		t.Errorf("1002 sees a call from %v", from)
	}
	if got := b.invite.Fields.Get("Content-Type"); got != "application/sdp" {
		t.Errorf("content type %q", got)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for status, told := range map[int]int{486: 486, 480: 480, 603: 603, 488: 488, 302: 480, 401: 480, 500: 500} {
		x := newExchange(t)
		x.phones["1002"].incoming = func(p *phone) { p.do(p.leg.Refuse(status)) }
		x.phones["1001"].call("1002", "offer")
		x.want("1001 > INVITE with offer", "manager > 1002 INVITE with offer", fmt.Sprintf("1002 > %d to INVITE", status), "1002 gone",
			fmt.Sprintf("manager > %d to INVITE", told), fmt.Sprintf("1001 ended: %d %s", told, sip.Phrase(told)), "1001 gone")
		x.over(status, sip.Phrase(status))
	}
}

func TestNotRung(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]int{"1999": 404, "1003": 480, "1001": 486} {
		x := newExchange(t)
		x.phones["1001"].call(number, "offer")
		x.want("1001 > INVITE with offer", fmt.Sprintf("manager > %d to INVITE", want),
			fmt.Sprintf("1001 ended: %d %s", want, sip.Phrase(want)), "1001 gone")
		x.over(want, sip.Phrase(want))
	}
}

func TestStrangersDoNotCall(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	a := x.phones["1001"]
	delete(x.phones, "1001")
	a.call("1002", "offer")
	x.want("1001 > INVITE with offer", "manager > 403 to INVITE", "1001 ended: 403 Forbidden", "1001 gone")
	if len(x.calls) != 0 {
		t.Errorf("a call is reported: %+v", x.calls)
	}
}

func TestGivenUpWhileRinging(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = ring
	a := x.phones["1001"]
	a.call("1002", "offer")
	x.story = nil
	a.hangUp()
	x.want("1001 cancels", "manager cancels", "stack > 487 to INVITE", "1002 ended: 487 the caller gave up", "1002 gone",
		"stack > 487 to INVITE", "1001 gone")
	x.over(487, "the caller gave up")
}

// A CANCEL may only follow a provisional answer; before one, giving up waits for it.
func TestGivenUpBeforeAnyAnswer(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	b := x.phones["1002"]
	b.incoming = func(*phone) {}
	a := x.phones["1001"]
	a.call("1002", "offer")
	a.hangUp()
	x.want("1001 > INVITE with offer", "manager > 1002 INVITE with offer")
	ring(b)
	x.run()
	x.want("1002 > 180 to INVITE", "manager > 180 to INVITE", "1001 cancels", "manager cancels", "stack > 487 to INVITE",
		"1002 ended: 487 the caller gave up", "1002 gone", "stack > 487 to INVITE", "1001 gone")
	x.over(487, "the caller gave up")
}

// The callee answers in the moment in which the caller gives up.
func TestAnsweredWhileGivenUp(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	b := x.phones["1002"]
	b.incoming = ring
	a := x.phones["1001"]
	a.call("1002", "offer")
	x.story = nil
	b.do(b.leg.Accept(x.now, []byte("answer"), nil))
	a.do(a.leg.HangUp(x.now, nil))
	x.run()
	if a.leg.state != gone || b.leg.state != gone {
		t.Errorf("legs are in states %d and %d after\n\t%s", a.leg.state, b.leg.state, strings.Join(x.story, "\n\t"))
	}
	x.over(200, "hung up")
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = ring
	x.phones["1001"].call("1002", "offer")
	x.story = nil
	if got := x.sw.Wake(); got != begin.Add(NoAnswer) {
		t.Errorf("wakes after %v, want %v", got.Sub(begin), NoAnswer)
	}
	x.now = x.sw.Wake()
	x.manager(x.sw.Advance(x.now))
	x.run()
	x.want("manager > 480 to INVITE", "manager cancels", "1001 ended: 480 Temporarily Unavailable", "1001 gone",
		"1002 ended: 487 the caller gave up", "1002 gone", "stack > 487 to INVITE")
	x.over(480, "nobody answered")
}

func TestPhoneCannotBeReached(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.gone["1002"] = true
	x.phones["1001"].call("1002", "offer")
	x.want("1001 > INVITE with offer", "manager > 480 to INVITE", "1001 ended: 480 Temporarily Unavailable", "1001 gone")
	x.over(480, "no way")
}

// The callee's phone is silent even about the cancellation.
func TestCancellationUnanswered(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	b := x.phones["1002"]
	b.incoming = ring
	a := x.phones["1001"]
	a.call("1002", "offer")
	for invite := range x.ends {
		x.ends[invite] = func() {}
	}
	x.manager(x.sw.Cancelled(x.now, slicesOnly(x.sw.requests, x.sw.ordered()[0].a)))
	x.now = x.now.Add(patience)
	if got := x.sw.Advance(x.now); len(got) != 2 {
		t.Errorf("after %v: %v, want to abandon the INVITE and report the end", patience, got)
	} else {
		x.manager(got)
	}
	x.over(487, "the caller gave up")
}

// slicesOnly returns the request that a leg has open.
func slicesOnly(open map[*sip.Message]*Leg, leg *Leg) *sip.Message {
	for m, l := range open {
		if l == leg {
			return m
		}
	}
	return nil
}

func TestChangeOfMedia(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = answer
	a, b := x.phones["1001"], x.phones["1002"]
	a.call("1002", "offer")
	x.story = nil
	for _, from := range []*phone{a, b} {
		to := map[*phone]*phone{a: b, b: a}[from]
		from.do(from.leg.Offer(x.now, []byte("hold")))
		x.run()
		x.want(from.number+" > INVITE with hold", "manager > "+to.number+" INVITE with hold",
			to.number+" > 200 to INVITE with answer to hold", "manager > 200 to INVITE with answer to hold", "manager > ACK", from.number+" > ACK")
		from.do(from.leg.Offer(x.now, []byte("bad")))
		x.run()
		x.want(from.number+" > INVITE with bad", "manager > "+to.number+" INVITE with bad", to.number+" > 488 to INVITE",
			"manager > 488 to INVITE", from.number+" keeps its media: 488")
	}
	if a.leg.Changing() || b.leg.Changing() || x.sw.ordered()[0].a.Changing() || x.sw.ordered()[0].b.Changing() {
		t.Error("a change is still under way")
	}
	a.hangUp()
	x.over(200, "hung up")
}

func TestBothChangeAtOnce(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = answer
	a, b := x.phones["1001"], x.phones["1002"]
	a.call("1002", "offer")
	x.story = nil
	a.do(a.leg.Offer(x.now, []byte("hold")))
	b.do(b.leg.Offer(x.now, []byte("hold too")))
	x.run()
	kept := 0
	for _, line := range x.story {
		if strings.HasSuffix(line, "keeps its media: 491") {
			kept++
		}
	}
	if kept != 2 {
		t.Errorf("%d phones are told to try later, want both:\n\t%s", kept, strings.Join(x.story, "\n\t"))
	}
	if !a.leg.Up() || !b.leg.Up() || a.leg.Changing() || b.leg.Changing() {
		t.Error("the call does not stand as before")
	}
}

// A caller that leaves the offer to the callee answers it in its ACK.
func TestLateOffer(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = answer
	a := x.phones["1001"]
	a.call("1002", "")
	x.want("1001 > INVITE", "manager > 1002 INVITE", "1002 > 180 to INVITE", "1002 > 200 to INVITE with late offer",
		"manager > 180 to INVITE", "manager > 200 to INVITE with late offer", "1001 > ACK with late answer", "manager > ACK with late answer")
	a.hangUp()
	x.over(200, "hung up")
}

func TestNoACK(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = answer
	a := x.phones["1001"]
	for { // the ACK is lost for ever
		if a.leg == nil {
			server := sip.URI{Scheme: "sip", User: "1002", Host: "192.0.2.1"}
			a.leg, _ = NewCaller(a.config(), a.flow, sip.Address{URI: sip.URI{Scheme: "sip", User: "1001", Host: "x"}}, sip.Address{URI: server}, server)
			a.do(a.leg.Invite([]byte("offer"), nil))
		}
		if len(x.queue) == 0 || a.leg.state == up {
			break
		}
		next := x.queue[0]
		x.queue = x.queue[1:]
		next()
	}
	x.queue = slices.DeleteFunc(x.queue, func(func()) bool { return true })
	x.now = begin.Add(patience)
	x.story = nil
	x.manager(x.sw.Advance(x.now))
	x.run()
	if last := x.calls[len(x.calls)-1]; last.State != Over || last.Why != "no ACK came" {
		t.Errorf("the call is %+v, want it over for want of an ACK\n\t%s", last, strings.Join(x.story, "\n\t"))
	}
}

func TestConnectionLost(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = answer
	a, b := x.phones["1001"], x.phones["1002"]
	a.call("1002", "offer")
	x.story = nil
	// It comes back in time and keeps its call.
	x.manager(x.sw.Lost(x.now, b.flow))
	b.flow.Peer = netip.AddrPortFrom(b.flow.Peer.Addr(), 6000)
	x.sw.Moved("1002", b.flow, b.contact())
	x.now = x.now.Add(2 * patience)
	x.manager(x.sw.Advance(x.now))
	x.want()
	// It does not come back.
	x.manager(x.sw.Lost(x.now, b.flow))
	x.gone["1002"] = true
	x.now = x.sw.Wake()
	x.manager(x.sw.Advance(x.now))
	x.run()
	x.want("manager > 1001 BYE", "1001 > 200 to BYE", "1001 gone")
	x.over(408, "the phone did not come back")
}

func TestCallerLostWhileRinging(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = ring
	a := x.phones["1001"]
	a.call("1002", "offer")
	x.manager(x.sw.Lost(x.now, a.flow))
	x.run()
	x.over(480, "the caller's connection is gone")
}

func TestOddRequests(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = answer
	a := x.phones["1001"]
	a.call("1002", "offer")
	x.story = nil
	send := func(change func(*sip.Message)) int {
		m := a.leg.request(sip.Bye)
		m.Fields.Add("Via", "SIP/2.0/TCP 192.0.2.9")
		change(m)
		status := 0
		for _, action := range x.sw.Received(x.now, a.flow, m) {
			if r, ok := action.(Respond); ok {
				status = r.Response.Status
			}
		}
		return status
	}
	method := func(name string) func(*sip.Message) {
		return func(m *sip.Message) { m.Method = name }
	}
	for name, c := range map[string]struct {
		change func(*sip.Message)
		want   int
	}{
		"unknown dialog":      {func(m *sip.Message) { m.Fields.Set("Call-ID", "other") }, 481},
		"tag of another":      {func(m *sip.Message) { m.Fields.Set("From", "<sip:1001@x>;tag=other") }, 481},
		"bye without a call":  {func(m *sip.Message) { m.Fields.Set("To", "<sip:1002@x>") }, 481},
		"overtaken":           {func(m *sip.Message) { m.Fields.Set("CSeq", "1 BYE") }, 500},
		"transfer":            {method(sip.Refer), 603},
		"options":             {method(sip.Options), 200},
		"update":              {method(sip.Update), 405},
		"ack of nothing":      {func(m *sip.Message) { m.Method = sip.Ack; m.Fields.Set("Call-ID", "other") }, 0},
		"ack without a call":  {func(m *sip.Message) { m.Method = sip.Ack; m.Fields.Set("To", "<sip:1002@x>") }, 0},
		"ack of another step": {func(m *sip.Message) { m.Method = sip.Ack; m.Fields.Set("CSeq", "99 ACK") }, 0},
	} {
		if got := send(c.change); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if !a.leg.Up() || len(x.sw.Calls()) != 1 {
		t.Error("the call does not stand")
	}
}

func TestInviteTwice(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = ring
	a := x.phones["1001"]
	a.call("1002", "offer")
	again := x.through(a.leg.invite)
	if r := x.sw.Received(x.now, a.flow, again)[0].(Respond); r.Response.Status != 482 {
		t.Errorf("the same INVITE by another way: %d, want 482", r.Response.Status)
	}
	bare := x.through(a.leg.numbered(sip.Invite, 9))
	bare.Fields.Set("Call-ID", "third")
	if r := x.sw.Received(x.now, a.flow, bare)[0].(Respond); r.Response.Status != 400 {
		t.Errorf("an INVITE without Contact: %d, want 400", r.Response.Status)
	}
}

func TestCallsPerPhone(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.phones["1002"].incoming = ring
	a := x.phones["1001"]
	for i := range maxCallsPerPhone + 1 {
		invite := &sip.Message{Method: sip.Invite, URI: sip.URI{Scheme: "sip", User: "1002", Host: "x"}}
		invite.Fields = sip.Fields{{Name: "From", Value: "<sip:1001@x>;tag=1"}, {Name: "To", Value: "<sip:1002@x>"},
			{Name: "Call-ID", Value: fmt.Sprint(i)}, {Name: "CSeq", Value: "1 INVITE"}, {Name: "Contact", Value: "<sip:a@x>"}}
		actions := x.sw.Received(x.now, a.flow, invite)
		r, refused := actions[0].(Respond)
		if refused != (i == maxCallsPerPhone) || refused && r.Response.Status != 503 {
			t.Errorf("call %d: %v", i+1, actions)
		}
	}
}
