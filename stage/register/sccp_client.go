package register

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/longcord/longcord/wire/sccp"
)

// answerTime is how long a phone waits for each answer while it registers.
const answerTime = 10 * time.Second

// SCCPClientConfig is what an SCCPClient needs.
type SCCPClientConfig struct {
	Device  string
	MAC     [6]byte
	Type    sccp.DeviceType
	Load    string       // of firmware
	Stamp   string       // version stamp of the phone's file
	Version sccp.Version // the highest that the phone speaks; 0 means 17
	Restart string       // why it restarted; empty: "Initialized"
}

// sccpState is where an SCCPClient stands.
//
//	resting --Start, time--> connecting --Connected--> asking --RegisterAck--> settling --all answered--> registered
//	asking, settling --RegisterReject, silence--> resting     registered --keep-alives unanswered, lost--> connecting
//	any --Stop--> leaving --UnregisterAck, lost, time--> ended
type sccpState int

const (
	sccpResting sccpState = iota
	sccpConnecting
	sccpAsking
	sccpSettling
	sccpRegistered
	sccpLeaving
	sccpEnded
)

// SCCPClient is the phone's half of SCCP: it keeps the phone registered.
type SCCPClient struct {
	config  SCCPClientConfig
	state   sccpState
	version sccp.Version
	asks    []sccp.Message // what it has yet to ask; the first one's answer is awaited
	lines   []string       // numbers, in the order of buttons
	every   time.Duration  // between keep-alives
	unheard int            // keep-alives without an answer
	beat    time.Time      // of the next keep-alive
	patient time.Time      // until then an answer is awaited; the next attempt of a phone that rests
	retry   time.Duration
}

// NewSCCPClient makes a client that rests until Start.
func NewSCCPClient(config SCCPClientConfig) *SCCPClient {
	if config.Version == 0 {
		config.Version = 17
	}
	if config.Restart == "" {
		config.Restart = "Initialized"
	}
	return &SCCPClient{config: config, retry: firstRetry}
}

// Version is what messages are to be read and written by.
func (c *SCCPClient) Version() sccp.Version { return c.version }

// Lines returns the numbers of the phone's lines, as the call manager has told them.
func (c *SCCPClient) Lines() []string { return c.lines }

// Start begins to register.
func (c *SCCPClient) Start() []Action {
	if c.state != sccpResting {
		return nil
	}
	c.state, c.patient, c.beat = sccpConnecting, time.Time{}, time.Time{}
	return []Action{Connect{}}
}

// Connected tells that the call manager can be spoken to from this own address.
func (c *SCCPClient) Connected(now time.Time, local netip.Addr) []Action {
	if c.state != sccpConnecting {
		return nil
	}
	c.state, c.version, c.unheard, c.lines = sccpAsking, 0, 0, nil
	c.patient = now.Add(answerTime)
	alarm := fmt.Sprintf("25: Name=%s Load=%s Last=%s", c.config.Device, c.config.Load, c.config.Restart)
	return []Action{
		c.say(&sccp.Alarm{Severity: sccp.Informational, Text: clip(alarm, sccp.AlarmSize)}),
		c.say(&sccp.RegisterReq{
			Device: c.config.Device, Instance: 1, Address: local, Type: c.config.Type, MaxStreams: 5, Version: c.config.Version,
			Features: clientFeatures, MAC: c.config.MAC, MaxLines: maxButtons, Load: clip(c.config.Load, sccp.LoadSize), Stamp: clip(c.config.Stamp, sccp.StampSize),
		}),
	}
}

// clientFeatures are UTF-8 and dynamic messages.
var clientFeatures = [3]byte{0, 0x10, 0x01}

func (c *SCCPClient) say(m sccp.Message) Action { return Say{Message: m} }

// Unreachable tells that no connection could be made.
func (c *SCCPClient) Unreachable(now time.Time, why string) []Action {
	if c.state == sccpLeaving {
		return c.end()
	}
	return c.rest(now, Unreachable{why})
}

// Lost tells that the connection is gone. The phone comes back at once, and slower if that fails too.
func (c *SCCPClient) Lost(now time.Time) []Action {
	switch c.state {
	case sccpLeaving:
		return c.end()
	case sccpRegistered:
		c.state = sccpResting
		return c.Start()
	case sccpAsking:
		return c.rest(now, Unreachable{"the connection was closed without an answer to RegisterReq"})
	case sccpSettling:
		return c.rest(now, Unreachable{fmt.Sprintf("the connection was closed without an answer to %s", c.asks[0].ID())})
	}
	return nil
}

// rest waits before the next attempt, longer each time.
func (c *SCCPClient) rest(now time.Time, report Action) []Action {
	if c.state == sccpEnded {
		return nil
	}
	c.state, c.asks, c.patient, c.beat = sccpResting, nil, now.Add(c.retry), time.Time{}
	c.retry = min(2*c.retry, lastRetry)
	return []Action{report}
}

// Received takes a message of the call manager.
func (c *SCCPClient) Received(now time.Time, message sccp.Message) []Action {
	switch m := message.(type) {
	case *sccp.RegisterAck:
		if c.state == sccpAsking {
			return c.taken(now, m)
		}
	case *sccp.RegisterReject:
		if c.state == sccpAsking {
			return append(c.rest(now, Refused{Why: rejection(m.Text)}), Close{Why: "refused"})
		}
	case *sccp.KeepAliveAck:
		c.unheard = 0
	case *sccp.UnregisterAck:
		if c.state == sccpLeaving {
			return append(c.end(), Close{Why: "unregistered"})
		}
	case *sccp.CapabilitiesReq:
		return []Action{c.say(&sccp.CapabilitiesRes{Capabilities: codecs})}
	case *sccp.Reset:
		if order, ok := orderOf(m.Type); ok && c.state == sccpRegistered {
			return []Action{Ordered{order}}
		}
	case *sccp.DisplayPromptStatus:
		return []Action{Shown{m.Text}}
	case *sccp.DynamicDisplayPromptStatus:
		return []Action{Shown{m.Text}}
	}
	if c.state == sccpSettling && answers(c.asks[0], message) {
		return c.answered(now, message)
	}
	return nil
}

func rejection(text string) string {
	if text == "" {
		return "RegisterReject without a text"
	}
	return fmt.Sprintf("RegisterReject %q", text)
}

// codecs are G.711, in both laws.
var codecs = []sccp.Capability{{Payload: 4, MaxPacket: 40}, {Payload: 2, MaxPacket: 40}}

func (c *SCCPClient) taken(now time.Time, ack *sccp.RegisterAck) []Action {
	if !ack.Version.Spoken() || ack.Version > c.config.Version {
		why := fmt.Sprintf("RegisterAck chooses version %d, the phone speaks up to %d", ack.Version, c.config.Version)
		return append(c.rest(now, Refused{Why: why}), Close{Why: why})
	}
	c.state, c.version = sccpSettling, ack.Version
	c.every = max(time.Duration(ack.KeepAlive)*time.Second, time.Second)
	c.beat = now.Add(c.every)
	c.asks = []sccp.Message{&sccp.ButtonTemplateReq{}, &sccp.SoftKeyTemplateReq{}, &sccp.SoftKeySetReq{}, &sccp.ConfigStatReq{}, &sccp.TimeDateReq{}}
	return c.ask(now)
}

func (c *SCCPClient) ask(now time.Time) []Action {
	c.patient = now.Add(answerTime)
	return []Action{c.say(c.asks[0])}
}

// answers reports whether a message is the answer to a question.
func answers(question, message sccp.Message) (ok bool) {
	switch question.(type) {
	case *sccp.ButtonTemplateReq:
		_, ok = message.(*sccp.ButtonTemplate)
	case *sccp.SoftKeyTemplateReq:
		_, ok = message.(*sccp.SoftKeyTemplate)
	case *sccp.SoftKeySetReq:
		_, ok = message.(*sccp.SoftKeySets)
	case *sccp.ConfigStatReq:
		_, ok = message.(*sccp.ConfigStat)
	case *sccp.TimeDateReq:
		_, ok = message.(*sccp.TimeDate)
	case *sccp.LineStatReq:
		switch message.(type) {
		case *sccp.LineStat, *sccp.DynamicLineStat:
			ok = true
		}
	}
	return ok
}

// answered goes on with the next question, of each line among them.
func (c *SCCPClient) answered(now time.Time, message sccp.Message) []Action {
	c.asks = c.asks[1:]
	switch m := message.(type) {
	case *sccp.ButtonTemplate:
		var lines []sccp.Message
		for _, b := range m.Buttons {
			if b.Type == sccp.ButtonLine {
				lines = append(lines, &sccp.LineStatReq{Line: uint32(b.Instance)})
			}
		}
		c.asks = append(lines, c.asks...)
	case *sccp.LineStat:
		c.lines = append(c.lines, m.Number)
	case *sccp.DynamicLineStat:
		c.lines = append(c.lines, m.Number)
	}
	if len(c.asks) > 0 {
		return c.ask(now)
	}
	c.state, c.patient, c.retry = sccpRegistered, time.Time{}, firstRetry
	return []Action{Accepted{Until: now.Add(missed * c.every)}}
}

// Stop takes the registration back.
func (c *SCCPClient) Stop(now time.Time) []Action {
	switch c.state {
	case sccpSettling, sccpRegistered:
		c.state, c.patient, c.beat = sccpLeaving, now.Add(farewell), time.Time{}
		return []Action{c.say(&sccp.UnregisterReq{})}
	case sccpLeaving, sccpEnded:
		return nil
	}
	return c.end()
}

func (c *SCCPClient) end() []Action {
	if c.state == sccpEnded {
		return nil
	}
	c.state, c.patient, c.beat = sccpEnded, time.Time{}, time.Time{}
	return []Action{Finished{}}
}

// Advance lets time pass.
func (c *SCCPClient) Advance(now time.Time) []Action {
	if !c.patient.IsZero() && !now.Before(c.patient) {
		return c.impatient(now)
	}
	if c.beat.IsZero() || now.Before(c.beat) {
		return nil
	}
	if c.unheard >= missed {
		why := fmt.Sprintf("%d keep-alives have no answer", missed)
		return append(c.rest(now, Unreachable{why}), Close{Why: why})
	}
	c.unheard++
	c.beat = now.Add(c.every)
	return []Action{c.say(&sccp.KeepAliveReq{})}
}

func (c *SCCPClient) impatient(now time.Time) []Action {
	switch c.state {
	case sccpResting:
		return c.Start()
	case sccpLeaving:
		return append(c.end(), Close{Why: "no answer to UnregisterReq"})
	case sccpAsking:
		return append(c.rest(now, Unreachable{"no answer to RegisterReq"}), Close{Why: "no answer"})
	}
	return append(c.rest(now, Unreachable{fmt.Sprintf("no answer to %s", c.asks[0].ID())}), Close{Why: "no answer"})
}

// Wake returns when Advance wants to be called next; zero when nothing waits.
func (c *SCCPClient) Wake() time.Time {
	if c.patient.IsZero() || !c.beat.IsZero() && c.beat.Before(c.patient) {
		return c.beat
	}
	return c.patient
}
