package phone

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// writeWait bounds the writing of a control frame. A gateway that takes nothing for so long is treated
// as gone; its reader notices, since a TLS connection is of no use after it.
const writeWait = 10 * time.Second

// maxFrame is the most payload that a frame may have: what fits into a TLS record.
const maxFrame = 16 << 10

// cstpChannel is a TLS connection that a CONNECT has turned into a tunnel.
type cstpChannel struct {
	conn   *tls10.Conn
	frames *cstp.Reader
	answer cstp.Answer
	master []byte // for the DTLS channel
	psk    []byte // likewise; nil unless the gateway wants one
}

// connect sends a CONNECT over the connection that dial returns, aside from the loop, and hands the loop
// what came of it.
func (t *tunnelRun) connect(dial func(context.Context) (*tls10.Conn, error)) {
	address := t.client.Address()
	t.work.Go(func() {
		ctx, cancel := context.WithTimeout(t.ctx, connectWait)
		defer cancel()
		conn, err := dial(ctx)
		if err != nil {
			t.post(func(now time.Time) { t.connectFailed(now, err) })
			return
		}
		c, err := t.openCSTP(ctx, conn, address)
		if err != nil {
			conn.NetConn().Close()
			t.post(func(now time.Time) { t.connectFailed(now, err) })
			return
		}
		if !t.post(func(now time.Time) { t.connected(now, c) }) {
			conn.NetConn().Close()
		}
	})
}

func (t *tunnelRun) connectFailed(now time.Time, err error) {
	t.refused = err
	t.do(t.client.ConnectFailed(now, err))
}

// openCSTP does the CONNECT. The address is that of the session so far, if there is one.
func (t *tunnelRun) openCSTP(ctx context.Context, conn *tls10.Conn, address netip.Addr) (*cstpChannel, error) {
	c := &cstpChannel{conn: conn, master: make([]byte, cstp.MasterSecretLen)}
	if _, err := io.ReadFull(t.cfg.rand, c.master); err != nil {
		return nil, fmt.Errorf("phone: master secret: %w", err)
	}
	request, err := t.request(c.master, address).AppendBinary(nil)
	if err != nil {
		return nil, fmt.Errorf("phone: CONNECT: %w", err)
	}
	expire := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer expire()
	if _, err := conn.Write(request); err != nil {
		return nil, fmt.Errorf("phone: CONNECT: %w", err)
	}
	in := bufio.NewReader(conn)
	head, err := cstp.ReadHead(in)
	if err != nil {
		return nil, fmt.Errorf("phone: answer to CONNECT: %w", err)
	}
	if c.answer, err = cstp.ParseAnswer(head); err != nil {
		return nil, fmt.Errorf("phone: CONNECT: %w", err)
	}
	if !expire() {
		return nil, fmt.Errorf("phone: CONNECT: %w", ctx.Err())
	}
	if c.answer.DTLS.PSK() {
		if c.psk, err = conn.Export(cstp.PSKLabel, cstp.PSKLen); err != nil {
			return nil, fmt.Errorf("phone: key of the DTLS channel: %w", err)
		}
	}
	c.frames = cstp.NewReader(in, maxFrame)
	return c, nil
}

// request is the phone's CONNECT. Which headers a real phone sends is inferred.
func (t *tunnelRun) request(master []byte, address netip.Addr) cstp.Request {
	r := cstp.Request{
		Host: t.cfg.host, UserAgent: t.cfg.userAgent, Cookie: t.cfg.cookie, Hostname: t.cfg.device, MTU: t.cfg.mtu,
		AddressTypes: []string{"IPv4"}, CipherSuites: t.cfg.suites.legacy, CipherSuites12: t.cfg.suites.dtls12,
	}
	if address.IsValid() {
		r.Addresses = []netip.Addr{address}
	}
	if len(r.CipherSuites)+len(r.CipherSuites12) > 0 {
		r.MasterSecret = secret.New(strings.ToUpper(hex.EncodeToString(master)))
	}
	return r
}

// connected puts a new CSTP channel to work.
func (t *tunnelRun) connected(now time.Time, c *cstpChannel) {
	t.log.Debug("connected", "answer", c.answer)
	t.cstp.Store(c)
	actions, err := t.client.Connected(now, c.answer)
	if err != nil {
		t.log.Debug("answer refused", logging.Err, err)
		t.closeChannel(tunnel.CSTP)
		return
	}
	if t.client.State() == tunnel.Online {
		if t.device == nil && !t.openDevice(c.answer) {
			return
		}
		t.work.Go(func() { t.readCSTP(c) })
	}
	t.do(actions)
	if t.client.State() == tunnel.Offline {
		t.closeChannel(tunnel.CSTP)
	}
}

// control writes a control frame.
func (c *cstpChannel) control(kind cstp.Type, payload []byte) {
	c.conn.SetWriteDeadline(time.Now().Add(writeWait))
	if _, err := c.conn.Write(cstp.AppendFrame(nil, kind, payload)); err != nil {
		c.conn.NetConn().Close() // the reader tells the loop
		return
	}
	c.conn.SetWriteDeadline(time.Time{})
}

// close ends the TLS connection properly; it bounds its own wait.
func (c *cstpChannel) close() { _ = c.conn.Close() } // the gateway may be gone

// lostCSTP says that c's stream has ended, unless c is no longer in use.
func (t *tunnelRun) lostCSTP(now time.Time, c *cstpChannel, err error) {
	if t.cstp.Load() != c {
		return
	}
	t.log.Info("tunnel lost its connection", logging.Err, err)
	t.closeChannel(tunnel.CSTP)
	t.do(t.client.ChannelDown(now, tunnel.CSTP))
}

// readCSTP carries what comes over c until it ends.
func (t *tunnelRun) readCSTP(c *cstpChannel) {
	for {
		kind, payload, err := c.frames.Next()
		if err != nil {
			t.post(func(now time.Time) { t.lostCSTP(now, c, err) })
			return
		}
		if kind == cstp.Data {
			t.deliver(tunnel.CSTP, payload)
			continue
		}
		payload = bytes.Clone(payload)
		if !t.post(func(now time.Time) {
			if t.cstp.Load() == c {
				t.received(now, tunnel.CSTP, kind, payload)
			}
		}) {
			return
		}
	}
}
