package phone

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
)

// dtlsChannel is a UDP socket towards the gateway with a DTLS connection that is up, or on its way up.
type dtlsChannel struct {
	udp       net.Conn
	gateway   netip.AddrPort
	handshake dtls.Client               // the loop's
	conn      atomic.Pointer[dtls.Conn] // nil until the handshake is done
}

// startDTLS begins a handshake towards the address that the TLS connection reached.
func (t *tunnelRun) startDTLS(s tunnel.StartDTLS) {
	d, err := t.dialDTLS(s)
	if err != nil {
		t.log.Debug("dtls not tried", logging.Err, err)
		t.do(t.client.ChannelDown(time.Now(), tunnel.DTLS))
		return
	}
	t.dtls.Store(d)
	t.work.Go(func() { t.readDTLS(d) })
	t.doDTLS(d, d.handshake.Start(time.Now()))
}

func (t *tunnelRun) dialDTLS(s tunnel.StartDTLS) (*dtlsChannel, error) {
	c := t.cstp.Load()
	gateway, err := netip.ParseAddrPort(c.conn.RemoteAddr().String())
	if err != nil {
		return nil, err
	}
	d := &dtlsChannel{gateway: netip.AddrPortFrom(gateway.Addr(), uint16(s.Port))}
	config := dtls.Config{
		Version: s.Version, Suite: s.Suite, SessionID: s.SessionID, MasterSecret: c.master, Rand: t.cfg.rand,
	}
	if s.PSK {
		config = dtls.Config{SessionID: s.SessionID, PSK: c.psk, Rand: t.cfg.rand}
	}
	if d.handshake, err = dtls.NewClient(config); err != nil {
		return nil, err
	}
	// Dialling UDP sends nothing and does not wait.
	d.udp, err = t.cfg.dialUDP(t.ctx, d.gateway)
	return d, err
}

// doDTLS carries out the handshake's actions.
func (t *tunnelRun) doDTLS(d *dtlsChannel, actions []dtls.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case dtls.Send:
			if _, err := d.udp.Write(a.Datagram); err != nil {
				t.log.Debug("dtls handshake not sent", logging.Err, err)
			}
		case dtls.Established:
			d.conn.Store(a.Conn)
			if t.cfg.onDTLS != nil {
				t.cfg.onDTLS(a.Conn, nil)
			}
			if err := t.client.ChannelUp(time.Now(), tunnel.DTLS); err != nil {
				t.log.Debug("dtls not used", logging.Err, err)
				t.closeChannel(tunnel.DTLS)
			}
		case dtls.Failed:
			t.failedDTLS(d, a.Err)
		}
	}
}

// failedDTLS ends an attempt. When the gateway does not resume the session that was agreed over TLS,
// somebody may stand in between, and it is not tried again.
func (t *tunnelRun) failedDTLS(d *dtlsChannel, err error) {
	t.log.Info("dtls failed", logging.Peer, d.gateway, logging.Err, err)
	t.closeChannel(tunnel.DTLS)
	if t.cfg.onDTLS != nil {
		t.cfg.onDTLS(nil, err)
	}
	if errors.Is(err, dtls.ErrNotResumed) || errors.Is(err, dtls.ErrFinished) {
		t.client.GiveUpDTLS()
		return
	}
	t.do(t.client.ChannelDown(time.Now(), tunnel.DTLS))
	if t.cfg.report != nil && errors.Is(err, dtls.ErrSilent) {
		t.cfg.report(finding.DTLSBlocked.With(d.gateway.Port()).Because("phone", 0, err.Error()))
	}
}

// readDTLS carries what comes over d until its socket is closed. Errors in between, such as an ICMP
// message, do not end it: dead-peer detection does.
func (t *tunnelRun) readDTLS(d *dtlsChannel) {
	buf := make([]byte, 1<<16)
	for {
		n, err := d.udp.Read(buf)
		switch {
		case errors.Is(err, net.ErrClosed) || t.ctx.Err() != nil:
			return
		case err != nil:
			continue
		}
		if conn := d.conn.Load(); conn != nil {
			t.openRecords(d, conn, buf[:n])
			continue
		}
		datagram := bytes.Clone(buf[:n])
		if !t.post(func(now time.Time) { t.receivedDTLS(now, d, datagram) }) {
			return
		}
	}
}

// receivedDTLS gives a datagram to the handshake, or, if that has just finished, to its connection.
func (t *tunnelRun) receivedDTLS(now time.Time, d *dtlsChannel, datagram []byte) {
	if t.dtls.Load() != d {
		return
	}
	if conn := d.conn.Load(); conn != nil {
		// Not from here: what it carries may be handed to this very loop.
		t.work.Go(func() { t.openRecords(d, conn, datagram) })
		return
	}
	actions, err := d.handshake.Received(now, datagram)
	if err != nil {
		t.log.Debug("dtls datagram refused", logging.Err, err)
	}
	t.doDTLS(d, actions)
}

// openRecords carries the records of a datagram.
func (t *tunnelRun) openRecords(d *dtlsChannel, conn *dtls.Conn, datagram []byte) {
	for len(datagram) > 0 {
		opened, err := conn.Open(datagram)
		if err == nil {
			t.opened(d, opened)
		}
		datagram = opened.Rest
	}
}

func (t *tunnelRun) opened(d *dtlsChannel, record dtls.Opened) {
	switch record.Type {
	case dtlswire.ApplicationData:
		t.message(d, record.Content)
	case dtlswire.HandshakeRecord: // the gateway missed our Finished and repeats its own
		t.post(func(time.Time) {
			if actions, err := d.handshake.Resend(); err == nil && t.dtls.Load() == d {
				t.doDTLS(d, actions)
			}
		})
	case dtlswire.AlertRecord:
		t.post(func(now time.Time) {
			if t.dtls.Load() == d {
				t.log.Debug("dtls closed by gateway")
				t.closeChannel(tunnel.DTLS)
				t.do(t.client.ChannelDown(now, tunnel.DTLS))
			}
		})
	}
}

// message carries the content of one record.
func (t *tunnelRun) message(d *dtlsChannel, content []byte) {
	kind, payload, err := cstp.ParseMessage(content)
	switch {
	case err != nil:
		return
	case kind == cstp.Data:
		t.deliver(tunnel.DTLS, payload)
		return
	}
	payload = bytes.Clone(payload)
	t.post(func(now time.Time) {
		if t.dtls.Load() == d {
			t.received(now, tunnel.DTLS, kind, payload)
		}
	})
}

// control sends a control message, if the handshake is done.
func (d *dtlsChannel) control(kind cstp.Type, payload []byte) error {
	conn := d.conn.Load()
	if conn == nil {
		return nil
	}
	buf := make([]byte, conn.Overhead()+1+len(payload))
	content := cstp.AppendMessage(buf[conn.Headroom():conn.Headroom()], kind, payload)
	datagram, err := conn.Seal(buf, len(content))
	if err != nil {
		return err
	}
	_, err = d.udp.Write(datagram)
	return err
}

// close tells the gateway if it can, and closes the socket.
func (d *dtlsChannel) close() {
	if conn := d.conn.Load(); conn != nil {
		if datagram, err := conn.CloseNotify(); err == nil {
			_, _ = d.udp.Write(datagram) // a courtesy; UDP promises nothing
		}
	}
	d.udp.Close()
}
