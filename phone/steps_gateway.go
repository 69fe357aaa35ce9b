package phone

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/vpnauth"
)

// Gateway is one gateway as a phone sees it, step after step.
type Gateway struct {
	URL     string // as in the phone's file, byte for byte
	Peer    netip.AddrPort
	Version uint16 // of TLS; zero: it did not come up
	Suite   uint16
	// Chain is what the gateway presents. Match is the place in it of the first certificate whose hash the file has,
	// and Hash the place of that hash in the file; -1: none.
	Chain       []*x509.Certificate
	Match, Hash int
	// AsksCertificate: the gateway asks for the phone's certificate, from these authorities (DER names); none: any.
	AsksCertificate bool
	Authorities     [][]byte
	Replies         []Reply // to the phone's requests
	// Groups that a gateway lets computers choose among, and the one that was left chosen.
	Groups []string
	Group  string

	attempt  *loginAttempt
	in       *loggedIn
	computer bool
}

// Reply is what of a gateway's reply may be shown to anybody.
type Reply struct {
	Status   int
	Line     string   // as it came
	Cookies  []string // names
	Location string
	Server   string
	Version  string // that the gateway says of itself, to computers
}

// Knock connects to a gateway and judges its certificate by the hashes of vpn, or takes any. The gateway holds what was
// seen, also when there is an error. Close hangs up.
func (s *Steps) Knock(ctx context.Context, url string, vpn *cnf.VPNGroup, anyHash bool) (*Gateway, error) {
	g := &Gateway{URL: url, Match: -1, Hash: -1}
	cfg := s.p.loginConfig(url, vpn)
	cfg.anyHash = anyHash
	cfg.presented = func(state tls.ConnectionState) {
		g.Chain, g.Version, g.Suite = state.PeerCertificates, state.Version, state.CipherSuite
		chain := make([][]byte, len(g.Chain))
		for i, c := range g.Chain {
			chain[i] = c.Raw
		}
		if at, hash, ok := verify.Match(chain, cfg.hashes); ok {
			g.Match, g.Hash = at, hash
		}
	}
	cfg.asked = func(r *tls.CertificateRequestInfo) { g.AsksCertificate, g.Authorities = true, r.AcceptableCAs }
	cfg.replied = func(r vpnauth.Reply) { g.Replies = append(g.Replies, showable(r)) }
	var err error
	if g.attempt, err = newLoginAttempt(cfg); err != nil {
		return g, err
	}
	err = g.attempt.connect(ctx)
	if peer, ok := g.attempt.peer.(*net.TCPAddr); ok {
		g.Peer = netip.AddrPortFrom(peer.AddrPort().Addr().Unmap(), uint16(peer.Port))
	}
	return g, err
}

func showable(r vpnauth.Reply) Reply {
	s := Reply{Status: r.Status, Line: r.String(), Location: r.Header.Get("Location"), Server: r.Header.Get("Server")}
	for _, line := range r.Header.Values("Set-Cookie") {
		if c, err := vpnauth.ParseCookie(line); err == nil && !slices.Contains(s.Cookies, c.Name) {
			s.Cookies = append(s.Cookies, c.Name)
		}
	}
	return s
}

// AskLogin asks for a login by the group URL. No error means that the gateway takes logins there; nothing of the
// phone's user has been said yet.
func (g *Gateway) AskLogin(ctx context.Context) error { return g.attempt.open(ctx) }

// LogIn says who the phone is, once.
func (g *Gateway) LogIn(ctx context.Context) error {
	in, err := g.attempt.finish(ctx)
	if err != nil {
		return err
	}
	g.in, g.attempt = in, nil // the tunnel has the connection now
	return nil
}

// Close hangs up, unless a tunnel has taken the connection.
func (g *Gateway) Close() {
	if g.attempt != nil {
		g.attempt.hangUp()
	}
	if g.in != nil {
		hangUp(g.in.conn)
	}
}

// Tunnelled is a phone whose tunnel is up.
type Tunnelled struct {
	Spot
	Answer cstp.Answer // what the gateway gives
	run    *tunnelRun
	tried  chan dtlsTried
}

type dtlsTried struct {
	up  *dtls.Conn
	err error
}

// Tunnel opens the tunnel of a gateway that has let the phone in, has do use it, and logs off. It returns do's error,
// or why there was no tunnel, or why it ended before do did.
func (s *Steps) Tunnel(ctx context.Context, g *Gateway, stored *cnf.Device, do func(context.Context, *Tunnelled) error) error {
	in := g.in
	g.in = nil
	tunnelCtx, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	stop := context.AfterFunc(ctx, leave)
	defer stop()
	cfg := s.p.tunnelConfig(in, g.URL, stored)
	if g.computer {
		cfg.userAgent, cfg.suites = verify.DocumentAgent, computerSuites
	}
	cfg.dial = func(context.Context) (*tls10.Conn, error) {
		return nil, errors.New("phone: a lost tunnel is not taken up again")
	}
	var run *tunnelRun
	tried := make(chan dtlsTried, 1)
	cfg.onDTLS = func(up *dtls.Conn, err error) {
		select {
		case tried <- dtlsTried{up, err}:
		default: // only the first attempt is told of
		}
	}
	lived := make(chan error, 1)
	up := false
	cfg.onUp = func(info tunnelInfo) {
		up = true
		go func() {
			lived <- do(tunnelCtx, &Tunnelled{Spot: Spot{s.p, inTunnel(info)}, Answer: info.Answer, run: run, tried: tried})
			leave()
		}()
	}
	run = newTunnelRun(cfg)
	run.connect(func(context.Context) (*tls10.Conn, error) { return in.conn, nil })
	err := run.loop(tunnelCtx)
	err = errors.Join(err, run.stop())
	leave()
	if up {
		err = errors.Join(err, <-lived)
	}
	return err
}

// OffersDTLS reports whether the gateway offers a DTLS channel at all, and whether in a way that the phone knows.
func (t *Tunnelled) OffersDTLS() (offered, known bool) {
	_, _, known = t.Answer.DTLS.Suite()
	return t.Answer.DTLS.Port != 0, known || t.Answer.DTLS.PSK()
}

// ErrDTLSSilent: nothing came back on UDP.
var ErrDTLSSilent = dtls.ErrSilent

// DTLS waits until the first attempt for the DTLS channel has come out, and returns version and suite.
func (t *Tunnelled) DTLS(ctx context.Context) (version, suite string, err error) {
	select {
	case tried := <-t.tried:
		if tried.err != nil {
			return "", "", tried.err
		}
		return tried.up.Version().String(), tried.up.Suite().String(), nil
	case <-ctx.Done():
		return "", "", ctx.Err()
	case <-t.run.ctx.Done():
		return "", "", t.run.ctx.Err()
	}
}

// Passes reports whether an inner packet of this size, in bytes, gets through the DTLS channel and back.
func (t *Tunnelled) Passes(ctx context.Context, size int) bool { return t.run.passes(ctx, size) }

// LoginWait is how long a phone gives one gateway until it is in, where its file does not say.
const LoginWait = connectWait

// HasLogin reports whether the phone has what its file wants for a login: a password, or a certificate.
func (s *Steps) HasLogin(vpn *cnf.VPNGroup) bool {
	if vpn.AuthMethod == cnf.ByCertificate {
		return s.p.certificate().Certificate != nil
	}
	return !s.p.config.Password.IsZero()
}

// Login is under which name, and with which password, the phone logs in.
func (s *Steps) Login(vpn *cnf.VPNGroup) (user string, password secret.String) {
	return s.p.userOf(vpn), s.p.config.Password
}
