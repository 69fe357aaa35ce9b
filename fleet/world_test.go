package fleet_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/fleet"
	"github.com/longcord/longcord/gateway"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/tun/tuntest"
)

// forbidden is why this machine lets us make no networks; nil when it does.
var forbidden error

func TestMain(m *testing.M) {
	code, done, err := testnet.Enter(context.Background())
	if done {
		os.Exit(code)
	}
	forbidden = err
	goleak.VerifyTestMain(m)
}

// allowed skips the test where networks cannot be made, and fails it where they must be.
func allowed(t *testing.T) {
	t.Helper()
	if forbidden == nil {
		return
	}
	var reason *testnet.Forbidden
	if os.Getenv("CI") != "true" && errors.As(forbidden, &reason) {
		t.Skipf("%v; %s", reason, reason.Fix)
	}
	t.Fatal(forbidden)
}

// patience is for whatever happens at once on a machine with nothing else to do.
const patience = 60 * time.Second

// Inside.
var (
	pool = netip.MustParsePrefix("10.99.0.0/24")
	far  = netip.MustParseAddrPort("10.20.0.9:4000")
)

// world is our gateway on loopback: its address and the clients' outer ones are out of 127/8. The inside
// is a host that all inner addresses belong to; a goroutine for each of them stands for the network
// between it and the TUN.
type world struct {
	t      *testing.T
	base   netip.Addr // 127.x.y.0, this process's own
	tun    tun.Device // the host's end of the TUN
	inside *testnet.Host

	mu      sync.Mutex
	inner   map[netip.Addr]*net.UDPConn
	mangle  func(packet []byte) [][]byte // what becomes of a packet that leaves the tunnel; nil: it passes
	running sync.WaitGroup
}

func (w *world) at(last byte) netip.Addr {
	a := w.base.As4()
	a[3] = last
	return netip.AddrFrom4(a)
}

func (w *world) url() string { return fmt.Sprintf("https://%s:4443/phones", w.at(1)) }

func start(t *testing.T) *world {
	t.Helper()
	allowed(t)
	pid := os.Getpid()
	w := &world{t: t, base: netip.AddrFrom4([4]byte{127, byte(64 + pid>>8%128), byte(pid), 0}), inner: map[netip.Addr]*net.UDPConn{}}
	w.inside = newInside(t)
	var device tun.Device
	device, w.tun = tuntest.Pipe("test0")
	set := declared(w.url())
	memory := memory.New()
	listen := netip.AddrPortFrom(w.at(1), 4443)
	g, err := gateway.New(gateway.Config{
		Settings:  gateway.Settings{Listen: listen, DTLS: listen},
		Inventory: func() *inventory.Set { return set }, Login: anyone{}, Store: memory,
		OpenTUN: func(tun.Settings) (tun.Device, error) { return device, nil },
		Route:   func(gateway.RoutingConfig) (gateway.Router, error) { return router{}, nil },
	})
	if err == nil {
		err = g.Open(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx) }()
	w.running.Go(w.carry)
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		memory.Close()
		w.mu.Lock()
		for _, conn := range w.inner {
			conn.Close()
		}
		w.mu.Unlock()
		w.running.Wait()
	})
	return w
}

func newInside(t *testing.T) *testnet.Host {
	t.Helper()
	h, err := testnet.NewHost("inside", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	for _, network := range []netip.Prefix{pool, netip.PrefixFrom(far.Addr(), 24)} {
		if err := h.Own(network); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func declared(url string) *inventory.Set {
	set := inventory.NewSet()
	certificate, key := testcert.PEM(testcert.RSA("vpn.example.com"))
	set.Certificates["c"] = &inventory.Certificate{Name: "c", Certificate: certificate, Key: secret.New(key)}
	set.AddressPools["pool"] = &inventory.AddressPool{Name: "pool", Network: pool.String()}
	set.VPNGateways["g"] = &inventory.VPNGateway{Name: "g", URL: url, Certificates: []string{"c"}}
	set.AccessLists["fence"] = &inventory.AccessList{Name: "fence", Entries: []inventory.AccessEntry{
		{Action: "permit", Protocol: "udp", Destination: far.Addr().String() + "/32"},
		{Action: "permit", Protocol: "udp", Destination: pool.String()},
	}}
	set.GroupPolicies["p"] = &inventory.GroupPolicy{Name: "p", Filter: "fence"}
	set.TunnelGroups["phones"] = &inventory.TunnelGroup{
		Name: "phones", GroupURLs: []string{url}, AddressPool: "pool", DefaultGroupPolicy: "p", Phones: true, LegacyPhones: true,
	}
	return set
}

// carry plays the host: what leaves the tunnel goes to the far end, from a socket with the packet's own
// source, and what comes to that socket goes into the tunnel.
func (w *world) carry() {
	buf := make([]byte, 2048)
	for {
		n, err := w.tun.Read(buf)
		if err != nil {
			return
		}
		packet := buf[:n]
		if n < 28 || packet[0] != 0x45 || packet[9] != 17 {
			continue
		}
		out := [][]byte{packet}
		if w.mangle != nil {
			out = w.mangle(packet)
		}
		source := netip.AddrFrom4([4]byte(packet[12:]))
		conn := w.socketOf(netip.AddrPortFrom(source, binary.BigEndian.Uint16(packet[20:])))
		for _, p := range out {
			if conn != nil {
				_, _ = conn.WriteToUDPAddrPort(p[28:], far)
			}
		}
	}
}

// socketOf returns the socket at an inner address; nil after the end.
func (w *world) socketOf(inner netip.AddrPort) *net.UDPConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	if conn := w.inner[inner.Addr()]; conn != nil {
		return conn
	}
	var conn *net.UDPConn
	if err := w.inside.Do(func() (err error) {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(inner))
		return err
	}); err != nil {
		w.t.Error(err)
		return nil
	}
	w.inner[inner.Addr()] = conn
	w.running.Go(func() { w.carryBack(conn, inner) })
	return conn
}

func (w *world) carryBack(conn *net.UDPConn, inner netip.AddrPort) {
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf[28:])
		if err != nil {
			return
		}
		_, _ = w.tun.Write(datagram(buf[:28+n], from, inner))
	}
}

// datagram puts headers of IPv4 and UDP before the payload at p[28:].
func datagram(p []byte, from, to netip.AddrPort) []byte {
	clear(p[:28])
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	src, dst := from.Addr().As4(), to.Addr().As4()
	copy(p[12:], src[:])
	copy(p[16:], dst[:])
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum+sum>>16))
	binary.BigEndian.PutUint16(p[20:], from.Port())
	binary.BigEndian.PutUint16(p[22:], to.Port())
	binary.BigEndian.PutUint16(p[24:], uint16(len(p)-20))
	return p
}

// config is a fleet for this world.
func (w *world) config(clients int) fleet.Config {
	return fleet.Config{
		URL: w.url(), TLS: &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}, Clients: clients, Far: far, Inside: fleet.Host{Do: w.inside.Do},
		Login:        func(i int) (string, secret.String) { return fmt.Sprintf("user%d", i), secret.New("right") },
		CipherSuites: []string{"OC-DTLS1_2-AES128-GCM"},
		Sources:      netip.PrefixFrom(w.at(128), 25),
		Timeout:      patience,
	}
}

// anyone may log in with the right password.
type anyone struct{}

func (anyone) Authenticate(_ context.Context, r login.Request) (login.Result, error) {
	if r.Password.Reveal() != "right" {
		return login.Result{}, fmt.Errorf("test: %w", login.ErrRefused)
	}
	return login.Result{User: r.User}, nil
}

type router struct{}

func (router) AddProxy(netip.Addr) error    { return nil }
func (router) RemoveProxy(netip.Addr) error { return nil }
func (router) Close() error                 { return nil }
