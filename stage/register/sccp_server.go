package register

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/longcord/longcord/wire/sccp"
	"github.com/longcord/longcord/wire/sip"
)

// Desk is what the inventory knows of a phone that speaks SCCP.
type Desk struct {
	Lines        []DeskLine
	DateTemplate string // such as D/M/Y
}

// DeskLine is a line as its phone shows it.
type DeskLine struct{ Number, Name string }

// Refusal says why a phone may not register.
type Refusal struct {
	Text string // for its display: up to 31 characters
	Why  string // for people who can change it
}

// SCCPServerConfig is what an SCCPServer needs.
type SCCPServerConfig struct {
	Flow      sip.Flow       // of the connection; its transport is SCCP
	Own       netip.AddrPort // our own address on it
	Registrar *Registrar     // knows where lines are, whatever their phones speak
	// Desk returns what a device has; or why it may not register.
	Desk func(device string) (Desk, *Refusal)
}

// SCCPServer is the call manager's half of SCCP, on one connection. It answers for the phone's lines to the
// Registrar, which also ends a registration that is not kept alive.
//
//	open --RegisterReq--> registered --UnregisterReq--> over
//	open --RegisterReq of a phone that may not--> over
type SCCPServer struct {
	config  SCCPServerConfig
	device  string // empty: not registered
	desk    Desk
	load    string
	version sccp.Version
	restart string // why the phone restarted
	settled bool   // it has asked all that phones ask while they register
	over    bool
}

// NewSCCPServer makes the half of a connection on which nothing was said yet.
func NewSCCPServer(config SCCPServerConfig) *SCCPServer { return &SCCPServer{config: config} }

// Version is what messages are to be read and written by.
func (s *SCCPServer) Version() sccp.Version { return s.version }

// Received takes a message of the phone.
func (s *SCCPServer) Received(now time.Time, message sccp.Message) []Action {
	if s.over {
		return nil
	}
	switch m := message.(type) {
	case *sccp.KeepAliveReq:
		return append(append(s.refresh(now), s.say(&sccp.KeepAliveAck{})), s.settles()...)
	case *sccp.Alarm:
		s.restart = lastOf(m.Text)
		return nil
	case *sccp.RegisterReq:
		return s.register(now, m)
	case *sccp.RegisterTokenReq:
		if _, refusal := s.config.Desk(m.Device); refusal != nil {
			return []Action{s.say(&sccp.RegisterTokenReject{Seconds: uint32(StandbyKeepAlive / time.Second)}), Denied{m.Device, refusal.Why}}
		}
		return []Action{s.say(&sccp.RegisterTokenAck{})}
	}
	if s.device == "" {
		return nil // what is not registered gets no answers
	}
	if _, ok := message.(*sccp.UnregisterReq); ok {
		s.over = true
		const why = "the phone took it back"
		actions := append([]Action{s.say(&sccp.UnregisterAck{})}, s.config.Registrar.leave(s.config.Flow, why)...)
		return append(actions, Close{s.config.Flow, why})
	}
	answers := s.answer(now, message)
	if answers == nil {
		return s.pressed(message)
	}
	actions := s.all(answers...)
	if _, last := message.(*sccp.TimeDateReq); last {
		actions = append(actions, s.settles()...)
	}
	return actions
}

// settles reports, once, that the phone takes orders from now on. A phone that does not ask for the time does so from
// its first keep-alive on.
func (s *SCCPServer) settles() []Action {
	if s.device == "" || s.settled {
		return nil
	}
	s.settled = true
	return []Action{Settled{s.device}}
}

// refresh keeps the phone's lines registered.
func (s *SCCPServer) refresh(now time.Time) (actions []Action) {
	for _, line := range s.desk.Lines {
		actions = append(actions, s.config.Registrar.refresh(now, line.Number, s.device, s.config.Flow)...)
	}
	return actions
}

func (s *SCCPServer) say(m sccp.Message) Action { return Say{s.config.Flow, m} }

func (s *SCCPServer) all(messages ...sccp.Message) (actions []Action) {
	for _, m := range messages {
		actions = append(actions, s.say(m))
	}
	return actions
}

// lastOf returns the reason in an alarm, such as "25: Name=SEP001122334455 Load=9.4(2SR3.1S) Last=Phone-Reg-Rej".
func lastOf(alarm string) string {
	_, last, _ := strings.Cut(alarm, "Last=")
	last, _, _ = strings.Cut(last, " ")
	return last
}

// adapters are the models that say a higher version than they speak: ATA 186 and 188.
var adapters = map[sccp.DeviceType]bool{12: true, 13: true}

func (s *SCCPServer) register(now time.Time, m *sccp.RegisterReq) []Action {
	desk, refusal := s.config.Desk(m.Device)
	if s.device != "" && s.device != m.Device {
		refusal = &Refusal{"Another device is here", fmt.Sprintf("the connection of %s is not for %s", s.device, m.Device)}
	}
	for _, line := range desk.Lines {
		if refusal == nil && s.config.Registrar.full(line.Number, m.Device) {
			refusal = &Refusal{"Too many registrations", fmt.Sprintf("line %s is registered at %d places", line.Number, maxBindings)}
		}
	}
	if refusal != nil {
		s.over = true
		return []Action{s.say(&sccp.RegisterReject{Text: clip(refusal.Text, sccp.PromptSize)}), Denied{m.Device, refusal.Why}, Close{s.config.Flow, refusal.Why}}
	}
	s.device, s.desk, s.load, s.version, s.settled = m.Device, desk, m.Load, sccp.Negotiate(m.Version), false
	if adapters[m.Type] {
		s.version = sccp.Oldest
	}
	var bindings []Binding
	for i, line := range desk.Lines {
		b := Binding{
			Line: line.Number, Device: m.Device, Model: int(m.Type), Flow: s.config.Flow, UserAgent: fmt.Sprintf("SCCP/%d", s.version),
			Load: m.Load, Stamp: m.Stamp, Restart: s.restart, Since: now, Expires: now.Add(missed * KeepAlive), Lifetime: missed * KeepAlive, Follows: i > 0,
		}
		if m.Address.IsValid() {
			b.Contact = m.Address.String()
		}
		bindings = append(bindings, b)
	}
	actions := s.config.Registrar.attach(now, bindings)
	ack := &sccp.RegisterAck{
		KeepAlive: uint32(KeepAlive / time.Second), Secondary: uint32(StandbyKeepAlive / time.Second),
		DateTemplate: desk.DateTemplate, Version: s.version, Features: featuresOf(s.version),
	}
	return append(actions, s.say(ack), s.say(&sccp.CapabilitiesReq{}))
}

// featuresOf is what the server says it can do.
func featuresOf(v sccp.Version) [3]byte {
	switch {
	case v <= 3:
		return [3]byte{}
	case v < 11:
		return [3]byte{0x20, 0xf1, 0xfe}
	}
	return [3]byte{0x20, 0xf1, 0xff}
}

// clip shortens text to what has room with its closing zero.
func clip(text string, size int) string {
	if len(text) < size {
		return text
	}
	return strings.ToValidUTF8(text[:size-1], "")
}

// answer returns what a phone asks for once it is registered. Nil: m is no question.
func (s *SCCPServer) answer(now time.Time, message sccp.Message) []sccp.Message {
	one := func(m sccp.Message) []sccp.Message { return []sccp.Message{m} }
	switch m := message.(type) {
	case *sccp.ButtonTemplateReq:
		return one(s.buttons())
	case *sccp.SoftKeyTemplateReq:
		return one(&sccp.SoftKeyTemplate{Total: uint32(len(softKeys)), Keys: softKeys})
	case *sccp.SoftKeySetReq:
		return one(&sccp.SoftKeySets{Total: uint32(len(softKeySets)), Sets: softKeySets})
	case *sccp.ConfigStatReq:
		return one(&sccp.ConfigStat{Device: s.device, Lines: uint32(len(s.desk.Lines))})
	case *sccp.VersionReq:
		return one(&sccp.VersionRes{Load: clip(s.load, sccp.VersionSize)})
	case *sccp.ServerReq:
		res := &sccp.ServerRes{}
		res.Servers[0] = sccp.Server{Name: s.config.Own.Addr().String(), Port: uint32(s.config.Own.Port()), Address: s.config.Own.Addr()}
		return one(res)
	case *sccp.LineStatReq:
		return one(s.line(m.Line))
	case *sccp.ForwardStatReq:
		return one(&sccp.ForwardStat{Line: m.Line})
	case *sccp.SpeedDialStatReq:
		if s.version.DynamicLines() {
			return one(&sccp.DynamicSpeedDialStat{Index: m.Index})
		}
		return one(&sccp.SpeedDialStat{Index: m.Index})
	case *sccp.FeatureStatReq:
		if s.version.DynamicLines() {
			return one(&sccp.DynamicFeatureStat{Index: m.Index})
		}
		return one(&sccp.FeatureStat{Index: m.Index})
	case *sccp.ServiceURLStatReq:
		if s.version.DynamicTexts() {
			return one(&sccp.DynamicServiceURLStat{Index: m.Index})
		}
		return one(&sccp.ServiceURLStat{Index: m.Index})
	case *sccp.TimeDateReq: // the last question of a phone that registers
		return []sccp.Message{sccp.TimeDateOf(now), &sccp.SelectSoftKeys{Set: sccp.KeysOnHook, Mask: allKeys}}
	}
	return nil
}

// maxButtons is how many lines a phone is told of.
const maxButtons = 42

func (s *SCCPServer) buttons() sccp.Message {
	m := &sccp.ButtonTemplate{}
	for i := range s.desk.Lines[:min(len(s.desk.Lines), maxButtons)] {
		m.Buttons = append(m.Buttons, sccp.Button{Instance: uint8(i + 1), Type: sccp.ButtonLine})
	}
	m.Total = uint32(len(m.Buttons))
	return m
}

// allLabels has the phone show number and names.
const allLabels = 15

// line tells of a line, or that there is none of that number.
func (s *SCCPServer) line(instance uint32) sccp.Message {
	var line DeskLine
	if instance >= 1 && instance <= uint32(len(s.desk.Lines)) {
		line = s.desk.Lines[instance-1]
	}
	name := clip(line.Name, sccp.NameSize)
	if s.version.DynamicLines() {
		return &sccp.DynamicLineStat{Line: instance, Options: allLabels, Number: line.Number, Name: name, Label: name}
	}
	return &sccp.LineStat{Line: instance, Options: allLabels, Number: line.Number, Name: name, Label: name}
}

// The soft keys: as few as a phone can do with while there are no calls.
const allKeys = 0xffff

var (
	softKeys    = []sccp.SoftKey{{Label: sccp.BuiltIn(2), Event: sccp.NewCall}, {Label: sccp.BuiltIn(9), Event: sccp.EndCall}}
	softKeySets = []sccp.SoftKeySet{sccp.KeysOnHook: sccp.Set(1), sccp.KeysOffHook: sccp.Set(2)}
)

// noCalls is what a phone's display says to who wants to call; it has room for 31 characters.
const noCalls = "No calls by SCCP here yet"

// noCallsTime is how long, in seconds, where no handset is put back.
const noCallsTime = 10

// pressed answers who wants to call.
func (s *SCCPServer) pressed(message sccp.Message) []Action {
	report := Pressed{s.config.Flow, s.device, message.ID().String()}
	switch m := message.(type) {
	case *sccp.OffHook:
		return append(s.all(&sccp.StartTone{Tone: sccp.ToneReorder, Line: m.Line, Call: m.Call}, s.prompt(0, m.Line, m.Call)), report)
	case *sccp.OnHook:
		return s.all(&sccp.StopTone{Line: m.Line, Call: m.Call}, &sccp.ClearPromptStatus{Line: m.Line, Call: m.Call})
	case *sccp.SoftKeyEvent, *sccp.Stimulus, *sccp.EnblocCall:
		return append(s.all(s.prompt(noCallsTime, 0, 0)), report)
	}
	return nil
}

func (s *SCCPServer) prompt(seconds, line, call uint32) sccp.Message {
	if s.version.DynamicTexts() {
		return &sccp.DynamicDisplayPromptStatus{Seconds: seconds, Line: line, Call: call, Text: noCalls}
	}
	return &sccp.DisplayPromptStatus{Seconds: seconds, Line: line, Call: call, Text: noCalls}
}
