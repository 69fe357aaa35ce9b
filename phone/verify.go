package phone

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/vpnauth"
)

// tlsProfile is what a model's TLS can do.
type tlsProfile int

const (
	tlsNew      tlsProfile = iota // 78xx, 88xx: up to TLS 1.2 with ECDHE and GCM, and what older gateways need
	tlsOld                        // 79xx: TLS 1.0 with RSA key exchange and AES-CBC only
	tlsComputer                   // no phone: what the library has of today, and the host's name in the hello
)

// handshake is what a phone brings to TLS.
type handshake struct {
	host        string                            // of the gateway, for who says it
	accept      func(tls.ConnectionState) error   // judges who answers
	certificate tls.Certificate                   // shown to who asks; none: the zero value
	asked       func(*tls.CertificateRequestInfo) // told when it is asked for; nil: nobody wants to know
	keyLog      io.Writer                         // nil: keys stay where they are
}

// config returns the profile's TLS settings. The chain is not verified, as phones do not; accept judges
// it by hash. No server name is sent: none is expected of phones. TLS 1.3 stays out because no phone is
// known to speak it, and because its suite would leave the DTLS channel nothing to be equal to.
// The certificate is shown to a gateway that asks for one, whatever issuers it names: a phone has no other.
func (p tlsProfile) config(h handshake) *tls.Config {
	c := &tls.Config{
		InsecureSkipVerify:          true, //nolint:gosec // pinned: see accept
		VerifyConnection:            h.accept,
		MinVersion:                  tls.VersionTLS10,
		MaxVersion:                  tls.VersionTLS12,
		CipherSuites:                []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA},
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true, // one CSTP packet, one record
		KeyLogWriter:                h.keyLog,
		GetClientCertificate: func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if h.asked != nil {
				h.asked(request)
			}
			return &h.certificate, nil
		},
	}
	switch p {
	case tlsOld:
		c.MaxVersion = tls.VersionTLS10
		return c
	case tlsComputer:
		c.MinVersion, c.MaxVersion, c.CipherSuites, c.ServerName = tls.VersionTLS12, tls.VersionTLS13, nil, h.host
		return c
	}
	c.CipherSuites = append([]uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	}, c.CipherSuites...)
	return c
}

// shakeHands brings TLS up as a phone of this profile does.
func (p tlsProfile) shakeHands(ctx context.Context, raw net.Conn, h handshake) (*tls10.Conn, error) {
	recorder := tls10.Record(raw, true)
	h.keyLog = recorder.KeyLog(h.keyLog)
	conn := tls.Client(recorder, p.config(h))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return recorder.TakeOver(conn)
}

var (
	errNoPassword    = errors.New("phone: no VPN password was given")
	errNoCertificate = errors.New("phone: it is to log in by certificate and has none")
)

// Files in the state folder that hold a phone's certificate and its key, as PEM.
const (
	certificateFile = "certificate.pem"
	keyFile         = "certificate.key"
)

// storedCertificate is the certificate that a phone keeps, or none.
func storedCertificate(dir string) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certificateFile), filepath.Join(dir, keyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return pair, fmt.Errorf("phone: stored certificate: %w", err)
	}
	return pair, nil
}

// dialogue is a client's end of a login: verify.Client or verify.DocumentClient.
type dialogue interface {
	Start() ([]verify.ClientAction, error)
	Replied(vpnauth.Reply) ([]verify.ClientAction, error)
}

// loginAttempt is one try at a gateway.
type loginAttempt struct {
	cfg    loginConfig
	url    *url.URL
	client dialogue
	next   []verify.ClientAction // what the client wants, once it was started
	conn   *tls10.Conn           // nil: not connected
	peer   net.Addr              // of the connection made last
	hash   verify.Hash
}

func (l *loginAttempt) run(ctx context.Context) (*loggedIn, error) {
	if err := l.connect(ctx); err != nil {
		return nil, err
	}
	switch {
	case l.cfg.byCertificate && l.cfg.certificate.Certificate == nil:
		return nil, l.withoutCertificate()
	case !l.cfg.byCertificate && l.cfg.password.IsZero():
		return nil, l.withoutPassword()
	}
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	return l.finish(ctx)
}

// open asks the gateway for a login by its URL alone. No error means that the gateway wants to know who it is.
func (l *loginAttempt) open(ctx context.Context) (err error) {
	if l.next, err = l.client.Start(); err != nil {
		return err
	}
	reply, err := l.exchange(ctx, l.next[0].(verify.Ask).Request)
	if err != nil {
		return err
	}
	if l.next, err = l.client.Replied(reply); err != nil {
		return err
	}
	if refused, ok := l.next[0].(verify.Refused); ok {
		return l.refused(refused)
	}
	return nil
}

// finish says who the phone is.
func (l *loginAttempt) finish(ctx context.Context) (*loggedIn, error) {
	var err error
	for actions := l.next; err == nil && len(actions) == 1; {
		switch a := actions[0].(type) {
		case verify.Ask:
			if a.Anew {
				l.hangUp()
			}
			var reply vpnauth.Reply
			if reply, err = l.exchange(ctx, a.Request); err == nil {
				actions, err = l.client.Replied(reply)
			}
		case verify.Refused:
			return nil, l.refused(a)
		case verify.LoggedIn:
			if err := l.connect(ctx); err != nil {
				return nil, err
			}
			return &loggedIn{conn: l.conn, host: l.url.Host, cookie: a.Cookie, hash: l.hash}, nil
		}
	}
	return nil, err
}

// connect brings up TCP and TLS, unless they are.
func (l *loginAttempt) connect(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	raw, err := dialGateway(ctx, l.cfg.dialer, l.url)
	if err != nil {
		return err
	}
	l.peer = raw.RemoteAddr()
	l.conn, err = l.cfg.profile.shakeHands(ctx, raw, handshake{
		host: l.url.Hostname(), accept: l.accept, certificate: l.cfg.certificate, asked: l.cfg.asked, keyLog: l.cfg.keyLog,
	})
	if err != nil {
		raw.Close()
		return l.handshakeFailed(err)
	}
	return nil
}

func (l *loginAttempt) hangUp() {
	if l.conn != nil {
		_ = l.conn.Close() // the gateway may be gone
		l.conn = nil
	}
}

// accept judges the chain that the gateway presents: first the hash, then the name.
func (l *loginAttempt) accept(state tls.ConnectionState) error {
	if l.cfg.reached != nil {
		l.cfg.reached(l.peer)
	}
	if l.cfg.presented != nil {
		l.cfg.presented(state)
	}
	chain := make([][]byte, len(state.PeerCertificates))
	for i, c := range state.PeerCertificates {
		chain[i] = c.Raw
	}
	at, _, ok := verify.Match(chain, l.cfg.hashes)
	if !ok && !l.cfg.anyHash {
		leaf := verify.HashOf(chain[0])
		err := fmt.Errorf("phone: gateway certificate %s (%s) is not in the trust list", leaf.Hex(), leaf)
		return stepFailed(finding.CertificateHashMismatch.With(leaf), err)
	}
	l.hash = verify.HashOf(chain[at])
	return l.checkHost(state.PeerCertificates[0])
}

func (l *loginAttempt) checkHost(leaf *x509.Certificate) error {
	if !l.cfg.checkHost {
		return nil
	}
	host := l.url.Hostname()
	if err := verify.CheckHost(leaf, host); err != nil {
		return stepFailed(finding.HostIDMismatch.With(host), fmt.Errorf("phone: %w", err))
	}
	return nil
}

func (l *loginAttempt) handshakeFailed(err error) error {
	var step *stepError
	if errors.As(err, &step) {
		return step
	}
	err = fmt.Errorf("phone: TLS with gateway: %w", err)
	// crypto/tls has no error values for these, only the alerts' words.
	switch text := err.Error(); {
	case strings.Contains(text, "protocol version"):
		return stepFailed(finding.TLSVersion.With(l.peer), err)
	case strings.Contains(text, "handshake failure"):
		return stepFailed(finding.TLSCipher.With(l.peer), err)
	}
	return stepFailed(finding.GatewayUnreachable.With(l.peer), err)
}

// exchange sends one request and reads its reply, on a new connection if the gateway closed the last.
func (l *loginAttempt) exchange(ctx context.Context, request vpnauth.Request) (vpnauth.Reply, error) {
	if err := l.connect(ctx); err != nil {
		return vpnauth.Reply{}, err
	}
	release := bindDeadline(ctx, l.conn)
	reply, lasting, err := roundTrip(l.conn, request)
	if !release() {
		err = context.Cause(ctx)
	}
	if err == nil && l.cfg.replied != nil {
		l.cfg.replied(reply)
	}
	if err != nil {
		err = fmt.Errorf("phone: %s: %w", request, err)
		return vpnauth.Reply{}, stepFailed(finding.GatewayUnreachable.With(l.peer), err)
	}
	if !lasting {
		l.hangUp()
	}
	return reply, nil
}

// roundTrip leaves nothing of the reply unread and reads nothing beyond it.
func roundTrip(conn net.Conn, request vpnauth.Request) (reply vpnauth.Reply, lasting bool, err error) {
	if _, err := conn.Write(request.Append(nil)); err != nil {
		return reply, false, err
	}
	limited := &io.LimitedReader{R: conn, N: vpnauth.MaxBody + 16<<10}
	reader := bufio.NewReader(limited)
	response, err := http.ReadResponse(reader, &http.Request{Method: request.Method})
	if err != nil {
		return reply, false, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return reply, false, err
	}
	if n := reader.Buffered(); n > 0 {
		return reply, false, fmt.Errorf("%d bytes after the end of the reply", n)
	}
	_, reason, _ := strings.Cut(response.Status, " ")
	reply = vpnauth.Reply{Minor: response.ProtoMinor, Status: response.StatusCode, Reason: reason, Body: body}
	for name, values := range response.Header {
		for _, value := range values {
			reply.Header = append(reply.Header, vpnauth.Field{Name: name, Value: value})
		}
	}
	return reply, !response.Close, nil
}

// withoutPassword is the error of a login that need not be tried.
func (l *loginAttempt) withoutPassword() error {
	f := finding.LoginRefused.With(l.cfg.user)
	f.Fix = []string{"give the phone the password: `--password-stdin`"}
	return stepFailed(f, errNoPassword)
}

// withoutCertificate is the error of a login that need not be tried either.
func (l *loginAttempt) withoutCertificate() error {
	f := finding.ClientCertificateUntrusted.With(l.cfg.user, "the phone has none")
	f.Fix = []string{"give the phone its certificate: `--cert FILE --key FILE`"}
	return stepFailed(f, errNoCertificate)
}

func (l *loginAttempt) refused(r verify.Refused) error {
	err := fmt.Errorf("phone: login: %w", r)
	if r.Reason == verify.WrongURL {
		return stepFailed(finding.GroupURLMismatch.With(l.cfg.url), err)
	}
	f := finding.LoginRefused.With(l.cfg.user)
	if l.cfg.byCertificate {
		f = finding.ClientCertificateUntrusted.With(l.cfg.user, "the gateway says "+r.Text)
		f.Certainty = finding.Likely
	}
	if r.Reason != verify.WrongLogin {
		f.Certainty = finding.Possible
	}
	return stepFailed(f, err)
}
