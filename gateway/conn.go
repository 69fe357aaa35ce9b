package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/asa"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/vpnauth"
)

const (
	handshakeTime = 20 * time.Second // a phone with a 2009 processor needs some
	requestTime   = 60 * time.Second // between two requests of a login; people type passwords on phones' keys before they connect
	writeTime     = 20 * time.Second
	maxHeader     = 16 << 10
	maxBody       = vpnauth.MaxBody + 16<<10 // as it is on the wire: with the marks between chunks
	remembered    = 24 * time.Hour           // how long a finding about a login stands that nobody meets again
)

// conn is one TCP connection.
type conn struct {
	g    *Gateway
	raw  net.Conn
	peer netip.AddrPort
	log  *slog.Logger
	stop func() bool // its end no longer hangs on the gateway's
	tls  *tls10.Conn // nil before the handshake

	*conversation        // nil after it
	carry         func() // what the connection does after its CONNECT was granted
}

// conversation is what a connection needs before its CONNECT, and not any more while it carries a tunnel.
type conversation struct {
	set      *inventory.Set // the inventory in force when it came
	identity *identity      // likewise
	weak     bool           // old cryptography: reaches only groups with legacyPhones

	in   *limited
	read *bufio.Reader
}

// serveConn lives a connection from its handshake to its CONNECT, or its end. leave takes it out of the
// count of connections without a session.
func (g *Gateway) serveConn(ctx context.Context, raw net.Conn, peer netip.AddrPort, leave func()) {
	c := &conn{g: g, raw: raw, peer: peer, log: g.log.With(logging.Peer, peer.String())}
	c.conversation = &conversation{set: g.config.Inventory(), identity: g.currentIdentity()}
	c.stop = context.AfterFunc(ctx, c.hangUp)
	c.begin(ctx, leave)
	carry := c.carry
	c.conversation, c.carry = nil, nil
	if carry == nil {
		c.end()
		return
	}
	// The handshake has grown this goroutine's stack; a tunnel, which may be idle for days, gets another.
	g.wg.Go(func() {
		defer c.end()
		defer c.contain()
		carry()
	})
}

// begin shakes hands and converses.
func (c *conn) begin(ctx context.Context, leave func()) {
	defer c.contain()
	c.handshakeBegan()
	if err := c.handshake(ctx); err != nil {
		c.handshakeFailed(err)
		return
	}
	c.handshakeDone()
	if err := c.converse(ctx, leave); err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		c.log.Debug("connection", logging.Err, err)
	}
}

// end is the last that happens to a connection.
func (c *conn) end() {
	c.stop()
	if c.tls != nil {
		c.ended()
	}
	c.hangUp()
}

// contain is deferred by a connection's goroutines: a panic there ends this connection and nothing else.
func (c *conn) contain() {
	if p := recover(); p != nil {
		c.log.Error("connection ended by a panic", "panic", p, "stack", string(debug.Stack()))
		c.hangUp()
	}
}

// hangUp ends the connection at once. Any goroutine may call it.
func (c *conn) hangUp() { _ = c.raw.Close() } // what it has to tell, its readers and writers hear

// handshake brings TLS up. Which configuration a client gets is decided by what it offers.
func (c *conn) handshake(ctx context.Context) (err error) {
	recorder := tls10.Record(c.raw, false)
	conn := tls.Server(recorder, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if c.identity.legacy && isOld(hello) {
			c.weak = true
			old := oldConfig(c.identity)
			old.KeyLogWriter = recorder.KeyLog(c.g.config.KeyLog)
			return old, nil
		}
		modern := modernConfig(c.identity)
		if isOld(hello) {
			modern.CipherSuites = []uint16{} // none in common: the library would sign with SHA-1 for who asks for it
		}
		modern.KeyLogWriter = recorder.KeyLog(c.g.config.KeyLog)
		return modern, nil
	}})
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	if c.tls, err = recorder.TakeOver(conn); err != nil {
		return err
	}
	c.in = &limited{from: c.tls}
	c.read = bufio.NewReaderSize(c.in, 4096)
	return nil
}

// limited lets through as many bytes as it was last allowed, and no more.
type limited struct {
	from io.Reader
	left int
}

var errTooLarge = errors.New("gateway: request is too large")

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLarge
	}
	n, err := l.from.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}

// converse reads requests until one is a CONNECT or the conversation ends.
func (c *conn) converse(ctx context.Context, leave func()) error {
	server := verify.NewServer(time.Now(), c.verifyConfig())
	for {
		deadline := time.Now().Add(requestTime)
		if wake := server.Wake(); !wake.IsZero() && wake.Before(deadline) {
			deadline = wake
		}
		if err := c.tls.SetReadDeadline(deadline); err != nil {
			return err
		}
		r, body, err := c.readRequest()
		if err != nil {
			return err
		}
		if r.Method == http.MethodConnect {
			return c.connect(ctx, r, leave)
		}
		actions, err := server.Received(time.Now(), verify.NewRequest(r, body))
		if err != nil {
			return err
		}
		if done, err := c.do(ctx, server, actions, r); done || err != nil {
			return err
		}
	}
}

func (c *conn) readRequest() (*http.Request, []byte, error) {
	c.in.left = maxHeader
	r, err := http.ReadRequest(c.read)
	if err != nil || r.Method == http.MethodConnect {
		return r, nil, err
	}
	c.in.left = maxBody
	body, err := io.ReadAll(io.LimitReader(r.Body, vpnauth.MaxBody+1))
	if len(body) > vpnauth.MaxBody {
		return r, body, nil // the login says so; the rest is not read
	}
	return r, body, errors.Join(err, r.Body.Close())
}

// verifyConfig is what the login needs to know of the inventory.
func (c *conn) verifyConfig() verify.Config {
	config := verify.Config{Old: c.weak, Group: c.group, Client: c.client}
	config.Certificate = verify.HashOf(c.presented().Certificate[0])
	for _, name := range sorted(c.set.TunnelGroups) {
		if g := c.set.TunnelGroups[name]; len(g.GroupAliases) > 0 && !g.Phones {
			config.Listed = append(config.Listed, c.verifyGroup(g))
		}
	}
	return config
}

// presented is the certificate that the gateway has shown on this connection.
func (c *conn) presented() *tls.Certificate {
	choice := &c.identity.certificates
	if c.weak {
		choice = &c.identity.old
	}
	return choice.certificate(c.tls.ConnectionState().ServerName)
}

// client judges the certificate that the client has shown by a tunnel group's authorities.
func (c *conn) client(group string) (*verify.ClientCertificate, error) {
	sent, authorities := c.tls.ConnectionState().PeerCertificates, c.identity.authorities[group]
	if len(sent) == 0 || len(authorities) == 0 {
		return nil, nil
	}
	found, err := verify.CheckClient(time.Now(), sent, authorities)
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// group finds the tunnel group of a group URL, byte for byte. A URL may be written with or without the
// port that https means anyhow.
func (c *conn) group(host, path string) (verify.Group, bool) {
	for _, g := range c.set.TunnelGroups {
		for _, groupURL := range g.GroupURLs {
			u, err := url.Parse(groupURL)
			if err != nil {
				continue
			}
			if strings.EqualFold(withoutPort443(u.Host), withoutPort443(host)) && pathOf(u) == path {
				return c.verifyGroup(g), true
			}
		}
	}
	return verify.Group{}, false
}

func pathOf(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

func withoutPort443(host string) string { return strings.TrimSuffix(host, ":443") }

func (c *conn) verifyGroup(g *inventory.TunnelGroup) verify.Group {
	group := verify.Group{
		Name: g.Name, Aliases: g.GroupAliases, Phones: g.Phones, LegacyPhones: g.LegacyPhones,
		Certificate: g.NeedsCertificate(), NoPassword: !g.TakesPassword(), User: c.onlyUser(g),
	}
	if g.SecondaryAuthentication == inventory.SecondField {
		group.SecondFactor = "Code:"
	}
	if banner := c.set.PolicyFor(g, "", "").Banner; banner != inventory.None {
		group.Banner = banner
	}
	return group
}

// onlyUser is the one user who is locked to a tunnel group, if there is just one.
func (c *conn) onlyUser(g *inventory.TunnelGroup) (only string) {
	for name, user := range c.set.Users {
		if user.GroupLock != g.Name {
			continue
		}
		if only != "" {
			return ""
		}
		only = name
	}
	return only
}

// do carries out the login's actions. It reports true when the connection ends.
func (c *conn) do(ctx context.Context, server *verify.Server, actions []verify.Action, r *http.Request) (done bool, err error) {
	for _, a := range actions {
		switch a := a.(type) {
		case verify.Send:
			if err := c.write(a.Reply.Append(nil)); err != nil {
				return true, err
			}
		case verify.Authenticate:
			more, err := server.Authenticated(time.Now(), c.authenticate(ctx, a, r))
			if err != nil {
				return true, err
			}
			if done, err := c.do(ctx, server, more, r); done || err != nil {
				return true, err
			}
		case verify.Forget:
			if s := c.g.sessions.find(a.Token); s != nil {
				s.end(tunnel.UserLogout)
			}
		case verify.Report:
			c.report(a, r)
		case verify.FirstContact:
			c.log.Log(ctx, c.g.levelFor(r.UserAgent()), "phone speaks", logging.Stage, stage.Verify.String(), "request", a.Line,
				"header", fmt.Sprint(a.Header), "form", a.Body)
		case verify.Close:
			return true, c.closeWrite()
		}
	}
	return false, nil
}

// report tells the operator why a login goes no further.
func (c *conn) report(a verify.Report, r *http.Request) {
	f := reported(a, c.peer)
	f = f.Because("gateway", 0, fmt.Sprintf("asked by %s, %s: %s", c.peer, r.UserAgent(), a.Reason))
	c.g.config.Findings.RaiseFor(remembered, f)
	c.log.Warn("login goes no further", logging.Stage, stage.Verify.String(), logging.Finding, f.Code,
		"says", f.Says, "reason", a.Reason.String(), "agent", a.Agent.String(), "tunnel_group", a.Group)
}

// reported is the finding of a report.
func reported(a verify.Report, peer netip.AddrPort) finding.Finding {
	var refused *verify.CertificateError
	switch {
	case a.Reason == verify.NoCertificate:
		return finding.ClientCertificateUntrusted.With(peer.Addr(), "none was sent")
	case errors.As(a.Err, &refused) && refused.Outdated:
		return finding.ClientCertificateExpired.With(refused.Name, refused.Says)
	case errors.As(a.Err, &refused):
		return finding.ClientCertificateUntrusted.With(refused.Name, refused.Says)
	case a.Reason == verify.OtherUser || a.Reason == verify.QuestionForPhone:
		return finding.LoginRefused.With(a.User)
	}
	return finding.GroupURLMismatch.With("https://" + a.Host + a.Path)
}

// checkLogin has a login checked by whoever knows its user.
func (c *conn) checkLogin(ctx context.Context, a verify.Authenticate) (login.Result, error) {
	r := login.Request{
		User: a.User, Password: a.Password, Source: c.peer.Addr(), TunnelGroup: a.Group,
		SecondFactor: a.SecondFactor, State: a.State,
	}
	if a.Certificate != nil {
		r.Certificate = &login.Certificate{
			Subject: a.Certificate.Name, Device: inventory.DeviceInName(a.Certificate.Name),
			Issuer: a.Certificate.Authority, Manufacturer: a.Certificate.Manufacturer,
		}
	}
	if group := c.set.TunnelGroups[a.Group]; group != nil && !group.TakesPassword() {
		return login.Certified(c.set, r)
	}
	if c.enrols(a) {
		if err := login.Admit(c.set, r.Certificate); err != nil {
			return login.Result{}, err
		}
	}
	who, err := c.g.config.Login.Authenticate(ctx, r)
	if r.Certificate != nil && r.Certificate.Device != "" {
		who.Device = r.Certificate.Device // proved; what the user's name says is not
	}
	return who, err
}

// enrols reports whether a login rests on a manufacturer's certificate. Where a password is enough, such a
// certificate tells only which phone it is.
func (c *conn) enrols(a verify.Authenticate) bool {
	group := c.set.TunnelGroups[a.Group]
	return group != nil && group.NeedsCertificate() && a.Certificate != nil && a.Certificate.Manufacturer
}

// authenticate has a login checked and makes the session that a right one opens.
func (c *conn) authenticate(ctx context.Context, a verify.Authenticate, r *http.Request) verify.Result {
	log := c.log.With(logging.User, a.User, logging.Stage, stage.Verify.String(), "tunnel_group", a.Group)
	if a.Certificate != nil {
		log = log.With("certificate_of", a.Certificate.Authority, "serial", a.Certificate.Serial)
		c.checkList(log, a.Certificate)
	}
	if c.turnsAway() {
		return verify.Result{Verdict: verify.Busy}
	}
	who, err := c.checkLogin(ctx, a)
	var challenge *login.Challenge
	switch {
	case errors.As(err, &challenge):
		log.Debug("login asks further")
		return verify.Result{Verdict: verify.Challenged, Prompt: challenge.Prompt, State: challenge.State}
	case errors.Is(err, login.ErrRefused):
		c.loginRefused(a.User, a.Group, err)
		return verify.Result{Verdict: verify.Denied}
	case errors.Is(err, login.ErrBanned): // what led to it is in the log, and a flood of these would hide that
		log.Debug("login put off", logging.Err, err)
		return verify.Result{Verdict: verify.Busy}
	case err != nil: // too many at once, or it could not be looked up: nobody has said that the password is wrong
		log.Warn("login put off", logging.Err, err)
		return verify.Result{Verdict: verify.Busy}
	}
	record := sessionRecord{
		User: who.User, Device: who.Device, TunnelGroup: a.Group, GroupPolicy: who.GroupPolicy, Began: time.Now(), UserAgent: r.UserAgent(),
		FramedAddress: who.Address, IdleTimeout: who.IdleTimeout, SessionTimeout: who.SessionTimeout, Class: classesIn(who.Class),
		Enrolment: c.enrols(a),
	}
	token := secret.New(base64.StdEncoding.EncodeToString(randomBytes(32)))
	err = c.g.sessions.create(ctx, token, record)
	switch {
	case errors.Is(err, errUnwelcome):
		f := finding.LoginRefused.With(who.User).Because("gateway", 0, fmt.Sprintf("login from %s: %v", c.peer.Addr(), err))
		c.g.config.Findings.RaiseFor(remembered, f)
		log.Warn("login refused", logging.Finding, f.Code, "says", f.Says, "why", err.Error())
		return verify.Result{Verdict: verify.Denied}
	case errors.Is(err, errSessionLimit):
		f := finding.SessionLimit.With(who.User).Because("gateway", 0, "login from "+c.peer.Addr().String())
		c.g.config.Findings.RaiseFor(remembered, f)
		log.Warn("login refused", logging.Finding, f.Code, "says", f.Says)
		return verify.Result{Verdict: verify.Denied}
	case err != nil:
		log.Error("login put off", logging.Err, err)
		return verify.Result{Verdict: verify.Busy}
	}
	c.loggedIn(record, who.Server)
	return verify.Result{Verdict: verify.Accepted, Token: token}
}

// checkList tells the operator when the list that lets a certificate pass is out of date.
func (c *conn) checkList(log *slog.Logger, certificate *verify.ClientCertificate) {
	if certificate.Stale.IsZero() {
		c.g.config.Findings.Clear(finding.RevocationListStale, certificate.Authority)
		return
	}
	f := finding.RevocationListStale.With(certificate.Authority, certificate.Stale.UTC().Format(time.DateOnly))
	c.g.config.Findings.RaiseFor(remembered, f)
	log.Warn("login by a certificate that may have been revoked", logging.Finding, f.Code, "says", f.Says)
}

// connect answers a CONNECT. When it is granted, the connection carries the session's CSTP channel. A
// connection with old cryptography is granted only the sessions of groups that allow it.
func (c *conn) connect(ctx context.Context, r *http.Request, leave func()) error {
	if strings.TrimPrefix(r.RequestURI, "/") != cstp.Path[1:] {
		return c.refuse(cstp.Refusal{Status: http.StatusNotFound, Phrase: "Not Found"})
	}
	r.Header.Set("Host", r.Host)
	request, err := cstp.RequestOf(r.Header)
	if err != nil {
		c.g.say(asa.ConnectUnreadable(c.peer.Addr()))
		return errors.Join(err, c.refuse(cstp.Refusal{Status: http.StatusBadRequest, Phrase: "Bad Request"}))
	}
	session := c.g.sessions.find(request.Cookie)
	if session == nil {
		return c.cookieRefused()
	}
	c.set = c.g.config.Inventory() // a login may have taken minutes
	group := c.set.TunnelGroups[session.record.TunnelGroup]
	if session.record.unwelcome(c.set) != "" || c.weak && !group.LegacyPhones {
		return c.cookieRefused()
	}
	leave()
	if err := c.tls.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	channel, err := session.grant(ctx, c, group, request)
	if err != nil {
		var refusal *cstp.Refusal
		if errors.As(err, &refusal) {
			return c.refuse(*refusal)
		}
		return err
	}
	from := c.rest()
	c.carry = func() { session.carry(from, channel) }
	return nil
}

// rest is what comes behind the requests.
func (c *conn) rest() io.Reader {
	n := c.read.Buffered()
	if n == 0 {
		return c.tls
	}
	early, _ := c.read.Peek(n) // it is there
	return io.MultiReader(bytes.NewReader(early), c.tls)
}

// cookieRefused sends a client to log in again.
func (c *conn) cookieRefused() error {
	c.connectRefused()
	return c.refuse(cstp.CookieRefused)
}

func (c *conn) refuse(refusal cstp.Refusal) error {
	reply, err := refusal.AppendBinary(nil)
	if err != nil {
		return err
	}
	return errors.Join(c.write(reply), c.closeWrite())
}

// write sends bytes before anything else can want to.
func (c *conn) write(b []byte) error { return c.writeBy(time.Now().Add(writeTime), b) }

// writeBy sends bytes in one record: one packet must be one record.
func (c *conn) writeBy(deadline time.Time, b []byte) error {
	if err := c.raw.SetWriteDeadline(deadline); err != nil {
		return err
	}
	_, err := c.tls.Write(b)
	return err
}

// closeWrite says that nothing more comes.
func (c *conn) closeWrite() error {
	if err := c.raw.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	return c.tls.CloseWrite()
}
