//go:build interop

package phone

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/tun/tuntest"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

const tunnelOcservConfig = `tcp-port = 443
udp-port = 443
keepalive = 1
dpd = 2
dns = 10.98.0.9
cookie-timeout = 300
tls-priorities = "%s"
`

// ocservInside is ocserv's address in the tunnel.
var ocservInside = netip.MustParseAddr("10.88.0.1")

// ocservNet is ocserv on one host, a router, and another host for the phone. The installed ocserv will do: it
// takes the cookie of an openconnect login, and from CONNECT on phones differ from nobody.
type ocservNet struct {
	t       *testing.T
	gateway *testnet.Host
	router  *testnet.Host
	phone   *testnet.Host
}

// cable joins the hosts: 10.97.0.1 is the gateway, 10.97.1.2 the phone, the router between them.
func (n *ocservNet) cable() {
	n.t.Helper()
	for _, h := range []struct {
		at   **testnet.Host
		name string
	}{{&n.gateway, "gateway"}, {&n.router, "router"}, {&n.phone, "phone"}} {
		host, err := testnet.NewHost(h.name, nil)
		tunnelMust(n.t, err)
		n.t.Cleanup(func() { host.Close() })
		*h.at = host
	}
	office, home := netip.MustParsePrefix("10.97.0.254/24"), netip.MustParsePrefix("10.97.1.254/24")
	tunnelMust(n.t, testnet.Connect(n.gateway, "office", netip.MustParsePrefix("10.97.0.1/24"), n.router, "office", office))
	tunnelMust(n.t, testnet.Connect(n.phone, "home", netip.MustParsePrefix("10.97.1.2/24"), n.router, "home", home))
	tunnelMust(n.t, n.gateway.Route(netip.Prefix{}, office.Addr()))
	tunnelMust(n.t, n.phone.Route(netip.Prefix{}, home.Addr()))
	tunnelMust(n.t, n.router.Forward())
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil || !office.Root() {
			office.Absent(t, "needs %s and root: %v", program, err)
		}
	}
}

func tunnelMust(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func startOcservNet(t *testing.T, priorities string) *ocservNet {
	t.Helper()
	needs(t, "ocserv", "ocpasswd", "openconnect")
	n := &ocservNet{t: t}
	n.cable()
	office.Ocserv{Host: n.gateway, Certificate: testcert.RSA("10.97.0.1"), User: "alice", Password: "pw",
		Settings: fmt.Sprintf(tunnelOcservConfig, priorities)}.Start(t)
	return n
}

// cookie logs in with openconnect.
func (n *ocservNet) cookie() secret.String {
	n.t.Helper()
	cmd := exec.Command("openconnect", "--authenticate", "--user", "alice", "--passwd-on-stdin", "--non-inter",
		"--servercert", keyPin(n.t), "https://10.97.0.1/")
	cmd.Stdin = strings.NewReader("pw\n")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	tunnelMust(n.t, n.phone.Start(cmd))
	if err := cmd.Wait(); err != nil {
		n.t.Fatalf("openconnect: %v\n%s", err, errs.String())
	}
	for line := range strings.Lines(out.String()) {
		// Among others: openconnect_strapkey comes first.
		if _, value, ok := strings.Cut(strings.TrimSpace(line), "webvpn="); ok && strings.HasPrefix(line, "COOKIE=") {
			return secret.New(strings.Trim(value, "'"))
		}
	}
	n.t.Fatalf("openconnect gives no cookie:\n%s%s", out.String(), errs.String())
	return secret.String{}
}

// keyPin is how openconnect names the certificate's key.
func keyPin(t *testing.T) string {
	t.Helper()
	leaf, err := x509.ParseCertificate(testcert.RSA("10.97.0.1").Certificate[0])
	tunnelMust(t, err)
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return "pin-sha256:" + base64.StdEncoding.EncodeToString(sum[:])
}

// dial opens sockets on the phone's host.
func (n *ocservNet) dial(profile tlsProfile) func(context.Context) (*tls10.Conn, error) {
	return func(ctx context.Context) (*tls10.Conn, error) {
		var raw net.Conn
		err := n.phone.Do(func() (err error) {
			raw, err = new(net.Dialer).DialContext(ctx, "tcp4", "10.97.0.1:443")
			return err
		})
		if err != nil {
			return nil, err
		}
		return profile.shakeHands(ctx, raw, handshake{accept: func(tls.ConnectionState) error { return nil }})
	}
}

func (n *ocservNet) dialUDP(ctx context.Context, gateway netip.AddrPort) (conn net.Conn, err error) {
	err = n.phone.Do(func() error {
		conn, err = new(net.Dialer).DialContext(ctx, "udp4", gateway.String())
		return err
	})
	return conn, err
}

// heard hands out the control frames that a tunnel logs, such as "dtls dpd response".
type heard struct {
	slog.Handler
	frames chan string
}

func (h heard) Enabled(context.Context, slog.Level) bool { return true }

func (h heard) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "tunnel control frame received" {
		return nil
	}
	words := map[string]string{}
	r.Attrs(func(a slog.Attr) bool { words[a.Key] = a.Value.String(); return true })
	select {
	case h.frames <- words[logging.Channel] + " " + words["type"]:
	default:
	}
	return nil
}

// onTunnel is a tunnel to ocserv.
type onTunnel struct {
	*tunnelled
	address netip.Addr
	frames  chan string
	conns   chan *tls10.Conn // redialled ones
}

func (n *ocservNet) tunnel(profile tlsProfile, suites dtlsSuites, cookie secret.String) *onTunnel {
	n.t.Helper()
	conn, err := n.dial(profile)(limited(n.t))
	tunnelMust(n.t, err)
	r := &onTunnel{
		tunnelled: &tunnelled{t: n.t, up: make(chan tunnelInfo, 1), sessions: make(chan Session, 64), ended: make(chan error, 1)},
		frames:    make(chan string, 64), conns: make(chan *tls10.Conn, 8),
	}
	r.conns <- conn
	device, host := tuntest.Pipe("phone0")
	r.host = host
	ctx, end := context.WithCancelCause(context.Background())
	r.end = end
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- runTunnel(ctx, tunnelConfig{
			conn: conn, cookie: cookie, host: "10.97.0.1", device: "SEP001122334455",
			dial: func(ctx context.Context) (*tls10.Conn, error) {
				conn, err := n.dial(profile)(ctx)
				if err == nil {
					r.conns <- conn
				}
				return conn, err
			},
			dialUDP:    n.dialUDP,
			openDevice: func(netip.Prefix, int) (tun.Device, error) { return device, nil },
			suites:     suites,
			onUp:       func(i tunnelInfo) { r.up <- i },
			onSession:  func(s Session) { r.sessions <- s },
			log:        slog.New(heard{slog.DiscardHandler, r.frames}),
		})
	}()
	n.t.Cleanup(func() {
		end(nil)
		<-done
	})
	return r
}

// pings sends an echo request of a size through the tunnel until its answer comes back: ocserv drops
// packets while it sets a session up.
func (r *onTunnel) pings(size int) {
	r.t.Helper()
	request := echo(r.address, ocservInside, size)
	answered := make(chan error, 1)
	go func() {
		buf := make([]byte, 2000)
		for {
			n, err := r.host.Read(buf)
			if err != nil || n == size && buf[9] == 1 && buf[20] == 0 {
				answered <- err
				return
			}
		}
	}()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(20 * time.Second)
	for {
		r.host.Write(request)
		select {
		case err := <-answered:
			tunnelMust(r.t, err)
			return
		case <-deadline:
			r.t.Fatalf("no answer to a ping of %d bytes", size)
		case <-again.C:
		}
	}
}

// hears waits for control frames of ocserv.
func (r *onTunnel) hears(frames ...string) {
	r.t.Helper()
	for _, want := range frames {
		for next(r.t, want, r.frames) != want {
		}
	}
}

// echo makes an ICMP echo request of size bytes, headers included.
func echo(from, to netip.Addr, size int) []byte {
	p := make([]byte, size)
	p[0], p[8], p[9] = 0x45, 64, 1
	binary.BigEndian.PutUint16(p[2:], uint16(size))
	copy(p[12:], from.AsSlice())
	copy(p[16:], to.AsSlice())
	binary.BigEndian.PutUint16(p[10:], checksum(p[:20]))
	p[20] = 8
	binary.BigEndian.PutUint16(p[22:], checksum(p[20:]))
	return p
}

func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func TestTunnelToOcserv(t *testing.T) {
	t.Parallel()
	const (
		tls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%COMPAT"
		tls10 = "NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-256-CBC"
	)
	for name, c := range map[string]struct {
		profile  tlsProfile
		suites   dtlsSuites
		session  Session
		dpd      []string
		priority string
	}{
		"tls only": {tlsNew, dtlsSuites{}, Session{Transport: "tls", Cipher: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
			[]string{"cstp dpd response"}, tls12},
		"dtls 0.9 with 256": {tlsNew, dtlsSuites{legacy: []string{"AES256-SHA"}}, Session{Transport: "dtls", DTLSVersion: "0.9", Cipher: "AES256-SHA"},
			[]string{"dtls dpd response"}, tls12},
		"dtls 0.9 with 128": {tlsNew, dtlsSuites{legacy: []string{"AES128-SHA"}}, Session{Transport: "dtls", DTLSVersion: "0.9", Cipher: "AES128-SHA"},
			[]string{"dtls dpd response"}, tls12},
		// ocserv before 1.2 does not know the ECDHE names.
		"new phone's lists": {tlsNew, newPhoneSuites, Session{Transport: "dtls", DTLSVersion: "0.9", Cipher: "AES256-SHA"},
			[]string{"dtls dpd response"}, tls12},
		"dtls 1.2": {tlsNew, dtlsSuites{dtls12: []string{"AES256-GCM-SHA384"}}, Session{Transport: "dtls", DTLSVersion: "1.2", Cipher: "AES256-GCM-SHA384"},
			[]string{"dtls dpd response"}, tls12},
		"openconnect's name": {tlsNew, dtlsSuites{legacy: []string{"OC-DTLS1_2-AES128-GCM"}}, Session{Transport: "dtls", DTLSVersion: "1.2", Cipher: "AES128-GCM-SHA256"},
			[]string{"dtls dpd response"}, tls12},
		"pre-shared key at TLS 1.3": {tlsNew, pskSuites, Session{Transport: "dtls", DTLSVersion: "1.2", Cipher: "PSK-AES256-GCM-SHA384"},
			[]string{"dtls dpd response"}, "NORMAL:%COMPAT"},
		"pre-shared key at TLS 1.2": {tlsNew, pskSuites, Session{Transport: "dtls", DTLSVersion: "1.2", Cipher: "PSK-AES256-GCM-SHA384"},
			[]string{"dtls dpd response"}, "NORMAL:-VERS-ALL:+VERS-TLS1.2"},
		// One packet a record, or ocserv ends the session.
		"old phone": {tlsOld, oldPhoneSuites, Session{Transport: "dtls", DTLSVersion: "0.9", Cipher: "AES256-SHA"},
			[]string{"dtls dpd response"}, tls10},
		"old phone without dtls": {tlsOld, dtlsSuites{}, Session{Transport: "tls", Cipher: "TLS_RSA_WITH_AES_256_CBC_SHA"},
			[]string{"cstp dpd response"}, tls10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startOcservNet(t, c.priority)
			r := n.tunnel(c.profile, c.suites, n.cookie())
			info := next(t, "device", r.up)
			r.address = info.Address.Addr()
			if info.Address.Masked() != netip.MustParsePrefix("10.88.0.0/24") || info.MTU == 0 || len(info.DNS) != 1 {
				t.Errorf("phone gets %+v", info)
			}
			s := r.carriedBy(c.session.Transport)
			c.session.Phone, c.session.InnerAddress = "SEP001122334455", r.address.String()
			if s != c.session {
				t.Errorf("session is %+v, want %+v", s, c.session)
			}
			r.pings(84)
			r.pings(info.MTU)
			r.hears(c.dpd...)
		})
	}
}

// The link breaks; the phone comes back with its cookie and keeps its address. After a goodbye the
// cookie is worth nothing.
func TestTunnelReturnsToOcserv(t *testing.T) {
	t.Parallel()
	n := startOcservNet(t, "NORMAL:-VERS-ALL:+VERS-TLS1.2:%COMPAT")
	cookie := n.cookie()
	r := n.tunnel(tlsNew, newPhoneSuites, cookie)
	r.address = next(t, "device", r.up).Address.Addr()
	r.carriedBy("dtls")
	r.pings(84)
	next(t, "connection", r.conns).NetConn().Close()
	next(t, "connection", r.conns)
	r.carriedBy("tls")
	r.carriedBy("dtls")
	r.pings(84)

	r.end(nil)
	tunnelMust(t, next(t, "end", r.ended))
	again := n.tunnel(tlsNew, dtlsSuites{}, cookie)
	var ended *tunnelEnded
	if err := next(t, "end", again.ended); !errors.As(err, &ended) || ended.Cause != tunnel.CookieRefused {
		t.Errorf("after the goodbye: %v, want %v", err, tunnel.CookieRefused)
	}
}

// Without UDP the tunnel works over TLS.
func TestTunnelToOcservWithoutUDP(t *testing.T) {
	t.Parallel()
	n := startOcservNet(t, "NORMAL:-VERS-ALL:+VERS-TLS1.2:%COMPAT")
	tunnelMust(t, n.router.Drop(17, 443))
	r := n.tunnel(tlsNew, newPhoneSuites, n.cookie())
	r.address = next(t, "device", r.up).Address.Addr()
	r.carriedBy("tls")
	r.pings(84)
	r.hears("cstp dpd response")
}

// UDP dies in mid-session and comes back: the phone moves to TLS and back again. ocserv's DPD here is two
// seconds.
func TestTunnelToOcservUDPDies(t *testing.T) {
	t.Parallel()
	n := startOcservNet(t, "NORMAL:%COMPAT")
	for name, suites := range map[string]dtlsSuites{"old suites": newPhoneSuites, "pre-shared key": pskSuites} {
		r := n.tunnel(tlsNew, suites, n.cookie())
		r.address = next(t, "device", r.up).Address.Addr()
		r.carriedBy("dtls")
		r.pings(84)
		tunnelMust(t, n.router.Drop(17, 443))
		began := time.Now()
		r.carriedBy("tls")
		t.Logf("%s: on TLS after %v", name, time.Since(began))
		r.pings(84)
		tunnelMust(t, n.router.Undrop())
		began = time.Now()
		r.carriedBy("dtls")
		t.Logf("%s: on DTLS again after %v", name, time.Since(began))
		r.pings(84)
		r.end(nil)
		tunnelMust(t, next(t, "end", r.ended))
	}
}
