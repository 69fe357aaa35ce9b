package fleet

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/vpnauth"
)

// dialogue is the client's half of a login; verify has two.
type dialogue interface {
	Start() ([]verify.ClientAction, error)
	Replied(vpnauth.Reply) ([]verify.ClientAction, error)
}

// line is a TLS connection to the gateway, and what was read from it and not used yet.
type line struct {
	conn *tls.Conn
	in   *bufio.Reader
}

// dial connects from an address; one that is not valid leaves the choice to the host.
func (f *Fleet) dial(ctx context.Context, source netip.Addr) (*line, error) {
	port := f.url.Port()
	if port == "" {
		port = "443"
	}
	var dialer net.Dialer
	if source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	var raw net.Conn
	err := f.config.Outside.do(func() (err error) {
		raw, err = dialer.DialContext(ctx, "tcp", net.JoinHostPort(f.url.Hostname(), port))
		return err
	})
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, f.config.TLS)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // the handshake's error says it all
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return &line{conn, bufio.NewReaderSize(conn, 4096)}, nil
}

// writeWait bounds the writing of a control frame.
const writeWait = 10 * time.Second

// writeFrame writes a CSTP frame. When that fails the reader tells.
func (l *line) writeFrame(kind cstp.Type, payload []byte) {
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeWait))
	if _, err := l.conn.Write(cstp.AppendFrame(nil, kind, payload)); err != nil {
		_ = l.conn.NetConn().Close()
	}
}

// bound makes everything on the line fail when ctx ends. The returned function takes that back.
func (l *line) bound(ctx context.Context) (release func()) {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

// logIn holds the login conversation and returns the session's cookie, and the line it ended on.
func (f *Fleet) logIn(ctx context.Context, c *client) (*line, secret.String, error) {
	user, password := f.config.Login(c.number)
	config := verify.ClientConfig{URL: f.config.URL, User: user, Password: password}
	var talk dialogue
	var err error
	if f.config.Phones {
		talk, err = verify.NewClient(config)
	} else {
		talk, err = verify.NewDocumentClient(config)
	}
	if err != nil {
		return nil, secret.String{}, err
	}
	at, err := f.dial(ctx, c.source)
	if err != nil {
		return nil, secret.String{}, err
	}
	defer at.bound(ctx)()
	actions, err := talk.Start()
	for err == nil {
		switch a := actions[0].(type) {
		case verify.Ask:
			var reply vpnauth.Reply
			if reply, err = at.ask(a.Request); err == nil {
				actions, err = talk.Replied(reply)
			}
		case verify.LoggedIn:
			return at, a.Cookie, nil
		case verify.Refused:
			err = fmt.Errorf("login of %s: %s: %s", user, a.Reason, a.Text)
		}
	}
	_ = at.conn.NetConn().Close() // it is of no more use
	return nil, secret.String{}, err
}

// ask sends one request and reads its reply.
func (l *line) ask(request vpnauth.Request) (reply vpnauth.Reply, err error) {
	if _, err := l.conn.Write(request.Append(nil)); err != nil {
		return reply, err
	}
	response, err := http.ReadResponse(l.in, &http.Request{Method: request.Method})
	if err != nil {
		return reply, fmt.Errorf("reply to %s: %w", request, err)
	}
	reply.Body, err = io.ReadAll(io.LimitReader(response.Body, vpnauth.MaxBody))
	if err != nil {
		return reply, fmt.Errorf("reply to %s: %w", request, err)
	}
	_, reason, _ := strings.Cut(response.Status, " ")
	reply.Minor, reply.Status, reply.Reason = response.ProtoMinor, response.StatusCode, reason
	for name, values := range response.Header {
		for _, value := range values {
			reply.Header = append(reply.Header, vpnauth.Field{Name: name, Value: value})
		}
	}
	return reply, response.Body.Close()
}
