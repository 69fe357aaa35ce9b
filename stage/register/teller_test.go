package register_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

// fleet is a teller with the phones that it tells.
type fleet struct {
	*register.Teller
	t     *testing.T
	now   time.Time
	at    map[string]register.Binding
	busy  map[string]bool
	story []string
	asked map[string]*sip.Message // the last NOTIFY to each contact user
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{t: t, now: noon, at: map[string]register.Binding{}, busy: map[string]bool{}, asked: map[string]*sip.Message{}}
	f.Teller = register.NewTeller(register.TellerConfig{
		At:   func(_ time.Time, device string) (register.Binding, bool) { b, ok := f.at[device]; return b, ok },
		Busy: func(device string) bool { return f.busy[device] },
		Contact: func(sip.Flow) sip.URI {
			return sip.URI{Scheme: "sip", Host: "192.0.2.2", Port: 5060, Params: sip.Params{{Name: "transport", Value: "tcp"}}}
		},
		Rand: rand.Reader,
	})
	return f
}

// registered puts a phone in place. The name is that of its line, too.
func (f *fleet) registered(name, agent string) {
	f.at[name] = register.Binding{
		Line: name, Device: name, CallID: "reg-" + name, UserAgent: agent,
		Contact: "<sip:uuid-" + name + "@10.99.0.9:50057;transport=tcp>",
		Flow:    sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50057")},
	}
}

func (f *fleet) do(actions []register.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case register.Notify:
			f.asked[a.Request.URI.User] = a.Request
			f.story = append(f.story, "notify "+a.Request.URI.User)
		case register.Say:
			f.story = append(f.story, "say "+a.Message.String())
		case register.Told:
			f.story = append(f.story, strings.TrimSpace(fmt.Sprintf("%s %s %s", a.Telling.Device, a.Telling.State, a.Telling.Why)))
		case register.Learned:
			f.story = append(f.story, fmt.Sprintf("learned %s: %v not %v", a.UserAgent, a.Manner, a.Refused))
		}
	}
}

func (f *fleet) tell(device string, action sip.ServiceAction, stamp string) {
	f.do(f.Tell(f.now, device, register.Order{Action: action, Stamp: stamp}))
}

// answer answers the last NOTIFY to a phone.
func (f *fleet) answer(device string, status int) {
	request := f.asked["uuid-"+device]
	f.do(f.Answered(f.now, request, sip.NewResponse(request, status, "p")))
}

func (f *fleet) want(story ...string) {
	f.t.Helper()
	if !slices.Equal(f.story, story) {
		f.t.Errorf("what happened:\n\t%s\nwant:\n\t%s", strings.Join(f.story, "\n\t"), strings.Join(story, "\n\t"))
	}
	f.story = nil
}

const anAgent = "Cisco-CP8851/12.1.1"

func TestNotifyAsItIsSent(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.registered("a", anAgent)
	f.tell("a", sip.ApplyConfig, "beef-1")
	f.want("a queued", "a asked", "notify uuid-a")
	request := f.asked["uuid-a"]
	if request == nil {
		t.Fatal("nobody was notified")
	}
	for field, want := range map[string]string{
		"To": "<sip:uuid-a@10.99.0.9:50057>", "Event": "service-control", "Subscription-State": "active",
		"Content-Type": "text/plain", "CSeq": "101 NOTIFY", "Contact": "<sip:192.0.2.2:5060;transport=tcp>",
	} {
		if got := request.Fields.Get(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if got := request.URI.String(); got != "sip:uuid-a@10.99.0.9:50057;transport=tcp" {
		t.Errorf("sent to %s, want the phone's own Contact", got)
	}
	want := "action=apply-config\r\nRegisterCallId={reg-a}\r\nConfigVersionStamp={beef-1}\r\n" +
		"DialplanVersionStamp={0000000000000000}\r\nSoftkeyVersionStamp={0000000000000000}\r\n" +
		"FeatureControlVersionStamp={0000000000000000}\r\nHeadsetVersionStamp={0-0000000000}\r\n"
	if string(request.Body) != want {
		t.Errorf("body %q, want %q", request.Body, want)
	}
	f.answer("a", 200)
	f.want("a taken 200 OK")
}

// A check of versions says nothing of files whose version we do not know: a phone would fetch them each time.
func TestCheckVersionNamesOnlyTheFile(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.registered("a", "Cisco-CP8861/14.1.1")
	f.tell("a", sip.CheckVersion, "beef-1")
	want := "action=check-version\r\nRegisterCallId={reg-a}\r\nConfigVersionStamp={beef-1}\r\nDialplanVersionStamp={}\r\nSoftkeyVersionStamp={}\r\n"
	if got := string(f.asked["uuid-a"].Body); got != want {
		t.Errorf("body %q, want %q", got, want)
	}
	f.tell("a", sip.ReportProblem, "")
	f.now = f.Wake()
	f.do(f.Advance(f.now))
	if got, want := string(f.asked["uuid-a"].Body), "action=prt-report\r\nRegisterCallId={reg-a}\r\n"; got != want {
		t.Errorf("body %q, want %q", got, want)
	}
}

// After a 400 the next manner is tried, once each, and what worked is remembered for that load.
func TestLearnsWhatALoadTakes(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.registered("a", anAgent)
	f.tell("a", sip.Restart, "")
	first := f.asked["uuid-a"]
	f.answer("a", 400)
	second := f.asked["uuid-a"]
	if first == second {
		t.Fatal("it was not tried again")
	}
	if from, _ := second.From(); from.URI.User != "" || bytes.Contains(second.Body, []byte("FeatureControl")) {
		t.Errorf("tried again from %v with %q", from, second.Body)
	}
	f.answer("a", 200)
	f.want("a queued", "a asked", "notify uuid-a", "notify uuid-a",
		"learned Cisco-CP8851/12.1.1: From without user, stamps [ConfigVersionStamp DialplanVersionStamp SoftkeyVersionStamp] not "+
			"[From with user, stamps [ConfigVersionStamp DialplanVersionStamp SoftkeyVersionStamp FeatureControlVersionStamp HeadsetVersionStamp]]",
		"a taken 200 OK")
	// Another phone with this load is told so at once.
	f.registered("b", anAgent)
	f.now = f.now.Add(time.Second)
	f.tell("b", sip.Restart, "")
	if body := f.asked["uuid-b"].Body; bytes.Contains(body, []byte("FeatureControl")) {
		t.Errorf("b is told %q", body)
	}
	f.story = nil
	// When that is refused, too, nothing is left to try, and next time all is tried anew.
	f.answer("b", 400)
	f.want("b declined 400 Bad Request")
	f.now = f.now.Add(time.Second)
	f.tell("b", sip.Restart, "")
	f.answer("b", 400)
	f.answer("b", 400)
	f.answer("b", 400)
	f.want("b queued", "b asked", "notify uuid-b", "notify uuid-b", "notify uuid-b", "b declined 400 Bad Request")
}

func TestKnownLoads(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	for i, phone := range []struct {
		agent, device string
		action        sip.ServiceAction
		event, state  string
	}{
		{"Cisco-CP7960G/8.0", "", sip.Restart, "check-sync", "terminated"},
		{"Cisco-CP7975G/9.4.2", "SEP1", sip.Restart, "service-control", "active"},
		{"baresip v1.0.0", "", sip.Reset, "check-sync;reboot=true", "terminated"},
		{"baresip v1.0.0", "", sip.ApplyConfig, "check-sync;reboot=false", "terminated"},
	} {
		name := fmt.Sprint(i)
		f.registered(name, phone.agent)
		b := f.at[name]
		b.Device = phone.device
		f.at[name] = b
		f.now = f.now.Add(time.Second)
		f.tell(name, phone.action, "")
		request := f.asked["uuid-"+name]
		if request == nil {
			t.Fatalf("%s: nobody was notified", phone.agent)
		}
		from, _ := request.From()
		if event, state := request.Fields.Get("Event"), request.Fields.Get("Subscription-State"); event != phone.event || state != phone.state {
			t.Errorf("%s: %s, %s", phone.agent, event, state)
		}
		if from.URI.User != "" {
			t.Errorf("%s: from %s", phone.agent, from)
		}
		if len(request.Body) != 0 && phone.state == "terminated" {
			t.Errorf("%s: body %q", phone.agent, request.Body)
		}
	}
	f.story = nil
	f.registered("x", "baresip")
	b := f.at["x"]
	b.Device = ""
	f.at["x"] = b
	f.now = f.now.Add(time.Second)
	f.tell("x", sip.ReportProblem, "")
	f.want("x queued", "x declined register: this phone knows no prt-report")
}

// Phones in a call wait for its end, the others for their turn; who is not there is not told.
func TestWaitsForCallsAndTurns(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	for _, name := range []string{"a", "b", "c"} {
		f.registered(name, anAgent)
	}
	f.busy["a"] = true
	for _, name := range []string{"a", "b", "c", "d"} {
		f.tell(name, sip.ApplyConfig, "1")
	}
	f.want("a in-call", "b queued", "b asked", "notify uuid-b", "c queued", "d not-reached it is not registered")
	if f.Wake() != noon.Add(register.Gap) {
		t.Fatalf("wakes at %v, want a gap later", f.Wake())
	}
	f.now = f.Wake()
	f.do(f.Advance(f.now))
	f.want("c asked", "notify uuid-c")
	if !f.Wake().IsZero() {
		t.Errorf("wakes at %v with nothing but a call to wait for", f.Wake())
	}
	// Its call ends just then: it still waits for its turn.
	f.busy["a"] = false
	f.do(f.Advance(f.now))
	f.want()
	f.now = f.Wake()
	f.do(f.Advance(f.now))
	f.want("a asked", "notify uuid-a")
	f.do(f.Failed(f.now, f.asked["uuid-a"], "no answer"))
	f.want("a silent no answer")
	f.answer("a", 200) // too late
	f.want()
}

// What waits is replaced by what is newer, but the greater order stays; who leaves meanwhile is not told.
func TestOrdersThatWait(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.registered("a", anAgent)
	f.busy["a"] = true
	f.tell("a", sip.Reset, "1")
	f.tell("a", sip.ApplyConfig, "2")
	f.busy["a"] = false
	f.do(f.Advance(f.now))
	if body := string(f.asked["uuid-a"].Body); !strings.HasPrefix(body, "action=reset\r\n") || !strings.Contains(body, "{2}") {
		t.Errorf("told %q, want the reset with the newer stamp", body)
	}
	f.registered("b", anAgent)
	f.busy["b"] = true
	f.tell("b", sip.ApplyConfig, "1")
	f.story = nil
	delete(f.at, "b")
	f.now = f.now.Add(time.Second)
	f.do(f.Advance(f.now))
	f.want("b not-reached it is no longer registered")
	all := f.Last()
	if len(all) != 2 || all[0].Device != "a" || all[1].State != register.NotReached || !all[1].State.Settled() || all[0].State.Settled() {
		t.Errorf("the last tellings are %+v", all)
	}
}

// A thousand phones take their time.
func TestFleetIsPaced(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	for i := range 1000 {
		name := fmt.Sprint(i)
		f.registered(name, anAgent)
		f.tell(name, sip.ApplyConfig, "1")
	}
	for f.now = f.Wake(); !f.now.IsZero(); f.now = f.Wake() {
		f.do(f.Advance(f.now))
	}
	told := f.Last()
	last := told[0].Since
	for _, one := range told {
		if one.State != register.Asked {
			t.Fatalf("%s is %s", one.Device, one.State)
		}
		if one.Since.After(last) {
			last = one.Since
		}
	}
	if took := last.Sub(noon); took != 999*register.Gap {
		t.Errorf("a thousand phones took %v, want %v", took, 999*register.Gap)
	}
}

func notify(event, content, body string) *sip.Message {
	m := &sip.Message{Method: sip.Notify, URI: sip.URI{Scheme: "sip", Host: "10.99.0.9"}, Body: []byte(body)}
	m.Fields.Add("From", "<sip:192.0.2.2>;tag=1")
	m.Fields.Add("To", "<sip:1001@10.99.0.9>")
	m.Fields.Add("Call-ID", "n")
	m.Fields.Add("CSeq", "101 NOTIFY")
	m.Fields.Add("Event", event)
	if content != "" {
		m.Fields.Add("Content-Type", content)
	}
	return m
}

func TestObey(t *testing.T) {
	t.Parallel()
	self := register.Self{CallID: "mine", Stamp: "now", UserAgent: anAgent}
	text := func(action, stamp string) string {
		return "action=" + action + "\r\nRegisterCallId={mine}\r\nConfigVersionStamp={" + stamp + "}\r\n"
	}
	for name, c := range map[string]struct {
		request *sip.Message
		agent   string
		status  int
		action  sip.ServiceAction // empty: nothing to do
	}{
		"same version":       {request: notify("service-control", "text/plain", text("check-version", "now")), status: 200},
		"other version":      {request: notify("service-control", "text/plain;charset=x", text("check-version", "new")), status: 200, action: sip.CheckVersion},
		"apply":              {request: notify("service-control", "text/plain", text("apply-config", "now")), status: 200, action: sip.ApplyConfig},
		"restart":            {request: notify("service-control", "text/plain", text("restart", "")), status: 200, action: sip.Restart},
		"reset":              {request: notify("service-control", "text/plain", text("reset", "")), status: 200, action: sip.Reset},
		"report":             {request: notify("service-control", "text/plain", text("prt-report", "")), status: 200, action: sip.ReportProblem},
		"unknown action":     {request: notify("service-control", "text/plain", text("explode", "")), status: 400},
		"action cut short":   {request: notify("service-control", "text/plain", "RegisterCallId={mine}\r\naction=rese"), status: 400},
		"another phone's":    {request: notify("service-control", "text/plain", strings.Replace(text("reset", ""), "mine", "yours", 1)), status: 400},
		"nobody's":           {request: notify("service-control", "text/plain", "action=reset\r\n"), status: 400},
		"no text":            {request: notify("service-control", "application/xml", text("reset", "")), status: 400},
		"no body":            {request: notify("service-control", "text/plain", ""), status: 400},
		"check-sync":         {request: notify("check-sync", "", ""), status: 200, action: sip.ApplyConfig},
		"check-sync, reboot": {request: notify("check-sync;reboot=true", "", ""), status: 200, action: sip.Reset},
		"other event":        {request: notify("presence", "", ""), status: 489},
		"stamp too many": {
			request: notify("service-control", "text/plain", text("reset", "")+"FeatureControlVersionStamp={0}\r\n"), agent: "Cisco-CP8861/14.1.1", status: 400,
		},
		"its stamps": {request: notify("service-control", "text/plain", text("reset", "")), agent: "Cisco-CP8861/14.1.1", status: 200, action: sip.Reset},
	} {
		who := self
		if c.agent != "" {
			who.UserAgent = c.agent
		}
		status, order, ok := register.Obey(c.request, who)
		if status != c.status || ok != (c.action != "") || ok && order.Action != c.action {
			t.Errorf("%s: %d %q %v, want %d %q", name, status, order.Action, ok, c.status, c.action)
		}
	}
	withUser := notify("service-control", "text/plain", text("reset", ""))
	withUser.Fields.Set("From", "<sip:asterisk@192.0.2.2>;tag=1")
	self.UserAgent = "Cisco-CP7975G/9.4.2"
	if status, _, _ := register.Obey(withUser, self); status != 400 {
		t.Errorf("a 7975G answers %d to a From with a user part, want 400", status)
	}
}
