// Package callmanager is the call manager: phones register here by SIP and call each other through it. Phones with
// SCCP loads register, too, and are told to read their files; calls by SCCP are not carried yet.
//
// It listens on UDP and TCP, for SCCP on a port of its own, keeps a record of each registration in the store, so
// that a server that was killed comes back knowing its phones, and passes what they say to the deciding packages
// stage/register and stage/call. Media does not pass here: phones send it to each other.
//
// Make one with New, open its listeners with Open, run it with Serve. Calls that are up when it stops
// stay up between the phones, which then hang up by themselves.
//
// Not here yet: calls by SCCP, TLS, trunks, transfer, conferences, emergency calls.
package callmanager

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/sipnet"
	"github.com/longcord/longcord/stage/call"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/wire/sccp"
	"github.com/longcord/longcord/wire/sip"
)

const (
	realm     = "longcord"
	userAgent = "Longcord"
)

// Settings are what an operator chooses.
type Settings struct {
	Listen netip.Addr // address for phones; unspecified means all
	Port   uint16     // of SIP, UDP and TCP; 0 means 5060
	SCCP   uint16     // TCP port; 0 means 2000
}

// Config is everything a call manager needs. Inventory and Store are required.
type Config struct {
	Settings
	Inventory func() *inventory.Set
	Store     store.Store
	// Behind returns the version stamp that a phone's file should have, and whether the phone is known to
	// have another. Such a phone is told so when it registers. Nil: nobody knows.
	Behind func(device string) (stamp string, behind bool)
	// Registered is told of each registration that begins or changes. It must not call the manager. Nil:
	// nobody is told.
	Registered func(register.Binding)
	// Tunnel returns which phones may be at the end of the tunnel that has an address, and whether one has. By SCCP a
	// phone proves nothing but its name, so through a tunnel only those register. It is asked without the manager's
	// lock. Nil: there are no tunnels.
	Tunnel   func(netip.Addr) (devices []string, yes bool)
	Findings *finding.Board // nil: nobody wants to know
	Log      *slog.Logger   // nil discards
	Rand     io.Reader      // nil means the system's
	// Unknown hears of phones that try to register and are not in the inventory: by SCCP without a line, and with the
	// name of the model as their agent. Nil: nobody does.
	Unknown func(device string, peer netip.AddrPort, line, agent string)
}

// Manager is a call manager.
type Manager struct {
	config Config
	log    *slog.Logger
	stack  *sipnet.Stack
	sccp   *sccpPort
	keeper *keeper
	wake   chan struct{} // the next time to wake may have changed

	mu        sync.Mutex // everything the stages know; held for one event at a time
	now       time.Time  // of that event
	directory directory
	registrar *register.Registrar
	calls     *call.Switch
	teller    *register.Teller
	greeted   map[string]string // stamp that a phone was told of when it registered, by device
}

// New makes a call manager that does nothing yet.
func New(config Config) (*Manager, error) {
	if config.Inventory == nil || config.Store == nil {
		return nil, errors.New("callmanager: configuration lacks inventory or store")
	}
	if !config.Listen.IsValid() {
		return nil, errors.New("callmanager: no address to listen on")
	}
	if config.Port == 0 {
		config.Port = 5060
	}
	if config.SCCP == 0 {
		config.SCCP = sccp.Port
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	m := &Manager{
		config: config, log: logging.Or(config.Log).With(logging.Actor, "callmanager"),
		wake: make(chan struct{}, 1), greeted: map[string]string{},
	}
	m.keeper = newKeeper(config.Store, m.log)
	m.stack = sipnet.New(m, m.log)
	m.sccp = newSCCPPort(m)
	var err error
	m.registrar, err = register.NewRegistrar(register.RegistrarConfig{
		Realm: realm, Rand: config.Rand,
		Line:  func(number string) (register.Line, bool) { return m.directory.line(number) },
		Lines: func(device string) []string { return m.directory.lines(device) },
	})
	m.calls = call.NewSwitch(call.SwitchConfig{
		Plan:   call.DialPlan{Known: func(n string) (string, bool) { return m.directory.name(n) }, Reach: m.reach},
		Caller: m.caller, Contact: m.contact, UserAgent: userAgent, Rand: config.Rand,
	})
	m.teller = register.NewTeller(register.TellerConfig{
		At:   func(now time.Time, device string) (register.Binding, bool) { return m.registrar.Device(now, device) },
		Busy: m.busy, Contact: m.contact, Rand: config.Rand,
	})
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// Open takes up the registrations that an earlier run has kept, and begins to listen. After an error the
// manager is of no further use.
func (m *Manager) Open(ctx context.Context) error {
	err := m.restore(ctx)
	if err == nil {
		err = m.listen(ctx)
	}
	if err != nil {
		m.close()
		return fmt.Errorf("callmanager: %w", err)
	}
	return nil
}

func (m *Manager) close() {
	m.stack.Close()
	m.sccp.close()
}

func (m *Manager) restore(ctx context.Context) error {
	kept, err := m.keeper.load(ctx)
	if err != nil {
		return fmt.Errorf("registrations: %w", err)
	}
	m.event(func(now time.Time) {
		for _, b := range kept {
			m.doRegister(m.registrar.Restore(now, b))
		}
		m.withdraw()
	})
	return nil
}

func (m *Manager) listen(ctx context.Context) error {
	address := netip.AddrPortFrom(m.config.Listen, m.config.Port).String()
	var config net.ListenConfig
	socket, err := config.ListenPacket(ctx, "udp", address)
	if err != nil {
		return err
	}
	if err := m.stack.ListenPacket(socket); err != nil {
		return err
	}
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	if err := m.stack.Listen(listener); err != nil {
		return err
	}
	return m.sccp.listen(ctx, netip.AddrPortFrom(m.config.Listen, m.config.SCCP))
}

// Serve runs until the context ends, and returns when everything of the manager has stopped and what it
// knows is in the store.
func (m *Manager) Serve(ctx context.Context) error {
	keeping := make(chan struct{})
	go func() {
		defer close(keeping)
		m.keeper.run(ctx)
	}()
	m.watch(ctx)
	m.log.Info("call manager ends", "calls", len(m.Calls()), "registrations", len(m.Registrations()))
	m.close()
	<-keeping
	return nil
}

// watch lets time pass for the stages.
func (m *Manager) watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	tick := time.NewTicker(lookForInventory)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if m.changed() {
				m.event(func(time.Time) {})
			}
		case <-m.wake:
		case <-timer.C:
			m.event(func(now time.Time) {
				m.doRegister(m.registrar.Advance(now))
				m.doCall(m.calls.Advance(now))
				m.doTell(m.teller.Advance(now))
			})
		}
		if next := m.next(); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

func (m *Manager) next() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return earliest(m.registrar.Wake(), m.calls.Wake(), m.teller.Wake())
}

// earliest returns the first of the times that are not zero.
func earliest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// event runs what something that happened leads to.
func (m *Manager) event(handle func(now time.Time)) {
	m.mu.Lock()
	m.now = time.Now()
	m.follow()
	handle(m.now)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// follow takes up the inventory as it is now, and lets no registration stand that it does not want. A phone
// that gives no name is known by the secret of its line alone: with another secret it is another phone. mu is
// held.
func (m *Manager) follow() {
	before := m.directory.set
	if !m.directory.follow(m.config.Inventory()) {
		return
	}
	m.withdraw()
	if before != nil {
		m.doRegister(m.registrar.Withdraw(func(b register.Binding) bool {
			was, is := before.Lines[b.Line], m.directory.set.Lines[b.Line]
			return b.Device == "" && was != nil && is != nil && was.Secret != is.Secret
		}, "the line has another password"))
	}
}

// withdraw ends what the inventory does not want any more. A phone that speaks SCCP is known by its name alone, so
// its device must be there, and have the line.
func (m *Manager) withdraw() {
	m.doRegister(m.registrar.Withdraw(func(b register.Binding) bool { return m.directory.blocked(b.Device) }, "the device is blocked"))
	m.doRegister(m.registrar.Withdraw(func(b register.Binding) bool {
		return b.Flow.Transport == register.SCCP && !m.directory.hasDeskLine(b.Device, b.Line)
	}, "the device does not have the line any more"))
}

// lookForInventory is how often somebody looks whether there is another inventory while nothing happens.
const lookForInventory = time.Second

// changed reports whether there is one.
func (m *Manager) changed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.directory.set != m.config.Inventory()
}

// Received passes a request to who decides it. The stack calls it.
func (m *Manager) Received(flow sip.Flow, request *sip.Message) {
	m.event(func(now time.Time) {
		switch {
		case request.Method == sip.Register:
			m.doRegister(m.registrar.Received(now, flow, request))
			m.meet(flow, request)
		case request.Method == sip.Invite, request.Method == sip.Ack, request.Method == sip.Bye, request.ToTag() != "":
			m.doCall(m.calls.Received(now, flow, request))
		default:
			m.stack.Respond(request, register.Chatter(request, len(m.registrar.At(flow)) > 0))
		}
	})
}

// meet tells of a phone that is in no inventory. mu is held.
func (m *Manager) meet(flow sip.Flow, request *sip.Message) {
	contacts, err := request.Contacts()
	if m.config.Unknown == nil || err != nil || len(contacts) != 1 {
		return
	}
	device, cisco := sip.DeviceOf(contacts[0])
	if cisco && device.Name == inventory.DeviceInName(device.Name) && m.directory.set.Devices[device.Name] == nil {
		to, _ := request.To()
		m.config.Unknown(device.Name, flow.Peer, to.URI.User, request.Fields.Get("User-Agent"))
	}
}

// Cancelled ends a call that its caller gave up. The stack calls it.
func (m *Manager) Cancelled(invite *sip.Message) {
	m.event(func(now time.Time) { m.doCall(m.calls.Cancelled(now, invite)) })
}

// Answered passes on what a phone answers. The stack calls it.
func (m *Manager) Answered(request, response *sip.Message) {
	m.event(func(now time.Time) {
		if m.teller.Owns(request) {
			m.doTell(m.teller.Answered(now, request, response))
			return
		}
		m.doCall(m.calls.Answered(now, request, response))
	})
}

// Failed passes on that a phone does not answer. The stack calls it.
func (m *Manager) Failed(request *sip.Message, err error) {
	m.event(func(now time.Time) { m.failed(now, request, err) })
}

func (m *Manager) failed(now time.Time, request *sip.Message, err error) {
	if m.teller.Owns(request) {
		m.doTell(m.teller.Failed(now, request, err.Error()))
		return
	}
	status := 480
	if errors.Is(err, sipnet.ErrTimeout) {
		status = 408
	}
	m.doCall(m.calls.Failed(now, request, status, err.Error()))
}

// Lost passes on that a connection is gone. The stack calls it.
func (m *Manager) Lost(flow sip.Flow) {
	m.event(func(now time.Time) {
		m.doRegister(m.registrar.Lost(flow))
		m.doCall(m.calls.Lost(now, flow))
	})
}

func (m *Manager) doRegister(actions []register.Action) {
	answer := func(do func()) { do() }
	if m.keep(actions) {
		answer = m.keeper.then
	}
	for _, action := range actions {
		switch a := action.(type) {
		case register.Respond:
			answer(func() { m.stack.Respond(a.Request, a.Response) })
		case register.Say:
			if send := m.sccp.message(a); send != nil {
				answer(send)
			}
		case register.Close:
			answer(m.sccp.ending(a.Flow, a.Why))
		case register.Pressed:
			m.log.Info("calls by SCCP are not carried yet", logging.Phone, a.Device, logging.Peer, a.Flow, "pressed", a.Key)
		case register.Registered:
			m.log.Info("registered", logging.Phone, a.Binding.Device, "line", a.Binding.Line,
				logging.Peer, a.Binding.Flow, "agent", a.Binding.UserAgent, "restart", a.Binding.Restart)
			m.isIn(a.Binding)
			m.moved(a.Before, a.Binding)
			if b := a.Binding; !b.Follows && b.Flow.Transport != register.SCCP {
				m.greet(b.Device)
			}
		case register.Settled:
			m.greet(a.Device)
		case register.Unregistered:
			m.log.Info("unregistered", logging.Phone, a.Binding.Device, "line", a.Binding.Line,
				logging.Peer, a.Binding.Flow, "why", a.Why)
			m.left(a.Binding.Device, a.Binding.Flow)
		case register.Denied:
			m.isRefused(a)
		}
	}
}

// keep hands changes to the keeper and reports whether there were any.
func (m *Manager) keep(actions []register.Action) (changed bool) {
	for _, action := range actions {
		switch a := action.(type) {
		case register.Keep:
			m.keeper.keep(a.Binding)
			if m.config.Registered != nil {
				m.config.Registered(a.Binding)
			}
			changed = true
		case register.Forget:
			m.keeper.forget(a.Binding)
			changed = true
		}
	}
	return changed
}

// moved lets calls of a phone follow it to its new place.
func (m *Manager) moved(before, b register.Binding) {
	if before.Line != "" {
		m.left(before.Device, before.Flow)
	}
	m.calls.Moved(b.Line, b.Flow, b.URI())
}

// left ends what a phone has at a place where it is registered no more.
func (m *Manager) left(device string, flow sip.Flow) {
	if len(m.registrar.At(flow)) > 0 {
		return
	}
	m.doCall(m.calls.Lost(m.now, flow))
	if flow.Transport == register.SCCP {
		m.doTell(m.teller.Left(m.now, device))
		m.keeper.then(m.sccp.ending(flow, "the phone is not registered here any more"))
	}
}

func (m *Manager) doCall(actions []call.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case call.Send:
			if err := m.stack.Request(a.Flow, a.Request); err != nil {
				m.failed(m.now, a.Request, err)
			}
		case call.Acknowledge:
			m.stack.Ack(a.Invite, a.Ack)
		case call.Withdraw:
			m.stack.Cancel(a.Invite)
		case call.Abandon:
			m.stack.Abandon(a.Request)
		case call.Respond:
			m.stack.Respond(a.Request, a.Response)
		case call.Changed:
			m.logCall(a.Call)
			if a.Call.State == call.Over {
				m.doTell(m.teller.Advance(m.now))
			}
		}
	}
}

func (m *Manager) logCall(c call.Info) {
	log := m.log.With(logging.Call, c.ID, logging.Phone, c.CallerPhone, "caller", c.Caller,
		"called_phone", c.CalledPhone, "called", c.Called)
	switch c.State {
	case call.Ringing:
		log.Info("call begins")
	case call.Talking:
		log.Debug("call answered", "after", c.Answered.Sub(c.Begun))
	case call.Over:
		talked := time.Duration(0)
		if !c.Answered.IsZero() {
			talked = m.now.Sub(c.Answered)
		}
		log.Info("call ends", "status", c.Status, "why", c.Why, "talked", talked,
			"caller_lost", lostOf(c.FromCaller), "called_lost", lostOf(c.FromCalled))
	}
}

// lostOf returns the packets that a phone missed; -1 when it did not tell.
func lostOf(m call.Measured) int {
	if m.Received == nil {
		return -1
	}
	return m.Received.Lost
}

// caller tells which line a request speaks for: the one it claims, if that is registered over this flow.
func (m *Manager) caller(flow sip.Flow, number string) (call.Party, bool) {
	for _, b := range m.registrar.Lookup(m.now, number) {
		if b.Flow == flow {
			name, _ := m.directory.name(number)
			return call.Party{Number: number, Phone: b.Device, Name: name, Flow: flow}, true
		}
	}
	return call.Party{}, false
}

func (m *Manager) reach(number string) []call.Party {
	var places []call.Party
	for _, b := range m.registrar.Lookup(m.now, number) {
		if b.Flow.Transport == register.SCCP {
			continue // no call reaches it yet
		}
		places = append(places, call.Party{Phone: b.Device, Flow: b.Flow, Target: b.URI()})
	}
	return places
}

func (m *Manager) contact(flow sip.Flow) sip.URI {
	local := m.stack.Local(flow)
	uri := sip.URI{Scheme: "sip", Host: local.Addr().String(), Port: local.Port()}
	if !local.IsValid() { // no connection to a phone that is called; the request is going to fail
		uri.Host, uri.Port = m.config.Listen.String(), m.config.Port
	}
	if flow.Transport == sip.TCP {
		uri.Params = sip.Params{{Name: "transport", Value: "tcp"}}
	}
	return uri
}

// Registrations returns who is registered now, by line.
func (m *Manager) Registrations() []register.Binding {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.registrar.Bindings()
}

// Calls returns the calls under way, oldest first.
func (m *Manager) Calls() []call.Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls.Calls()
}
