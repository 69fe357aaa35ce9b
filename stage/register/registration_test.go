package register_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

var device = sip.Device{Instance: "urn:uuid:00000000-0000-0000-0000-001122334455", Name: "SEP001122334455", Model: 684}

func newRegistration(t *testing.T, change func(*register.RegistrationConfig)) *register.Registration {
	t.Helper()
	config := register.RegistrationConfig{
		Server: "192.0.2.1", Port: 5060, Transport: sip.TCP, Line: "1001", Secret: secret.New("secret-1001"),
		Device: device, User: "8a2c4e3b-0001", Load: "sip88xx.12-1-1", UserAgent: "Cisco-CP8851/12.1.1",
		Rand: rand.NewChaCha8([32]byte{1}),
	}
	if change != nil {
		change(&config)
	}
	r, err := register.NewRegistration(config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// begin starts a registration and returns its first request.
func begin(t *testing.T, r *register.Registration) *sip.Message {
	t.Helper()
	expect(t, "start", told(r.Start()), "connect")
	return sent(t, r.Connected(desk.Peer))
}

// sent returns the one request that the actions send.
func sent(t *testing.T, actions []register.Action) *sip.Message {
	t.Helper()
	if len(actions) != 1 {
		t.Fatalf("did %q, want one request", told(actions))
	}
	send, ok := actions[0].(register.Send)
	if !ok {
		t.Fatalf("did %q, want a request", told(actions))
	}
	return send.Request
}

// answer makes a response with fields, "Name: value" each.
func answer(request *sip.Message, status int, fields ...string) *sip.Message {
	m := sip.NewResponse(request, status, "server")
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		m.Fields.Add(name, value)
	}
	return m
}

func challengeField(nonce string, stale bool) string {
	return "WWW-Authenticate: " + sip.Challenge{Realm: "longcord", Nonce: nonce, QOP: true, Stale: stale}.String()
}

func credentials(t *testing.T, request *sip.Message) sip.Credentials {
	t.Helper()
	a, err := sip.ParseCredentials(request.Fields.Get("Authorization"))
	if err != nil {
		t.Fatalf("%v: %v", request, err)
	}
	return a
}

func TestRequestOfCiscoPhone(t *testing.T) {
	t.Parallel()
	m := begin(t, newRegistration(t, nil))
	for name, want := range map[string]string{
		"Contact": ciscoContact, "Expires": "3600", "User-Agent": "Cisco-CP8851/12.1.1", "CSeq": "1 REGISTER",
		"Supported": "X-cisco-sis-7.0.0", "To": "<sip:1001@192.0.2.1>",
		"Reason": `SIP;cause=200;text="cisco-alarm:25 Name=SEP001122334455 ActiveLoad=sip88xx.12-1-1 InactiveLoad= Last=initialized"`,
	} {
		expect(t, name, m.Fields.Get(name), want)
	}
	expect(t, "target", m.URI.String(), "sip:192.0.2.1")
	if m.FromTag() == "" || m.ToTag() != "" || m.Fields.Get("Authorization") != "" {
		t.Errorf("the first request is %+v, want a tag of its own only, and no login yet", m.Fields)
	}
}

func TestRequestOfStandardPhone(t *testing.T) {
	t.Parallel()
	m := begin(t, newRegistration(t, func(c *register.RegistrationConfig) {
		c.Device, c.User, c.Transport, c.Port, c.DisplayName = sip.Device{}, "", sip.UDP, 5070, "Ann"
	}))
	expect(t, "contact", m.Fields.Get("Contact"), "<sip:1001@192.0.2.40:50057>")
	expect(t, "target", m.URI.String(), "sip:192.0.2.1:5070")
	if from, err := m.From(); err != nil || from.Name != "Ann" || m.Fields.Get("Reason") != "" || m.Fields.Get("Supported") != "" {
		t.Errorf("request %+v (%v)", m.Fields, err)
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	r := newRegistration(t, nil)
	m := begin(t, r)
	expect(t, "trying", told(r.Answered(noon, m, answer(m, 100))), "")
	expect(t, "accepted", told(r.Answered(noon, m, answer(m, 200, "Expires: 120"))), "accepted until 2m0s")
	if want := noon.Add(115 * time.Second); r.Wake() != want {
		t.Errorf("wakes at %v, want %v: 5 s early", r.Wake(), want)
	}
	expect(t, "too early", told(r.Advance(r.Wake().Add(-1))), "")
	again := sent(t, r.Advance(r.Wake()))
	if n, _, _ := again.CSeq(); n != 2 || again.CallID() != m.CallID() || again.Fields.Get("Reason") != "" {
		t.Errorf("refresh %+v, want the next number, the same Call-ID and no restart alarm", again.Fields)
	}
	expect(t, "an answer to the first request", told(r.Answered(noon, m, answer(m, 403))), "")
}

func TestGrantedTime(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]string{
		"Expires: 3600": "accepted until 1h0m0s",
		"Contact: <sip:8a2c4e3b-0001@192.0.2.40:50057>;expires=90|Expires: 3600":        "accepted until 1m30s",
		"Contact: <sip:someone@192.0.2.41>;expires=60, " + ciscoContact + ";expires=70": "accepted until 1m10s",
		"Contact: <sip:someone@192.0.2.41>;expires=60|Expires: 80":                      "accepted until 1m20s",
		"Expires: 5":    "refused 0 the answer grants 5s, too short to refresh",
		"Expires: soon": "refused 0 the answer grants 0s, too short to refresh",
	} {
		r := newRegistration(t, nil)
		m := begin(t, r)
		expect(t, fields, told(r.Answered(noon, m, answer(m, 200, strings.Split(fields, "|")...))), want)
	}
}

func TestPhoneLogsIn(t *testing.T) {
	t.Parallel()
	r := newRegistration(t, func(c *register.RegistrationConfig) { c.AuthName = "ann" })
	m := begin(t, r)
	second := sent(t, r.Answered(noon, m, answer(m, 401, challengeField("n1", false))))
	a := credentials(t, second)
	if a.Username != "ann" || a.Nonce != "n1" || a.Count != 1 || a.URI != second.URI.String() || !a.Right(secret.New("secret-1001"), sip.Register) {
		t.Errorf("credentials %+v", a)
	}
	if second.Fields.Get("Reason") == "" {
		t.Error("the restart alarm is gone before anybody has accepted it")
	}
	r.Answered(noon, second, answer(second, 200, "Expires: 120"))
	third := sent(t, r.Advance(r.Wake()))
	b := credentials(t, third)
	if b.Nonce != "n1" || b.Count != 2 || b.CNonce == a.CNonce {
		t.Errorf("refreshed with %+v after %+v, want the same nonce counted on", b, a)
	}
	fourth := sent(t, r.Answered(noon, third, answer(third, 401, challengeField("n2", true))))
	if c := credentials(t, fourth); c.Nonce != "n2" || c.Count != 1 {
		t.Errorf("after a stale nonce: %+v", c)
	}
}

func TestPhoneAsProxyAsks(t *testing.T) {
	t.Parallel()
	r := newRegistration(t, nil)
	m := begin(t, r)
	second := sent(t, r.Answered(noon, m, answer(m, 407, `Proxy-Authenticate: Digest realm="r",nonce="n",algorithm=SHA-256`, `Proxy-Authenticate: Digest realm="r",nonce="n"`)))
	a, err := sip.ParseCredentials(second.Fields.Get("Proxy-Authorization"))
	if err != nil || a.CNonce != "" || a.Username != "1001" || second.Fields.Get("Authorization") != "" {
		t.Errorf("credentials %+v (%v)", a, err)
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	r := newRegistration(t, nil)
	expect(t, "start", told(r.Start()), "connect")
	now := noon
	for i, seconds := range []int{2, 4, 8, 16, 32, 64, 120, 120} {
		expect(t, "unreachable", told(r.Unreachable(now, "no route")), "unreachable no route")
		if want := now.Add(time.Duration(seconds) * time.Second); r.Wake() != want {
			t.Fatalf("attempt %d: wakes after %v, want %d s", i, r.Wake().Sub(now), seconds)
		}
		expect(t, "too early", told(r.Advance(r.Wake().Add(-1))), "")
		now = r.Wake()
		expect(t, "next attempt", told(r.Advance(now)), "connect")
	}
	m := sent(t, r.Connected(desk.Peer))
	r.Answered(now, m, answer(m, 200, "Expires: 120"))
	expect(t, "connection lost", told(r.Lost(now)), "connect")
	r.Unreachable(now, "no route")
	if wait := r.Wake().Sub(now); wait != 2*time.Second {
		t.Errorf("after a success it waits %v, want to begin anew", wait)
	}
}

func TestPhoneIsRefused(t *testing.T) {
	t.Parallel()
	r := newRegistration(t, nil)
	m := begin(t, r)
	expect(t, "refused", told(r.Answered(noon, m, answer(m, 403, `Warning: 399 longcord "no line"`))),
		`refused 403 403 Forbidden (399 longcord "no line")`)
	expect(t, "tries again", told(r.Advance(r.Wake())), "connect")
	m = sent(t, r.Connected(desk.Peer))
	expect(t, "refused otherwise", told(r.Answered(noon, m, answer(m, 503))), "refused 503 503 Service Unavailable")
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	r := newRegistration(t, nil)
	m := begin(t, r)
	expect(t, "another request", told(r.Failed(noon, answer(m, 200), "no answer")), "")
	expect(t, "no answer", told(r.Failed(noon, m, "no answer")), "unreachable no answer")
	expect(t, "an answer after all", told(r.Answered(noon, m, answer(m, 200, "Expires: 120"))), "")
	expect(t, "closed while resting", told(r.Lost(noon)), "")
	r.Advance(r.Wake())
	r.Connected(desk.Peer)
	expect(t, "closed while asking", told(r.Lost(noon)), "unreachable the connection was closed")
}

func TestStop(t *testing.T) {
	t.Parallel()
	registered := func(t *testing.T) *register.Registration {
		r := newRegistration(t, nil)
		m := begin(t, r)
		r.Answered(noon, m, answer(m, 200, "Expires: 120"))
		return r
	}
	stopping := func(t *testing.T) (*register.Registration, *sip.Message) {
		r := registered(t)
		m := sent(t, r.Stop(noon))
		expect(t, "takes back", m.Fields.Get("Expires"), "0")
		return r, m
	}
	for name, end := range map[string]func(r *register.Registration, m *sip.Message) []register.Action{
		"answered": func(r *register.Registration, m *sip.Message) []register.Action {
			return r.Answered(noon, m, answer(m, 200))
		},
		"refused": func(r *register.Registration, m *sip.Message) []register.Action {
			return r.Answered(noon, m, answer(m, 500))
		},
		"no answer":   func(r *register.Registration, _ *sip.Message) []register.Action { return r.Advance(r.Wake()) },
		"failed":      func(r *register.Registration, m *sip.Message) []register.Action { return r.Failed(noon, m, "x") },
		"lost":        func(r *register.Registration, _ *sip.Message) []register.Action { return r.Lost(noon) },
		"unreachable": func(r *register.Registration, _ *sip.Message) []register.Action { return r.Unreachable(noon, "x") },
		"challenged": func(r *register.Registration, m *sip.Message) []register.Action {
			again := sent(t, r.Answered(noon, m, answer(m, 401, challengeField("n", false))))
			expect(t, "takes back with a login", again.Fields.Get("Expires"), "0")
			return r.Answered(noon, again, answer(again, 401, challengeField("n", false)))
		},
	} {
		r, m := stopping(t)
		expect(t, name, told(end(r, m)), "finished")
		if !r.Wake().IsZero() {
			t.Errorf("%s: wakes at %v after the end", name, r.Wake())
		}
		expect(t, name+", stopped again", told(r.Stop(noon)), "")
		expect(t, name+", started again", told(r.Start()), "")
	}
	r, _ := stopping(t)
	if wait := r.Wake().Sub(noon); wait != 4*time.Second {
		t.Errorf("waits %v for the answer", wait)
	}
	expect(t, "stopped before it started", told(newRegistration(t, nil).Stop(noon)), "finished")
	r = newRegistration(t, nil)
	r.Start()
	expect(t, "stopped while connecting", told(r.Stop(noon)), "finished")
	expect(t, "connected too late", told(r.Connected(desk.Peer)), "")
	expect(t, "unreachable too late", told(r.Unreachable(noon, "x")), "")
}

// Both halves, each message in its wire form.

type pair struct {
	office *office
	phone  *register.Registration
	flow   sip.Flow
	log    []string
}

func overWire(t *testing.T, m *sip.Message) *sip.Message {
	t.Helper()
	out := *m
	out.Fields = append(sip.Fields{{Name: "Via", Value: "SIP/2.0/TCP 192.0.2.40:50057;branch=z9hG4bKx"}}, m.Fields...)
	wire, err := out.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := sip.Parse(wire)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// run does what the phone wants, up to when it waits for time to pass.
func (p *pair) run(t *testing.T, actions []register.Action) {
	t.Helper()
	for len(actions) > 0 {
		action := actions[0]
		actions = actions[1:]
		switch a := action.(type) {
		case register.Connect:
			actions = append(actions, p.phone.Connected(p.flow.Peer)...)
		case register.Send:
			response, rest := p.office.receive(t, p.flow, overWire(t, a.Request))
			p.log = append(p.log, fmt.Sprintf("%s -> %d", told([]register.Action{a}), response.Status))
			if len(rest) > 0 {
				p.log = append(p.log, told(rest))
			}
			actions = append(actions, p.phone.Answered(p.office.now, a.Request, overWire(t, response))...)
		default:
			p.log = append(p.log, told([]register.Action{a}))
		}
	}
}

func (p *pair) expect(t *testing.T, what string, want ...string) {
	t.Helper()
	expect(t, what, strings.Join(p.log, "\n"), strings.Join(want, "\n"))
	p.log = nil
}

func newPair(t *testing.T) *pair {
	t.Helper()
	o := newOffice(t)
	o.devices[device.Name] = []string{"1001"}
	return &pair{office: o, phone: newRegistration(t, nil), flow: desk}
}

func TestBothHalves(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.run(t, p.phone.Start())
	p.expect(t, "registers", "send 3600 -> 401", "send 3600 -> 200", "keep 1001, registered 1001", "accepted until 2m0s")
	for range 3 {
		p.office.now = p.phone.Wake()
		expect(t, "nothing ends", told(p.office.Advance(p.office.now)), "")
		p.run(t, p.phone.Advance(p.office.now))
		if p.log[0] == "send 3600 -> 401" { // the nonce lasts for two refreshes
			p.log = p.log[1:]
		}
		p.expect(t, "refreshes", "send 3600 -> 200", fmt.Sprintf("accepted until %v", p.office.now.Sub(noon)+register.CiscoExpires))
	}
	p.run(t, p.phone.Stop(p.office.now))
	p.expect(t, "leaves", "send 0 -> 200", "forget 1001, unregistered 1001 because the phone took it back", "finished")
}

func TestBothHalvesAcrossRestart(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.run(t, p.phone.Start())
	p.log = nil
	stored := p.office.Bindings()
	p.office.Registrar = p.office.newRegistrar(t)
	for _, b := range stored {
		p.office.Restore(p.office.now, b)
	}
	p.flow.Peer = netip.MustParseAddrPort("192.0.2.40:50099")
	p.run(t, p.phone.Lost(p.office.now))
	p.expect(t, "comes back", "send 3600 -> 200", "keep 1001, registered 1001 before at TCP 192.0.2.40:50057", "accepted until 2m0s")
}

// TestLooksFirst has a phone ask who is registered, and what it does then.
func TestLooksFirst(t *testing.T) {
	t.Parallel()
	const other = `<sip:9f-0002@192.0.2.41:5060;transport=tcp>;+u.sip!devicename.ccm.cisco.com="SEP001122334466"`
	for name, c := range map[string]struct {
		status int
		fields []string
		want   string
	}{
		"nobody":                     {200, nil, "send 3600"},
		"the phone itself":           {200, []string{"Contact: " + ciscoContact + ";expires=70"}, "occupied 1, finished"},
		"somebody without a name":    {200, []string{"Contact: <sip:1001@192.0.2.41:5060>;expires=70"}, "occupied 1, finished"},
		"another phone on the line":  {200, []string{"Contact: " + other}, "send 3600"},
		"another, by its instance":   {200, []string{`Contact: <sip:1001@192.0.2.41>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-001122334466>"`}, "send 3600"},
		"another and itself":         {200, []string{"Contact: " + other + ", " + ciscoContact}, "occupied 1, finished"},
		"a contact of no sense":      {200, []string{"Contact: <"}, "send 3600"},
		"who does not say":           {405, nil, "send 3600"},
		"who does not let it in":     {403, nil, "send 3600"},
		"who has no time to look up": {503, nil, "send 3600"},
	} {
		r := newRegistration(t, func(c *register.RegistrationConfig) { c.Look = true })
		m := begin(t, r)
		if m.Fields.Get("Contact")+m.Fields.Get("Expires")+m.Fields.Get("Reason") != "" {
			t.Fatalf("%s: the phone asks with %+v", name, m.Fields)
		}
		again := sent(t, r.Answered(noon, m, answer(m, 401, challengeField("one", false))))
		if again.Fields.Get("Contact") != "" || credentials(t, again).Nonce != "one" {
			t.Errorf("%s: the login of the question is %+v", name, again.Fields)
		}
		actions := r.Answered(noon, again, answer(again, c.status, c.fields...))
		expect(t, name, told(actions), c.want)
		if c.want == "send 3600" {
			if m := sent(t, actions); m.Fields.Get("Contact") == "" || credentials(t, m).Nonce != "one" {
				t.Errorf("%s: the phone registers with %+v", name, m.Fields)
			}
		}
	}
	r := newRegistration(t, func(c *register.RegistrationConfig) { c.Look = true })
	m := begin(t, r)
	expect(t, "stopped", told(r.Stop(noon)), "finished")
	expect(t, "an answer after that", told(r.Answered(noon, m, answer(m, 200))), "")
	r = newRegistration(t, func(c *register.RegistrationConfig) { c.Look = true })
	m = begin(t, r)
	m = sent(t, r.Answered(noon, m, answer(m, 401, challengeField("one", false))))
	expect(t, "the wrong secret", told(r.Answered(noon, m, answer(m, 401, challengeField("two", false)))), "refused 401 the secret is not accepted")
}
