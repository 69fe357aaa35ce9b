package gateway

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
	"github.com/longcord/longcord/wire/vpnauth"
)

// client is a scripted client: one TLS connection, and the DTLS channel that goes with it.
type client struct {
	t       testing.TB
	w       *world
	conn    *tls.Conn
	in      *bufio.Reader
	request cstp.Request
	answer  cstp.Answer
	frames  *cstp.Reader
	agent   string // what its login calls itself; empty: scripted
}

// modern and old are how clients speak TLS.
func modern() *tls.Config { return &tls.Config{InsecureSkipVerify: true, ServerName: host} }

func old() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}
}

func (w *world) dialTLS(config *tls.Config) (*tls.Conn, error) {
	port, _ := w.ports()
	raw, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	w.t.Cleanup(func() { raw.Close() })
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	conn := tls.Client(raw, config)
	return conn, conn.Handshake()
}

// ports are where the gateway listens.
func (w *world) ports() (tcp, udp int) {
	w.t.Helper()
	if w.g == nil { // it is in another process
		return w.tcp, w.udp
	}
	return w.g.listeners[0].Addr().(*net.TCPAddr).Port, int(w.g.udp.address().Port())
}

func (w *world) dial(config *tls.Config) *client {
	w.t.Helper()
	conn, err := w.dialTLS(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return &client{t: w.t, w: w, conn: conn, in: bufio.NewReader(conn)}
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a request and reads the reply.
func (c *client) ask(request vpnauth.Request) vpnauth.Reply {
	c.t.Helper()
	c.send(request.Append(nil))
	return c.reply()
}

func (c *client) reply() vpnauth.Reply {
	c.t.Helper()
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	reply := vpnauth.Reply{Status: r.StatusCode, Body: body}
	for name, values := range r.Header {
		for _, value := range values {
			reply.Header = append(reply.Header, vpnauth.Field{Name: name, Value: value})
		}
	}
	return reply
}

// logIn logs in as a phone does and returns the last that came of it: verify.LoggedIn or verify.Refused.
func (c *client) logIn(url, user, password string) verify.ClientAction {
	c.t.Helper()
	login, err := verify.NewClient(verify.ClientConfig{URL: url, User: user, Password: secret.New(password)})
	if err != nil {
		c.t.Fatal(err)
	}
	actions, err := login.Start()
	for err == nil {
		ask, more := actions[0].(verify.Ask)
		if !more {
			return actions[0]
		}
		actions, err = login.Replied(c.ask(ask.Request))
	}
	c.t.Fatal(err)
	return nil
}

// cookie logs in, as a phone where phones do, and expects to be let in.
func (c *client) cookie(url, user string) secret.String {
	c.t.Helper()
	password := "secret of " + user
	if url != phoneURL {
		return c.fillIn(url, user, password)
	}
	in, ok := c.logIn(url, user, password).(verify.LoggedIn)
	if !ok {
		c.t.Fatalf("%s is not let in", user)
	}
	return in.Cookie
}

// fillIn logs in by a form, as people's programs do.
func (c *client) fillIn(url, user, password string) secret.String {
	c.t.Helper()
	reply := c.post(url, user, password)
	for _, line := range reply.Header.Values("Set-Cookie") {
		if cookie, err := vpnauth.ParseCookie(line); err == nil && cookie.Name == vpnauth.SessionCookie {
			return cookie.Value
		}
	}
	c.t.Fatalf("%s is not let in: %d", user, reply.Status)
	return secret.String{}
}

// post sends a filled-in form.
func (c *client) post(url, user, password string) vpnauth.Reply {
	c.t.Helper()
	form := vpnauth.Values{{Name: "username", Text: secret.New(user)}, {Name: "password", Text: secret.New(password)}}.AppendForm(nil)
	return c.ask(vpnauth.Request{Method: http.MethodPost, Target: strings.TrimPrefix(url, "https://"+host), Header: vpnauth.Headers{
		{Name: "Host", Value: host}, {Name: "User-Agent", Value: cmp.Or(c.agent, "scripted")}, vpnauth.Length(len(form)),
	}, Body: form})
}

// offer is a CONNECT as clients send it.
func (c *client) offer(cookie secret.String) cstp.Request {
	var master [cstp.MasterSecretLen]byte
	rand.Read(master[:])
	return cstp.Request{
		Host: host, UserAgent: "scripted", Cookie: cookie, MTU: 1300, BaseMTU: 1400,
		MasterSecret: secret.New(hex.EncodeToString(master[:])), CipherSuites12: []string{"AES128-GCM-SHA256"},
	}
}

// connect opens the CSTP channel. The error is what the gateway refuses with.
func (c *client) connect(request cstp.Request) error {
	c.t.Helper()
	wire, err := request.AppendBinary(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(wire)
	head, err := cstp.ReadHead(c.in)
	if err != nil {
		c.t.Fatal(err)
	}
	c.request, c.frames = request, cstp.NewReader(c.in, 0)
	c.answer, err = cstp.ParseAnswer(head)
	return err
}

// refused expects a refusal with a status.
func refused(t *testing.T, err error, status int) {
	t.Helper()
	var refusal *cstp.Refusal
	if !errors.As(err, &refusal) || refusal.Status != status {
		t.Errorf("got %v want a refusal with %d", err, status)
	}
}

// tunnel logs a user in and connects.
func (w *world) tunnel(url, user string) *client {
	w.t.Helper()
	return w.tunnelWith(modern(), url, user)
}

func (w *world) tunnelWith(config *tls.Config, url, user string) *client {
	w.t.Helper()
	c := w.dial(config)
	if err := c.connect(c.offer(c.cookie(url, user))); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (c *client) sendFrame(t cstp.Type, payload []byte) {
	c.t.Helper()
	c.send(cstp.AppendFrame(nil, t, payload))
}

// frame expects a frame.
func (c *client) frame(want cstp.Type) string {
	c.t.Helper()
	got, payload, err := c.frames.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	if got != want {
		c.t.Fatalf("got a %v frame want %v", got, want)
	}
	return string(payload)
}

// closed expects that the gateway ends the connection and says nothing more.
func (c *client) closed() {
	c.t.Helper()
	got, err := io.ReadAll(c.conn)
	var timeout net.Error
	if len(got) > 0 || errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Errorf("the connection goes on with %d bytes, %v", len(got), err)
	}
}

// channel is the client's end of a DTLS channel.
type channel struct {
	t    testing.TB
	sock *net.UDPConn
	conn *dtls.Conn
}

func (w *world) socket() *net.UDPConn {
	w.t.Helper()
	_, port := w.ports()
	sock, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { sock.Close() })
	if err := sock.SetDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	return sock
}

func (c *client) config() dtls.Config {
	c.t.Helper()
	if c.answer.DTLS.PSK() {
		state := c.conn.ConnectionState()
		key, err := state.ExportKeyingMaterial(cstp.PSKLabel, nil, cstp.PSKLen)
		if err != nil {
			c.t.Fatal(err)
		}
		return dtls.Config{SessionID: c.answer.DTLS.AppID, PSK: key, Rand: rand.Reader}
	}
	version, suite, ok := c.answer.DTLS.Suite()
	if !ok {
		c.t.Fatalf("the answer has no DTLS: %s", c.answer)
	}
	master, err := c.request.MasterKey()
	if err != nil {
		c.t.Fatal(err)
	}
	return dtls.Config{Version: version, Suite: suite, SessionID: c.answer.DTLS.SessionID, MasterSecret: master, Rand: rand.Reader}
}

// dtls brings the DTLS channel up, and returns when the gateway knows.
func (c *client) dtls(sock *net.UDPConn) *channel {
	c.t.Helper()
	before := c.session().dtls.Load()
	conn, _ := c.handshake(sock)
	c.w.until("the gateway has the DTLS channel", func() bool {
		now := c.session().dtls.Load()
		return now != nil && now != before
	})
	c.session().mu.Lock() // it has been told of it, too
	defer c.session().mu.Unlock()
	return &channel{c.t, sock, conn}
}

// session is the gateway's side of the client.
func (c *client) session() *session { return c.w.g.sessions.find(c.request.Cookie) }

// handshake is the client's half of a handshake. It returns the first datagram, too.
func (c *client) handshake(sock *net.UDPConn) (conn *dtls.Conn, hello []byte) {
	c.t.Helper()
	half, err := dtls.NewClient(c.config())
	if err != nil {
		c.t.Fatal(err)
	}
	actions := half.Start(time.Now())
	buf := make([]byte, 2000)
	for {
		for _, a := range actions {
			switch a := a.(type) {
			case dtls.Send:
				if hello == nil {
					hello = a.Datagram
				}
				if _, err := sock.Write(a.Datagram); err != nil {
					c.t.Fatal(err)
				}
			case dtls.Established:
				_ = sock.SetReadDeadline(time.Now().Add(patience))
				return a.Conn, hello
			case dtls.Failed:
				c.t.Fatal(a.Err)
			}
		}
		_ = sock.SetReadDeadline(half.Wake())
		n, err := sock.Read(buf)
		if err != nil { // lost among others, or late
			actions = half.Advance(time.Now())
		} else if actions, err = half.Received(time.Now(), buf[:n]); err != nil {
			actions = nil // an alert of the channel before
		}
	}
}

// hello sends the first datagram of a handshake.
func (c *client) hello(sock *net.UDPConn) {
	c.t.Helper()
	half, err := dtls.NewClient(c.config())
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := sock.Write(half.Start(time.Now())[0].(dtls.Send).Datagram); err != nil {
		c.t.Fatal(err)
	}
}

func (c *channel) sealed(t cstp.Type, payload []byte) []byte {
	c.t.Helper()
	buf := make([]byte, c.conn.Overhead()+1+len(payload))
	content := cstp.AppendMessage(buf[c.conn.Headroom():c.conn.Headroom()], t, payload)
	datagram, err := c.conn.Seal(buf, len(content))
	if err != nil {
		c.t.Fatal(err)
	}
	return datagram
}

func (c *channel) send(t cstp.Type, payload []byte) {
	c.t.Helper()
	if _, err := c.sock.Write(c.sealed(t, payload)); err != nil {
		c.t.Fatal(err)
	}
}

// receive returns the next record.
func (c *channel) receive() dtls.Opened {
	c.t.Helper()
	buf := make([]byte, 2000)
	n, err := c.sock.Read(buf)
	if err != nil {
		c.t.Fatal(err)
	}
	o, err := c.conn.Open(buf[:n])
	if err != nil {
		c.t.Fatal(err)
	}
	return o
}

// message expects a message.
func (c *channel) message(want cstp.Type) string {
	c.t.Helper()
	o := c.receive()
	if o.Type != dtlswire.ApplicationData || len(o.Content) == 0 || o.Content[0] != byte(want) {
		c.t.Fatalf("got a record of %v with % x want a message of %v", o.Type, o.Content[:min(8, len(o.Content))], want)
	}
	return string(o.Content[1:])
}

// silent expects that nothing comes. The gateway is asked for something else first, so that it had time.
func silent(t *testing.T, w *world, sock *net.UDPConn) {
	t.Helper()
	probe := w.tunnel(staffURL, "probe")
	defer probe.conn.Close()
	probe.dtls(w.socket())
	if err := sock.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2000)
	if n, err := sock.Read(buf); err == nil {
		t.Errorf("the gateway answers with %d bytes", n)
	}
}
