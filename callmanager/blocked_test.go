package callmanager

import (
	"crypto/rand"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

const blockable = "SEP001122334455"

// officeWith has one device with the line 1001.
func officeWith(password string, blocked bool) *inventory.Set {
	set := inventory.NewSet()
	set.Lines["1001"] = &inventory.Line{Name: "1001", Secret: secret.New(password)}
	set.Devices[blockable] = &inventory.Device{Name: blockable, Lines: []string{"1001"}, Blocked: blocked}
	return set
}

// refused registers and returns the status that it is refused with.
func (c *client) refused(secretOf, device string) (why string) {
	c.t.Helper()
	half, err := register.NewRegistration(register.RegistrationConfig{
		Server: "192.0.2.1", Transport: sip.TCP, Line: "1001", Secret: secret.New(secretOf), Device: sip.Device{Name: device, Model: 684}, Rand: rand.Reader,
		UserAgent: "Cisco-CP8851/12.1.1",
	})
	if err != nil {
		c.t.Fatal(err)
	}
	var do func([]register.Action)
	do = func(actions []register.Action) {
		for _, action := range actions {
			switch a := action.(type) {
			case register.Connect:
				do(half.Connected(c.stack.Local(c.flow)))
			case register.Send:
				if err := c.stack.Request(c.flow, a.Request); err != nil {
					c.t.Fatal(err)
				}
				do(half.Answered(time.Now(), a.Request, <-c.answers))
			case register.Refused:
				why = a.Why
			}
		}
	}
	do(half.Start())
	return why
}

func serveSet(t *testing.T, set *atomic.Pointer[inventory.Set], s store.Store, unknown func(string, netip.AddrPort, string, string)) (*Manager, func()) {
	t.Helper()
	return serveConfig(t, Config{Inventory: set.Load, Store: s, Unknown: unknown})
}

// gone waits until nobody is registered.
func gone(t *testing.T, m *Manager) {
	t.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for len(m.Registrations()) > 0 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still registered: %+v", m.Registrations())
		}
	}
}

// TestBlockedPhone: its registration ends while nothing else happens, it cannot register, and a restart
// does not bring it back.
func TestBlockedPhone(t *testing.T) {
	var set atomic.Pointer[inventory.Set]
	set.Store(officeWith("one", false))
	kept := memory.New()
	defer kept.Close()
	m, stop := serveSet(t, &set, kept, nil)
	if why := dial(t, m).refused("one", blockable); why != "" || len(m.Registrations()) != 1 {
		t.Fatalf("the phone is not registered: %q", why)
	}
	set.Store(officeWith("two", true))
	gone(t, m)
	if why := dial(t, m).refused("two", blockable); why == "" {
		t.Error("a blocked phone registers")
	}
	set.Store(officeWith("two", false))
	if why := dial(t, m).refused("two", blockable); why != "" || len(m.Registrations()) != 1 {
		t.Errorf("after it was unblocked: %q", why)
	}
	stop()
	set.Store(officeWith("two", true))
	m, stop = serveSet(t, &set, kept, nil)
	defer stop()
	if all := m.Registrations(); len(all) != 0 {
		t.Errorf("after a restart a blocked phone is registered: %+v", all)
	}
}

// TestNamelessPhone: one that gives no device name is known by the password alone, and goes with it.
func TestNamelessPhone(t *testing.T) {
	var set atomic.Pointer[inventory.Set]
	set.Store(officeWith("one", false))
	kept := memory.New()
	defer kept.Close()
	m, stop := serveSet(t, &set, kept, nil)
	defer stop()
	c := dial(t, m)
	c.do(c.half.Start())
	if len(m.Registrations()) != 1 {
		t.Fatal("the phone is not registered")
	}
	set.Store(officeWith("two", false))
	gone(t, m)
}

// TestUnknownPhone: a phone that is in no inventory is told of, once it tries to register; a known one is not.
func TestUnknownPhone(t *testing.T) {
	var set atomic.Pointer[inventory.Set]
	set.Store(officeWith("one", false))
	kept := memory.New()
	defer kept.Close()
	met := make(chan string, 10)
	m, stop := serveSet(t, &set, kept, func(device string, peer netip.AddrPort, line, agent string) {
		met <- device + " " + line + " " + agent + " " + peer.Addr().String()
	})
	defer stop()
	if why := dial(t, m).refused("one", blockable); why != "" {
		t.Fatal(why)
	}
	c := dial(t, m)
	c.refused("guess", "SEP00000000000B")
	want := "SEP00000000000B 1001 Cisco-CP8851/12.1.1 " + c.stack.Local(c.flow).Addr().String()
	if got := <-met; got != want {
		t.Errorf("told of %q, want %q", got, want)
	}
	for len(met) > 0 {
		if got := <-met; got != want {
			t.Errorf("told of %q", got)
		}
	}
}
