package register_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

var (
	noon   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	desk   = sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50057")}
	softly = sip.Flow{Transport: sip.UDP, Peer: netip.MustParseAddrPort("198.51.100.7:5060")}
)

// Contacts as a Cisco phone and a standard phone write them.
const (
	ciscoContact = `<sip:8a2c4e3b-0001@192.0.2.40:50057;transport=tcp>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-001122334455>";+u.sip!devicename.ccm.cisco.com="SEP001122334455";+u.sip!model.ccm.cisco.com="684"`
	plainContact = `<sip:1001@198.51.100.7:5060;ob>;+sip.ice;q=0.5`
)

// office is a registrar, its inventory, and a clock.
type office struct {
	*register.Registrar
	now     time.Time
	lines   map[string]register.Line
	devices map[string][]string
	cseq    int
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{now: noon, cseq: 100, lines: map[string]register.Line{}, devices: map[string][]string{}}
	const device = "SEP001122334455"
	for _, number := range []string{"1001", "1002", "1003"} {
		o.lines[number] = register.Line{Number: number, Secret: secret.New("secret-" + number), Devices: []string{device}}
	}
	o.lines["1004"] = register.Line{Number: "1004", Secret: secret.New("secret-1004")}
	o.lines["1999"] = register.Line{Number: "1999"}
	o.devices[device] = []string{"1001", "1002", "gone", "1003"}
	o.Registrar = o.newRegistrar(t)
	return o
}

// newRegistrar makes another registrar over the same inventory, as after a restart.
func (o *office) newRegistrar(t *testing.T) *register.Registrar {
	t.Helper()
	r, err := register.NewRegistrar(register.RegistrarConfig{
		Realm: "longcord", Rand: bytes.NewReader(make([]byte, 64)),
		Line:  func(number string) (register.Line, bool) { l, ok := o.lines[number]; return l, ok },
		Lines: func(device string) []string { return o.devices[device] },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// request makes a REGISTER of the line. Of the extra fields, "Name: value" each, a Call-ID replaces the usual one.
func (o *office) request(t *testing.T, line, contact string, extra ...string) *sip.Message {
	t.Helper()
	o.cseq++
	fields := []string{
		"REGISTER sip:192.0.2.1 SIP/2.0", "Via: SIP/2.0/TCP 192.0.2.40:50057;branch=z9hG4bKx",
		fmt.Sprintf("From: <sip:%s@192.0.2.1>;tag=t", line), fmt.Sprintf("To: <sip:%s@192.0.2.1>", line),
		fmt.Sprintf("CSeq: %d REGISTER", o.cseq), "User-Agent: Cisco-CP8851/12.1.1",
	}
	if contact != "" {
		fields = append(fields, "Contact: "+contact)
	}
	if !slices.ContainsFunc(extra, func(s string) bool { return strings.HasPrefix(s, "Call-ID:") }) {
		fields = append(fields, "Call-ID: registration-of-"+line)
	}
	fields = append(append(fields, extra...), "Content-Length: 0", "", "")
	m, err := sip.Parse([]byte(strings.Join(fields, "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// receive hands the registrar a request and returns its answer and the rest of what it wants.
func (o *office) receive(t *testing.T, flow sip.Flow, m *sip.Message) (*sip.Message, []register.Action) {
	t.Helper()
	actions := o.Received(o.now, flow, m)
	if len(actions) == 0 {
		t.Fatalf("%v is not answered", m)
	}
	first, ok := actions[0].(register.Respond)
	if !ok || first.Request != m {
		t.Fatalf("%v: the first action is %+v, want the answer to it", m, actions[0])
	}
	return first.Response, actions[1:]
}

// challenge lets the registrar ask for a login and returns its challenge.
func (o *office) challenge(t *testing.T, flow sip.Flow, line string) sip.Challenge {
	t.Helper()
	response, rest := o.receive(t, flow, o.request(t, line, plainContact))
	c, err := sip.ParseChallenge(response.Fields.Get("WWW-Authenticate"))
	if response.Status != 401 || err != nil || len(rest) != 0 {
		t.Fatalf("answered with %v, challenge %+v (%v), then %v", response, c, err, rest)
	}
	return c
}

func authorization(c sip.Challenge, line, password string, count uint32) string {
	return "Authorization: " + c.Answer(line, secret.New(password), sip.Register, "sip:192.0.2.1", "cn", count).String()
}

// register sends a REGISTER with the right secret.
func (o *office) register(t *testing.T, flow sip.Flow, line, contact string, extra ...string) (*sip.Message, []register.Action) {
	t.Helper()
	login := authorization(o.challenge(t, flow, line), line, "secret-"+line, 1)
	return o.receive(t, flow, o.request(t, line, contact, append(extra, login)...))
}

// told names what actions are, with the line that each concerns.
func told(actions []register.Action) string {
	var words []string
	for _, action := range actions {
		switch a := action.(type) {
		case register.Respond:
			words = append(words, fmt.Sprintf("respond %d", a.Response.Status))
		case register.Keep:
			words = append(words, "keep "+a.Binding.Line)
		case register.Forget:
			words = append(words, "forget "+a.Binding.Line)
		case register.Registered:
			word := "registered " + a.Binding.Line
			if a.Before.Line != "" {
				word += " before at " + a.Before.Flow.String()
			}
			words = append(words, word)
		case register.Unregistered:
			words = append(words, "unregistered "+a.Binding.Line+" because "+a.Why)
		case register.Denied:
			words = append(words, "denied "+a.Line+" because "+a.Why)
		case register.Connect:
			words = append(words, "connect")
		case register.Send:
			words = append(words, "send "+a.Request.Fields.Get("Expires"))
		case register.Accepted:
			words = append(words, fmt.Sprintf("accepted until %v", a.Until.Sub(noon)))
		case register.Refused:
			words = append(words, fmt.Sprintf("refused %d %s", a.Status, a.Why))
		case register.Occupied:
			words = append(words, fmt.Sprintf("occupied %d", len(a.Contacts)))
		case register.Unreachable:
			words = append(words, "unreachable "+a.Why)
		case register.Finished:
			words = append(words, "finished")
		}
	}
	return strings.Join(words, ", ")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := o.challenge(t, desk, "1001")
	if c.Realm != "longcord" || !c.QOP || c.Stale {
		t.Errorf("challenge %+v, want a fresh one of our realm that offers qop auth", c)
	}
	response, rest := o.receive(t, desk, o.request(t, "1001", plainContact, authorization(c, "1001", "secret-1001", 1)))
	if response.Status != 200 || told(rest) != "keep 1001, registered 1001" {
		t.Errorf("answered with %v, then %s", response, told(rest))
	}
	for name, login := range map[string]string{
		"wrong secret":    authorization(c, "1001", "secret", 2),
		"another line":    authorization(c, "1002", "secret-1001", 2),
		"not the request": "Authorization: " + c.Answer("1001", secret.New("secret-1001"), sip.Invite, "sip:192.0.2.1", "cn", 2).String(),
	} {
		response, rest := o.receive(t, desk, o.request(t, "1001", plainContact, login))
		if response.Status != 403 || response.Fields.Get("WWW-Authenticate") != "" || told(rest) != "denied 1001 because wrong secret for line 1001" {
			t.Errorf("%s: answered with %v, then %s; a new challenge would make the phone loop", name, response, told(rest))
		}
	}
	c.Realm = "another"
	response, _ = o.receive(t, desk, o.request(t, "1001", plainContact, authorization(c, "1001", "secret-1001", 3), "Authorization: Basic eA=="))
	if response.Status != 401 {
		t.Errorf("credentials for another realm are answered with %v, want a challenge", response)
	}
}

func TestNonce(t *testing.T) {
	t.Parallel()
	elsewhere := sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("203.0.113.1:50057")}
	otherPort := sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50058")}
	type try struct {
		flow  sip.Flow
		line  string
		after time.Duration
		bend  func(*sip.Challenge)
		count uint32
		want  int
	}
	for name, tries := range map[string][]try{
		"used again with a higher count": {{count: 1, want: 200}, {count: 2, want: 200}, {count: 9, want: 200}},
		"the same count again":           {{count: 2, want: 200}, {count: 2, want: 401}, {count: 1, want: 401}},
		"from another address":           {{flow: elsewhere, count: 1, want: 401}},
		"from another port":              {{flow: otherPort, count: 1, want: 200}},
		"of another line":                {{line: "1002", count: 1, want: 401}},
		"young enough":                   {{after: 5 * time.Minute, count: 1, want: 200}},
		"too old":                        {{after: 5*time.Minute + 1, count: 1, want: 401}},
		"without a count":                {{bend: func(c *sip.Challenge) { c.QOP = false }, want: 401}},
		"forged":                         {{bend: func(c *sip.Challenge) { c.Nonce = "x." + strings.Repeat("0", 32) }, count: 1, want: 401}},
		"without a seal":                 {{bend: func(c *sip.Challenge) { c.Nonce, _, _ = strings.Cut(c.Nonce, ".") }, count: 1, want: 401}},
	} {
		o := newOffice(t)
		c := o.challenge(t, desk, "1001")
		for i, try := range tries {
			if try.flow == (sip.Flow{}) {
				try.flow = desk
			}
			if try.line == "" {
				try.line = "1001"
			}
			o.now = o.now.Add(try.after)
			bent := c
			if try.bend != nil {
				try.bend(&bent)
			}
			response, _ := o.receive(t, try.flow, o.request(t, try.line, plainContact, authorization(bent, try.line, "secret-"+try.line, try.count)))
			if response.Status != try.want {
				t.Errorf("%s, attempt %d: answered with %v, want %d", name, i+1, response, try.want)
				continue
			}
			if again, err := sip.ParseChallenge(response.Fields.Get("WWW-Authenticate")); try.want == 401 && (err != nil || !again.Stale) {
				t.Errorf("%s: challenge %+v (%v), want a stale one, so that nobody is asked for the secret", name, again, err)
			}
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for line, why := range map[string]string{"9": `no line "9"`, "1999": "line 1999 has no secret", "": `no line ""`} {
		response, rest := o.receive(t, desk, o.request(t, line, plainContact))
		expect(t, line+" is told", response.Fields.Get("Warning"), fmt.Sprintf("399 longcord %q", why))
		expect(t, line+" reports", told(rest), "denied "+line+" because "+why)
		if response.Status != 403 || response.ToTag() == "" {
			t.Errorf("line %q: answered with %v, want 403 with a tag", line, response)
		}
	}
	response, rest := o.register(t, desk, "1004", ciscoContact)
	if response.Status != 403 || told(rest) != `denied 1004 because device "SEP001122334455" does not have line 1004` {
		t.Errorf("a device without this line is answered with %v, then %s", response, told(rest))
	}
	for name, contact := range map[string]string{"two contacts": plainContact + ", <sip:b@192.0.2.9>", "no address": "<sip:"} {
		if response, rest := o.register(t, desk, "1001", contact); response.Status != 400 || len(rest) != 0 {
			t.Errorf("%s: answered with %v, then %s", name, response, told(rest))
		}
	}
	if all := o.Bindings(); len(all) != 0 {
		t.Errorf("refused, but bound: %+v", all)
	}
}

func TestExpires(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		contact string
		fields  []string
		want    string // Expires of the answer, or the status and Min-Expires
	}{
		{ciscoContact, []string{"Expires: 3600"}, "120"},
		{ciscoContact, []string{"Expires: 30"}, "120"},
		{ciscoContact, nil, "120"},
		{ciscoContact, []string{"Expires: 0"}, "0"},
		{plainContact, []string{"Expires: 3600"}, "3600"},
		{plainContact, []string{"Expires: 7200"}, "3600"},
		{plainContact, []string{"Expires: 4294967295"}, "3600"},
		{plainContact, []string{"Expires: 60"}, "60"},
		{plainContact, []string{"Expires: 59"}, "423 60"},
		{plainContact, []string{"Expires: soon"}, "3600"},
		{plainContact, nil, "3600"},
		{plainContact, []string{"Expires: 0"}, "0"},
		{plainContact + ";expires=90", []string{"Expires: 3600"}, "90"},
		{plainContact + ";expires=1", []string{"Expires: 3600"}, "423 60"},
		{plainContact + ";expires=0", []string{"Expires: 3600"}, "0"},
		{plainContact + ";expires=soon", []string{"Expires: 90"}, "90"},
	} {
		response, _ := newOffice(t).register(t, desk, "1001", test.contact, test.fields...)
		got := response.Fields.Get("Expires")
		if response.Status != 200 {
			got = fmt.Sprint(response.Status, " ", response.Fields.Get("Min-Expires"))
		}
		expect(t, fmt.Sprint(test.contact, test.fields), got, test.want)
	}
	if lowest := 66 * time.Second; register.CiscoExpires < lowest {
		t.Errorf("Cisco phones get %v; below %v they take the answer for an error", register.CiscoExpires, lowest)
	}
}

func TestNewRegistrationMark(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	otherPort := sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50099")}
	for _, step := range []struct {
		what, line, contact string
		flow                sip.Flow
		extra               []string
		marked              bool
	}{
		{"first", "1001", ciscoContact, desk, nil, true},
		{"refresh", "1001", ciscoContact, desk, nil, false},
		{"after a restart of the phone", "1001", ciscoContact, desk, []string{"Call-ID: another"}, true},
		{"refresh of that", "1001", ciscoContact, desk, []string{"Call-ID: another"}, false},
		{"over a new connection", "1001", ciscoContact, otherPort, []string{"Call-ID: another"}, true},
		{"second line", "1002", ciscoContact, otherPort, nil, false},
		{"standard phone", "1004", plainContact, softly, nil, false},
	} {
		response, _ := o.register(t, step.flow, step.line, step.contact, step.extra...)
		contacts, err := response.Contacts()
		if err != nil || len(contacts) != 1 || contacts[0].Params.Has(sip.NewRegistration) != step.marked {
			t.Errorf("%s: answered with contact %v (%v), want the mark of a new registration: %v", step.what, contacts, err, step.marked)
		}
	}
}

func TestBulk(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, rest := o.register(t, desk, "1001", ciscoContact)
	expect(t, "first line", told(rest), "keep 1001, registered 1001, keep 1002, registered 1002, keep 1003, registered 1003")
	expect(t, "lines of the connection", strings.Join(o.At(desk), " "), "1001 1002 1003")
	b := o.Lookup(o.now, "1003")
	if len(b) != 1 || b[0].Contact != ciscoContact || b[0].Flow != desk || !b[0].Follows || b[0].Model != 684 {
		t.Errorf("third line is at %+v", b)
	}
	o.now = o.now.Add(115 * time.Second)
	_, rest = o.register(t, desk, "1001", ciscoContact)
	expect(t, "refresh", told(rest), "")
	expect(t, "nobody is late", told(o.Advance(o.now.Add(100*time.Second))), "")
	_, rest = o.register(t, desk, "1001", ciscoContact, "Expires: 0")
	expect(t, "taken back", told(rest), strings.Join([]string{
		"forget 1001, unregistered 1001 because the phone took it back",
		"forget 1002, unregistered 1002 because the phone took it back",
		"forget 1003, unregistered 1003 because the phone took it back"}, ", "))
}

func TestSecondLineRegistersItself(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	own := strings.Replace(ciscoContact, "8a2c4e3b-0001", "8a2c4e3b-0002", 1)
	o.register(t, desk, "1001", ciscoContact)
	_, rest := o.register(t, desk, "1002", own)
	expect(t, "second line", told(rest), "keep 1002, registered 1002 before at TCP 192.0.2.40:50057")
	_, rest = o.register(t, desk, "1001", ciscoContact)
	expect(t, "refresh of the first line", told(rest), "")
	if b := o.Lookup(o.now, "1002"); len(b) != 1 || b[0].Contact != own {
		t.Errorf("second line is at %+v, want its own contact", b)
	}
	_, rest = o.register(t, desk, "1002", own)
	expect(t, "refresh of the second line", told(rest), "")
	newer := sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50099")}
	o.now = noon.Add(time.Minute)
	_, rest = o.register(t, newer, "1001", ciscoContact)
	if !strings.Contains(told(rest), "registered 1002 before at TCP 192.0.2.40:50057") {
		t.Errorf("after a restart of the phone: %s, want the second line there too", told(rest))
	}
}

func TestRequestsOutOfOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.register(t, desk, "1001", ciscoContact)
	o.cseq -= 3
	if response, rest := o.register(t, desk, "1001", ciscoContact, "Expires: 0"); response.Status != 400 || len(rest) != 0 {
		t.Errorf("an overtaken request is answered with %v, then %s", response, told(rest))
	}
	o.cseq = 0
	if response, _ := o.register(t, desk, "1001", ciscoContact, "Call-ID: another"); response.Status != 200 {
		t.Errorf("a phone that starts over is answered with %v", response)
	}
}

func TestSeveralPlaces(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.register(t, desk, "1001", ciscoContact)
	o.now = o.now.Add(time.Second)
	o.register(t, softly, "1001", plainContact, "Call-ID: soft")
	places := o.Lookup(o.now, "1001")
	if len(places) != 2 || places[0].Flow != softly || places[1].Flow != desk {
		t.Fatalf("places %+v, want the newest first", places)
	}
	listed, rest := o.register(t, softly, "1001", "")
	contacts, err := listed.Contacts()
	if err != nil || len(contacts) != 2 || contacts[0].Params.Get("expires") != "3600" || contacts[1].Params.Get("expires") != "119" || len(rest) != 0 {
		t.Errorf("the listing holds %v (%v), then %s", contacts, err, told(rest))
	}
	for i := range 6 {
		o.register(t, softly, "1001", fmt.Sprintf("<sip:1001@198.51.100.7:%d>", 6000+i), fmt.Sprintf("Call-ID: %d", i))
	}
	response, _ := o.register(t, softly, "1001", "<sip:1001@198.51.100.7:7000>", "Call-ID: ninth")
	if response.Status != 403 || len(o.Lookup(o.now, "1001")) != 8 {
		t.Errorf("the ninth place is answered with %v", response)
	}
	if response, _ := o.register(t, softly, "1001", plainContact, "Call-ID: soft"); response.Status != 200 {
		t.Errorf("a refresh among eight places is answered with %v", response)
	}
	if response, rest := o.register(t, softly, "1001", "*", "Expires: 60"); response.Status != 400 || len(rest) != 0 {
		t.Errorf("a star without Expires 0 is answered with %v, then %s", response, told(rest))
	}
	response, rest = o.register(t, softly, "1001", "*", "Expires: 0")
	if response.Status != 200 || len(rest) != 16 || len(o.Lookup(o.now, "1001")) != 0 {
		t.Errorf("a star is answered with %v, then %s", response, told(rest))
	}
}

func TestConnectionLost(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.register(t, desk, "1001", ciscoContact)
	o.register(t, softly, "1004", plainContact)
	rest := told(o.Lost(desk))
	if strings.Count(rest, "its connection is gone") != 3 || strings.Contains(rest, "1004") {
		t.Errorf("lost: %s", rest)
	}
	expect(t, "lost again", told(o.Lost(desk)), "")
	expect(t, "what stays", strings.Join(o.At(softly), " "), "1004")
}

func TestMovedPhone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.register(t, desk, "1003", ciscoContact)
	newer := sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50099")}
	contact := strings.Replace(ciscoContact, ":50057", ":50099", 1)
	_, rest := o.register(t, newer, "1003", contact)
	expect(t, "moved", told(rest), "keep 1003, registered 1003 before at TCP 192.0.2.40:50057")
	expect(t, "the old connection ends", told(o.Lost(desk)), "")
	if places := o.Lookup(o.now, "1003"); len(places) != 1 || places[0].Contact != contact || places[0].Since != o.now {
		t.Errorf("it is at %+v, want it there since %v", places, o.now)
	}
}

// What an earlier run has written is good until the phone comes back, and refreshes write nothing for long.
func TestStoredBinding(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, rest := o.register(t, softly, "1004", plainContact, "Expires: 3600")
	stored := rest[0].(register.Keep).Binding
	if held := stored.Written.Sub(noon); held < 2*time.Hour {
		t.Errorf("the record holds for %v", held)
	}
	o.now = noon.Add(50 * time.Minute)
	_, rest = o.register(t, softly, "1004", plainContact, "Expires: 3600")
	expect(t, "refresh", told(rest), "")
	o.now = noon.Add(70 * time.Minute)
	_, rest = o.register(t, softly, "1004", plainContact, "Expires: 3600")
	expect(t, "refresh that outlives the record", told(rest), "keep 1004")

	o.Registrar = o.newRegistrar(t)
	o.now = noon.Add(100 * time.Minute)
	expect(t, "restored", told(o.Restore(o.now, stored)), "")
	places := o.Lookup(o.now, "1004")
	if len(places) != 1 || places[0].Flow != softly || places[0].Expires != stored.Written {
		t.Errorf("restored to %+v, want it no longer than its record holds", places)
	}
	_, rest = o.register(t, softly, "1004", plainContact, "Expires: 3600")
	expect(t, "the phone refreshes", told(rest), "keep 1004")
	expect(t, "too old a record", told(o.newRegistrar(t).Restore(noon.Add(3*time.Hour), stored)), "forget 1004")
}

func TestNoRandomness(t *testing.T) {
	t.Parallel()
	if _, err := register.NewRegistrar(register.RegistrarConfig{Rand: strings.NewReader("short")}); err == nil {
		t.Error("a registrar without a key for its nonces")
	}
	if _, err := register.NewRegistration(register.RegistrationConfig{Rand: strings.NewReader("short")}); err == nil {
		t.Error("a registration without a Call-ID")
	}
}
