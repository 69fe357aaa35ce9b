package phone

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
	"github.com/longcord/longcord/wire/vpnauth"
)

// dtlsSuites are the lists that a phone puts into its CONNECT. The zero value is a phone without DTLS.
type dtlsSuites struct {
	legacy []string // X-DTLS-CipherSuite
	dtls12 []string // X-DTLS12-CipherSuite
}

// What phones offer. No capture of a phone shows these lists; they are inferred from what gateways
// choose for phones (docs/wire/cstp.md#suites).
var (
	oldPhoneSuites = dtlsSuites{legacy: []string{"AES256-SHA", "AES128-SHA"}}
	newPhoneSuites = dtlsSuites{
		legacy: oldPhoneSuites.legacy,
		dtls12: []string{"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"},
	}
	// No phone sends this; openconnect does, and ours on request.
	pskSuites = dtlsSuites{legacy: []string{dtlswire.PSKNegotiate}}
)

// phoneMTU is what phones ask for when their file does not say.
const phoneMTU = 1290

// connectWait is how long one CONNECT may take, dialling included: the default of failConnectTime.
const connectWait = 30 * time.Second

// errPowerCut, as the cause of a context's end, lets a tunnel end as if the phone lost power: without a
// goodbye, so that the gateway keeps the session for a while.
var errPowerCut = errors.New("phone: power cut")

// tunnelConfig is what a tunnel needs. Fields without a remark are required.
type tunnelConfig struct {
	conn       *tls10.Conn // logged in and ready for CONNECT; the tunnel closes it
	cookie     secret.String
	host       string                                         // Host of CONNECT
	device     string                                         // device name
	dial       func(ctx context.Context) (*tls10.Conn, error) // the same gateway again, after the link was lost
	openDevice func(netip.Prefix, int) (tun.Device, error)    // packet device with this address and MTU

	dialUDP   func(ctx context.Context, gateway netip.AddrPort) (net.Conn, error) // nil: an ordinary socket
	userAgent string                                                              // empty: vpnauth.PhoneUserAgent
	mtu       int                                                                 // zero: phoneMTU
	keepalive time.Duration                                                       // zero: the gateway's
	suites    dtlsSuites
	onUp      func(tunnelInfo) // once, when the device is open; nil: nobody asks
	onSession func(Session)    // each time data takes a channel anew; nil: nobody asks
	// onDTLS is told how each attempt for the DTLS channel ended; nil: nobody asks.
	onDTLS func(up *dtls.Conn, err error)
	report func(finding.Finding) // what goes wrong without ending the tunnel; nil: nobody asks
	rand   io.Reader             // nil: crypto/rand
	log    *slog.Logger          // nil: discard
}

// tunnelInfo is what the tunnel gives the phone.
type tunnelInfo struct {
	Device  tun.Device
	Address netip.Prefix // inner address and its network
	DNS     []netip.Addr
	Domain  string
	MTU     int
	Answer  cstp.Answer // the whole of what the gateway gives
}

// tunnelEnded is the error of a tunnel that did not end by its context.
type tunnelEnded struct {
	Cause tunnel.Cause // CookieRefused calls for a new login
	Text  string
	err   error // of the last CONNECT that did not succeed; nil: there was none
}

func (e *tunnelEnded) Unwrap() error { return e.err }

func (e *tunnelEnded) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("phone: tunnel: %v", e.Cause)
	}
	return fmt.Sprintf("phone: tunnel: %v: %s", e.Cause, e.Text)
}

// runTunnel opens the tunnel, carries packets between it and the packet device, and comes back with the
// same cookie when the link is lost. It returns when ctx ends, with a goodbye to the gateway and nil, or
// when the session is over, with a *tunnelEnded. All that it started has then ended.
func runTunnel(ctx context.Context, cfg tunnelConfig) error {
	t := newTunnelRun(cfg)
	t.connect(func(context.Context) (*tls10.Conn, error) { return cfg.conn, nil })
	err := t.loop(ctx)
	return errors.Join(err, t.stop())
}

// tunnelRun is a running tunnel. One goroutine, the loop, owns it; the goroutines that read from a
// channel or the device hand it events, and carry packets by themselves (tunnel_packets.go).
type tunnelRun struct {
	cfg    tunnelConfig
	log    *slog.Logger
	client *tunnel.Client
	events chan func(now time.Time)
	ctx    context.Context // ends with the run
	cancel context.CancelFunc
	work   sync.WaitGroup

	cstp    atomic.Pointer[cstpChannel] // nil: down
	dtls    atomic.Pointer[dtlsChannel] // nil: down and not tried
	device  tun.Device                  // nil until the first CONNECT
	told    Session                     // what onSession last heard
	probe   *probe                      // of the path, under way; nil: none
	ended   *tunnel.End
	failed  error // of the device
	refused error // of the last CONNECT
}

func newTunnelRun(cfg tunnelConfig) *tunnelRun {
	if cfg.userAgent == "" {
		cfg.userAgent = vpnauth.PhoneUserAgent
	}
	if cfg.mtu == 0 {
		cfg.mtu = phoneMTU
	}
	if cfg.rand == nil {
		cfg.rand = rand.Reader
	}
	if cfg.dialUDP == nil {
		cfg.dialUDP = func(ctx context.Context, gateway netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", gateway.String())
		}
	}
	wantsDTLS := len(cfg.suites.legacy)+len(cfg.suites.dtls12) > 0
	t := &tunnelRun{
		cfg:    cfg,
		log:    logging.Or(cfg.log),
		client: tunnel.NewClient(tunnel.ClientConfig{DTLS: wantsDTLS, Keepalive: cfg.keepalive}, time.Now()),
		events: make(chan func(time.Time)),
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// loop carries out what the client decides, until the session or ctx ends.
func (t *tunnelRun) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for t.ended == nil && t.failed == nil {
		select {
		case <-ctx.Done():
			return t.leave(context.Cause(ctx))
		case event := <-t.events:
			event(time.Now())
		case <-timer.C:
		}
		t.advance(time.Now())
		t.tell()
		timer.Reset(t.wait(time.Now()))
	}
	if t.failed != nil {
		t.do(t.client.Logout(time.Now(), "local error"))
		return t.failed
	}
	return t.endedError()
}

func (t *tunnelRun) endedError() error {
	err := &tunnelEnded{Cause: t.ended.Cause, Text: t.ended.Text, err: t.refused}
	if err.Cause == tunnel.GatewayLost {
		return stepFailed(finding.DeadPeer.With("the gateway"), err)
	}
	return err
}

func (t *tunnelRun) advance(now time.Time) {
	t.do(t.client.Advance(now))
	if d := t.dtls.Load(); d != nil {
		t.doDTLS(d, d.handshake.Advance(now))
	}
}

// wait returns the time until advance has something to do.
func (t *tunnelRun) wait(now time.Time) time.Duration {
	const long = time.Hour
	wait := long
	wakes := []time.Time{t.client.Wake()}
	if d := t.dtls.Load(); d != nil {
		wakes = append(wakes, d.handshake.Wake())
	}
	for _, wake := range wakes {
		if !wake.IsZero() {
			wait = min(wait, wake.Sub(now))
		}
	}
	return max(wait, 0)
}

// leave says goodbye, unless the power was cut.
func (t *tunnelRun) leave(cause error) error {
	if !errors.Is(cause, errPowerCut) {
		t.do(t.client.Logout(time.Now(), "vpn switched off"))
		return nil
	}
	if c := t.cstp.Load(); c != nil {
		return c.conn.NetConn().Close() // not the TLS close, which would tell
	}
	return nil
}

// stop ends all goroutines and closes what is open.
func (t *tunnelRun) stop() error {
	t.cancel()
	var err error
	if c := t.cstp.Swap(nil); c != nil {
		c.conn.NetConn().Close()
	}
	if d := t.dtls.Swap(nil); d != nil {
		d.udp.Close()
	}
	if t.device != nil {
		err = t.device.Close()
	}
	t.work.Wait()
	return err
}

// post hands the loop an event. It reports false when the run is over.
func (t *tunnelRun) post(event func(now time.Time)) bool {
	select {
	case t.events <- event:
		return true
	case <-t.ctx.Done():
		return false
	}
}

// do carries out the client's actions.
func (t *tunnelRun) do(actions []tunnel.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case tunnel.Send:
			t.send(a)
		case tunnel.CloseChannel:
			t.closeChannel(a.Channel)
		case tunnel.StartDTLS:
			t.startDTLS(a)
		case tunnel.Reconnect:
			t.log.Info("tunnel reconnects")
			t.connect(t.cfg.dial)
		case tunnel.End:
			t.log.Info("tunnel ended", "cause", a.Cause, "text", a.Text)
			t.ended = &a
		}
	}
}

func (t *tunnelRun) send(s tunnel.Send) {
	t.log.Log(t.ctx, logging.LevelTrace, "tunnel control frame sent", logging.Channel, s.Channel, "type", s.Type, "bytes", len(s.Payload))
	switch s.Channel {
	case tunnel.CSTP:
		if c := t.cstp.Load(); c != nil {
			c.control(s.Type, s.Payload)
		}
	case tunnel.DTLS:
		if d := t.dtls.Load(); d != nil {
			if err := d.control(s.Type, s.Payload); err != nil {
				t.log.Debug("dtls message not sent", logging.Err, err)
			}
		}
	}
}

func (t *tunnelRun) closeChannel(c tunnel.Channel) {
	t.log.Debug("tunnel channel closed", logging.Channel, c)
	switch c {
	case tunnel.CSTP:
		if old := t.cstp.Swap(nil); old != nil {
			old.close()
		}
	case tunnel.DTLS:
		if old := t.dtls.Swap(nil); old != nil {
			old.close()
		}
	}
}

// received gives the client a control frame.
func (t *tunnelRun) received(now time.Time, c tunnel.Channel, kind cstp.Type, payload []byte) {
	t.log.Log(t.ctx, logging.LevelTrace, "tunnel control frame received", logging.Channel, c, "type", kind, "bytes", len(payload))
	t.probed(c, kind, payload)
	actions, err := t.client.Received(now, c, kind, payload)
	if err != nil {
		t.log.Debug("tunnel frame refused", logging.Channel, c, logging.Err, err)
	}
	t.do(actions)
}

// tell reports the channel that data takes, when it is another than before.
func (t *tunnelRun) tell() {
	carrier, up := t.client.DataChannel()
	if !up || t.device == nil {
		return
	}
	c, d := t.cstp.Load(), t.dtls.Load()
	s := Session{Phone: t.cfg.device, InnerAddress: t.client.Address().String(), Transport: "tls"}
	switch {
	case carrier == tunnel.DTLS && d != nil && d.conn.Load() != nil:
		s.Transport, s.DTLSVersion, s.Cipher = "dtls", d.conn.Load().Version().String(), d.conn.Load().Suite().String()
	case c != nil:
		s.Cipher = tls.CipherSuiteName(c.conn.ConnectionState().CipherSuite)
	}
	if s == t.told {
		return
	}
	t.told = s
	t.log.Info("tunnel carries data", logging.Channel, carrier, "address", s.InnerAddress, "cipher", s.Cipher)
	if t.cfg.onSession != nil {
		t.cfg.onSession(s)
	}
}
