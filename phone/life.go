package phone

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/sccp"
	"github.com/longcord/longcord/wire/sip"
)

// goodbyeTime is how long a phone that is switched off waits for its call manager's answer.
const goodbyeTime = 2 * time.Second

// register registers the phone's first line, which stands for all of them, and lives its calls until ctx
// ends or the call that was asked for is over.
func (p *Phone) register(ctx context.Context, n network, file *cnf.Device) error {
	// The line outlives ctx by its good-bye, for as long as that may take where nobody answers.
	lineCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(goodbyeTime, cancel) })
	defer stop()
	line, err := p.line(lineCtx, n, file, false)
	if err != nil {
		return p.ended(time.Now(), stage.Register, "", err)
	}
	defer line.Close()
	p.lives(line)
	defer p.lives(nil)
	began := time.Now()
	if err := line.Register(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return p.ended(began, stage.Register, "", err)
	}
	_ = p.ended(began, stage.Register, fmt.Sprintf("%s at %s", line.at().called(), line.at().address()), nil) // it is no failure
	if p.config.Call == "" {
		return p.obeyOrders(ctx, n, line, file)
	}
	return p.call(ctx, line, p.dialled(file, p.config.Call))
}

// line makes the phone's way to its call manager out of its file: by SIP its first line, by SCCP all of them. By SIP it can
// look first whether somebody is there.
func (p *Phone) line(ctx context.Context, n network, file *cnf.Device, look bool) (line, error) {
	if len(file.Pool.CallManagers) == 0 {
		return nil, errors.New("phone: its file names no call manager")
	}
	manager := file.Pool.CallManagers[0]
	local, err := p.localAddress(ctx, n, manager.Host)
	if err != nil {
		f := finding.RegistrationUnreachable.With(manager.Host)
		return nil, stepFailed(f, err)
	}
	switch {
	case file.Protocol == cnf.SCCP:
		s := &standing{network: n, local: local, server: manager.Host, port: uint16(manager.SCCPPort), stamp: file.VersionStamp, onEvent: p.heard, log: p.log}
		return newSCCPPhone(ctx, s, register.SCCPClientConfig{Device: p.config.Name, Type: sccp.DeviceType(p.config.Model.Number), Load: p.keptLoad()}), nil
	case file.Protocol == cnf.SIP && file.SIPProfile != nil:
		return p.sipLine(ctx, n, file, manager, local, look)
	}
	return nil, errors.New("phone: its file is neither for SIP nor for SCCP")
}

func (p *Phone) sipLine(ctx context.Context, n network, file *cnf.Device, manager cnf.CallManager, local netip.Addr, look bool) (line, error) {
	first := slices.IndexFunc(file.SIPProfile.Lines, func(l cnf.Line) bool { return l.FeatureID == cnf.FeatureLine && l.Name != "" })
	if first < 0 {
		return nil, errors.New("phone: its file names no line")
	}
	line := file.SIPProfile.Lines[first]
	cfg := sipConfig{
		network: n, local: local, server: manager.Host, port: uint16(manager.SIPPort),
		transport: sip.TCP, line: line.Name, authName: line.AuthName, secret: line.AuthPassword, displayName: line.DisplayName,
		device: sip.Device{Name: p.config.Name, Model: p.config.Model.Number, Instance: instanceOf(p.config.Name)},
		look:   look,
		stamp:  file.VersionStamp, load: p.keptLoad(), userAgent: "Cisco-" + strings.ReplaceAll(p.config.Model.Name, "-", "") + "/longcord",
		openMedia: func(local netip.Addr) (mediaStream, error) {
			return newMediaStream(ctx, n, local, mediaOptions{play: p.config.Play, record: p.config.Record, log: p.log})
		},
		log: p.log, onEvent: p.heard,
	}
	switch file.Transport {
	case cnf.UDP:
		cfg.transport = sip.UDP
	case cnf.TLS:
		cfg.transport, cfg.port, cfg.profile = sip.TLS, uint16(manager.SecuredSIPPort), p.tlsProfile()
		cfg.secure = &handshake{certificate: p.certificate(), keyLog: p.config.KeyLog, accept: func(state tls.ConnectionState) error {
			return p.trust.isCallManager(ctx, state.PeerCertificates[0])
		}}
	}
	if p.config.Answer {
		cfg.incoming = func(c *phoneCall) { c.Answer() }
	}
	return newSIPPhone(ctx, cfg)
}

// heard passes on what the line tells. Findings are told once in a phone's life.
func (p *Phone) heard(e Event) {
	if e.Event == "finding" {
		p.report(*e.Finding)
		return
	}
	p.tell(e)
}

// instanceOf is the phone's urn, which ends in its MAC address.
func instanceOf(device string) string {
	return "urn:uuid:00000000-0000-0000-0000-" + strings.ToLower(strings.TrimPrefix(device, "SEP"))
}

// localAddress is the phone's own address on the way to the call manager.
func (p *Phone) localAddress(ctx context.Context, n network, manager string) (netip.Addr, error) {
	if n.device != "" {
		return n.local, nil
	}
	dialer := n.dialer(nil, 0)
	conn, err := dialer.DialContext(ctx, "udp4", net.JoinHostPort(manager, "5060")) // sends nothing
	if err != nil {
		return netip.Addr{}, fmt.Errorf("phone: way to the call manager: %w", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// call places the call that was asked for and hangs up when its sound has been played.
func (p *Phone) call(ctx context.Context, line line, number string) error {
	began := time.Now()
	c, err := line.Call(ctx, number)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.log.Warn("call failed", logging.Err, err)
		return errors.Join(ErrCallFailed, p.ended(began, stage.Call, "", err))
	}
	var played <-chan struct{}
	if m, ok := c.media.(*rtpStream); ok {
		played = m.Played()
	}
	select {
	case <-played:
	case <-c.Done():
	case <-ctx.Done():
	}
	measured := c.HangUp()
	return p.ended(began, stage.Call, fmt.Sprintf("%s answered, %d packets sent, %d received", number, measured.Sent, measured.Received), nil)
}
