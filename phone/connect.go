package phone

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage/connect"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/vpnauth"
)

// loginConfig is what one try at a gateway needs; all but the dialer comes from the phone's file and its
// user.
type loginConfig struct {
	dialer    net.Dialer
	url       string // as in the file, byte for byte
	profile   tlsProfile
	hashes    []string // certHash elements; a gateway without a match is refused
	checkHost bool     // enableHostIDCheck
	user      string
	password  secret.String

	certificate   tls.Certificate // shown to a gateway that asks; none: the zero value
	byCertificate bool            // it is the whole login
	documents     bool            // log in as a computer's client does

	keyLog  io.Writer           // nil: keys stay where they are
	reached func(peer net.Addr) // the gateway shows its certificate; nil: nobody wants to know

	// For who looks on; nil: nobody does.
	anyHash   bool                              // takes any certificate, where no file says which
	presented func(tls.ConnectionState)         // what the gateway shows, before it is judged
	asked     func(*tls.CertificateRequestInfo) // the gateway asks for a certificate
	replied   func(vpnauth.Reply)
}

// loggedIn is a connection that a gateway has let in, ready for CONNECT. Nothing of what the gateway
// sent is left unread anywhere but in conn.
type loggedIn struct {
	conn   *tls10.Conn
	host   string // of the URL, with its port if it has one: the Host of CONNECT
	cookie secret.String
	hash   verify.Hash // of the presented certificate that was pinned
}

// stepError is an error of which people can be told what to do about it.
type stepError struct {
	finding finding.Finding
	err     error
}

func (e *stepError) Error() string { return e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// Finding returns what to tell people.
func (e *stepError) Finding() finding.Finding { return e.finding }

func stepFailed(f finding.Finding, err error) error {
	return &stepError{finding: f.Because("phone", 0, err.Error()), err: err}
}

// failureOf says what a login's error means for the choice of the next URL.
func failureOf(err error) connect.Failure {
	var step *stepError
	if !errors.As(err, &step) || step.finding.Certainty != finding.Certain {
		return connect.Unusable
	}
	switch step.finding.Code {
	case finding.LoginRefused.Code, finding.ClientCertificateUntrusted.Code:
		return connect.Denied
	}
	return connect.Unusable
}

// login connects to the gateway of cfg.url, checks its certificate and logs in, within ctx. Errors that
// have a finding hold it as a *stepError.
func login(ctx context.Context, cfg loginConfig) (*loggedIn, error) {
	l, err := newLoginAttempt(cfg)
	if err != nil {
		return nil, err
	}
	in, err := l.run(ctx)
	if err != nil {
		l.hangUp()
		return nil, err
	}
	return in, nil
}

func newLoginAttempt(cfg loginConfig) (*loginAttempt, error) {
	u, err := url.Parse(cfg.url)
	if err != nil {
		return nil, fmt.Errorf("phone: gateway URL: %w", err)
	}
	client, err := cfg.dialogue()
	if err != nil {
		return nil, fmt.Errorf("phone: %w", err)
	}
	return &loginAttempt{cfg: cfg, url: u, client: client}, nil
}

func (cfg loginConfig) dialogue() (dialogue, error) {
	of := verify.ClientConfig{URL: cfg.url, User: cfg.user, Password: cfg.password, ByCertificate: cfg.byCertificate,
		Certificate: cfg.certificate.Certificate != nil}
	if cfg.documents {
		return verify.NewDocumentClient(of)
	}
	return verify.NewClient(of)
}

// dialTLS connects to the gateway of cfg.url and checks its certificate, without a login: that is how a
// session is taken up again.
func dialTLS(ctx context.Context, cfg loginConfig) (*tls10.Conn, error) {
	u, err := url.Parse(cfg.url)
	if err != nil {
		return nil, fmt.Errorf("phone: gateway URL: %w", err)
	}
	l := &loginAttempt{cfg: cfg, url: u}
	err = l.connect(ctx)
	return l.conn, err
}

// dialGateway opens the TCP connection.
func dialGateway(ctx context.Context, dialer net.Dialer, u *url.URL) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	address := net.JoinHostPort(u.Hostname(), port)
	// The phones' client is IPv4 only, as are the addresses in their files.
	conn, err := dialer.DialContext(ctx, "tcp4", address)
	if err == nil {
		return conn, nil
	}
	err = fmt.Errorf("phone: connect to gateway: %w", err)
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return nil, stepFailed(finding.GatewayNameUnresolved.With(u.Hostname()), err)
	}
	return nil, stepFailed(finding.GatewayUnreachable.With(address), err)
}

// bindDeadline makes conn fail when ctx ends; the returned function takes that back and says whether
// conn can still be used.
func bindDeadline(ctx context.Context, conn net.Conn) (release func() bool) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return func() bool { return stop() }
}
