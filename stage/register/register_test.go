package register

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/sip"
)

var (
	begin   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tcp     = sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50057")}
	tcp2    = sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50099")}
	udp     = sip.Flow{Transport: sip.UDP, Peer: netip.MustParseAddrPort("192.0.2.41:5060")}
	aDevice = sip.Device{Instance: "urn:uuid:00000000-0000-0000-0000-001122334455", Name: "SEP001122334455", Model: 684}
)

// counter is a reader of bytes that differ.
type counter struct{ n byte }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		b[i] = c.n
	}
	return len(b), nil
}

// registrar knows lines 1001 and 1002 of aDevice, 2001 of nobody, and 3001 without a secret.
func registrar(t *testing.T) *Registrar {
	t.Helper()
	lines := map[string]Line{
		"1001": {Number: "1001", Secret: secret.New("one"), Devices: []string{aDevice.Name}},
		"1002": {Number: "1002", Secret: secret.New("two"), Devices: []string{aDevice.Name}},
		"2001": {Number: "2001", Secret: secret.New("three")},
		"3001": {Number: "3001"},
	}
	r, err := NewRegistrar(RegistrarConfig{
		Realm: "longcord", Rand: &counter{},
		Line: func(number string) (Line, bool) { l, ok := lines[number]; return l, ok },
		Lines: func(device string) []string {
			if device == aDevice.Name {
				return []string{"1001", "1002"}
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// phone is a Registration that talks to a Registrar without a network.
type phone struct {
	t     *testing.T
	now   time.Time
	flow  sip.Flow
	half  *Registration
	other *Registrar
	story []string // what both halves did
}

func newPhone(t *testing.T, other *Registrar, flow sip.Flow, change func(*RegistrationConfig)) *phone {
	t.Helper()
	config := RegistrationConfig{
		Server: "192.0.2.1", Transport: flow.Transport, Line: "1001", Secret: secret.New("one"),
		Device: aDevice, User: "8a2c4e3b", Load: "sip88xx", UserAgent: "Cisco-CP8851/12.1.1", Rand: &counter{n: 99},
	}
	if change != nil {
		change(&config)
	}
	half, err := NewRegistration(config)
	if err != nil {
		t.Fatal(err)
	}
	return &phone{t: t, now: begin, flow: flow, half: half, other: other}
}

func (p *phone) do(actions []Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case Connect:
			p.tell("connect")
			p.do(p.half.Connected(p.flow.Peer))
		case Send:
			p.answered(a.Request)
		case Accepted:
			p.tell("accepted for %v", a.Until.Sub(p.now))
		case Refused:
			p.tell("refused: %s", a.Why)
		case Unreachable:
			p.tell("unreachable: %s", a.Why)
		case Finished:
			p.tell("finished")
		default:
			p.t.Fatalf("phone does %T", action)
		}
	}
}

func (p *phone) tell(format string, args ...any) {
	p.story = append(p.story, fmt.Sprintf(format, args...))
}

// answered has the registrar answer a request.
func (p *phone) answered(request *sip.Message) {
	request.Fields.Add("Via", "SIP/2.0/TCP 192.0.2.40") // the stack's
	var response *sip.Message
	for _, action := range p.other.Received(p.now, p.flow, request) {
		switch a := action.(type) {
		case Respond:
			response = a.Response
		case Registered:
			p.tell("registrar: %s registered", a.Binding.Line)
		case Unregistered:
			p.tell("registrar: %s gone, %s", a.Binding.Line, a.Why)
		case Denied:
			p.tell("registrar: denied, %s", a.Why)
		case Keep:
			p.tell("registrar: keep %s", a.Binding.Line)
		case Forget:
			p.tell("registrar: forget %s", a.Binding.Line)
		}
	}
	p.tell("%d", response.Status)
	p.do(p.half.Answered(p.now, request, response))
}

// pass lets time pass until the phone has something to do.
func (p *phone) pass() {
	p.now = p.half.Wake()
	p.do(p.half.Advance(p.now))
}

func (p *phone) want(story ...string) {
	p.t.Helper()
	if !slices.Equal(p.story, story) {
		p.t.Errorf("what happened:\n\t%s\nwant:\n\t%s", strings.Join(p.story, "\n\t"), strings.Join(story, "\n\t"))
	}
	p.story = nil
}

func TestCiscoPhone(t *testing.T) {
	t.Parallel()
	r := registrar(t)
	p := newPhone(t, r, tcp, nil)
	p.do(p.half.Start())
	p.want("connect", "401", "registrar: keep 1001", "registrar: 1001 registered", "registrar: keep 1002",
		"registrar: 1002 registered", "200", "accepted for 2m0s")
	b := r.Lookup(p.now, "1002")[0]
	if b.Load != "sip88xx" || b.Restart != "initialized" || b.Model != 684 || !b.Follows || b.Flow != tcp {
		t.Errorf("1002 is bound as %+v", b)
	}
	// A refresh comes 5 s early, keeps the nonce, writes nothing.
	p.pass()
	if p.now != begin.Add(115*time.Second) {
		t.Errorf("refreshed after %v, want 115 s", p.now.Sub(begin))
	}
	p.want("200", "accepted for 2m0s")
	if b := r.Lookup(p.now, "1001")[0]; b.Since != begin || b.Load != "sip88xx" {
		t.Errorf("after the refresh 1001 is bound as %+v", b)
	}
	// After five minutes the nonce is stale, and answered anew without an error.
	p.pass()
	p.pass()
	p.want("200", "accepted for 2m0s", "401", "200", "accepted for 2m0s")
	p.do(p.half.Stop(p.now))
	p.want("registrar: forget 1001", "registrar: 1001 gone, the phone took it back",
		"registrar: forget 1002", "registrar: 1002 gone, the phone took it back", "200", "finished")
}

// A day of refreshes writes a dozen records, not seven hundred.
func TestRefreshesWriteRarely(t *testing.T) {
	t.Parallel()
	p := newPhone(t, registrar(t), tcp, nil)
	p.do(p.half.Start())
	p.story = nil
	refreshes := 0
	for p.now.Before(begin.Add(24 * time.Hour)) {
		p.pass()
		refreshes++
	}
	kept := 0
	for _, line := range p.story {
		if line == "registrar: keep 1001" {
			kept++
		}
	}
	if refreshes < 700 || kept < 11 || kept > 13 {
		t.Errorf("%d refreshes wrote %d records, want some 12 of more than 700", refreshes, kept)
	}
}

func TestStandardPhone(t *testing.T) {
	t.Parallel()
	r := registrar(t)
	p := newPhone(t, r, udp, func(c *RegistrationConfig) {
		c.Device, c.User, c.Line, c.Secret = sip.Device{}, "", "2001", secret.New("three")
	})
	p.do(p.half.Start())
	p.want("connect", "401", "registrar: keep 2001", "registrar: 2001 registered", "200", "accepted for 1h0m0s")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*RegistrationConfig)
		want   []string
	}{
		"wrong secret": {func(c *RegistrationConfig) { c.Secret = secret.New("two") },
			[]string{"connect", "401", "registrar: denied, wrong secret for line 1001", "403", `refused: 403 Forbidden (399 longcord "wrong secret for line 1001")`}},
		"other name": {func(c *RegistrationConfig) { c.AuthName = "1002" },
			[]string{"connect", "401", "registrar: denied, wrong secret for line 1001", "403", `refused: 403 Forbidden (399 longcord "wrong secret for line 1001")`}},
		"unknown line": {func(c *RegistrationConfig) { c.Line = "9" },
			[]string{"connect", `registrar: denied, no line "9"`, "403", `refused: 403 Forbidden (399 longcord "no line \"9\"")`}},
		"line without secret": {func(c *RegistrationConfig) { c.Line = "3001" },
			[]string{"connect", "registrar: denied, line 3001 has no secret", "403", `refused: 403 Forbidden (399 longcord "line 3001 has no secret")`}},
		"line of another": {func(c *RegistrationConfig) { c.Device.Name = "SEP00AABBCCDDEE" },
			[]string{"connect", "401", `registrar: denied, device "SEP00AABBCCDDEE" does not have line 1001`, "403",
				`refused: 403 Forbidden (399 longcord "device \"SEP00AABBCCDDEE\" does not have line 1001")`}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPhone(t, registrar(t), tcp, c.change)
			p.do(p.half.Start())
			p.want(c.want...)
		})
	}
}

// exchange sends one REGISTER with right credentials and returns the answer.
func exchange(r *Registrar, now time.Time, flow sip.Flow, cseq int, fields ...string) (*sip.Message, []Action) {
	m := &sip.Message{Method: sip.Register, URI: sip.URI{Scheme: "sip", Host: "192.0.2.1"}}
	line, word := "2001", secret.New("three")
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "To" && strings.Contains(fields[i+1], "1001") {
			line, word = "1001", secret.New("one")
		}
		m.Fields.Add(fields[i], fields[i+1])
	}
	m.Fields.Add("Via", "SIP/2.0/UDP 192.0.2.41")
	m.Fields.Add("From", "<sip:x@192.0.2.1>;tag=f")
	m.Fields.Add("Call-ID", "id")
	m.Fields.Add("CSeq", fmt.Sprintf("%d REGISTER", cseq))
	if m.Fields.Get("To") == "" {
		m.Fields.Add("To", "<sip:2001@192.0.2.1>")
	}
	if m.Fields.Get("Authorization") == "" {
		c := sip.Challenge{Realm: "longcord", Nonce: r.nonces.make(now, flow, line), QOP: true}
		m.Fields.Add("Authorization", c.Answer(line, word, sip.Register, "sip:192.0.2.1", "c", uint32(cseq)).String())
	}
	actions := r.Received(now, flow, m)
	return actions[0].(Respond).Response, actions[1:]
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contact, expires string
		want             string // status and Expires or Min-Expires
	}{
		"as asked":          {"<sip:a@192.0.2.41>", "300", "200 300"},
		"contact wins":      {"<sip:a@192.0.2.41>;expires=600", "300", "200 600"},
		"not said":          {"<sip:a@192.0.2.41>", "", "200 3600"},
		"too long":          {"<sip:a@192.0.2.41>", "86400", "200 3600"},
		"absurd":            {"<sip:a@192.0.2.41>", "99999999999999", "200 3600"},
		"too short":         {"<sip:a@192.0.2.41>", "30", "423 60"},
		"none to take back": {"<sip:a@192.0.2.41>", "0", "200 0"},
	} {
		t.Run(name, func(t *testing.T) {
			fields := []string{"Contact", c.contact}
			if c.expires != "" {
				fields = append(fields, "Expires", c.expires)
			}
			r := registrar(t)
			got, _ := exchange(r, begin, udp, 1, fields...)
			told := got.Fields.Get("Expires") + got.Fields.Get("Min-Expires")
			if text := strconv.Itoa(got.Status) + " " + told; text != c.want {
				t.Errorf("answered %s, want %s", text, c.want)
			}
		})
	}
}

const ciscoContact = `<sip:8a2c4e3b@192.0.2.40:50057;transport=tcp>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-001122334455>";+u.sip!devicename.ccm.cisco.com="SEP001122334455";+u.sip!model.ccm.cisco.com="684"`

// What an enterprise phone needs in the answer.
func TestCiscoAnswer(t *testing.T) {
	t.Parallel()
	r := registrar(t)
	line := []string{"To", "<sip:1001@192.0.2.1>", "Contact", ciscoContact, "Expires", "3600"}
	first, _ := exchange(r, begin, tcp, 1, line...)
	if got, want := first.Fields.Get("Contact"), ciscoContact+";expires=120;x-cisco-newreg"; got != want {
		t.Errorf("Contact %s, want %s", got, want)
	}
	for name, want := range map[string]string{
		"Expires": "120", "Date": "Fri, 02 Jan 2026 03:04:05 GMT", "Supported": "X-cisco-srtp-fallback,X-cisco-sis-8.0.0",
	} {
		if got := first.Fields.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	refresh, _ := exchange(r, begin.Add(time.Minute), tcp, 2, line...)
	if got := refresh.Fields.Get("Contact"); strings.Contains(got, sip.NewRegistration) {
		t.Errorf("a refresh is called new: %s", got)
	}
	moved, actions := exchange(r, begin.Add(2*time.Minute), tcp2, 3, line...)
	if got := moved.Fields.Get("Contact"); !strings.Contains(got, sip.NewRegistration) {
		t.Errorf("a registration over another connection is not called new: %s", got)
	}
	if got, ok := actions[1].(Registered); !ok || got.Before.Flow != tcp || got.Binding.Flow != tcp2 {
		t.Errorf("reported as %+v, want a move from %v to %v", actions[1], tcp, tcp2)
	}
	standby, _ := exchange(r, begin.Add(2*time.Minute), tcp2, 4, "To", "<sip:1001@192.0.2.1>", "Contact", ciscoContact, "Expires", "0")
	if got := standby.Fields.Get("Expires"); got != "0" {
		t.Errorf("a standby is answered with Expires %s", got)
	}
}

// An answer to a challenge serves once, for one line, from one address, and not for ever.
func TestOverheardAnswers(t *testing.T) {
	t.Parallel()
	r := registrar(t)
	ask := sip.Challenge{Realm: "longcord", Nonce: r.nonces.make(begin, udp, "2001"), QOP: true}
	answer := func(count uint32) string {
		return ask.Answer("2001", secret.New("three"), sip.Register, "sip:192.0.2.1", "c", count).String()
	}
	elsewhere := udp
	elsewhere.Peer = netip.MustParseAddrPort("192.0.2.66:5060")
	contact := "<sip:a@192.0.2.41>"
	for i, c := range []struct {
		name  string
		now   time.Time
		flow  sip.Flow
		count uint32
		want  int
	}{
		{"from another address", begin, elsewhere, 1, 401},
		{"right", begin, udp, 1, 200},
		{"again", begin, udp, 1, 401},
		{"next", begin.Add(time.Minute), udp, 2, 200},
		{"an older count", begin.Add(time.Minute), udp, 1, 401},
		{"too late", begin.Add(nonceLife + time.Second), udp, 3, 401},
	} {
		got, _ := exchange(r, c.now, c.flow, i+1, "Contact", contact, "Authorization", answer(c.count))
		if got.Status != c.want {
			t.Errorf("%s: %d, want %d", c.name, got.Status, c.want)
		}
		if challenge := got.Fields.Get("WWW-Authenticate"); c.want == 401 && !strings.Contains(challenge, "stale=true") {
			t.Errorf("%s: the challenge %s does not say that the secret was right", c.name, challenge)
		}
	}
	// A newer nonce ends the use of an older one.
	newer := sip.Challenge{Realm: "longcord", Nonce: r.nonces.make(begin.Add(2*time.Minute), udp, "2001"), QOP: true}
	if got, _ := exchange(r, begin.Add(2*time.Minute), udp, 9, "Contact", contact,
		"Authorization", newer.Answer("2001", secret.New("three"), sip.Register, "sip:192.0.2.1", "c", 1).String()); got.Status != 200 {
		t.Errorf("a newer nonce: %d", got.Status)
	}
	if got, _ := exchange(r, begin.Add(2*time.Minute), udp, 10, "Contact", contact, "Authorization", answer(50)); got.Status != 401 {
		t.Errorf("the older nonce: %d, want 401", got.Status)
	}
	r.nonces.sweep(begin.Add(time.Hour))
	if len(r.nonces.used) != 0 {
		t.Error("used nonces are kept for ever")
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	r := registrar(t)
	exchange(r, begin, udp, 1, "Contact", "<sip:a@192.0.2.41>", "Expires", "60")
	end := begin.Add(time.Minute + grace)
	if got := r.Wake(); got != end {
		t.Errorf("wakes %v after the beginning, want %v", got.Sub(begin), end.Sub(begin))
	}
	if got := r.Advance(end.Add(-time.Millisecond)); got != nil {
		t.Errorf("before its end: %v", got)
	}
	if got := r.Advance(end); len(got) != 2 || got[1].(Unregistered).Why != "it was not refreshed" {
		t.Errorf("at its end: %v", got)
	}
	if !r.Wake().IsZero() || len(r.Bindings()) != 0 {
		t.Error("something is left")
	}
}

func TestConnectionLost(t *testing.T) {
	t.Parallel()
	r := registrar(t)
	p := newPhone(t, r, tcp, nil)
	p.do(p.half.Start())
	p.story = nil
	if got := r.Lost(tcp); len(got) != 4 || len(r.Bindings()) != 0 {
		t.Errorf("both lines are to go: %v", got)
	}
	// The phone comes back at once over another connection.
	p.flow = tcp2
	p.do(p.half.Lost(p.now))
	p.want("connect", "registrar: keep 1001", "registrar: 1001 registered", "registrar: keep 1002",
		"registrar: 1002 registered", "200", "accepted for 2m0s")
}

func TestRestore(t *testing.T) {
	t.Parallel()
	old := registrar(t)
	exchange(old, begin, udp, 1, "Contact", "<sip:a@192.0.2.41>", "Expires", "300")
	kept := old.Bindings()[0]
	again := registrar(t)
	if got := again.Restore(begin.Add(time.Hour), kept); got != nil {
		t.Errorf("restored with %v", got)
	}
	b := again.Lookup(begin.Add(time.Hour), "2001")
	if len(b) != 1 || b[0].Expires != begin.Add(time.Hour+5*time.Minute) {
		t.Errorf("restored as %+v, want five minutes", b)
	}
	if got := again.Restore(begin.Add(written), kept); len(got) != 1 {
		t.Errorf("a record past its time gives %v, want Forget", got)
	}
}

func TestOddRequests(t *testing.T) {
	t.Parallel()
	r := registrar(t)
	if got, _ := exchange(r, begin, udp, 1, "Contact", "<sip:a@192.0.2.41>, <sip:b@192.0.2.41>"); got.Status != 400 {
		t.Errorf("two contacts: %d", got.Status)
	}
	if got, _ := exchange(r, begin, udp, 2, "Contact", "*", "Expires", "60"); got.Status != 400 {
		t.Errorf("star without Expires 0: %d", got.Status)
	}
	exchange(r, begin, udp, 3, "Contact", "<sip:a@192.0.2.41>")
	got, _ := exchange(r, begin.Add(time.Minute), udp, 4)
	if want := "<sip:a@192.0.2.41>;expires=3540"; got.Fields.Get("Contact") != want {
		t.Errorf("asked, it tells %q, want %q", got.Fields.Get("Contact"), want)
	}
	if got, _ := exchange(r, begin.Add(61*time.Second), udp, 2, "Contact", "<sip:a@192.0.2.41>"); got.Status != 400 {
		t.Errorf("an overtaken request: %d", got.Status)
	}
	if got, _ := exchange(r, begin.Add(62*time.Second), udp, 5, "Contact", "*", "Expires", "0"); got.Status != 200 || len(r.Bindings()) != 0 {
		t.Errorf("star: %d, %v left", got.Status, r.Bindings())
	}
	for i := range maxBindings + 1 {
		got, _ := exchange(r, begin.Add(63*time.Second), udp, 10+i, "Contact", fmt.Sprintf("<sip:a@192.0.2.41:%d>", 6000+i))
		if want := map[bool]int{true: 200, false: 403}[i < maxBindings]; got.Status != want {
			t.Errorf("place %d: %d, want %d", i+1, got.Status, want)
		}
	}
}

// scripted answers a phone's requests with what the test says.
func scripted(t *testing.T) (p *Registration, next func([]Action) *sip.Message) {
	t.Helper()
	p, err := NewRegistration(RegistrationConfig{Server: "192.0.2.1", Port: 5070, Transport: sip.UDP, Line: "1", Rand: &counter{}})
	if err != nil {
		t.Fatal(err)
	}
	return p, func(actions []Action) *sip.Message {
		t.Helper()
		if len(actions) != 1 {
			t.Fatalf("does %v, want one request", actions)
		}
		return actions[0].(Send).Request
	}
}

func reply(request *sip.Message, status int, fields ...string) *sip.Message {
	r := sip.NewResponse(request, status, "s")
	for i := 0; i < len(fields); i += 2 {
		r.Fields.Add(fields[i], fields[i+1])
	}
	return r
}

func TestPhoneTriesAgain(t *testing.T) {
	t.Parallel()
	p, next := scripted(t)
	p.Start()
	now := begin
	var waits []time.Duration
	for range 9 {
		p.Unreachable(now, "nobody")
		waits = append(waits, p.Wake().Sub(now))
		now = p.Wake()
		if got := p.Advance(now); len(got) != 1 || got[0] != (Connect{}) {
			t.Fatalf("does %v, want to connect", got)
		}
	}
	s := time.Second
	if want := []time.Duration{2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s, 120 * s, 120 * s, 120 * s}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	m := next(p.Connected(udp.Peer))
	if got := m.URI.String(); got != "sip:192.0.2.1:5070" {
		t.Errorf("sent to %s", got)
	}
	if got := p.Failed(now, m, "timeout"); len(got) != 1 || got[0] != (Unreachable{"timeout"}) {
		t.Errorf("no answer gives %v", got)
	}
}

func TestPhoneRefusesNonsense(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string][]string{
		"no expiry": {}, "too short": {"Expires", "5"}, "of another": {"Contact", "<sip:2@192.0.2.41:5060>;expires=100"},
	} {
		p, next := scripted(t)
		p.Start()
		m := next(p.Connected(udp.Peer))
		if got := p.Answered(begin, m, reply(m, 200, fields...)); len(got) != 1 || p.Wake().IsZero() {
			t.Errorf("%s: %v", name, got)
		} else if _, ok := got[0].(Refused); !ok {
			t.Errorf("%s: %v, want Refused", name, got)
		}
	}
}

// A server that calls every answer stale, or asks for what we cannot do, gets no endless attempts.
func TestPhoneDoesNotLoop(t *testing.T) {
	t.Parallel()
	for challenge, want := range map[string]int{
		`Digest realm="r",nonce="n",qop="auth",stale=true`: maxChallenges + 1,
		`Digest realm="r",nonce="n",qop="auth"`:            2,
		`Digest realm="r",nonce="n",algorithm=SHA-256`:     1,
		``: 1,
	} {
		p, next := scripted(t)
		p.Start()
		actions, sent := p.Connected(udp.Peer), 0
		for ; sent < 10; sent++ {
			if _, ok := actions[0].(Send); !ok {
				break
			}
			m := next(actions)
			actions = p.Answered(begin, m, reply(m, 401, "WWW-Authenticate", challenge))
		}
		if _, ok := actions[0].(Refused); !ok || sent != want {
			t.Errorf("%q: %d requests, then %v; want %d and Refused", challenge, sent, actions, want)
		}
	}
}

func TestPhoneStops(t *testing.T) {
	t.Parallel()
	p, _ := scripted(t)
	if got := p.Stop(begin); len(got) != 1 || got[0] != (Finished{}) {
		t.Errorf("before it began: %v", got)
	}
	if got := p.Start(); got != nil {
		t.Errorf("after its end: %v", got)
	}
	p, next := scripted(t)
	p.Start()
	m := next(p.Connected(udp.Peer))
	p.Answered(begin, m, reply(m, 200, "Expires", "100"))
	bye := next(p.Stop(begin))
	if bye.Fields.Get("Expires") != "0" {
		t.Errorf("takes leave with %v", bye.Fields)
	}
	if got := p.Advance(begin.Add(farewell)); len(got) != 1 || got[0] != (Finished{}) {
		t.Errorf("without an answer: %v", got)
	}
}

func TestChatter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, field, value string
		registered           bool
		want                 int
	}{
		"options":          {sip.Options, "", "", false, 200},
		"alarm":            {sip.Refer, "Content-Type", "application/x-cisco-alarm+xml", false, 202},
		"remotecc answer":  {sip.Refer, "Content-Type", "application/x-cisco-remotecc-response+xml;x=y", true, 202},
		"token":            {sip.Refer, "Refer-To", "<urn:x-cisco-remotecc:token-registration>", false, 202},
		"soft key":         {sip.Refer, "Content-Type", "multipart/mixed", true, 603},
		"stranger's refer": {sip.Refer, "Refer-To", "<sip:1002@x>", false, 403},
		"hook state":       {sip.Notify, "Event", "dialog", true, 200},
		"other notify":     {sip.Notify, "Event", "x", true, 489},
		"stranger":         {sip.Notify, "Event", "dialog", false, 403},
		"presence":         {sip.Subscribe, "Event", "presence", true, 489},
		"publish":          {sip.Publish, "Event", "presence", true, 489},
		"message":          {"MESSAGE", "", "", true, 405},
	} {
		m := &sip.Message{Method: c.method}
		m.Fields.Add("From", "<sip:1001@x>;tag=1")
		m.Fields.Add("To", "<sip:1001@x>")
		m.Fields.Add(c.field, c.value)
		if got := Chatter(m, c.registered).Status; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
