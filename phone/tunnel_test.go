package phone

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/tun/tuntest"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/vpnauth"
)

// tunnelled is a running tunnel under test.
type tunnelled struct {
	t        *testing.T
	gateway  *scripted
	host     tun.Device // the host's end of the packet device
	up       chan tunnelInfo
	sessions chan Session
	ended    chan error
	end      context.CancelCauseFunc
}

func startTunnel(t *testing.T, g *scripted, profile tlsProfile, suites dtlsSuites) *tunnelled {
	t.Helper()
	conn, err := g.dial(profile)(limited(t))
	if err != nil {
		t.Fatal(err)
	}
	r := &tunnelled{
		t: t, gateway: g,
		up: make(chan tunnelInfo, 1), sessions: make(chan Session, 64), ended: make(chan error, 1),
	}
	device, host := tuntest.Pipe("phone0")
	r.host = host
	ctx, end := context.WithCancelCause(context.Background())
	r.end = end
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- runTunnel(ctx, tunnelConfig{
			conn: conn, cookie: secret.New("c00kie"), host: "vpn.example.net", device: "SEP001122334455",
			dial:       g.dial(profile),
			openDevice: func(netip.Prefix, int) (tun.Device, error) { return device, nil },
			suites:     suites,
			onUp:       func(i tunnelInfo) { r.up <- i },
			onSession:  func(s Session) { r.sessions <- s },
		})
	}()
	t.Cleanup(func() {
		end(nil)
		<-done
	})
	return r
}

// reads waits for a packet that the tunnel hands to the host.
func (r *tunnelled) reads(want string) {
	r.t.Helper()
	buf := make([]byte, 2000)
	n, err := r.host.Read(buf)
	if err != nil || string(buf[:n]) != want {
		r.t.Fatalf("host reads %q, %v, want %q", buf[:n], err, want)
	}
}

func (r *tunnelled) writes(packet string) {
	r.t.Helper()
	if _, err := r.host.Write([]byte(packet)); err != nil {
		r.t.Fatal(err)
	}
}

// carriedBy waits until data takes a channel.
func (r *tunnelled) carriedBy(transport string) Session {
	r.t.Helper()
	for {
		if s := next(r.t, "session on "+transport, r.sessions); s.Transport == transport {
			return s
		}
	}
}

func TestTunnelOverTLS(t *testing.T) {
	t.Parallel()
	for name, profile := range map[string]tlsProfile{"new phone": tlsNew, "old phone": tlsOld} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startScripted(t)
			r := startTunnel(t, g, profile, dtlsSuites{})
			o := next(t, "connect", g.opened)
			if o.req.UserAgent != vpnauth.PhoneUserAgent || o.req.Cookie.Reveal() != "c00kie" || o.req.MTU != 1290 || o.req.Hostname != "SEP001122334455" || !o.req.MasterSecret.IsZero() {
				t.Errorf("phone asks %+v", o.req)
			}
			info := next(t, "device", r.up)
			if info.Device.Name() != "phone0" || info.Address != netip.MustParsePrefix("10.99.0.12/24") || info.MTU != 1290 || len(info.DNS) != 1 {
				t.Errorf("phone gets %+v", info)
			}
			if s := r.carriedBy("tls"); s.InnerAddress != "10.99.0.12" || s.Cipher == "" || s.DTLSVersion != "" {
				t.Errorf("session is %+v", s)
			}
			r.writes("from the phone")
			wants(t, o.frames, cstp.Data, "from the phone")
			o.send(cstp.Data, "from the office")
			r.reads("from the office")
			o.send(cstp.DPDRequest, "probe")
			wants(t, o.frames, cstp.DPDResponse, "probe")

			r.end(nil)
			wants(t, o.frames, cstp.Disconnect, "\xb0vpn switched off")
			if err := next(t, "end", r.ended); err != nil {
				t.Errorf("tunnel ended with %v, want nil", err)
			}
		})
	}
}

func TestTunnelOverDTLS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		profile tlsProfile
		suites  dtlsSuites
		version string
		cipher  string
	}{
		"old phone": {tlsOld, oldPhoneSuites, "0.9", "AES256-SHA"},
		"new phone": {tlsNew, newPhoneSuites, "1.2", "ECDHE-RSA-AES256-GCM-SHA384"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startScripted(t)
			r := startTunnel(t, g, c.profile, c.suites)
			o := next(t, "connect", g.opened)
			next(t, "dtls", g.up)
			if s := r.carriedBy("dtls"); s.DTLSVersion != c.version || s.Cipher != c.cipher {
				t.Errorf("session is %+v, want %s %s", s, c.version, c.cipher)
			}
			r.writes("from the phone")
			wants(t, g.messages, cstp.Data, "from the phone")
			g.datagram(cstp.Data, "from the office")
			r.reads("from the office")
			o.send(cstp.Data, "the other way") // both channels are open at any time
			r.reads("the other way")
			probe := strings.Repeat("Z", 1290)
			g.datagram(cstp.DPDRequest, probe)
			wants(t, g.messages, cstp.DPDResponse, probe)
		})
	}
}

func TestTunnelReconnects(t *testing.T) {
	t.Parallel()
	g := startScripted(t)
	r := startTunnel(t, g, tlsNew, newPhoneSuites)
	first := next(t, "connect", g.opened)
	next(t, "dtls", g.up)
	first.conn.NetConn().Close()

	second := next(t, "reconnect", g.opened)
	if second.req.Cookie != first.req.Cookie || len(second.req.Addresses) != 1 || second.req.Addresses[0] != netip.MustParseAddr("10.99.0.12") {
		t.Errorf("phone asks %+v", second.req)
	}
	if second.req.MasterSecret == first.req.MasterSecret {
		t.Error("the master secret is used twice")
	}
	next(t, "dtls again", g.up)
	for r.carriedBy("dtls"); len(r.sessions) > 0; {
		r.carriedBy("dtls")
	}
	g.datagram(cstp.Data, "after the loss")
	r.reads("after the loss")
	second.send(cstp.Data, "over TLS too")
	r.reads("over TLS too")
}

func TestTunnelEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refuse *cstp.Refusal
		then   func(*testing.T, *scripted)
		cause  tunnel.Cause
	}{
		"cookie refused at once": {refuse: &cstp.CookieRefused, cause: tunnel.CookieRefused},
		"no address":             {refuse: &cstp.NoAddress, cause: tunnel.ConnectRefused},
		"cookie refused later": {cause: tunnel.CookieRefused, then: func(t *testing.T, g *scripted) {
			o := next(t, "connect", g.opened)
			g.refuseWith(&cstp.CookieRefused)
			o.conn.Close()
		}},
		"terminated": {cause: tunnel.GatewayEnded, then: func(t *testing.T, g *scripted) {
			next(t, "connect", g.opened).send(cstp.Terminate, "")
		}},
		"address changed": {cause: tunnel.AddressChanged, then: func(t *testing.T, g *scripted) {
			o := next(t, "connect", g.opened)
			g.mu.Lock()
			g.policy.Address = netip.MustParsePrefix("10.99.0.13/24")
			g.mu.Unlock()
			o.conn.Close()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startScripted(t)
			g.refuseWith(c.refuse)
			r := startTunnel(t, g, tlsNew, dtlsSuites{})
			if c.then != nil {
				c.then(t, g)
			}
			err := next(t, "end", r.ended)
			var ended *tunnelEnded
			if !errors.As(err, &ended) || ended.Cause != c.cause {
				t.Errorf("tunnel ended with %v, want %v", err, c.cause)
			}
		})
	}
}

// A gateway must find out by itself that a phone lost power.
func TestTunnelPowerCut(t *testing.T) {
	t.Parallel()
	g := startScripted(t)
	r := startTunnel(t, g, tlsNew, dtlsSuites{})
	o := next(t, "connect", g.opened)
	next(t, "device", r.up)
	r.end(errPowerCut)
	if err := next(t, "end", r.ended); err != nil {
		t.Errorf("tunnel ended with %v, want nil", err)
	}
	for m := range o.frames {
		if m.kind == cstp.Disconnect {
			t.Errorf("phone says goodbye: %q", m.payload)
		}
	}
}

func TestTunnelWithoutDevice(t *testing.T) {
	t.Parallel()
	g := startScripted(t)
	conn, err := g.dial(tlsNew)(limited(t))
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("no permission")
	err = runTunnel(limited(t), tunnelConfig{
		conn: conn, cookie: secret.New("c"), host: "vpn", device: "SEP001122334455", dial: g.dial(tlsNew),
		openDevice: func(netip.Prefix, int) (tun.Device, error) { return nil, cause },
	})
	if !errors.Is(err, cause) {
		t.Errorf("tunnel ended with %v, want %v", err, cause)
	}
	wants(t, next(t, "connect", g.opened).frames, cstp.Disconnect, "\xb0local error")
}

func TestTunnelLeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after the cleanups of what starts below
	g := startScripted(t)
	r := startTunnel(t, g, tlsNew, newPhoneSuites)
	next(t, "connect", g.opened)
	next(t, "dtls", g.up)
	r.carriedBy("dtls")
	r.end(nil)
	if err := next(t, "end", r.ended); err != nil {
		t.Error(err)
	}
}

// A gateway that never answers does not hold the phone.
func TestTunnelSilentGateway(t *testing.T) {
	t.Parallel()
	g := startScripted(t)
	g.mu.Lock() // answers no CONNECT
	r := startTunnel(t, g, tlsNew, dtlsSuites{})
	r.end(nil)
	err := next(t, "end", r.ended)
	g.mu.Unlock()
	if err != nil {
		t.Errorf("tunnel ended with %v, want nil", err)
	}
}
