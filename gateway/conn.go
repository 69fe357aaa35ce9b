package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/inventory"
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
	set      *inventory.Set   // the inventory in force when it came
	identity *identity        // likewise
	weak     bool             // old cryptography: reaches only groups with legacyPhones
	met      *tls.Certificate // ours that the client was shown; nil: none yet
	metECDSA bool             // it is the one for who can verify ECDSA, and there is another
	computer bool             // the client is no phone, by its hello
	filled   bool             // a reply was longer than any packet on the way

	in   *limited
	read *bufio.Reader
}

// serveConn lives a connection from its handshake to its CONNECT, or its end. Until it has a session it has a
// place at the gate.
func (g *Gateway) serveConn(ctx context.Context, raw net.Conn, peer netip.AddrPort, at *place) {
	c := &conn{g: g, raw: raw, peer: peer, log: g.log.With(logging.Peer, peer.String())}
	c.conversation = &conversation{set: g.config.Inventory(), identity: g.currentIdentity()}
	c.stop = context.AfterFunc(ctx, c.hangUp)
	c.begin(ctx, at)
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
func (c *conn) begin(ctx context.Context, at *place) {
	defer c.contain()
	c.handshakeBegan()
	if err := c.handshake(ctx); err != nil {
		c.handshakeFailed(err)
		return
	}
	c.handshakeDone()
	at.shook()
	if c.met == nil {
		return // an authority, which was shown its answer and no certificate of ours
	}
	if err := c.converse(ctx, at.leave); err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
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

// challenged is for an authority that looks whether a host is ours before it issues a certificate (RFC
// 8737); nil: it is not one. It hangs up after the handshake.
func (c *conn) challenged(hello *tls.ClientHelloInfo) *tls.Config {
	const protocol = "acme-tls/1"
	if c.g.config.Challenge == nil || !slices.Contains(hello.SupportedProtos, protocol) {
		return nil
	}
	answer := c.g.config.Challenge(hello.ServerName)
	if answer == nil {
		return nil
	}
	return &tls.Config{Certificates: []tls.Certificate{*answer}, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS12}
}

// port is the one of ours that the client has come to.
func (c *conn) port() uint16 {
	if at, ok := c.raw.LocalAddr().(*net.TCPAddr); ok {
		return uint16(at.Port)
	}
	return 0
}

// handshake brings TLS up. Which configuration a client gets is decided by what it offers.
func (c *conn) handshake(ctx context.Context) (err error) {
	recorder := tls10.Record(c.raw, false)
	conn := tls.Server(recorder, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if challenged := c.challenged(hello); challenged != nil {
			return challenged, nil
		}
		if c.identity.legacy && isOld(hello) {
			c.weak = true
			old := oldConfig(c.identity)
			old.GetCertificate = c.show(&c.identity.old)
			old.KeyLogWriter = recorder.KeyLog(c.g.config.KeyLog)
			return old, nil
		}
		modern := modernConfig(c.identity)
		modern.GetCertificate = c.show(&c.identity.certificates)
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

// show chooses among our certificates, and remembers which one the client meets.
func (c *conn) show(among *presented) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		c.computer = hello.ServerName != "" || slices.Contains(hello.SupportedVersions, tls.VersionTLS13)
		choice, now := among.at(c.port(), hello.ServerName), time.Now()
		doubts := !c.computer && c.g.doubters.has(c.peer.Addr(), now) && hello.SupportsCertificate(choice.everybody) == nil
		c.met, c.metECDSA = choice.everybody, choice.takesECDSA(hello, now) && !doubts
		if c.metECDSA {
			c.met = choice.ecdsa
		}
		return c.met, nil
	}
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
	for first := true; ; first = false {
		deadline := time.Now().Add(requestTime)
		if wake := server.Wake(); !wake.IsZero() && wake.Before(deadline) {
			deadline = wake
		}
		if err := c.tls.SetReadDeadline(deadline); err != nil {
			return err
		}
		r, body, err := c.readRequest()
		if err != nil {
			if first {
				c.doubted()
			}
			return err
		}
		if r.Method == http.MethodConnect {
			return c.connect(ctx, r, leave)
		}
		if door := c.g.config.Door; door != nil && !c.weak {
			if reply, ok := door.Answer(ctx, c.peer.Addr(), r, body); ok {
				return errors.Join(c.write(reply.Append(nil)), c.closeWrite())
			}
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
		c.unfollowed(r, verify.Masked(verify.NewRequest(r, nil)), "asks for its tunnel in a way that cannot be read: "+err.Error())
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
func (c *conn) write(b []byte) error {
	const longest = 1500
	c.filled = c.filled || len(b) >= longest
	return c.writeBy(time.Now().Add(writeTime), b)
}

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
