package callmanager

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sccp"
	"github.com/longcord/longcord/wire/sip"
)

// sccpOffice is an office whose device speaks SCCP.
func sccpOffice(change func(*inventory.Device)) *inventory.Set {
	set := officeWith("one", false)
	set.Lines["1002"] = &inventory.Line{Name: "1002", DisplayName: "Bob", Secret: secret.New("two")}
	device := set.Devices[blockable]
	device.Protocol, device.Lines = inventory.SCCP, []string{"1001", "1002"}
	change(device)
	return set
}

func same(*inventory.Device) {}

// talker is a connection to the manager on which a test says what it wants.
type talker struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func talk(t *testing.T, m *Manager) *talker {
	t.Helper()
	conn, err := net.Dial("tcp", netip.AddrPortFrom(m.config.Listen, sccp.Port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &talker{t, conn, bufio.NewReader(conn)}
}

func (c *talker) say(messages ...sccp.Message) {
	c.t.Helper()
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = sccp.Append(b, m, 17); err != nil {
			c.t.Fatal(err)
		}
	}
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// hears returns the next message; nil at the end.
func (c *talker) hears() sccp.Message {
	c.t.Helper()
	frame, err := sccp.Read(c.in)
	if err != nil {
		if errors.Is(err, io.EOF) || strings.Contains(err.Error(), "reset by peer") {
			return nil
		}
		c.t.Fatal(err)
	}
	m, err := sccp.Parse(frame, 17)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// want has the next message be of that kind.
func (c *talker) want(id string) sccp.Message {
	c.t.Helper()
	m := c.hears()
	if m == nil || m.ID().String() != id {
		c.t.Fatalf("heard %v, want %s", m, id)
	}
	return m
}

// ended has nothing more come.
func (c *talker) ended() {
	c.t.Helper()
	if m := c.hears(); m != nil {
		c.t.Fatalf("heard %s, want the end", m)
	}
}

func asks(device string) *sccp.RegisterReq {
	return &sccp.RegisterReq{Device: device, Address: netip.MustParseAddr("192.0.2.45"), Type: 435, Version: 17, Load: "SCCP45.9-4-2SR4-3S", Stamp: "beef-1"}
}

// in registers the phone.
func (c *talker) registers() *talker {
	c.t.Helper()
	c.say(&sccp.Alarm{Text: "25: Name=SEP001122334455 Load=9.4 Last=Initialized"}, asks(blockable))
	c.want("RegisterAck")
	c.want("CapabilitiesReq")
	return c
}

func TestSCCPPhone(t *testing.T) {
	var set atomic.Pointer[inventory.Set]
	set.Store(sccpOffice(same))
	kept := memory.New()
	defer kept.Close()
	m, stop := serveSet(t, &set, kept, nil)
	first := talk(t, m).registers()
	all := m.Registrations()
	if len(all) != 2 || all[0].Device != blockable || all[0].Stamp != "beef-1" || all[0].Restart != "Initialized" || all[0].Flow.Transport != register.SCCP || !all[1].Follows {
		t.Errorf("registered: %+v", all)
	}
	first.say(&sccp.KeepAliveReq{})
	first.want("KeepAliveAck")

	// From a new place it replaces itself.
	second := talk(t, m).registers()
	first.ended()
	if now := m.Registrations(); len(now) != 2 || now[0].Flow == all[0].Flow {
		t.Errorf("after it came again: %+v", now)
	}

	// After a restart it is still known, and is told that nobody can be told yet.
	stop()
	second.ended()
	m, stop = serveSet(t, &set, kept, nil)
	defer stop()
	if now := m.Registrations(); len(now) != 2 || now[0].Stamp != "beef-1" || now[0].Flow.Transport != register.SCCP {
		t.Errorf("after a restart: %+v", now)
	}
	if told := m.Tell([]string{blockable}, restart); told[0].State != register.Silent || told[0].Why != "it has not connected again" {
		t.Errorf("told without a connection: %+v", told)
	}
	third := talk(t, m).registers()
	third.say(&sccp.UnregisterReq{})
	third.want("UnregisterAck")
	third.ended()
	gone(t, m)
}

func restart(string) register.Order { return register.Order{Action: sip.Restart} }

// A phone that is told to restart has been told when it leaves.
func TestSCCPTold(t *testing.T) {
	var set atomic.Pointer[inventory.Set]
	set.Store(sccpOffice(same))
	kept := memory.New()
	defer kept.Close()
	m, stop := serveSet(t, &set, kept, nil)
	defer stop()
	c := talk(t, m).registers()
	if told := m.Tell([]string{blockable}, restart); told[0].State != register.Asked {
		t.Errorf("told: %+v", told)
	}
	if reset := c.want("Reset").(*sccp.Reset); reset.Type != sccp.RestartPhone {
		t.Errorf("it is told %s", reset)
	}
	c.say(&sccp.UnregisterReq{})
	c.want("UnregisterAck")
	c.ended()
	gone(t, m)
	if told := m.Tellings(); len(told) != 1 || told[0].State != register.Taken {
		t.Errorf("after it left: %+v", told)
	}
}

// A phone that speaks SCCP is known by its name alone, so it must be meant to.
func TestSCCPRefused(t *testing.T) {
	met := make(chan string, 10)
	for want, change := range map[string]func(*inventory.Device){
		"This device is blocked":        func(d *inventory.Device) { d.Blocked = true },
		"This device is set up for SIP": func(d *inventory.Device) { d.Protocol = "" },
		"This device has no line":       func(d *inventory.Device) { d.Lines = []string{"gone"} },
		"Unknown device":                func(d *inventory.Device) { d.Name = "other" },
	} {
		t.Run(want, func(t *testing.T) {
			set, kept := sccpOffice(change), memory.New()
			defer kept.Close()
			if want == "Unknown device" {
				delete(set.Devices, blockable)
			}
			var now atomic.Pointer[inventory.Set]
			now.Store(set)
			m, stop := serveSet(t, &now, kept, func(device string, _ netip.AddrPort, line, agent string) { met <- device + line + " " + agent })
			defer stop()
			c := talk(t, m)
			c.say(asks(blockable))
			if reject := c.want("RegisterReject").(*sccp.RegisterReject); reject.Text != want {
				t.Errorf("it is refused with %q, want %q", reject.Text, want)
			}
			c.ended()
			if all := m.Registrations(); len(all) != 0 {
				t.Errorf("registered: %+v", all)
			}
		})
	}
	if len(met) != 1 || <-met != blockable+" CP-7945G" {
		t.Error("the unknown phone was not told of, or others were")
	}
}

// TestSCCPThroughTunnel: a phone's tunnel is for that phone, and the office for all.
func TestSCCPThroughTunnel(t *testing.T) {
	for name, c := range map[string]struct {
		devices []string
		tunnel  bool
		refused string
	}{
		"in the office":          {nil, false, ""},
		"through its own":        {[]string{"SEP001122334466", blockable}, true, ""},
		"through another's":      {[]string{"SEP001122334466"}, true, "This tunnel is another phone's"},
		"through that of nobody": {nil, true, "This tunnel is another phone's"},
	} {
		t.Run(name, func(t *testing.T) {
			set, kept := sccpOffice(same), memory.New()
			defer kept.Close()
			m, stop := serveConfig(t, Config{
				Inventory: func() *inventory.Set { return set }, Store: kept,
				Tunnel: func(from netip.Addr) ([]string, bool) {
					if !from.IsLoopback() {
						t.Errorf("whose tunnel is asked for %s", from)
					}
					return c.devices, c.tunnel
				},
			})
			defer stop()
			phone := talk(t, m)
			if c.refused == "" {
				phone.registers()
				return
			}
			phone.say(asks(blockable))
			if reject := phone.want("RegisterReject").(*sccp.RegisterReject); reject.Text != c.refused {
				t.Errorf("it is refused with %q, want %q", reject.Text, c.refused)
			}
			phone.ended()
			if all := m.Registrations(); len(all) != 0 {
				t.Errorf("registered: %+v", all)
			}
		})
	}
}

// What the inventory takes away is ended at once.
func TestSCCPTakenAway(t *testing.T) {
	for name, change := range map[string]func(*inventory.Device){
		"blocked": func(d *inventory.Device) { d.Blocked = true },
		"for SIP": func(d *inventory.Device) { d.Protocol = inventory.SIP },
	} {
		t.Run(name, func(t *testing.T) {
			var set atomic.Pointer[inventory.Set]
			set.Store(sccpOffice(same))
			kept := memory.New()
			defer kept.Close()
			m, stop := serveSet(t, &set, kept, nil)
			defer stop()
			c := talk(t, m).registers()
			set.Store(sccpOffice(change))
			c.ended()
			gone(t, m)
		})
	}
}

// What makes no sense ends the connection, or is passed over; others are not disturbed.
func TestSCCPNoise(t *testing.T) {
	var set atomic.Pointer[inventory.Set]
	set.Store(sccpOffice(same))
	kept := memory.New()
	defer kept.Close()
	m, stop := serveSet(t, &set, kept, nil)
	defer stop()
	phone := talk(t, m).registers()
	for name, noise := range map[string][]byte{
		"HTTP":          []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		"zeros":         make([]byte, 64),
		"a long length": {0xff, 0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0},
		"too fast":      bytes.Repeat([]byte{4, 0, 0, 0, 0, 0, 0, 0, 0x49, 0, 0, 0}, 20000),
	} {
		c := talk(t, m)
		_, _ = c.conn.Write(noise) // it may be cut off
		if got := c.hears(); got != nil {
			t.Errorf("%s: heard %s", name, got)
		}
	}
	second := netip.AddrPortFrom(m.config.Listen, sccp.Port)
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: loopback().AsSlice()}}).Dial("tcp", second.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &talker{t, conn, bufio.NewReader(conn)}
	c.say(&sccp.ButtonTemplateReq{}, &sccp.Unknown{Number: 1, Body: []byte{1, 2, 3, 4}}, &sccp.KeepAliveReq{})
	c.want("KeepAliveAck")
	if len(m.Registrations()) != 2 {
		t.Errorf("the phone is gone: %+v", m.Registrations())
	}
	_ = phone.conn.Close()
	gone(t, m)
}

// Who asks for registration in a form that nobody can read gets no answer. The log says so, for whoever wonders why.
func TestSCCPUnreadable(t *testing.T) {
	var log bytes.Buffer
	set := sccpOffice(same)
	m, stop := serveConfig(t, Config{
		Inventory: func() *inventory.Set { return set }, Store: memory.New(), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	c := talk(t, m)
	c.say(&sccp.Unknown{Number: 1, Body: []byte("SEP001122334455")}, &sccp.Unknown{Number: 0x9999, Body: []byte{1}}, &sccp.KeepAliveReq{})
	c.want("KeepAliveAck")
	stop()
	if text := log.String(); strings.Count(text, "message refused") != 1 || !strings.Contains(text, "level=WARN") || !strings.Contains(text, "15 are left") {
		t.Errorf("logged:\n%s", text)
	}
}

// Calls do not go to phones that cannot take them, and who wants to call is told.
func TestSCCPNoCalls(t *testing.T) {
	var set atomic.Pointer[inventory.Set]
	set.Store(sccpOffice(same))
	kept := memory.New()
	defer kept.Close()
	m, stop := serveSet(t, &set, kept, nil)
	defer stop()
	c := talk(t, m).registers()
	c.say(&sccp.OffHook{Line: 1})
	if tone := c.want("StartTone").(*sccp.StartTone); tone.Tone != sccp.ToneReorder {
		t.Errorf("it hears %s", tone)
	}
	c.want("DynamicDisplayPromptStatus")
	m.event(func(time.Time) {
		if places := m.reach("1001"); len(places) != 0 {
			t.Errorf("calls to 1001 go to %+v", places)
		}
	})
}

func TestSCCPPortTaken(t *testing.T) {
	at := loopback()
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:2000", at))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	m, err := New(Config{Settings: Settings{Listen: at}, Inventory: inventory.NewSet, Store: memory.New()})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err == nil || !strings.Contains(err.Error(), ":2000") {
		t.Errorf("it opens on a port that is taken: %v", err)
	}
}
