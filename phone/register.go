package phone

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/sipnet"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

// connectTimeout is how long the phone waits for a TCP connection to the call manager.
const connectTimeout = 10 * time.Second

// sipConfig is what a line of a phone needs to register and to call.
type sipConfig struct {
	network     network
	local       netip.Addr // own address: for sockets, Contact and media
	server      string     // host of the call manager, from the phone's file
	port        uint16     // of the call manager; 0 means 5060
	transport   sip.Transport
	line        string // number
	authName    string // empty: the line
	secret      secret.String
	displayName string
	device      sip.Device // zero: registers like a standard phone
	stamp       string     // version stamp of the phone's file
	load        string
	userAgent   string
	openMedia   openMedia
	incoming    func(*phoneCall) // decides what becomes of a call, in a goroutine of its own; nil refuses as busy
	deafLimit   time.Duration    // after which a call in which nothing is heard ends; 0 means deafLimit
	log         *slog.Logger
	onEvent     func(Event) // must not block; nil: nobody wants to know
}

// sipPhone is one line of the phone: its registration and, at most, one call at a time.
type sipPhone struct {
	config sipConfig
	log    *slog.Logger
	stack  *sipnet.Stack
	cancel context.CancelFunc
	tasks  sync.WaitGroup // connecting, timers, decisions about incoming calls
	wake   chan struct{}
	done   chan struct{} // closed by Finished

	mu           sync.Mutex // one event at a time
	registration *register.Registration
	socket       bool // UDP is open
	flow         sip.Flow
	registered   bool
	result       chan error // what Register waits for; nil: nobody waits
	trouble      error      // why the last attempt to register failed
	active       *phoneCall // until the last answer of its leg
	orders       chan register.Order
	held         *register.Order // until the call is over
}

// newSIPPhone makes a line. It ends with Close, or hard with ctx.
func newSIPPhone(ctx context.Context, config sipConfig) (*sipPhone, error) {
	if config.port == 0 {
		config.port = 5060
	}
	if config.deafLimit == 0 {
		config.deafLimit = deafLimit
	}
	registration, err := register.NewRegistration(register.RegistrationConfig{
		Server: config.server, Port: config.port, Transport: config.transport,
		Line: config.line, AuthName: config.authName, Secret: config.secret, DisplayName: config.displayName,
		Device: config.device, Load: config.load, UserAgent: config.userAgent, Rand: rand.Reader,
	})
	if err != nil {
		return nil, fmt.Errorf("phone: %w", err)
	}
	p := &sipPhone{
		config: config, log: logging.Or(config.log),
		wake: make(chan struct{}, 1), done: make(chan struct{}), registration: registration,
		orders: make(chan register.Order, 1),
	}
	p.stack = sipnet.New(p, p.log)
	ctx, p.cancel = context.WithCancel(ctx)
	p.tasks.Go(func() { p.watch(ctx) })
	return p, nil
}

// Register begins to register and returns when the call manager has accepted or refused. While none
// answers it goes on trying until ctx ends. Either way the phone stays at it until Close.
func (p *sipPhone) Register(ctx context.Context) error {
	result := make(chan error, 1)
	p.event(func(time.Time) {
		p.result = result
		p.doRegister(p.registration.Start())
	})
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		return errors.Join(fmt.Errorf("phone: register: %w", ctx.Err()), p.trouble)
	}
}

// Close hangs up, takes the registration back, and returns when nothing of the line runs any more.
func (p *sipPhone) Close() {
	p.event(func(now time.Time) {
		if p.active != nil {
			p.active.hangUp(now)
		}
		p.doRegister(p.registration.Stop(now))
	})
	<-p.done
	p.cancel()
	p.stack.Close()
	p.event(func(now time.Time) {
		if p.active != nil { // the answer to our BYE will not come any more
			p.active.stopMedia(now)
			p.active.end(nil, "the phone was closed")
		}
	})
	p.tasks.Wait()
}

// event runs what something that happened leads to.
func (p *sipPhone) event(handle func(now time.Time)) {
	p.mu.Lock()
	handle(time.Now())
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// watch lets time pass for registration and calls. When ctx ends early it ends the registration hard.
func (p *sipPhone) watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			p.mu.Lock()
			p.finish()
			p.mu.Unlock()
			return
		case <-p.wake:
		case <-timer.C:
			p.event(p.advance)
		}
		if next := p.next(); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

func (p *sipPhone) advance(now time.Time) {
	p.doRegister(p.registration.Advance(now))
	if p.active != nil {
		p.active.advance(now)
	}
}

func (p *sipPhone) next() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active == nil {
		return p.registration.Wake()
	}
	return earlier(p.registration.Wake(), p.active.wake())
}

func (p *sipPhone) finish() {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
}

func (p *sipPhone) doRegister(actions []register.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case register.Connect:
			p.tasks.Go(p.connect)
		case register.Send:
			if err := p.stack.Request(p.flow, a.Request); err != nil {
				p.doRegister(p.registration.Failed(time.Now(), a.Request, err.Error()))
			}
		case register.Accepted:
			p.accepted(a)
		case register.Refused:
			p.troubled(finding.RegistrationRefused.With(p.config.line, a.Why), a.Why)
		case register.Unreachable:
			p.troubled(finding.RegistrationUnreachable.With(p.address()), a.Why)
		case register.Finished:
			p.finish()
		}
	}
}

func (p *sipPhone) address() string {
	return net.JoinHostPort(p.config.server, strconv.Itoa(int(p.config.port)))
}

func (p *sipPhone) accepted(a register.Accepted) {
	p.trouble = nil
	if !p.registered {
		p.log.Info("registered", "line", p.config.line, logging.Peer, p.flow, "until", a.Until)
		p.emit(Event{Event: "registered", Step: stage.Register, OK: true,
			Detail: fmt.Sprintf("%s at %s over %s", p.config.line, p.address(), p.config.transport), Stamp: p.config.stamp})
	}
	p.registered = true
	p.report(nil)
}

// troubled reports why the line is not registered. A refusal ends Register; that nobody answers may pass.
func (p *sipPhone) troubled(f finding.Finding, why string) {
	p.log.Warn("not registered", "line", p.config.line, "why", why, logging.Finding, f.Code)
	f = f.Because("phone", 0, why)
	p.emit(Event{Event: "finding", Step: f.Step, Finding: &f})
	p.registered, p.trouble = false, fmt.Errorf("phone: %s: %s", f.Says, why)
	if f.Code == finding.RegistrationRefused.Code {
		p.report(p.trouble)
	}
}

func (p *sipPhone) report(err error) {
	if p.result != nil {
		p.result <- err
		p.result = nil
	}
}

func (p *sipPhone) emit(e Event) {
	if p.config.onEvent != nil {
		e.Time = time.Now()
		p.config.onEvent(e)
	}
}

// connect opens the way to the call manager.
func (p *sipPhone) connect() {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	go func() { // Close does not wait for a call manager that is silent
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	open := p.connectTCP
	if p.config.transport == sip.UDP {
		open = p.connectUDP
	}
	flow, err := open(ctx)
	p.event(func(now time.Time) {
		if err != nil {
			p.doRegister(p.registration.Unreachable(now, err.Error()))
			return
		}
		p.flow = flow
		p.doRegister(p.registration.Connected(p.stack.Local(flow)))
		if p.active != nil {
			p.active.leg.Moved(flow, sip.URI{})
		}
	})
}

func (p *sipPhone) connectTCP(ctx context.Context) (sip.Flow, error) {
	dialer := p.config.network.dialer(&net.TCPAddr{IP: p.config.local.AsSlice()}, 0)
	conn, err := dialer.DialContext(ctx, "tcp4", p.address())
	if err != nil {
		return sip.Flow{}, err
	}
	return p.stack.Connect(conn)
}

func (p *sipPhone) connectUDP(ctx context.Context) (sip.Flow, error) {
	server, err := p.config.network.resolve4(ctx, p.config.server)
	if err != nil {
		return sip.Flow{}, err
	}
	flow := sip.Flow{Transport: sip.UDP, Peer: netip.AddrPortFrom(server, p.config.port)}
	if p.socket {
		return flow, nil
	}
	socket, err := p.config.network.listenPacket(ctx, netip.AddrPortFrom(p.config.local, 0))
	if err != nil {
		return flow, err
	}
	p.socket = true // connect runs one at a time
	return flow, p.stack.ListenPacket(socket)
}

// Received takes a request from the call manager. The stack calls it.
func (p *sipPhone) Received(flow sip.Flow, request *sip.Message) {
	p.event(func(now time.Time) {
		switch {
		case flow.Peer.Addr() != p.flow.Peer.Addr():
			p.refuse(request, 403) // a phone listens to its call manager only
		case request.ToTag() != "":
			p.within(now, request)
		case request.Method == sip.Invite:
			p.rung(now, flow, request)
		case request.Method == sip.Options:
			p.refuse(request, 200)
		case request.Method == sip.Notify:
			p.notified(request)
		case request.Method != sip.Ack:
			p.refuse(request, 405)
		}
	})
}

func (p *sipPhone) refuse(request *sip.Message, status int) {
	if request.Method != sip.Ack {
		p.stack.Respond(request, sip.NewResponse(request, status, request.FromTag()+"-phone"))
	}
}

// Cancelled takes the news that a caller gave up. The stack calls it.
func (p *sipPhone) Cancelled(invite *sip.Message) {
	p.event(func(now time.Time) {
		if c := p.active; c != nil && c.invite == invite {
			c.do(now, c.leg.Cancelled())
		}
	})
}

// Answered takes the call manager's answer. The stack calls it.
func (p *sipPhone) Answered(request, response *sip.Message) {
	p.event(func(now time.Time) {
		if request.Method == sip.Register {
			p.doRegister(p.registration.Answered(now, request, response))
		} else if p.active != nil {
			p.active.do(now, p.active.leg.Answered(now, request, response))
		}
	})
}

// Failed takes the news that the call manager does not answer. The stack calls it.
func (p *sipPhone) Failed(request *sip.Message, err error) {
	p.event(func(now time.Time) { p.failed(now, request, err) })
}

func (p *sipPhone) failed(now time.Time, request *sip.Message, err error) {
	status := 480
	if errors.Is(err, sipnet.ErrTimeout) {
		status = 408
	}
	if request.Method == sip.Register {
		p.doRegister(p.registration.Failed(now, request, err.Error()))
	} else if p.active != nil {
		p.active.do(now, p.active.leg.Failed(now, request, status, err.Error()))
	}
}

// Lost takes the news that the connection is gone. The stack calls it.
func (p *sipPhone) Lost(flow sip.Flow) {
	p.event(func(now time.Time) {
		if flow != p.flow {
			return
		}
		if p.registered {
			p.registered = false
			p.log.Info("connection to the call manager lost", logging.Peer, flow)
		}
		p.doRegister(p.registration.Lost(now))
		if p.active != nil {
			p.active.do(now, p.active.leg.Lost(now))
		}
	})
}
