package phone

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/sipnet"
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
	port        uint16     // of the call manager; 0 means 5060, by TLS 5061
	transport   sip.Transport
	secure      *handshake // what the phone brings to TLS, where the transport is that
	profile     tlsProfile
	line        string // number
	authName    string // empty: the line
	secret      secret.String
	displayName string
	device      sip.Device // zero: registers like a standard phone
	look        bool       // asks who is registered first, and leaves the line to him
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
	*standing
	config sipConfig
	stack  *sipnet.Stack
	tasks  sync.WaitGroup // connecting, timers, decisions about incoming calls

	registration *register.Registration
	socket       bool // UDP is open
	insecure     bool // the last try came to grief on TLS
	flow         sip.Flow
	active       *phoneCall // until the last answer of its leg
}

// newSIPPhone makes a line. It ends with Close, or hard with ctx.
func newSIPPhone(ctx context.Context, config sipConfig) (*sipPhone, error) {
	switch {
	case config.port == 0 && config.transport == sip.TLS:
		config.port = 5061
	case config.port == 0:
		config.port = 5060
	}
	if config.deafLimit == 0 {
		config.deafLimit = deafLimit
	}
	registration, err := register.NewRegistration(register.RegistrationConfig{
		Server: config.server, Port: config.port, Transport: config.transport,
		Line: config.line, AuthName: config.authName, Secret: config.secret, DisplayName: config.displayName,
		Device: config.device, Load: config.load, Look: config.look, UserAgent: config.userAgent, Rand: rand.Reader,
	})
	if err != nil {
		return nil, fmt.Errorf("phone: %w", err)
	}
	p := &sipPhone{config: config, registration: registration, standing: &standing{
		network: config.network, local: config.local, server: config.server, port: config.port, protocol: string(config.transport),
		name: config.line, stamp: config.stamp, onEvent: config.onEvent, log: config.log,
	}}
	p.begin()
	p.stack = sipnet.New(p, p.log)
	ctx, p.cancel = context.WithCancel(ctx)
	p.tasks.Go(func() { p.watch(ctx, p.advance, p.next) })
	return p, nil
}

// Register registers.
func (p *sipPhone) Register(ctx context.Context) error {
	return p.await(ctx, func() { p.doRegister(p.registration.Start()) })
}

// Close hangs up, and takes the registration back.
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

func (p *sipPhone) advance(now time.Time) {
	p.doRegister(p.registration.Advance(now))
	if p.active != nil {
		p.active.advance(now)
	}
}

func (p *sipPhone) next() time.Time {
	if p.active == nil {
		return p.registration.Wake()
	}
	return earlier(p.registration.Wake(), p.active.wake())
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
			p.accepted(a, p.flow)
		case register.Refused:
			p.troubled(finding.RegistrationRefused.With(p.config.line, a.Why), a.Why)
		case register.Occupied:
			p.report(occupied(p.config.line, a))
		case register.Unreachable:
			f := finding.RegistrationUnreachable.With(p.address())
			if p.insecure {
				f = finding.RegistrationTLS.With(p.address(), a.Why)
			}
			p.troubled(f, a.Why)
		case register.Finished:
			p.finish()
		}
	}
}

// connecting is the time for a connection to the call manager, which ends with done: Close does not wait for one that is
// silent.
func connecting(done <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// connect opens the way to the call manager.
func (p *sipPhone) connect() {
	ctx, cancel := connecting(p.done)
	defer cancel()
	open := p.connectTCP
	if p.config.transport == sip.UDP {
		open = p.connectUDP
	}
	flow, err := open(ctx)
	p.event(func(now time.Time) {
		var insecure *tlsError
		if p.insecure = errors.As(err, &insecure); err != nil {
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
	if p.config.transport == sip.TLS {
		if conn, err = p.config.secure.shake(ctx, conn, p.config.profile); err != nil {
			return sip.Flow{}, err
		}
	}
	return p.stack.Connect(conn)
}

// tlsError is TLS with the call manager that did not come up.
type tlsError struct{ why string }

func (e *tlsError) Error() string { return e.why }

// shake brings TLS up over a connection, or closes it.
func (h handshake) shake(ctx context.Context, raw net.Conn, profile tlsProfile) (net.Conn, error) {
	wanted := false
	h.asked = func(*tls.CertificateRequestInfo) { wanted = true }
	conn := tls.Client(raw, profile.config(h))
	err := conn.HandshakeContext(ctx)
	if err == nil {
		return conn, nil
	}
	raw.Close()
	why := err.Error()
	switch leaf := h.certificate.Leaf; {
	case wanted && leaf != nil:
		why += fmt.Sprintf(" (it asks for the phone's certificate, which is %s of %s)", leaf.Subject, leaf.Issuer)
	case wanted:
		why += " (it asks for the phone's certificate, and the phone has none)"
	}
	return nil, &tlsError{why}
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
		p.isLost(flow)
		p.doRegister(p.registration.Lost(now))
		if p.active != nil {
			p.active.do(now, p.active.leg.Lost(now))
		}
	})
}
