package callmanager

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/sipnet"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var used atomic.Uint32

// loopback returns an address of this machine that nobody else uses.
func loopback() netip.Addr {
	return netip.AddrFrom4([4]byte{127, 203, byte(os.Getpid() + rand.IntN(100)), byte(used.Add(1))})
}

func oneLine() *inventory.Set {
	set := inventory.NewSet()
	set.Lines["1001"] = &inventory.Line{Name: "1001", Secret: secret.New("one")}
	return set
}

func serve(t *testing.T, s store.Store) (m *Manager, stop func()) {
	t.Helper()
	set := oneLine()
	return serveConfig(t, Config{Inventory: func() *inventory.Set { return set }, Store: s})
}

// serveConfig runs a manager at an address of its own.
func serveConfig(t *testing.T, config Config) (m *Manager, stop func()) {
	t.Helper()
	config.Listen = loopback()
	m, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m, servertest.Start(t, m.Serve)
}

// client is a phone that speaks whole messages.
type client struct {
	t       *testing.T
	stack   *sipnet.Stack
	flow    sip.Flow
	answers chan *sip.Message
	half    *register.Registration
}

func (c *client) Received(sip.Flow, *sip.Message)  {}
func (c *client) Cancelled(*sip.Message)           {}
func (c *client) Answered(_, answer *sip.Message)  { c.answers <- answer }
func (c *client) Failed(_ *sip.Message, err error) { c.t.Error(err) }
func (c *client) Lost(sip.Flow)                    {}

func dial(t *testing.T, m *Manager) *client {
	t.Helper()
	c := &client{t: t, answers: make(chan *sip.Message, 100)}
	c.stack = sipnet.New(c, nil)
	t.Cleanup(c.stack.Close)
	conn, err := net.Dial("tcp", fmt.Sprintf("%s:5060", m.config.Listen))
	if err != nil {
		t.Fatal(err)
	}
	if c.flow, err = c.stack.Connect(conn); err != nil {
		t.Fatal(err)
	}
	c.half, err = register.NewRegistration(register.RegistrationConfig{
		Server: m.config.Listen.String(), Transport: sip.TCP, Line: "1001", Secret: secret.New("one"), Rand: m.config.Rand,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// do sends what the phone's half wants until it wants nothing more.
func (c *client) do(actions []register.Action) {
	c.t.Helper()
	for _, action := range actions {
		switch a := action.(type) {
		case register.Connect:
			c.do(c.half.Connected(c.stack.Local(c.flow)))
		case register.Send:
			if err := c.stack.Request(c.flow, a.Request); err != nil {
				c.t.Fatal(err)
			}
			c.do(c.half.Answered(time.Now(), a.Request, <-c.answers))
		case register.Refused:
			c.t.Fatal(a.Why)
		}
	}
}

func (c *client) ask(method, field, value string) *sip.Message {
	c.t.Helper()
	m := &sip.Message{Method: method, URI: sip.URI{Scheme: "sip", Host: "192.0.2.1"}}
	m.Fields = sip.Fields{{Name: "From", Value: "<sip:1001@x>;tag=1"}, {Name: "To", Value: "<sip:1001@x>"},
		{Name: "Call-ID", Value: method + value}, {Name: "CSeq", Value: "1 " + method}, {Name: field, Value: value}}
	if err := c.stack.Request(c.flow, m); err != nil {
		c.t.Fatal(err)
	}
	return <-c.answers
}

func TestWhatPhonesSayBesides(t *testing.T) {
	m, _ := serve(t, memory.New())
	c := dial(t, m)
	for _, q := range []struct {
		method, field, value string
		want                 int
	}{
		{sip.Options, "Subject", "x", 200},
		{sip.Refer, "Content-Type", "application/x-cisco-alarm+xml", 202},
		{sip.Notify, "Event", "dialog", 403},
		{sip.Subscribe, "Event", "presence", 489},
		{sip.Publish, "Event", "presence", 489},
		{"MESSAGE", "Subject", "x", 405},
		{sip.Bye, "Subject", "x", 481},
	} {
		if got := c.ask(q.method, q.field, q.value).Status; got != q.want {
			t.Errorf("%s %s: %d, want %d", q.method, q.value, got, q.want)
		}
	}
	c.do(c.half.Start())
	if got := c.ask(sip.Notify, "Event", "dialog").Status; got != 200 {
		t.Errorf("hook state of a registered phone: %d, want 200", got)
	}
}

// commits counts what is written, and fails while it is told to.
type commits struct {
	store.Store
	mu     sync.Mutex
	ops    int
	broken bool
	done   chan struct{} // one for each Commit
}

func (c *commits) Commit(ctx context.Context, ops ...store.Op) (store.Revision, error) {
	defer func() { c.done <- struct{}{} }()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		return 0, errors.New("disk full")
	}
	revision, err := c.Store.Commit(ctx, ops...)
	if err == nil {
		c.ops += len(ops)
	}
	return revision, err
}

func TestRefreshesAreNotWritten(t *testing.T) {
	kept := &commits{Store: memory.New(), done: make(chan struct{}, 100)}
	m, stop := serve(t, kept)
	c := dial(t, m)
	c.do(c.half.Start())
	<-kept.done
	for range 5 {
		c.do(c.half.Advance(c.half.Wake()))
	}
	stop()
	if kept.ops != 1 {
		t.Errorf("%d records written for a registration and five refreshes, want 1", kept.ops)
	}
}

// What the store refuses is written when it takes it again.
func TestBrokenStore(t *testing.T) {
	kept := &commits{Store: memory.New(), done: make(chan struct{}, 100), broken: true}
	m, stop := serve(t, kept)
	c := dial(t, m)
	c.do(c.half.Start())
	<-kept.done
	kept.mu.Lock()
	kept.broken = false
	kept.mu.Unlock()
	stop() // writes what is left
	if kept.ops != 1 {
		t.Errorf("%d records written, want 1", kept.ops)
	}
}

func TestOpenRefused(t *testing.T) {
	m, _ := serve(t, memory.New())
	second, err := New(m.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Open(t.Context()); err == nil {
		t.Error("two call managers listen at the same address")
	}
	for name, c := range map[string]Config{
		"no inventory": {Settings: m.config.Settings, Store: m.config.Store},
		"no store":     {Settings: m.config.Settings, Inventory: m.config.Inventory},
		"no address":   {Inventory: m.config.Inventory, Store: m.config.Store},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

// The records of version 1, as they stand in the store.
func TestRecord(t *testing.T) {
	written, err := os.ReadFile("testdata/registration-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	want := register.Binding{
		Line: "1001", Device: "SEP001122334455", Model: 684, Contact: "<sip:8a2c4e3b@192.0.2.40:50057;transport=tcp>",
		Flow:   sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50057")},
		CallID: "id", CSeq: 7, UserAgent: "Cisco-CP8851/12.1.1", Load: "sip88xx.12-1-1", Restart: "initialized",
		Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Lifetime: 2 * time.Minute,
		Written: time.Date(2026, 1, 2, 5, 4, 5, 0, time.UTC), Follows: true,
	}
	kept := memory.New()
	if _, err := kept.Commit(t.Context(), store.Op{Key: "callmanager/registration/" + name(want), Value: written}); err != nil {
		t.Fatal(err)
	}
	got, err := newKeeper(kept, nil).load(t.Context())
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("read as %+v (%v), want %+v", got, err, want)
	}
	if again := record(want).binding(); again != want {
		t.Errorf("written and read as %+v, want %+v", again, want)
	}
}
