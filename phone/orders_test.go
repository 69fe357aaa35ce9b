package phone

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

// tell has the call manager tell a phone, and returns when the phone has answered.
func (w *world) tell(t *testing.T, device string, order register.Order) register.Telling {
	t.Helper()
	w.manager.Tell([]string{device}, func(string) register.Order { return order })
	return w.told(t, device, func(told register.Telling) bool { return told.State.Settled() })
}

func (w *world) told(t *testing.T, device string, want func(register.Telling) bool) register.Telling {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		for _, told := range w.manager.Tellings() {
			if told.Device == device && want(told) {
				return told
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the telling of %s did not come to its end: %+v", device, w.manager.Tellings())
		case <-w.tellings:
		}
	}
}

func orderOf(t *testing.T, p *sipPhone) register.Order {
	t.Helper()
	select {
	case order := <-p.orders:
		return order
	case <-time.After(20 * time.Second):
		t.Fatal("no order came")
	}
	panic("unreachable")
}

func TestOrders(t *testing.T) {
	leavesNothingRunning(t)
	for _, transport := range []sip.Transport{sip.TCP, sip.UDP} {
		t.Run(string(transport), func(t *testing.T) {
			w := serve(t, twoLines(), memory.New(), ownLoopback())
			p, told := w.phone(t, func(c *sipConfig) { c.transport, c.stamp = transport, "here" })
			mustRegister(t, p)
			if e := told.wait(t, func(e Event) bool { return e.Event == "registered" }); e.Stamp != "here" {
				t.Errorf("it registered with the file %q", e.Stamp)
			}
			if got := w.tell(t, aPhone, register.Order{Action: sip.CheckVersion, Stamp: "here"}); got.State != register.Taken {
				t.Errorf("told the version that it has, it is %s: %s", got.State, got.Why)
			}
			for _, want := range []register.Order{
				{Action: sip.CheckVersion, Stamp: "there"}, {Action: sip.Restart, Stamp: "there"}, {Action: sip.Reset, Stamp: "there"},
			} {
				if got := w.tell(t, aPhone, want); got.State != register.Taken || got.Why != "200 OK" {
					t.Errorf("told %v it is %s: %s", want, got.State, got.Why)
				}
				if got := orderOf(t, p); got != want {
					t.Errorf("it is to do %v, want %v", got, want)
				}
			}
		})
	}
}

func TestOrderOfAnUnregisteredPhone(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	if got := w.tell(t, bPhone, register.Order{Action: sip.Restart}); got.State != register.NotReached {
		t.Errorf("a phone that is not there is %s", got.State)
	}
}

// A phone whose load takes less than we say first is told in another way, and does it.
func TestOrderInAnotherManner(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	p, _ := w.phone(t, func(c *sipConfig) { c.userAgent = "Cisco-CP7975G/9.4.2" })
	mustRegister(t, p)
	if got := w.tell(t, aPhone, register.Order{Action: sip.Restart}); got.State != register.Taken {
		t.Errorf("it is %s: %s", got.State, got.Why)
	}
	if got := orderOf(t, p); got.Action != sip.Restart {
		t.Errorf("it is to do %v", got)
	}
}

// Nobody is told during a call, and a phone that was told in spite of that waits for the call's end.
func TestOrdersWaitForTheCall(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	ann, _ := w.phone(t, func(*sipConfig) {})
	answered := make(chan *phoneCall, 1)
	other, _ := w.phone(t, func(c *sipConfig) {
		bob(c)
		c.incoming = func(call *phoneCall) { call.Answer(); answered <- call }
	})
	mustRegister(t, ann)
	mustRegister(t, other)
	call, err := ann.Call(t.Context(), "1002")
	if err != nil {
		t.Fatal(err)
	}
	<-answered
	for _, device := range []string{aPhone, bPhone} {
		if !w.manager.Busy(device) {
			t.Errorf("%s counts as idle during its call", device)
		}
	}
	w.manager.Tell([]string{aPhone, bPhone}, func(string) register.Order { return register.Order{Action: sip.ApplyConfig, Stamp: "new"} })
	for _, told := range w.manager.Tellings() {
		if told.State != register.InCall {
			t.Errorf("during the call %s is %s", told.Device, told.State)
		}
	}
	// As another server would, which does not look for calls.
	ann.event(func(time.Time) { ann.held = &register.Order{Action: sip.Reset}; ann.release() })
	if len(ann.orders) != 0 {
		t.Error("the phone obeys during its call")
	}
	call.HangUp()
	for _, p := range []*sipPhone{ann, other} {
		if got := orderOf(t, p); got.Action != sip.Reset && got != (register.Order{Action: sip.ApplyConfig, Stamp: "new"}) {
			t.Errorf("after the call it is to do %v", got)
		}
	}
	for _, device := range []string{aPhone, bPhone} {
		w.told(t, device, func(told register.Telling) bool { return told.State == register.Taken })
	}
}

// A phone that registers with another file than it should have was away when others were told. It is told
// then, once for each file, lest a phone that does not take it registers for ever.
func TestToldWhenItRegisters(t *testing.T) {
	leavesNothingRunning(t)
	var stamp atomic.Value
	stamp.Store("new")
	w := serveBehind(t, twoLines(), memory.New(), ownLoopback(), func(device string) (string, bool) { return stamp.Load().(string), device == aPhone })
	for _, round := range []struct {
		stamp string
		told  bool
	}{{"new", true}, {"new", false}, {"newer", true}} {
		stamp.Store(round.stamp)
		p, _ := w.phone(t, func(c *sipConfig) { c.stamp = "old" })
		mustRegister(t, p)
		other, _ := w.phone(t, bob) // whoever is not behind is told nothing
		mustRegister(t, other)
		if round.told {
			if got, want := orderOf(t, p), (register.Order{Action: sip.CheckVersion, Stamp: round.stamp}); got != want {
				t.Errorf("it is to do %v, want %v", got, want)
			}
			w.told(t, aPhone, func(told register.Telling) bool {
				return told.State == register.Taken && told.Order.Stamp == round.stamp
			})
		}
		if len(p.orders)+len(other.orders) != 0 {
			t.Errorf("told more than once of %s, or the other phone was", round.stamp)
		}
		p.Close()
		other.Close()
	}
	if all := w.manager.Tellings(); len(all) != 1 {
		t.Errorf("told %+v, want one phone", all)
	}
}
