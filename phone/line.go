package phone

import (
	"context"
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
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/register"
)

// line is the phone at its call manager, by SIP or by SCCP.
type line interface {
	// Register begins to register and returns when the call manager has accepted or refused. While none
	// answers it goes on trying until ctx ends. Either way the phone stays at it until Close.
	Register(ctx context.Context) error
	// Call rings a number and returns when it has been answered. When ctx ends before, the call is given up.
	Call(ctx context.Context, number string) (*phoneCall, error)
	// Close hangs up, takes the registration back, and returns when nothing of the line runs any more.
	Close()
	// release hands on an order that waits, unless the phone is in a call.
	release()
	at() *standing
}

// standing is how a line stands with its call manager, whatever it speaks.
type standing struct {
	network  network
	local    netip.Addr  // own address: for sockets, Contact and media
	server   string      // host of the call manager, from the phone's file
	port     uint16      // of the call manager
	protocol string      // for people
	stamp    string      // version stamp of the phone's file
	onEvent  func(Event) // must not block; nil: nobody wants to know
	log      *slog.Logger
	wake     chan struct{}
	done     chan struct{} // closed by finish
	orders   chan register.Order
	cancel   context.CancelFunc

	mu         sync.Mutex // one event at a time
	name       string     // number of the line; by SCCP the device, until its lines are known
	registered bool
	result     chan error      // what Register waits for; nil: nobody waits
	trouble    error           // why the last attempt to register failed
	held       *register.Order // until the call is over
}

// begin makes what lines need to run.
func (s *standing) begin() {
	s.log = logging.Or(s.log)
	s.wake, s.done, s.orders = make(chan struct{}, 1), make(chan struct{}), make(chan register.Order, 1)
}

func (s *standing) at() *standing { return s }

func (s *standing) address() string {
	return net.JoinHostPort(s.server, strconv.Itoa(int(s.port)))
}

// called returns the line's number; by SCCP only once it is registered.
func (s *standing) called() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

// event runs what something that happened leads to.
func (s *standing) event(handle func(now time.Time)) {
	s.mu.Lock()
	handle(time.Now())
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// watch lets time pass for registration and calls. When ctx ends early it ends the registration hard.
func (s *standing) watch(ctx context.Context, advance func(now time.Time), next func() time.Time) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			s.mu.Lock()
			s.finish()
			s.mu.Unlock()
			return
		case <-s.wake:
		case <-timer.C:
			s.event(advance)
		}
		s.mu.Lock()
		at := next()
		s.mu.Unlock()
		if !at.IsZero() {
			timer.Reset(time.Until(at))
		}
	}
}

func (s *standing) finish() {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
}

// await starts to register and waits for what comes of it.
func (s *standing) await(ctx context.Context, start func()) error {
	result := make(chan error, 1)
	s.event(func(time.Time) {
		s.result = result
		start()
	})
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		return errors.Join(fmt.Errorf("phone: register: %w", ctx.Err()), s.trouble)
	}
}

func (s *standing) accepted(a register.Accepted, peer any) {
	s.trouble = nil
	if !s.registered {
		s.log.Info("registered", "line", s.name, logging.Peer, peer, "until", a.Until)
		s.emit(Event{Event: "registered", Step: stage.Register, OK: true,
			Detail: fmt.Sprintf("%s at %s over %s", s.name, s.address(), s.protocol), Stamp: s.stamp})
	}
	s.registered = true
	s.report(nil)
}

// troubled reports why the line is not registered. A refusal ends Register; that nobody answers may pass.
func (s *standing) troubled(f finding.Finding, why string) {
	s.log.Warn("not registered", "line", s.name, "why", why, logging.Finding, f.Code)
	f = f.Because("phone", 0, why)
	s.emit(Event{Event: "finding", Step: f.Step, Finding: &f})
	s.registered, s.trouble = false, fmt.Errorf("phone: %s: %s", f.Says, why)
	if f.Code != finding.RegistrationUnreachable.Code {
		s.report(s.trouble)
	}
}

// isLost says that the connection is gone.
func (s *standing) isLost(peer any) {
	if s.registered {
		s.registered = false
		s.log.Info("connection to the call manager lost", logging.Peer, peer)
	}
}

func (s *standing) report(err error) {
	if s.result != nil {
		s.result <- err
		s.result = nil
	}
}

func (s *standing) emit(e Event) {
	if s.onEvent != nil {
		e.Time = time.Now()
		s.onEvent(e)
	}
}

// handOn passes on an order that waits. The newest one counts.
func (s *standing) handOn() {
	if s.held == nil {
		return
	}
	select {
	case <-s.orders:
	default:
	}
	s.orders <- *s.held
	s.held = nil
}
