package register_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sccp"
	"github.com/longcord/longcord/wire/sip"
)

const oldPhone = "SEP001122334455"

var oldDesk = sip.Flow{Transport: register.SCCP, Peer: netip.MustParseAddrPort("192.0.2.45:50057")}

// wires is both halves of SCCP with the bytes between them, and a clock.
type wires struct {
	t         *testing.T
	office    *office
	now       time.Time
	config    register.SCCPServerConfig
	server    *register.SCCPServer
	client    *register.SCCPClient
	connected bool
	deaf      bool // what is sent is lost
	story     []string
	shown     []string
	order     register.Order
	version   sccp.Version
}

func newWires(t *testing.T, client register.SCCPClientConfig) *wires {
	t.Helper()
	client.Device = oldPhone
	client.MAC, client.Type, client.Load, client.Stamp = [6]byte{0, 0x11, 0x22, 0x33, 0x44, 0x55}, 435, "SCCP45.9-4-2SR4-3S", "beef-1"
	w := &wires{t: t, office: newOffice(t), now: noon, client: register.NewSCCPClient(client)}
	w.config = register.SCCPServerConfig{Flow: oldDesk, Own: netip.MustParseAddrPort("192.0.2.1:2000"), Registrar: w.office.Registrar,
		Desk: func(device string) (register.Desk, *register.Refusal) {
			if device != oldPhone {
				return register.Desk{}, &register.Refusal{Text: "Unknown device, and a text that is too long", Why: "no " + device}
			}
			return register.Desk{DateTemplate: "D/M/Y", Lines: []register.DeskLine{{"1001", "Ann"}, {"1002", "A name that is much too long for the display of a phone"}}}, nil
		}}
	return w
}

func (w *wires) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// over carries a message as bytes.
func (w *wires) over(m sccp.Message, by, to sccp.Version) sccp.Message {
	w.t.Helper()
	b, err := sccp.Append(nil, m, by)
	if err != nil {
		w.t.Fatal(err)
	}
	frame, err := sccp.Read(bytes.NewReader(b))
	if err != nil {
		w.t.Fatal(err)
	}
	read, err := sccp.Parse(frame, to)
	if err != nil || read.String() != m.String() {
		w.t.Fatalf("%s in version %d arrives as %v, %v", m, by, read, err)
	}
	return read
}

// ofPhone does what the phone's half wants.
func (w *wires) ofPhone(actions []register.Action) {
	w.t.Helper()
	for _, action := range actions {
		switch a := action.(type) {
		case register.Connect:
			w.tell("connect")
			w.server, w.connected = register.NewSCCPServer(w.config), true
			w.ofPhone(w.client.Connected(w.now, oldDesk.Peer.Addr()))
		case register.Say:
			w.tell("> %s", a.Message.ID())
			if w.connected && !w.deaf {
				w.ofServer(w.server.Received(w.now, w.over(a.Message, w.client.Version(), w.server.Version())))
			}
		case register.Close:
			w.tell("phone closes: %s", a.Why)
			w.hungUp()
		case register.Accepted:
			w.version = w.client.Version()
			w.tell("accepted: %v", w.client.Lines())
		case register.Refused:
			w.tell("refused: %s", a.Why)
		case register.Unreachable:
			w.tell("unreachable: %s", a.Why)
		case register.Finished:
			w.tell("finished")
		case register.Ordered:
			w.order = a.Order
		case register.Shown:
			w.shown = append(w.shown, a.Text)
		}
	}
}

func (w *wires) hungUp() {
	if w.connected {
		w.connected = false
		w.ofServer(w.office.Lost(oldDesk))
	}
}

// ofServer does what the server's half and the registrar want.
func (w *wires) ofServer(actions []register.Action) {
	w.t.Helper()
	for _, action := range actions {
		switch a := action.(type) {
		case register.Say:
			w.tell("< %s", a.Message.ID())
			if w.connected {
				w.ofPhone(w.client.Received(w.now, w.over(a.Message, w.server.Version(), w.client.Version())))
			}
		case register.Close:
			if w.connected {
				w.tell("server closes: %s", a.Why)
				w.connected = false
				w.ofPhone(w.client.Lost(w.now))
			}
		case register.Registered:
			w.tell("in: %s", a.Binding.Line)
		case register.Unregistered:
			w.tell("out: %s, %s", a.Binding.Line, a.Why)
		case register.Denied:
			w.tell("denied %s: %s", a.Line, a.Why)
		case register.Settled:
			w.tell("settled %s", a.Device)
		case register.Pressed:
			w.tell("pressed %s", a.Key)
		}
	}
}

func (w *wires) want(story ...string) {
	w.t.Helper()
	if !slices.Equal(w.story, story) {
		w.t.Errorf("what happened:\n\t%s\nwant:\n\t%s", strings.Join(w.story, "\n\t"), strings.Join(story, "\n\t"))
	}
	w.story = nil
}

// registered lets the phone register and forgets how.
func (w *wires) registered() *wires {
	w.t.Helper()
	w.ofPhone(w.client.Start())
	if !slices.Contains(w.story, "accepted: [1001 1002]") {
		w.t.Fatalf("it is not registered: %q", w.story)
	}
	w.story = nil
	return w
}

// pass lets time pass until the phone or the registrar wants it, for as long as told.
func (w *wires) pass(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); ; {
		at := w.client.Wake()
		if other := w.office.Wake(); at.IsZero() || !other.IsZero() && other.Before(at) {
			at = other
		}
		if at.IsZero() || at.After(end) {
			w.now = end
			return
		}
		w.now = at
		w.ofPhone(w.client.Advance(w.now))
		w.ofServer(w.office.Advance(w.now))
	}
}

func TestSCCPRegistration(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{Restart: "Reset-Reset"})
	w.ofPhone(w.client.Start())
	w.want("connect", "> Alarm", "> RegisterReq", "in: 1001", "in: 1002", "< RegisterAck", "> ButtonTemplateReq", "< ButtonTemplate",
		"> LineStatReq", "< DynamicLineStat", "> LineStatReq", "< DynamicLineStat", "> SoftKeyTemplateReq", "< SoftKeyTemplate", "> SoftKeySetReq", "< SoftKeySets",
		"> ConfigStatReq", "< ConfigStat", "> TimeDateReq", "< TimeDate", "accepted: [1001 1002]", "< SelectSoftKeys", "settled SEP001122334455", "< CapabilitiesReq", "> CapabilitiesRes")
	first, ok := w.office.Device(noon, oldPhone)
	want := register.Binding{
		Line: "1001", Device: oldPhone, Model: 435, Contact: "192.0.2.45", Flow: oldDesk, UserAgent: "SCCP/17", Load: "SCCP45.9-4-2SR4-3S",
		Stamp: "beef-1", Restart: "Reset-Reset", Since: noon, Expires: noon.Add(90 * time.Second), Lifetime: 90 * time.Second, Written: noon.Add(2 * time.Hour),
	}
	if !ok || first != want {
		t.Errorf("it is registered as\n%+v, want\n%+v", first, want)
	}
	w.ofPhone(w.client.Stop(w.now))
	w.want("> UnregisterReq", "< UnregisterAck", "finished", "phone closes: unregistered", "out: 1001, the phone took it back", "out: 1002, the phone took it back")
	w.ofPhone(w.client.Advance(w.now.Add(time.Hour)))
	w.want()
}

// A phone that does not ask for the time takes orders from its first keep-alive on; one that registers again settles again.
func TestSCCPSettles(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{})
	server := register.NewSCCPServer(w.config)
	for _, c := range []struct {
		said    sccp.Message
		settles bool
	}{
		{&sccp.KeepAliveReq{}, false}, {&sccp.RegisterReq{Device: oldPhone, Version: 17}, false}, {&sccp.ButtonTemplateReq{}, false},
		{&sccp.KeepAliveReq{}, true}, {&sccp.KeepAliveReq{}, false}, {&sccp.TimeDateReq{}, false},
		{&sccp.RegisterReq{Device: oldPhone, Version: 17}, false}, {&sccp.TimeDateReq{}, true}, {&sccp.KeepAliveReq{}, false},
	} {
		if got := slices.Contains(server.Received(noon, c.said), register.Action(register.Settled{Device: oldPhone})); got != c.settles {
			t.Errorf("with %s it settles: %v, want %v", c.said, got, c.settles)
		}
	}
}

// In every version each message arrives as it was sent.
func TestSCCPVersions(t *testing.T) {
	t.Parallel()
	for phone, want := range map[sccp.Version]sccp.Version{3: 3, 5: 5, 9: 5, 11: 11, 15: 15, 17: 17, 18: 18, 20: 20, 22: 22} {
		w := newWires(t, register.SCCPClientConfig{Version: phone}).registered()
		if w.version != want {
			t.Errorf("a phone of version %d and the server speak %d, want %d", phone, w.version, want)
		}
		for _, ask := range []sccp.Message{
			&sccp.VersionReq{}, &sccp.ServerReq{}, &sccp.ForwardStatReq{Line: 1}, &sccp.SpeedDialStatReq{Index: 1}, &sccp.FeatureStatReq{Index: 1},
			&sccp.ServiceURLStatReq{Index: 1}, &sccp.LineStatReq{Line: 3},
		} {
			before := len(w.story)
			w.ofServer(w.server.Received(w.now, ask))
			if len(w.story) != before+1 {
				t.Errorf("version %d: to %s comes %q", want, ask, w.story[before:])
			}
		}
		w.story = nil
		w.ofServer(w.server.Received(w.now, &sccp.OffHook{Line: 1, Call: 7}))
		w.ofServer(w.server.Received(w.now, &sccp.KeypadButton{Key: 1, Line: 1, Call: 7}))
		w.ofServer(w.server.Received(w.now, &sccp.OnHook{Line: 1, Call: 7}))
		w.ofServer(w.server.Received(w.now, &sccp.SoftKeyEvent{Event: sccp.NewCall}))
		prompt := "< DynamicDisplayPromptStatus"
		if want < 8 {
			prompt = "< DisplayPromptStatus"
		}
		w.want("< StartTone", prompt, "pressed OffHook", "< StopTone", "< ClearPromptStatus", prompt, "pressed SoftKeyEvent")
		if says := "No calls by SCCP here yet"; !slices.Equal(w.shown, []string{says, says}) {
			t.Errorf("version %d: the display shows %q", want, w.shown)
		}
	}
}

// An ATA says a version that it does not speak.
func TestSCCPAdapter(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{})
	server := register.NewSCCPServer(w.config)
	server.Received(noon, &sccp.RegisterReq{Device: oldPhone, Type: 12, Version: 17})
	if server.Version() != 3 {
		t.Errorf("an ATA and the server speak %d, want 3", server.Version())
	}
}

func TestSCCPRefused(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{})
	desk := w.config.Desk
	w.config.Desk = func(string) (register.Desk, *register.Refusal) { return desk("SEPFFFFFFFFFFFF") }
	w.ofPhone(w.client.Start())
	w.want("connect", "> Alarm", "> RegisterReq", "< RegisterReject", `refused: RegisterReject "Unknown device, and a text that"`, "phone closes: refused", "denied SEP001122334455: no SEPFFFFFFFFFFFF")
	w.config.Desk = desk // somebody adds it
	w.pass(2 * time.Second)
	if last := w.story[len(w.story)-3]; last != "settled SEP001122334455" || len(w.office.Bindings()) != 2 {
		t.Errorf("after it was added: %q", w.story)
	}
}

func TestSCCPLinesHaveNoRoom(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{})
	for i := range 8 {
		contact := fmt.Sprintf("<sip:1001@198.51.100.%d:5060>", i)
		w.office.lines["1001"] = register.Line{Number: "1001", Secret: w.office.lines["1001"].Secret}
		w.office.register(t, softly, "1001", contact)
	}
	w.ofPhone(w.client.Start())
	if got := w.story[len(w.story)-1]; got != "denied SEP001122334455: line 1001 is registered at 8 places" {
		t.Errorf("it ends with %q", got)
	}
}

// A connection that has said nothing but keep-alives is that of a phone which is registered elsewhere.
func TestSCCPStandby(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{})
	server := register.NewSCCPServer(w.config)
	for _, c := range []struct {
		said   sccp.Message
		answer string
	}{
		{&sccp.KeepAliveReq{}, "KeepAliveAck"},
		{&sccp.RegisterTokenReq{Device: oldPhone}, "RegisterTokenAck"},
		{&sccp.RegisterTokenReq{Device: "SEPFFFFFFFFFFFF"}, "RegisterTokenReject seconds=60"},
		{&sccp.ButtonTemplateReq{}, ""}, {&sccp.OffHook{}, ""}, {&sccp.UnregisterReq{}, ""}, {&sccp.Unknown{Number: 0x49}, ""},
	} {
		answer := ""
		for _, action := range server.Received(noon, c.said) {
			if say, ok := action.(register.Say); ok {
				answer += say.Message.String()
			}
		}
		if answer != c.answer {
			t.Errorf("to %s the answer is %q, want %q", c.said, answer, c.answer)
		}
	}
	if len(w.office.Bindings()) != 0 {
		t.Errorf("something is registered: %v", w.office.Bindings())
	}
}

func TestSCCPOneDeviceOnAConnection(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{})
	desk := w.config.Desk
	w.config.Desk = func(string) (register.Desk, *register.Refusal) { return desk(oldPhone) }
	w.registered()
	w.ofServer(w.server.Received(w.now, &sccp.RegisterReq{Device: "SEPFFFFFFFFFFFF", Version: 17}))
	if got := w.story[0]; got != "< RegisterReject" {
		t.Errorf("another device on the connection: %q", w.story)
	}
}

// For hours the phone says that it is there, which writes nothing but once in two hours.
func TestSCCPKeepAlive(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{}).registered()
	w.pass(time.Hour)
	if len(w.story) != 240 || len(w.office.Bindings()) != 2 {
		t.Errorf("in an hour %d messages, %d lines are left: %q", len(w.story), len(w.office.Bindings()), w.story[:min(9, len(w.story))])
	}
	w.story = nil
	w.deaf = true
	w.pass(2 * time.Minute)
	w.want("> KeepAliveReq", "> KeepAliveReq", "> KeepAliveReq", "out: 1001, it was not refreshed", "out: 1002, it was not refreshed",
		"unreachable: 3 keep-alives have no answer", "phone closes: 3 keep-alives have no answer")
}

func TestSCCPSilence(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{})
	w.deaf = true
	w.ofPhone(w.client.Start())
	w.pass(10 * time.Second)
	w.want("connect", "> Alarm", "> RegisterReq", "unreachable: no answer to RegisterReq", "phone closes: no answer")
	w.deaf = false
	w.pass(2 * time.Second)
	if len(w.office.Bindings()) != 2 {
		t.Errorf("it does not try again: %q", w.story)
	}
	w.story, w.deaf = nil, true
	w.ofPhone(w.client.Stop(w.now))
	w.pass(4 * time.Second)
	w.want("> UnregisterReq", "finished", "phone closes: no answer to UnregisterReq", "out: 1001, its connection is gone", "out: 1002, its connection is gone")
}

// A server that answers RegisterReq and nothing more.
func TestSCCPHalfAServer(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{})
	w.deaf = true
	w.ofPhone(w.client.Start())
	w.ofPhone(w.client.Received(w.now, &sccp.RegisterAck{KeepAlive: 30, Version: 17}))
	w.pass(10 * time.Second)
	w.want("connect", "> Alarm", "> RegisterReq", "> ButtonTemplateReq", "unreachable: no answer to ButtonTemplateReq", "phone closes: no answer")
	for _, odd := range []sccp.Version{0, 9, 20, 99} {
		w := newWires(t, register.SCCPClientConfig{})
		w.deaf = true
		w.ofPhone(w.client.Start())
		w.ofPhone(w.client.Received(w.now, &sccp.RegisterAck{KeepAlive: 30, Version: odd}))
		if got := w.story[3]; !strings.HasPrefix(got, "refused: RegisterAck chooses version") {
			t.Errorf("version %d: %q", odd, w.story)
		}
	}
}

func TestSCCPLost(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{}).registered()
	w.hungUp()
	w.story = nil
	w.ofPhone(w.client.Lost(w.now))
	if w.story[0] != "connect" || len(w.office.Bindings()) != 2 {
		t.Errorf("it does not come back at once: %q", w.story)
	}
	other := newWires(t, register.SCCPClientConfig{})
	other.deaf = true
	other.ofPhone(other.client.Start())
	other.ofPhone(other.client.Lost(other.now))
	other.want("connect", "> Alarm", "> RegisterReq", "unreachable: the connection was closed without an answer to RegisterReq")
}

func TestSCCPOrders(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{}).registered()
	for kind, want := range map[sccp.ResetType]sip.ServiceAction{
		sccp.ResetPhone: sip.Reset, sccp.RestartPhone: sip.Restart, sccp.ApplyConfig: sip.ApplyConfig, 9: "",
	} {
		w.order = register.Order{}
		w.ofPhone(w.client.Received(w.now, &sccp.Reset{Type: kind}))
		if w.order.Action != want {
			t.Errorf("Reset %d orders %q, want %q", kind, w.order.Action, want)
		}
	}
}

// A phone that comes back from another place has only the new one, with the lines that it has now.
func TestSCCPMoves(t *testing.T) {
	t.Parallel()
	w := newWires(t, register.SCCPClientConfig{}).registered()
	elsewhere := w.config
	elsewhere.Flow.Peer = netip.MustParseAddrPort("192.0.2.46:50058")
	elsewhere.Desk = func(string) (register.Desk, *register.Refusal) {
		return register.Desk{Lines: []register.DeskLine{{"1001", "Ann"}}}, nil
	}
	w.ofServer(register.NewSCCPServer(elsewhere).Received(w.now, &sccp.RegisterReq{Device: oldPhone, Version: 17}))
	all := w.office.Bindings()
	if len(all) != 1 || all[0].Flow != elsewhere.Flow || all[0].Line != "1001" || w.story[0] != "out: 1002, the phone has registered without it" {
		t.Errorf("it is at %+v: %q", all, w.story)
	}
}

// sccpFleet is a fleet in which one phone speaks SCCP.
func sccpFleet(t *testing.T) *fleet {
	f := newFleet(t)
	f.at["a"] = register.Binding{Line: "1001", Device: "a", Flow: oldDesk, UserAgent: "SCCP/17"}
	return f
}

func TestTellingBySCCP(t *testing.T) {
	t.Parallel()
	f := sccpFleet(t)
	f.tell("a", sip.Restart, "")
	f.want("a queued", "say Reset type=restart", "a asked")
	f.do(f.Left(f.now, "a"))
	f.do(f.Left(f.now, "a"))
	f.want("a taken it has unregistered")

	f.now = f.now.Add(time.Minute)
	f.tell("a", sip.Reset, "")
	f.want("a queued", "say Reset type=reset", "a asked")
	f.do(f.Advance(f.Wake().Add(-time.Second)))
	f.want()
	f.now = f.Wake()
	f.do(f.Advance(f.now))
	f.want("a silent it is still registered")

	for _, action := range []sip.ServiceAction{sip.ApplyConfig, sip.CheckVersion} {
		f.now = f.now.Add(time.Minute)
		f.tell("a", action, "beef-2")
		f.want("a queued", "say Reset type=apply-config", "a taken sent; by SCCP it is not answered")
	}
	f.now = f.now.Add(time.Minute)
	f.tell("a", sip.ReportProblem, "")
	f.want("a queued", "a declined SCCP has no prt-report")

	f.now = f.now.Add(time.Minute)
	f.tell("a", sip.Restart, "")
	f.do(f.Unsent(f.now, "a", "it has not connected again"))
	f.want("a queued", "say Reset type=restart", "a asked", "a silent it has not connected again")
	if !f.Wake().IsZero() && f.Wake().Before(f.now) {
		t.Errorf("it wants to be woken at %v", f.Wake())
	}
}
