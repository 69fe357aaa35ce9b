package phone

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sccp"
)

// sendTimeout is how long a call manager may take to take a message of SCCP.
const sendTimeout = 5 * time.Second

// sccpPhone is a phone with an SCCP load at its call manager. It carries no calls yet.
type sccpPhone struct {
	*standing
	device string
	tasks  sync.WaitGroup // connecting, reading, timers

	client *register.SCCPClient
	conn   net.Conn // nil: none
}

// newSCCPPhone makes the phone's way to its call manager. It ends with Close, or hard with ctx.
func newSCCPPhone(ctx context.Context, s *standing, config register.SCCPClientConfig) *sccpPhone {
	config.MAC, config.Stamp = macOf(config.Device), s.stamp
	p := &sccpPhone{standing: s, device: config.Device, client: register.NewSCCPClient(config)}
	p.name, p.protocol = config.Device, "SCCP"
	if p.port == 0 {
		p.port = sccp.Port
	}
	p.begin()
	ctx, p.cancel = context.WithCancel(ctx)
	p.tasks.Go(func() {
		p.watch(ctx, func(now time.Time) { p.do(p.client.Advance(now)) }, p.client.Wake)
	})
	return p
}

// macOf returns the address in a device name; zeros, where there is none.
func macOf(device string) (mac [6]byte) {
	b, err := hex.DecodeString(strings.TrimPrefix(device, "SEP"))
	if err == nil && len(b) == len(mac) {
		copy(mac[:], b)
	}
	return mac
}

// Register registers.
func (p *sccpPhone) Register(ctx context.Context) error {
	return p.await(ctx, func() { p.do(p.client.Start()) })
}

// errNoSCCPCalls says what this phone cannot do.
var errNoSCCPCalls = errors.New("phone: calls by SCCP are not carried yet")

// Call calls nobody.
func (p *sccpPhone) Call(context.Context, string) (*phoneCall, error) { return nil, errNoSCCPCalls }

// Close takes the registration back.
func (p *sccpPhone) Close() {
	p.event(func(now time.Time) { p.do(p.client.Stop(now)) })
	<-p.done
	p.cancel()
	p.event(func(time.Time) { p.hangUp() })
	p.tasks.Wait()
}

func (p *sccpPhone) release() { p.handOn() }

func (p *sccpPhone) do(actions []register.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case register.Connect:
			p.tasks.Go(p.connect)
		case register.Say:
			p.say(a.Message)
		case register.Close:
			p.hangUp()
		case register.Accepted:
			if lines := p.client.Lines(); len(lines) > 0 {
				p.name = lines[0]
			}
			p.accepted(a, p.address())
		case register.Refused:
			p.troubled(finding.RegistrationRefused.With(p.device, a.Why), a.Why)
		case register.Unreachable:
			p.troubled(finding.RegistrationUnreachable.With(p.address()), a.Why)
		case register.Ordered:
			p.held = &a.Order
			p.release()
		case register.Shown:
			p.log.Info("display", "text", a.Text)
		case register.Finished:
			p.finish()
		}
	}
}

// hangUp ends the connection. That it is gone is no news then.
func (p *sccpPhone) hangUp() {
	if p.conn != nil {
		hangUp(p.conn)
		p.conn = nil
	}
}

func (p *sccpPhone) say(m sccp.Message) {
	if p.conn == nil {
		return // it was lost, which its reader tells
	}
	b, err := sccp.Append(nil, m, p.client.Version())
	if err == nil {
		_ = p.conn.SetWriteDeadline(time.Now().Add(sendTimeout))
		_, err = p.conn.Write(b)
	}
	if err != nil {
		p.log.Debug("message not sent", logging.Peer, p.address(), logging.Err, err)
		hangUp(p.conn)
	}
}

// connect opens the connection to the call manager.
func (p *sccpPhone) connect() {
	ctx, cancel := connecting(p.done)
	defer cancel()
	dialer := p.network.dialer(&net.TCPAddr{IP: p.local.AsSlice()}, 0)
	conn, err := dialer.DialContext(ctx, "tcp4", p.address())
	p.event(func(now time.Time) {
		if err != nil {
			p.do(p.client.Unreachable(now, err.Error()))
			return
		}
		select {
		case <-p.done:
			hangUp(conn)
			return
		default:
		}
		p.conn = conn
		p.tasks.Go(func() { p.read(conn) })
		p.do(p.client.Connected(now, p.local))
	})
}

// read takes the call manager's messages until the connection is gone.
func (p *sccpPhone) read(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		frame, err := sccp.Read(in)
		if err != nil {
			p.event(func(now time.Time) { p.lost(now, conn, err) })
			return
		}
		p.event(func(now time.Time) {
			message, err := sccp.Parse(frame, p.client.Version())
			if err != nil {
				p.log.Debug("message refused", logging.Peer, p.address(), logging.Err, err)
				return
			}
			if p.conn == conn {
				p.do(p.client.Received(now, message))
			}
		})
	}
}

func (p *sccpPhone) lost(now time.Time, conn net.Conn, err error) {
	if p.conn != conn {
		return // we have hung up
	}
	p.log.Debug("connection ended", logging.Peer, p.address(), logging.Err, err)
	p.hangUp()
	p.isLost(p.address())
	p.do(p.client.Lost(now))
}
