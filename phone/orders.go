package phone

import (
	"context"
	"errors"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/sip"
)

// errReset ends the phone's life so that it boots.
var errReset = errors.New("phone: told to boot")

// restart ends a registration so that the phone registers anew: with this file, or with one that it has yet
// to fetch.
type restart struct{ file *cnf.Device }

func (*restart) Error() string { return "phone: told to restart" }

// notified takes a NOTIFY outside of calls. What it orders is done when the phone is in no call.
func (p *sipPhone) notified(request *sip.Message) {
	status, order, ok := register.Obey(request, register.Self{
		CallID: p.registration.CallID(), Stamp: p.config.stamp, UserAgent: p.config.userAgent,
	})
	p.log.Debug("notified", "event", request.Fields.Get("Event"), "status", status, "action", order.Action)
	p.refuse(request, status)
	if !ok {
		return
	}
	p.held = &order
	p.release()
}

func (p *sipPhone) release() {
	if p.active == nil {
		p.handOn()
	}
}

// obeyOrders waits for orders of the call manager and carries them out until one makes the phone register
// anew, or boot.
func (p *Phone) obeyOrders(ctx context.Context, n network, line line, file *cnf.Device) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case order := <-line.at().orders:
			if err := p.obey(ctx, n, file, order); err != nil {
				return err
			}
		}
	}
}

func (p *Phone) obey(ctx context.Context, n network, file *cnf.Device, order register.Order) error {
	p.log.Info("told by the call manager", "action", order.Action, "stamp", order.Stamp)
	p.tell(Event{Event: "order", Order: &Order{string(order.Action), order.Stamp}})
	switch order.Action {
	case sip.Reset:
		return errReset
	case sip.Restart:
		return &restart{}
	case sip.ReportProblem:
		return nil // it has nothing to send that --json has not told
	}
	fresh, err := p.provision(ctx, n, file)
	if err != nil {
		return err
	}
	if fresh.VersionStamp == file.VersionStamp {
		p.log.Info("the file is the same", logging.Phone, p.config.Name, "stamp", file.VersionStamp)
		return nil
	}
	return &restart{fresh}
}

// runs remembers the file that the phone lives by.
func (p *Phone) runs(file *cnf.Device) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = file
}

// newest returns the file that the phone lives by, if it holds gateways: a phone outside that got a new file
// through the tunnel takes its new certificate hashes to the next login. Else it returns stored.
func (p *Phone) newest(stored *cnf.Device) *cnf.Device {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil && p.running.VPN != nil && len(p.running.VPN.URLs) > 0 {
		return p.running
	}
	return stored
}
