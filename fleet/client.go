package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
	"github.com/longcord/longcord/wire/vpnauth"
)

// wantedMTU is what clients ask for: a phone's default.
const wantedMTU = 1290

// client is one of a fleet. What stands below the line belongs to the packet thread once the client was
// handed to it.
type client struct {
	fleet  *Fleet
	number int
	source netip.Addr // outer address; not valid: the host's

	gateway netip.AddrPort // where DTLS goes
	line    *line
	frames  *cstp.Reader
	answer  cstp.Answer
	master  []byte
	psk     []byte     // nil unless the gateway wants one
	up      chan error // once: nil when DTLS is up

	socket    *socket
	half      *tunnel.Client
	handshake dtls.Client
	conn      *dtls.Conn // nil: down
	inner     netip.AddrPort
	voice     *voice
	across    *voice  // to another client; nil unless clients talk to each other
	hears     *client // likewise: who talks to this one
	toInside  flow
	toClient  flow
}

func newClient(f *Fleet, number int, source netip.Addr) *client {
	return &client{fleet: f, number: number, source: source}
}

// setUp logs the client in, CONNECTs and brings DTLS up.
func (c *client) setUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.fleet.config.Timeout)
	defer cancel()
	at, cookie, err := c.fleet.logIn(ctx, c)
	if err != nil {
		return fmt.Errorf("client %d: %w", c.number, err)
	}
	if err := c.connect(ctx, at, cookie); err != nil {
		_ = at.conn.NetConn().Close() // it is of no more use
		return fmt.Errorf("client %d: CONNECT: %w", c.number, err)
	}
	c.up = make(chan error, 1)
	c.fleet.work.Go(c.readFrames)
	c.fleet.loop.post(c.connected)
	select {
	case err = <-c.up:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("client %d: DTLS: %w", c.number, err)
	}
	return nil
}

// connect turns the line into a CSTP channel.
func (c *client) connect(ctx context.Context, at *line, cookie secret.String) error {
	defer at.bound(ctx)()
	c.master = make([]byte, cstp.MasterSecretLen)
	_, _ = rand.Read(c.master) // never fails, see crypto/rand
	config := &c.fleet.config
	request, err := cstp.Request{
		Host: c.fleet.url.Host, UserAgent: c.agent(), Cookie: cookie, Hostname: fmt.Sprintf("fleet%d", c.number), MTU: wantedMTU,
		BaseMTU: 1500, AddressTypes: []string{"IPv4"}, CipherSuites: config.CipherSuites, CipherSuites12: config.CipherSuites12,
		MasterSecret: secret.New(strings.ToUpper(hex.EncodeToString(c.master))),
	}.AppendBinary(nil)
	if err != nil {
		return err
	}
	if _, err := at.conn.Write(request); err != nil {
		return err
	}
	head, err := cstp.ReadHead(at.in)
	if err != nil {
		return err
	}
	if c.answer, err = cstp.ParseAnswer(head); err != nil {
		return err
	}
	if !c.answer.Address.Is4() {
		return errors.New("no inner IPv4 address")
	}
	if c.answer.DTLS.PSK() {
		state := at.conn.ConnectionState()
		if c.psk, err = state.ExportKeyingMaterial(cstp.PSKLabel, nil, cstp.PSKLen); err != nil {
			return err
		}
	}
	remote, err := netip.ParseAddrPort(at.conn.RemoteAddr().String())
	if err != nil {
		return err
	}
	c.gateway = netip.AddrPortFrom(remote.Addr().Unmap(), uint16(c.answer.DTLS.Port))
	c.line, c.frames = at, cstp.NewReader(at.in, 0)
	c.inner = netip.AddrPortFrom(c.answer.Address, voicePort)
	c.voice = newVoice(c.number, c.inner, c.fleet.config.Far)
	return nil
}

// connected is the beginning of the client's life on the packet thread.
func (c *client) connected() {
	now := time.Now()
	c.half = tunnel.NewClient(tunnel.ClientConfig{DTLS: true}, now)
	actions, err := c.half.Connected(now, c.answer)
	if err != nil {
		c.failed(err)
		return
	}
	c.do(actions)
	if c.handshake == nil {
		c.failed(fmt.Errorf("the gateway offers none that we speak: %s", c.answer))
	}
}

func (c *client) failed(err error) {
	c.conn = nil
	delete(c.fleet.loop.shaking, c)
	select {
	case c.up <- err:
	default: // it was up before
		c.fleet.log.Info("dtls down", "client", c.number, logging.Err, err)
	}
}

// do carries out what the tunnel's half decides. A session that is lost stays lost: the gateway is judged
// by it.
func (c *client) do(actions []tunnel.Action) {
	var onLine []func() // done aside, in order: a gateway that takes nothing must not stop the others
	for _, action := range actions {
		switch a := action.(type) {
		case tunnel.Send:
			if a.Channel == tunnel.DTLS {
				c.sendMessage(a.Type, a.Payload)
			} else {
				onLine = append(onLine, func() { c.line.writeFrame(a.Type, a.Payload) })
			}
		case tunnel.StartDTLS:
			c.startDTLS(a)
		case tunnel.CloseChannel:
			if a.Channel == tunnel.DTLS {
				c.closeDTLS()
			} else {
				onLine = append(onLine, func() { _ = c.line.conn.Close() }) // the gateway may be gone; it bounds its own wait
			}
		case tunnel.End:
			c.fleet.log.Info("session ended", "client", c.number, "cause", a.Cause, "text", a.Text)
		}
	}
	if len(onLine) > 0 {
		c.fleet.work.Go(func() {
			for _, f := range onLine {
				f()
			}
		})
	}
}

func (c *client) closeDTLS() {
	if c.conn != nil {
		if datagram, err := c.conn.CloseNotify(); err == nil {
			c.sendDatagram(datagram)
		}
	}
	c.conn = nil
}

// readFrames hands what comes on the CSTP channel to the packet thread.
func (c *client) readFrames() {
	for {
		kind, payload, err := c.frames.Next()
		if err != nil {
			c.fleet.loop.post(func() {
				if c.half != nil && c.half.State() == tunnel.Online {
					c.fleet.log.Info("cstp channel lost", "client", c.number, logging.Err, err)
					c.do(c.half.ChannelDown(time.Now(), tunnel.CSTP))
				}
			})
			return
		}
		if kind == cstp.Data {
			continue // while DTLS is up none is due
		}
		payload = append([]byte(nil), payload...)
		c.fleet.loop.post(func() { c.control(tunnel.CSTP, kind, payload) })
	}
}

func (c *client) control(ch tunnel.Channel, kind cstp.Type, payload []byte) {
	actions, err := c.half.Received(time.Now(), ch, kind, payload)
	if err != nil {
		c.fleet.log.Debug("frame refused", "client", c.number, logging.Err, err)
	}
	c.do(actions)
}

func (c *client) startDTLS(s tunnel.StartDTLS) {
	config := dtls.Config{Version: s.Version, Suite: s.Suite, SessionID: s.SessionID, MasterSecret: c.master, Rand: rand.Reader}
	if s.PSK {
		config = dtls.Config{SessionID: s.SessionID, PSK: c.psk, Rand: rand.Reader}
	}
	err := c.fleet.loop.open(c)
	if err == nil {
		c.handshake, err = dtls.NewClient(config)
	}
	if err != nil {
		c.failed(err)
		return
	}
	c.fleet.loop.shaking[c] = true
	c.shake(c.handshake.Start(time.Now()))
}

// shake carries out what the handshake decides.
func (c *client) shake(actions []dtls.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case dtls.Send:
			c.sendDatagram(a.Datagram)
		case dtls.Established:
			delete(c.fleet.loop.shaking, c)
			if err := c.half.ChannelUp(time.Now(), tunnel.DTLS); err != nil {
				c.failed(err)
				return
			}
			c.conn = a.Conn
			select {
			case c.up <- nil:
			default: // it came back
			}
		case dtls.Failed:
			c.failed(a.Err)
			c.do(c.half.ChannelDown(time.Now(), tunnel.DTLS))
		}
	}
}

// received takes a datagram of the gateway.
func (c *client) received(a *arrival) {
	switch {
	case c.conn != nil:
		c.open(a)
	case c.handshake != nil:
		actions, err := c.handshake.Received(time.Now(), a.datagram)
		if err != nil {
			c.fleet.log.Debug("dtls datagram refused", "client", c.number, logging.Err, err)
		}
		c.shake(actions)
	}
}

// open takes the records of a datagram.
func (c *client) open(a *arrival) {
	rest := a.datagram
	for len(rest) > 0 && c.conn != nil {
		record, err := c.conn.Open(rest)
		rest = record.Rest
		if err != nil {
			continue
		}
		switch record.Type {
		case dtlswire.ApplicationData:
			c.message(record.Content, a.at)
		case dtlswire.HandshakeRecord: // the gateway missed our Finished and repeats its own
			if actions, err := c.handshake.Resend(); err == nil {
				c.shake(actions)
			}
		case dtlswire.AlertRecord:
			c.failed(errors.New("closed by the gateway"))
			c.do(c.half.ChannelDown(time.Now(), tunnel.DTLS))
		}
	}
}

func (c *client) message(content []byte, at int64) {
	kind, payload, err := cstp.ParseMessage(content)
	switch {
	case err != nil:
	case kind != cstp.Data:
		c.control(tunnel.DTLS, kind, payload)
	default:
		c.half.Heard(tunnel.DTLS, c.fleet.loop.now)
		if t := c.fleet.loop.talk; t != nil {
			t.wentDown(c, payload, at)
		}
	}
}

func (c *client) sendMessage(kind cstp.Type, payload []byte) {
	if c.conn == nil {
		return
	}
	head := c.conn.Headroom()
	buf := cstp.AppendMessage(make([]byte, head, head+1+len(payload)+c.conn.Overhead()), kind, payload)
	if datagram, err := c.conn.Seal(buf, len(buf)-head); err == nil {
		c.sendDatagram(datagram)
	}
}

// sendDatagram sends what is not voice.
func (c *client) sendDatagram(datagram []byte) {
	out := c.fleet.loop.out
	buf := out.buffer(c.socket)
	out.add(buf[:copy(buf, datagram)], c.gateway, c.source4())
	out.flush()
}

func (c *client) source4() (source [4]byte) {
	if c.source.IsValid() {
		source = c.source.As4()
	}
	return source
}

// logOff ends the session.
func (c *client) logOff() {
	if c.half != nil {
		c.do(c.half.Logout(time.Now(), "fleet ends"))
	}
}

func (c *client) agent() string {
	if c.fleet.config.Phones {
		return vpnauth.PhoneUserAgent
	}
	return verify.DocumentAgent
}
