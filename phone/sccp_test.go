package phone

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

// sccpLines are those of twoLines, with one phone that speaks SCCP.
func sccpLines() *inventory.Set {
	set := twoLines()
	set.Devices[aPhone].Protocol = inventory.SCCP
	return set
}

// sccp makes a phone that speaks SCCP with a call manager at an address.
func (w *world) sccp(t *testing.T, device string) (*sccpPhone, events) {
	t.Helper()
	told := make(events, 1000)
	s := &standing{local: ownLoopback(), server: w.address.String(), stamp: "beef-1", onEvent: func(e Event) { told <- e }}
	p := newSCCPPhone(t.Context(), s, register.SCCPClientConfig{Device: device, Type: 435, Load: "SCCP45.9-4-2SR4-3S"})
	t.Cleanup(p.Close)
	return p, told
}

func TestSCCPRegisters(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, sccpLines(), memory.New(), ownLoopback())
	p, told := w.sccp(t, aPhone)
	if err := p.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := told.wait(t, func(e Event) bool { return e.Event == "registered" })
	if want := "1001 at " + w.address.String() + ":2000 over SCCP"; e.Detail != want || e.Stamp != "beef-1" {
		t.Errorf("it says %q with stamp %q, want %q", e.Detail, e.Stamp, want)
	}
	all := w.manager.Registrations()
	if len(all) != 1 || all[0].Device != aPhone || all[0].Model != 435 || all[0].Stamp != "beef-1" || all[0].Contact != p.local.String() {
		t.Errorf("registered: %+v", all)
	}
	if _, err := p.Call(t.Context(), "1002"); err == nil {
		t.Error("it calls")
	}
	for _, action := range []sip.ServiceAction{sip.ApplyConfig, sip.Restart, sip.Reset} {
		w.manager.Tell([]string{aPhone}, func(string) register.Order { return register.Order{Action: action} })
		select {
		case got := <-p.orders:
			if got.Action != action {
				t.Errorf("told %s it is to do %s", action, got.Action)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("no %s came", action)
		}
		w.told(t, aPhone, func(told register.Telling) bool {
			return told.Order.Action == action && (told.State == register.Taken || told.State == register.Asked)
		})
		if action == sip.Restart { // it registers anew
			p.Close()
			w.told(t, aPhone, func(told register.Telling) bool { return told.State == register.Taken })
			if left := w.manager.Registrations(); len(left) != 0 {
				t.Errorf("after it has left: %+v", left)
			}
			p, _ = w.sccp(t, aPhone)
			if err := p.Register(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A phone that was away when others were told of a new file is told when it has registered, and not before: while it
// registers it takes no orders.
func TestSCCPToldWhenItRegisters(t *testing.T) {
	leavesNothingRunning(t)
	w := serveBehind(t, sccpLines(), memory.New(), ownLoopback(), func(string) (string, bool) { return "new", true })
	for _, told := range []bool{true, false} { // once of each file
		p, _ := w.sccp(t, aPhone)
		if err := p.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		if told {
			select {
			case got := <-p.orders:
				if got.Action != sip.ApplyConfig {
					t.Errorf("it is to do %s", got.Action)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it is told nothing")
			}
			w.told(t, aPhone, func(told register.Telling) bool { return told.State == register.Taken && told.Order.Stamp == "new" })
		}
		p.Close()
		if len(p.orders) != 0 {
			t.Error("it is told more than once")
		}
	}
}

// A call manager that dies and comes back finds the phone there again.
func TestSCCPComesBack(t *testing.T) {
	leavesNothingRunning(t)
	kept := memory.New()
	w := serve(t, sccpLines(), kept, ownLoopback())
	p, told := w.sccp(t, aPhone)
	if err := p.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	told.wait(t, func(e Event) bool { return e.Event == "registered" })
	w.stop()
	w = serve(t, sccpLines(), kept, w.address)
	told.wait(t, func(e Event) bool { return e.Event == "registered" })
	if all := w.manager.Registrations(); len(all) != 1 {
		t.Errorf("registered: %+v", all)
	}
}

func TestSCCPNotRegistered(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, sccpLines(), memory.New(), ownLoopback())
	nobody := &world{address: ownLoopback()}
	closing := &world{address: closes(t)}
	for name, c := range map[string]struct {
		w      *world
		device string
		code   finding.Declaration
		says   string
	}{
		"for SIP":        {w, bPhone, finding.RegistrationRefused, `RegisterReject "This device is set up for SIP"`},
		"unknown":        {w, "SEPFFFFFFFFFFFF", finding.RegistrationRefused, `RegisterReject "Unknown device"`},
		"nobody there":   {nobody, aPhone, finding.RegistrationUnreachable, "connection refused"},
		"closes at once": {closing, aPhone, finding.RegistrationUnreachable, "closed without an answer to RegisterReq"},
	} {
		t.Run(name, func(t *testing.T) {
			p, told := c.w.sccp(t, c.device)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			result := make(chan error, 1)
			go func() { result <- p.Register(ctx) }()
			e := told.wait(t, func(e Event) bool { return e.Event == "finding" })
			if e.Finding.Code != c.code.Code || !strings.Contains(e.Finding.Evidence[0].Text, c.says) {
				t.Errorf("it finds %s, %+v; want %s with %q", e.Finding.Code, e.Finding.Evidence, c.code.Code, c.says)
			}
			if c.code.Code == finding.RegistrationUnreachable.Code {
				cancel() // it would go on
			}
			if err := <-result; err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("registering ends with %v", err)
			}
		})
	}
}

// closes is the address of a server that closes every connection.
func closes(t *testing.T) netip.Addr {
	t.Helper()
	at := ownLoopback()
	listener, err := net.Listen("tcp", at.String()+":2000")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := conn.Read(make([]byte, 1000)); err == nil {
				_ = conn.Close()
			}
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return at
}

func TestMACOfADevice(t *testing.T) {
	for device, want := range map[string][6]byte{"SEP001122334455": {0, 0x11, 0x22, 0x33, 0x44, 0x55}, "SEP00": {}, "ATA0011223344": {}} {
		if got := macOf(device); got != want {
			t.Errorf("%s has MAC address %x", device, got)
		}
	}
}
