package callmanager_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/callmanager"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/sipnet"
	"github.com/longcord/longcord/stage/call"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

const deviceName = "SEP001122334455"

var lastLoopback atomic.Uint32

// loopback returns an address of this machine that nobody else uses, so that ports need no luck.
func loopback() netip.Addr {
	n := lastLoopback.Add(1)
	return netip.AddrFrom4([4]byte{127, 204, byte(os.Getpid() + mathrand.IntN(100)), byte(n)})
}

// inventorySet has three lines, two of them on one device.
func inventorySet() *inventory.Set {
	set := inventory.NewSet()
	for _, number := range []string{"1001", "1002", "1003"} {
		set.Lines[number] = &inventory.Line{Name: number, DisplayName: "Line " + number, Secret: secret.New("secret-" + number)}
	}
	set.Devices[deviceName] = &inventory.Device{Name: deviceName, Lines: []string{"1002", "1003"}}
	return set
}

func unchanging() func() *inventory.Set {
	set := inventorySet()
	return func() *inventory.Set { return set }
}

// manager is a call manager that runs, and what it says.
type manager struct {
	*callmanager.Manager
	stop func() // may be called again
	log  chan string
}

// logged is a log that passes on the messages.
type logged struct {
	slog.Handler
	messages chan<- string
}

func (l logged) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (l logged) WithAttrs([]slog.Attr) slog.Handler               { return l }

func (l logged) Handle(_ context.Context, r slog.Record) error {
	l.messages <- r.Message
	return nil
}

// says waits until the call manager has logged this.
func (m *manager) says(t *testing.T, message string) {
	t.Helper()
	for next(t, m.log, message) != message {
	}
}

// lines returns which lines are registered.
func (m *manager) lines() string {
	var all []string
	for _, b := range m.Registrations() {
		all = append(all, b.Line)
	}
	return strings.Join(all, " ")
}

// serve runs a call manager, at the latest until the test ends.
func serve(t *testing.T, at netip.Addr, kept store.Store, set func() *inventory.Set) *manager {
	t.Helper()
	log := make(chan string, 50000)
	m, err := callmanager.New(callmanager.Config{
		Settings: callmanager.Settings{Listen: at}, Inventory: set, Store: kept,
		Log: slog.New(logged{slog.DiscardHandler, log}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := servertest.Start(t, m.Serve)
	return &manager{m, stop, log}
}

// phone is a bare phone: it sends and answers what the test tells it to.
type phone struct {
	t         *testing.T
	stack     *sipnet.Stack
	flow      sip.Flow
	line      string
	device    sip.Device
	transport sip.Transport
	cseq      int
	requests  chan *sip.Message
	answers   chan *sip.Message
	lost      chan sip.Flow
}

// newPhone makes a phone at an address of its own that speaks with the call manager.
func newPhone(t *testing.T, manager netip.Addr, transport sip.Transport, line string) *phone {
	t.Helper()
	p := &phone{
		t: t, line: line, transport: transport, flow: sip.Flow{Transport: transport, Peer: netip.AddrPortFrom(manager, 5060)},
		requests: make(chan *sip.Message, 100), answers: make(chan *sip.Message, 100), lost: make(chan sip.Flow, 100),
	}
	p.stack = sipnet.New(p, nil)
	t.Cleanup(p.stack.Close)
	own := netip.AddrPortFrom(loopback(), 5060)
	var err error
	if transport == sip.UDP {
		var socket net.PacketConn
		if socket, err = net.ListenPacket("udp", own.String()); err == nil {
			err = p.stack.ListenPacket(socket)
		}
	} else {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: own.Addr().AsSlice()}}
		var c net.Conn
		if c, err = dialer.Dial("tcp", p.flow.Peer.String()); err == nil {
			p.flow, err = p.stack.Connect(c)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *phone) Received(_ sip.Flow, request *sip.Message) { p.requests <- request }
func (p *phone) Cancelled(*sip.Message)                    {}
func (p *phone) Answered(_, response *sip.Message)         { p.answers <- response }
func (p *phone) Failed(request *sip.Message, err error)    { p.t.Errorf("%v: %v", request, err) }
func (p *phone) Lost(flow sip.Flow)                        { p.lost <- flow }

// next returns the next of what comes.
func next[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("no %q came", what)
		panic("unreachable")
	}
}

// final returns the next final answer.
func (p *phone) final() *sip.Message {
	p.t.Helper()
	for {
		if m := next(p.t, p.answers, "answer"); m.Final() {
			return m
		}
	}
}

// arrived returns the next request, which must be of this method.
func (p *phone) arrived(method string) *sip.Message {
	p.t.Helper()
	m := next(p.t, p.requests, method)
	if m.Method != method {
		p.t.Fatalf("%v came, want %s", m, method)
	}
	return m
}

func (p *phone) contact() string {
	own := p.stack.Local(p.flow)
	return sip.Address{URI: sip.URI{Scheme: "sip", User: p.line, Host: own.Addr().String(), Port: own.Port()}}.String()
}

// request makes a request outside calls.
func (p *phone) request(method, to string) *sip.Message {
	p.cseq++
	server := p.flow.Peer.Addr().String()
	m := &sip.Message{Method: method, URI: sip.URI{Scheme: "sip", User: to, Host: server}}
	m.Fields.Add("From", fmt.Sprintf("<sip:%s@%s>;tag=%s", p.line, server, rand.Text()))
	m.Fields.Add("To", fmt.Sprintf("<sip:%s@%s>", to, server))
	m.Fields.Add("Call-ID", rand.Text())
	m.Fields.Add("CSeq", fmt.Sprint(p.cseq, " ", method))
	m.Fields.Add("Contact", p.contact())
	return m
}

func (p *phone) post(m *sip.Message) {
	p.t.Helper()
	if err := p.stack.Request(p.flow, m); err != nil {
		p.t.Fatal(err)
	}
}

// send sends a request and returns its final answer.
func (p *phone) send(m *sip.Message) *sip.Message {
	p.t.Helper()
	p.post(m)
	return p.final()
}

// attempt lets a registration send until it is accepted or refused, and returns which.
func (p *phone) attempt(r *register.Registration, actions []register.Action) register.Action {
	p.t.Helper()
	for {
		send, ok := actions[0].(register.Send)
		if !ok {
			return actions[0]
		}
		actions = r.Answered(time.Now(), send.Request, p.send(send.Request))
	}
}

// register registers the phone's line.
func (p *phone) register() *register.Registration {
	p.t.Helper()
	r, err := register.NewRegistration(register.RegistrationConfig{
		Server: p.flow.Peer.Addr().String(), Transport: p.transport, Line: p.line, Secret: secret.New("secret-" + p.line),
		Device: p.device, Rand: rand.Reader,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	r.Start()
	if got, ok := p.attempt(r, r.Connected(p.stack.Local(p.flow))).(register.Accepted); !ok {
		p.t.Fatalf("the registration ends with %+v", got)
	}
	return r
}

// reply answers a request that the phone has received.
func (p *phone) reply(request *sip.Message, status int, body string) {
	m := sip.NewResponse(request, status, "tag-of-"+p.line)
	m.Fields.Add("Contact", p.contact())
	m.Body = []byte(body)
	p.stack.Respond(request, m)
}

// within makes a request within the call that an answer to the phone's INVITE has made.
func (p *phone) within(answer *sip.Message, method string) *sip.Message {
	p.t.Helper()
	contacts, err := answer.Contacts()
	if err != nil || len(contacts) != 1 {
		p.t.Fatalf("%v has contacts %v (%v)", answer, contacts, err)
	}
	n, _, _ := answer.CSeq()
	if method != sip.Ack {
		n++
	}
	m := &sip.Message{Method: method, URI: contacts[0].URI}
	for _, name := range []string{"From", "To", "Call-ID"} {
		m.Fields.Add(name, answer.Fields.Get(name))
	}
	m.Fields.Add("CSeq", fmt.Sprint(n, " ", method))
	return m
}

// A phone on TCP is called over the connection on which it registered: nothing listens at its address.
func TestCall(t *testing.T) {
	t.Parallel()
	for _, way := range [][2]sip.Transport{{sip.UDP, sip.TCP}, {sip.TCP, sip.UDP}} {
		at := loopback()
		m := serve(t, at, memory.New(), unchanging())
		ann, bob := newPhone(t, at, way[0], "1001"), newPhone(t, at, way[1], "1002")
		ann.register()
		bob.register()
		invite := ann.request(sip.Invite, "1002")
		invite.Fields.Add("Content-Type", "application/sdp")
		invite.Body = []byte("ann's offer")
		ann.post(invite)
		rung := bob.arrived(sip.Invite)
		party, err := sip.ParseRemoteParty(rung.Fields.Get("Remote-Party-ID"))
		if err != nil || party.URI.User != "1001" || party.Name != "Line 1001" || string(rung.Body) != "ann's offer" {
			t.Errorf("bob is rung by %+v (%v) with %q", party, err, rung.Body)
		}
		bob.reply(rung, 180, "")
		bob.reply(rung, 200, "bob's answer")
		accepted := ann.final()
		if accepted.Status != 200 || string(accepted.Body) != "bob's answer" {
			t.Fatalf("ann hears %v with %q", accepted, accepted.Body)
		}
		ann.stack.Ack(invite, ann.within(accepted, sip.Ack))
		bob.arrived(sip.Ack)
		if calls := m.Calls(); len(calls) != 1 || calls[0].Caller != "1001" || calls[0].Called != "1002" || calls[0].State != call.Talking {
			t.Errorf("calls under way: %+v", calls)
		}
		if ended := ann.send(ann.within(accepted, sip.Bye)); ended.Status != 200 {
			t.Errorf("ann's BYE is answered with %v", ended)
		}
		bob.reply(bob.arrived(sip.Bye), 200, "")
		m.says(t, "call ends")
		if calls := m.Calls(); len(calls) != 0 {
			t.Errorf("calls under way: %+v", calls)
		}
	}
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	at := loopback()
	m := serve(t, at, memory.New(), unchanging())
	ann, bob := newPhone(t, at, sip.TCP, "1001"), newPhone(t, at, sip.UDP, "1002")
	ann.register()
	bob.register()
	invite := ann.request(sip.Invite, "1002")
	ann.post(invite)
	bob.reply(bob.arrived(sip.Invite), 180, "")
	for next(t, ann.answers, "180").Status != 180 {
	}
	ann.stack.Cancel(invite)
	if m := ann.final(); m.Status != 487 {
		t.Errorf("ann hears %v", m)
	}
	m.says(t, "call ends")
}

func TestWhoMayCallWhom(t *testing.T) {
	t.Parallel()
	at := loopback()
	serve(t, at, memory.New(), unchanging())
	ann := newPhone(t, at, sip.TCP, "1001")
	if m := ann.send(ann.request(sip.Invite, "1002")); m.Status != 403 {
		t.Errorf("a call from an unregistered phone is answered with %v", m)
	}
	ann.register()
	for number, want := range map[string]int{"1002": 480, "9": 404, "1001": 486} {
		if m := ann.send(ann.request(sip.Invite, number)); m.Status != want {
			t.Errorf("a call to %s is answered with %v, want %d", number, m, want)
		}
	}
	eve := newPhone(t, at, sip.TCP, "1001")
	if m := eve.send(eve.request(sip.Invite, "1002")); m.Status != 403 {
		t.Errorf("a call in another phone's name is answered with %v", m)
	}
}

// A manager that starts again knows who was there, and calls phones on UDP before they register again.
func TestRestart(t *testing.T) {
	t.Parallel()
	at, kept := loopback(), memory.New()
	m := serve(t, at, kept, unchanging())
	ann, bob := newPhone(t, at, sip.UDP, "1001"), newPhone(t, at, sip.TCP, "1002")
	bob.device = sip.Device{Instance: "urn:uuid:00000000-0000-0000-0000-001122334455", Name: deviceName, Model: 684}
	ann.register()
	bob.register()
	before := m.Registrations()
	if got := m.lines(); got != "1001 1002 1003" {
		t.Errorf("registered are %s", got)
	}
	m.stop()
	if lost := next(t, bob.lost, "end of bob's connection"); lost != bob.flow {
		t.Errorf("lost %v", lost)
	}

	m = serve(t, at, kept, unchanging())
	after := m.Registrations()
	if len(after) != len(before) {
		t.Fatalf("after the restart %+v are registered, want %+v", after, before)
	}
	for i, b := range before {
		a := after[i]
		if a.Line != b.Line || a.Contact != b.Contact || a.Flow != b.Flow || a.CallID != b.CallID || a.Follows != b.Follows || !a.Since.Equal(b.Since) {
			t.Errorf("after the restart %+v, want %+v", a, b)
		}
	}
	carl := newPhone(t, at, sip.TCP, "1003")
	carl.register()
	carl.post(carl.request(sip.Invite, "1001"))
	ann.reply(ann.arrived(sip.Invite), 486, "")
	if m := carl.final(); m.Status != 486 {
		t.Errorf("a call to a phone known from before is answered with %v", m)
	}
	if m := carl.send(carl.request(sip.Invite, "1002")); m.Status != 480 {
		t.Errorf("a call to a phone whose connection is gone is answered with %v", m)
	}
}

func TestConnectionLost(t *testing.T) {
	t.Parallel()
	at, kept := loopback(), memory.New()
	m := serve(t, at, kept, unchanging())
	bob := newPhone(t, at, sip.TCP, "1002")
	bob.register()
	bob.stack.Close()
	m.says(t, "unregistered")
	if got := m.lines(); got != "" {
		t.Errorf("registered are %s", got)
	}
	m.stop()
	if records, _, err := kept.List(t.Context(), "callmanager/"); err != nil || len(records) != 0 {
		t.Errorf("left in the store: %v (%v)", records, err)
	}
}

func TestInventoryChanges(t *testing.T) {
	t.Parallel()
	var current atomic.Pointer[inventory.Set]
	current.Store(inventorySet())
	at := loopback()
	serve(t, at, memory.New(), current.Load)
	ann := newPhone(t, at, sip.UDP, "1001")
	r := ann.register()
	without := inventorySet()
	delete(without.Lines, "1001")
	current.Store(without)
	if refused, ok := ann.attempt(r, r.Advance(r.Wake())).(register.Refused); !ok || refused.Status != 403 {
		t.Errorf("a line that is gone is answered with %+v", refused)
	}
	current.Store(inventorySet())
	ann.register()
}

// One address that floods us gets as many answers as it may, and others are served meanwhile.
func TestFlood(t *testing.T) {
	t.Parallel()
	at := loopback()
	m := serve(t, at, memory.New(), unchanging())
	ann := newPhone(t, at, sip.TCP, "1001")
	eve, err := net.Dial("udp", netip.AddrPortFrom(at, 5060).String())
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan int)
	go func() {
		buffer := make([]byte, 4096)
		for n := 0; ; n++ {
			if _, err := eve.Read(buffer); err != nil {
				answers <- n
				return
			}
		}
	}()
	begun := time.Now()
	const sent = 20000
	for i := range sent {
		text := fmt.Sprintf("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK%d\r\nFrom: <sip:9@x>;tag=a\r\n"+
			"To: <sip:9@x>\r\nCall-ID: %d\r\nCSeq: 1 REGISTER\r\nContact: <sip:9@x>\r\nContent-Length: 0\r\n\r\n", at, i, i)
		if _, err := eve.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	ann.register()
	allowed := 2000 + 200*time.Since(begun).Seconds()
	eve.Close()
	if n := <-answers; n == 0 || float64(n) > allowed {
		t.Errorf("%d of %d are answered, want some, but not more than %.0f", n, sent, allowed)
	}
	if got := m.lines(); got != "1001" {
		t.Errorf("registered are %s", got)
	}
}

func TestStoreIsClosed(t *testing.T) {
	t.Parallel()
	kept := memory.New()
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := callmanager.New(callmanager.Config{
		Settings: callmanager.Settings{Listen: loopback()}, Inventory: unchanging(), Store: kept,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "callmanager: registrations: ") {
		t.Errorf("opened without its registrations (%v)", err)
	}
}

// One search for a device name finds the calls of that phone, whichever side it was on.
func TestLogNamesThePhones(t *testing.T) {
	t.Parallel()
	at, set := loopback(), inventorySet()
	const other = "SEP665544332211"
	set.Devices[other] = &inventory.Device{Name: other, Lines: []string{"1001"}}
	var log bytes.Buffer
	m, err := callmanager.New(callmanager.Config{
		Settings: callmanager.Settings{Listen: at}, Inventory: func() *inventory.Set { return set },
		Store: memory.New(), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := servertest.Start(t, m.Serve)
	ann, bob := newPhone(t, at, sip.TCP, "1001"), newPhone(t, at, sip.TCP, "1002")
	ann.device.Name, bob.device.Name = other, deviceName
	ann.register()
	bob.register()
	ann.post(ann.request(sip.Invite, "1002"))
	bob.reply(bob.arrived(sip.Invite), 486, "")
	if answer := ann.final(); answer.Status != 486 {
		t.Errorf("ann hears %v", answer)
	}
	invite := ann.request(sip.Invite, "1002")
	ann.post(invite)
	bob.reply(bob.arrived(sip.Invite), 200, "bob's offer")
	ann.stack.Ack(invite, ann.within(ann.final(), sip.Ack))
	bob.arrived(sip.Ack)
	stop()
	for _, message := range []string{"call begins", "call ends"} {
		want := regexp.MustCompile(`msg="` + message + `" .*phone=` + other + ` caller=1001 called_phone=` + deviceName + ` called=1002`)
		if !want.MatchString(log.String()) {
			t.Errorf("no %q with both phones in:\n%s", message, log.String())
		}
	}
	if want := `msg="call manager ends" actor=callmanager calls=1 registrations=3`; !strings.Contains(log.String(), want) {
		t.Errorf("no %q in:\n%s", want, log.String())
	}
}
