package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/callmanager"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sdp"
	"github.com/longcord/longcord/wire/sip"
)

const aPhone, bPhone = "SEP001122334455", "SEP00AABBCCDDEE"

// ownLoopback returns an address of this machine that nobody else uses, so that ports need no luck.
var nextLoopback atomic.Uint32

func ownLoopback() netip.Addr {
	n := nextLoopback.Add(1)
	return netip.AddrFrom4([4]byte{127, byte(2 + os.Getpid()%200), byte(rand.IntN(250)), byte(1 + n%250)})
}

func twoLines() *inventory.Set {
	set := inventory.NewSet()
	set.Lines["1001"] = &inventory.Line{Name: "1001", DisplayName: "Ann", Secret: secret.New("one")}
	set.Lines["1002"] = &inventory.Line{Name: "1002", DisplayName: "Bob", Secret: secret.New("two")}
	set.Lines["1003"] = &inventory.Line{Name: "1003", Secret: secret.New("three")}
	set.Devices[aPhone] = &inventory.Device{Name: aPhone, Lines: []string{"1001"}}
	set.Devices[bPhone] = &inventory.Device{Name: bPhone, Lines: []string{"1002", "1003"}}
	return set
}

type world struct {
	manager  *callmanager.Manager
	ends     chan string   // how each call ended, from the manager's log
	tellings chan struct{} // that something became of a telling, from the same
	address  netip.Addr
	stop     func()
}

// serve runs a call manager until stop or the end of the test.
func serve(t *testing.T, set *inventory.Set, kept store.Store, address netip.Addr) *world {
	t.Helper()
	return serveBehind(t, set, kept, address, nil)
}

// serveBehind is a call manager that knows which phones run another file than they should.
func serveBehind(t *testing.T, set *inventory.Set, kept store.Store, address netip.Addr, behind func(string) (string, bool)) *world {
	t.Helper()
	ends, tellings := make(chan string, 100), make(chan struct{}, 100)
	m, err := callmanager.New(callmanager.Config{
		Log:       slog.New(managerLog{slog.DiscardHandler, ends, tellings}),
		Settings:  callmanager.Settings{Listen: address},
		Inventory: func() *inventory.Set { return set }, Store: kept, Behind: behind,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &world{manager: m, ends: ends, tellings: tellings, address: address, stop: servertest.Start(t, m.Serve)}
}

// managerLog is a log that passes on how calls end, and that phones were told something.
type managerLog struct {
	slog.Handler
	ends     chan<- string
	tellings chan<- struct{}
}

func (h managerLog) Enabled(context.Context, slog.Level) bool { return true }
func (h managerLog) WithAttrs([]slog.Attr) slog.Handler       { return h }

func (h managerLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "call ends" {
		text := ""
		r.Attrs(func(a slog.Attr) bool { text += a.String() + " "; return true })
		h.ends <- text
	}
	if strings.HasPrefix(r.Message, "phone ") && strings.HasSuffix(r.Message, "told") {
		h.tellings <- struct{}{}
	}
	return nil
}

// events collects what a phone tells.
type events chan Event

func (e events) wait(t *testing.T, want func(Event) bool) Event {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case got := <-e:
			if want(got) {
				return got
			}
		case <-timeout:
			t.Fatal("the expected event did not come")
		}
	}
}

func (w *world) phone(t *testing.T, change func(*sipConfig)) (*sipPhone, events) {
	t.Helper()
	told := make(events, 1000)
	own := ownLoopback()
	config := sipConfig{
		local: own, server: w.address.String(), transport: sip.TCP,
		line: "1001", secret: secret.New("one"), displayName: "Ann",
		device:    sip.Device{Instance: "urn:uuid:00000000-0000-0000-0000-001122334455", Name: aPhone, Model: 684},
		userAgent: "Cisco-CP8851/12.1.1", load: "sip88xx.12-1-1",
		openMedia: func(local netip.Addr) (mediaStream, error) {
			return newMediaStream(t.Context(), network{}, local, mediaOptions{})
		},
		onEvent: func(e Event) { told <- e },
	}
	change(&config)
	p, err := newSIPPhone(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, told
}

func bob(c *sipConfig) {
	c.line, c.secret, c.displayName = "1002", secret.New("two"), "Bob"
	c.device.Name, c.device.Instance = bPhone, "urn:uuid:00000000-0000-0000-0000-00AABBCCDDEE"
}

func mustRegister(t *testing.T, p *sipPhone) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.Register(ctx); err != nil {
		t.Fatal(err)
	}
}

func callState(state string) func(Event) bool {
	return func(e Event) bool { return e.Event == "call" && e.Call.State == state }
}

func leavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after the cleanups of what starts below
}

func TestRegister(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	for _, transport := range []sip.Transport{sip.TCP, sip.UDP} {
		t.Run(string(transport), func(t *testing.T) {
			p, told := w.phone(t, func(c *sipConfig) { c.transport = transport; bob(c) })
			mustRegister(t, p)
			told.wait(t, func(e Event) bool { return e.Event == "registered" && e.OK })
			got := w.manager.Registrations()
			if len(got) != 2 || got[0].Line != "1002" || got[1].Line != "1003" || !got[1].Follows {
				t.Fatalf("registered %v, want 1002 and, behind it, 1003", got)
			}
			if got[0].Load != "sip88xx.12-1-1" || got[0].Flow.Transport != transport {
				t.Errorf("binding %+v does not tell load and transport", got[0])
			}
			p.Close()
			if got := w.manager.Registrations(); len(got) != 0 {
				t.Errorf("after Close still registered: %v", got)
			}
		})
	}
}

func TestRegisterRefused(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	for name, change := range map[string]func(*sipConfig){
		"wrong secret":  func(c *sipConfig) { c.secret = secret.New("two") },
		"unknown line":  func(c *sipConfig) { c.line = "1999" },
		"foreign phone": func(c *sipConfig) { c.device.Name = bPhone },
	} {
		t.Run(name, func(t *testing.T) {
			p, told := w.phone(t, change)
			if err := p.Register(t.Context()); err == nil {
				t.Fatal("registered")
			}
			e := told.wait(t, func(e Event) bool { return e.Event == "finding" })
			if e.Finding.Code != finding.RegistrationRefused.Code {
				t.Errorf("finding %s, want %s", e.Finding.Code, finding.RegistrationRefused.Code)
			}
		})
	}
}

func TestRegisterUnreachable(t *testing.T) {
	leavesNothingRunning(t)
	w := &world{address: ownLoopback()}
	p, told := w.phone(t, func(*sipConfig) {})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { failed <- p.Register(ctx) }()
	e := told.wait(t, func(e Event) bool { return e.Event == "finding" })
	if e.Finding.Code != finding.RegistrationUnreachable.Code {
		t.Errorf("finding %s, want %s", e.Finding.Code, finding.RegistrationUnreachable.Code)
	}
	cancel()
	if err := <-failed; err == nil {
		t.Error("registered with nobody")
	}
}

// A server that was killed comes back knowing its phones; the phone notices and registers again.
func TestRegisterAgain(t *testing.T) {
	leavesNothingRunning(t)
	kept := memory.New()
	w := serve(t, twoLines(), kept, ownLoopback())
	p, told := w.phone(t, func(*sipConfig) {})
	mustRegister(t, p)
	told.wait(t, func(e Event) bool { return e.Event == "registered" })
	w.stop()
	w = serve(t, twoLines(), kept, w.address)
	if got := w.manager.Registrations(); len(got) != 1 || got[0].Device != aPhone {
		t.Errorf("the new server knows %v, want %s", got, aPhone)
	}
	told.wait(t, func(e Event) bool { return e.Event == "registered" })
}

func TestCall(t *testing.T) {
	leavesNothingRunning(t)
	for _, c := range []struct {
		from, to     sip.Transport
		callerLeaves bool
	}{{sip.TCP, sip.TCP, true}, {sip.TCP, sip.UDP, false}, {sip.UDP, sip.TCP, false}, {sip.UDP, sip.UDP, true}} {
		t.Run(fmt.Sprint(c.from, " calls ", c.to), func(t *testing.T) {
			w := serve(t, twoLines(), memory.New(), ownLoopback())
			home, desk := newSpeaker(t, tone.Home, time.Second), newSpeaker(t, tone.Desk, time.Second)
			taken := make(chan *phoneCall, 1)
			ann, annTold := w.phone(t, func(cfg *sipConfig) {
				cfg.transport, cfg.local = c.from, loopback
				cfg.openMedia = func(netip.Addr) (mediaStream, error) { return home, nil }
			})
			bobs, bobTold := w.phone(t, func(cfg *sipConfig) {
				bob(cfg)
				cfg.transport, cfg.local = c.to, loopback
				cfg.openMedia = func(netip.Addr) (mediaStream, error) { return desk, nil }
				cfg.incoming = func(call *phoneCall) { call.Answer(); taken <- call }
			})
			mustRegister(t, ann)
			mustRegister(t, bobs)
			ours, err := ann.Call(t.Context(), "1002")
			if err != nil {
				t.Fatal(err)
			}
			theirs := <-taken
			await(t, theirs.Up(), "the callee's answer")
			await(t, home.Played(), "the end of the caller's file")
			await(t, desk.Played(), "the end of the callee's file")
			first, second := ours, theirs
			if !c.callerLeaves {
				first, second = theirs, ours
			}
			first.HangUp()
			await(t, second.Done(), "the other side's end of the call")
			for _, told := range []events{annTold, bobTold} {
				told.wait(t, callState("answered"))
				told.wait(t, callState("ended"))
				e := told.wait(t, func(e Event) bool { return e.Event == "media" })
				if e.Media.Sent < 50 || e.Media.Received < 45 {
					t.Errorf("media %+v, want some 50 packets each way", *e.Media)
				}
			}
			home.mustHave(t, tone.Desk)
			desk.mustHave(t, tone.Home)
			want := "status=200 why=hung up talked="
			if got := <-w.ends; !strings.HasPrefix(got, want) || !strings.Contains(got, "caller_lost=0 called_lost=0") {
				t.Errorf("the manager logs %q, want %q and both phones' counts", got, want)
			}
			if got := w.manager.Calls(); len(got) != 0 {
				t.Errorf("calls still known: %v", got)
			}
		})
	}
}

func TestCallRefused(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	ann, _ := w.phone(t, func(*sipConfig) {})
	refuse := atomic.Int32{}
	bobs, _ := w.phone(t, func(cfg *sipConfig) {
		bob(cfg)
		cfg.incoming = func(c *phoneCall) { c.Refuse(int(refuse.Load())) }
	})
	mustRegister(t, ann)
	for _, c := range []struct {
		number       string
		refuse, want int
		registered   bool
	}{{"1002", 0, 480, false}, {"1999", 0, 404, true}, {"1002", 486, 486, true}, {"1002", 603, 603, true}, {"1001", 0, 486, true}} {
		if c.registered && len(w.manager.Registrations()) == 1 {
			mustRegister(t, bobs)
		}
		refuse.Store(int32(c.refuse))
		_, err := ann.Call(t.Context(), c.number)
		var refused *callRefused
		if !errors.As(err, &refused) || refused.Status != c.want {
			t.Errorf("call to %s: %v, want %d", c.number, err, c.want)
		}
	}
}

func TestCallGivenUp(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	ann, annTold := w.phone(t, func(*sipConfig) {})
	rings := make(chan *phoneCall, 1)
	bobs, bobTold := w.phone(t, func(cfg *sipConfig) {
		bob(cfg)
		cfg.incoming = func(c *phoneCall) { rings <- c }
	})
	mustRegister(t, ann)
	mustRegister(t, bobs)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := ann.Call(ctx, "1002")
		ended <- err
	}()
	annTold.wait(t, callState("ringing"))
	cancel()
	if err := <-ended; err == nil {
		t.Error("the call was answered")
	}
	<-(<-rings).Done()
	if e := bobTold.wait(t, callState("refused")); e.Call.Cause != "the caller gave up" {
		t.Errorf("cause %q", e.Call.Cause)
	}
}

// A call manager that was restarted during a call cannot tell the second phone that the first hung up.
// That phone notices by itself, and can be called again.
func TestCallOutlivesItsManager(t *testing.T) {
	leavesNothingRunning(t)
	kept := memory.New()
	w := serve(t, twoLines(), kept, ownLoopback())
	taken := make(chan *phoneCall, 2)
	ann, annTold := w.phone(t, func(*sipConfig) {})
	bobs, bobTold := w.phone(t, func(cfg *sipConfig) {
		bob(cfg)
		cfg.deafLimit = 2 * time.Second
		cfg.incoming = func(call *phoneCall) { call.Answer(); taken <- call }
	})
	registered := func(e Event) bool { return e.Event == "registered" }
	for p, told := range map[*sipPhone]events{ann: annTold, bobs: bobTold} {
		mustRegister(t, p)
		told.wait(t, registered)
	}
	ours, err := ann.Call(t.Context(), "1002")
	if err != nil {
		t.Fatal(err)
	}
	theirs := <-taken
	w.stop()
	serve(t, twoLines(), kept, w.address)
	annTold.wait(t, registered)
	bobTold.wait(t, registered)
	ours.HangUp() // the manager's answer is 481
	await(t, theirs.Done(), "the end of the call on the second phone")
	if e := bobTold.wait(t, callState("ended")); e.Call.Cause != noSound {
		t.Errorf("cause %q, want %q", e.Call.Cause, noSound)
	}
	if _, err := ann.Call(t.Context(), "1002"); err != nil {
		t.Errorf("the second phone cannot be called again: %v", err)
	}
}

// unheard is media that has heard nothing.
type unheard struct{ mediaStream }

func (unheard) Heard() time.Time            { return time.Time{} }
func (unheard) Start(netip.AddrPort, uint8) {}

func TestCallOnHoldNeedNotBeHeard(t *testing.T) {
	t.Parallel()
	now, to := time.Now(), netip.MustParseAddrPort("192.0.2.1:16384")
	c := phoneCall{media: unheard{}}
	for _, step := range []struct {
		direction sdp.Direction
		listens   bool
	}{{sdp.SendRecv, true}, {sdp.SendOnly, false}, {sdp.SendRecv, true}, {sdp.Inactive, false}, {sdp.RecvOnly, false}} {
		now = now.Add(time.Second)
		c.start(now, sdp.Description{Media: to, Direction: step.direction}, sdp.Codec{})
		if got := c.listens.Equal(now); got != step.listens {
			t.Errorf("%s: listens since %v, want %v", step.direction, c.listens, step.listens)
		}
	}
}
