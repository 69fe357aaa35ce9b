package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/connect"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cnf"
)

// liveOutside keeps a tunnel up, by one gateway or another, and lives in it.
func (p *Phone) liveOutside(ctx context.Context, stored *cnf.Device) error {
	if stored == nil || stored.VPN == nil || len(stored.VPN.URLs) == 0 {
		f := finding.VPNNotConfigured.With(p.config.Name)
		return p.step(stage.Connect, func() (string, error) {
			return "", stepFailed(f, errors.New("phone: no gateway in the stored file"))
		})
	}
	connector, err := connect.New(connect.Config{
		URLs: stored.VPN.URLs, Limit: time.Duration(stored.VPN.FailConnectTime) * time.Second,
	})
	if err != nil {
		return err
	}
	actions, err := connector.Start(time.Now())
	for err == nil {
		switch a := firstOf(actions).(type) {
		case connect.Try:
			stored = p.newest(stored)
			actions, err = p.try(ctx, connector, a, stored)
		case connect.GiveUp:
			switch byCertificate := stored.VPN.AuthMethod == cnf.ByCertificate; {
			case byCertificate && p.certificate().Certificate == nil:
				return errNoCertificate
			case !byCertificate && p.config.Password.IsZero():
				return errNoPassword
			}
			return fmt.Errorf("phone: the gateway refuses the login of %s", p.userOf(stored.VPN))
		default:
			actions, err = p.await(ctx, connector)
		}
	}
	if errors.Is(err, errLifeOver) {
		err = errors.Unwrap(err)
	}
	return err
}

func firstOf(actions []connect.Action) connect.Action {
	if len(actions) == 0 {
		return nil
	}
	return actions[0]
}

// await waits until the connector wants to try again.
func (p *Phone) await(ctx context.Context, connector *connect.Connector) ([]connect.Action, error) {
	timer := time.NewTimer(time.Until(connector.Wake()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case now := <-timer.C:
		return connector.Advance(now), nil
	}
}

// try logs in to one gateway and lives in its tunnel until that is gone for good.
func (p *Phone) try(ctx context.Context, connector *connect.Connector, try connect.Try, stored *cnf.Device) ([]connect.Action, error) {
	in, err := p.logIn(ctx, try, stored.VPN)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return connector.Failed(time.Now(), failureOf(err))
	}
	if err := connector.Connected(); err != nil {
		return nil, err
	}
	err = p.liveInTunnel(ctx, in, try.URL, stored)
	var ended *tunnelEnded
	if !errors.As(err, &ended) {
		return nil, err
	}
	p.log.Warn("tunnel lost", logging.Stage, stage.Tunnel.String(), logging.Err, err)
	p.found(err)
	if ended.Cause == tunnel.UserLogout || ended.Cause == tunnel.GatewayEnded {
		return nil, err // the gateway wants it so: a phone stays down until someone presses keys
	}
	return connector.Lost(time.Now())
}

// logIn lives the steps connect and verify. They share one connection: connect is over when the gateway
// shows its certificate.
func (p *Phone) logIn(ctx context.Context, try connect.Try, vpn *cnf.VPNGroup) (*loggedIn, error) {
	ctx, cancel := context.WithDeadline(ctx, try.Until)
	defer cancel()
	step, began := stage.Connect, time.Now()
	cfg := p.loginConfig(try.URL, vpn)
	cfg.reached = func(peer net.Addr) {
		if step == stage.Connect {
			_ = p.ended(began, step, fmt.Sprintf("%s at %s", try.URL, peer), nil) // it is no failure
			step, began = stage.Verify, time.Now()
		}
	}
	in, err := login(ctx, cfg)
	if err != nil {
		return nil, p.ended(began, step, "", err)
	}
	return in, p.ended(began, step, fmt.Sprintf("certificate %s, logged in as %s", in.hash, cfg.user), nil)
}

// userOf is the name under which the phone logs in: by certificate, that one's.
func (p *Phone) userOf(vpn *cnf.VPNGroup) string {
	if leaf := p.certificate().Leaf; vpn.AuthMethod == cnf.ByCertificate && leaf != nil {
		return leaf.Subject.CommonName
	}
	return p.config.User
}

func (p *Phone) loginConfig(url string, vpn *cnf.VPNGroup) loginConfig {
	cfg := loginConfig{
		url: url, profile: p.tlsProfile(), hashes: vpn.CertificateHashes, checkHost: vpn.EnableHostIDCheck,
		user: p.userOf(vpn), password: p.config.Password, keyLog: p.config.KeyLog,
		certificate: p.certificate(), byCertificate: vpn.AuthMethod == cnf.ByCertificate,
	}
	return cfg
}

// tlsProfile is what the model's TLS can do.
func (p *Phone) tlsProfile() tlsProfile {
	if p.config.Model.Old {
		return tlsOld
	}
	return tlsNew
}

// errLifeOver marks the end of the life inside a tunnel, as opposed to the tunnel's.
var errLifeOver = errors.New("phone: life in the tunnel is over")

type lifeOver struct{ err error }

func (l lifeOver) Error() string        { return fmt.Sprint(l.err) }
func (l lifeOver) Unwrap() error        { return l.err }
func (l lifeOver) Is(target error) bool { return target == errLifeOver }

// liveInTunnel runs the tunnel and, once it is up, the phone's life in it. When the life ends, with its
// good-byes said, the phone logs off; when the tunnel ends by itself, so does the life.
func (p *Phone) liveInTunnel(ctx context.Context, in *loggedIn, url string, stored *cnf.Device) error {
	tunnelCtx, endTunnel := context.WithCancel(context.WithoutCancel(ctx))
	defer endTunnel()
	lifeCtx, endLife := context.WithCancel(ctx)
	defer endLife()
	var up atomic.Bool
	stop := context.AfterFunc(ctx, func() {
		if !up.Load() {
			endTunnel()
		}
	})
	defer stop()
	life := make(chan error, 1)
	began := time.Now()
	cfg := p.tunnelConfig(in, url, stored)
	cfg.onUp = func(info tunnelInfo) {
		up.Store(true)
		address := info.Address.Addr()
		_ = p.ended(began, stage.Tunnel, fmt.Sprintf("address %s, MTU %d", address, info.MTU), nil) // it is no failure
		go func() {
			life <- p.live(lifeCtx, inTunnel(info), stored)
			endTunnel()
		}()
	}
	err := runTunnel(tunnelCtx, cfg)
	endLife()
	if !up.Load() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return p.ended(began, stage.Tunnel, "", err)
	}
	lived := <-life
	if err != nil {
		return err
	}
	return lifeOver{lived}
}

func (p *Phone) tunnelConfig(in *loggedIn, url string, stored *cnf.Device) tunnelConfig {
	cfg := tunnelConfig{
		conn: in.conn, cookie: in.cookie, host: in.host, device: p.config.Name,
		dial:       func(ctx context.Context) (*tls10.Conn, error) { return p.redial(ctx, url, p.newest(stored).VPN) },
		openDevice: p.openDevice,
		mtu:        stored.VPN.MTU,
		suites:     newPhoneSuites,
		report:     p.report,
		log:        p.log,
		onSession: func(s Session) {
			s.User, s.CertificateSHA1, s.CertificateHash = p.userOf(stored.VPN), in.hash.Hex(), in.hash.String()
			p.tell(Event{Event: "session", Session: &s})
		},
	}
	switch {
	case p.config.PSK:
		cfg.suites = pskSuites
	case p.config.Model.Old:
		cfg.suites = oldPhoneSuites
	}
	return cfg
}

// openDevice makes the tunnel's interface. It gets the inner address alone: the phone's own sockets are
// bound to it, so the host's routes stay as they are. What the kernel answers in the phone's name, for a
// call's port that is closed already say, must not go around the tunnel either.
func (p *Phone) openDevice(address netip.Prefix, mtu int) (tun.Device, error) {
	own := netip.PrefixFrom(address.Addr(), address.Addr().BitLen())
	return p.config.OpenTUN(tun.Settings{Name: p.config.TUN, Address: own, MTU: mtu, FromAddress: true})
}

// redial connects to the same gateway again and checks its certificate; the session's cookie does the
// rest.
func (p *Phone) redial(ctx context.Context, url string, vpn *cnf.VPNGroup) (*tls10.Conn, error) {
	return dialTLS(ctx, p.loginConfig(url, vpn))
}
