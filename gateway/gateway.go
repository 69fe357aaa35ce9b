// Package gateway is the SSL VPN server that phones, OpenConnect and AnyConnect log in to: TLS and CSTP
// on TCP, DTLS on UDP, one TUN for all sessions.
//
// A connection begins in conn.go with a login; its CONNECT turns it into the CSTP channel of a session
// (session.go). The packet path is lane.go: datagrams are opened, checked and written to the TUN, and
// what the TUN holds is sealed and sent, without a goroutine or allocation per packet.
//
// It uses what the inventory declares at the moment of each handshake, login and CONNECT; it decides
// nothing about trust in users (package login) or about timers (stage/tunnel).
package gateway

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/vpnauth"
)

// Settings are what an operator chooses.
type Settings struct {
	Listen netip.AddrPort // TCP: TLS and CSTP
	DTLS   netip.AddrPort // UDP; phones send to port 443 whatever they are told. Zero: no DTLS
	TUN    string         // interface name; empty lets the system choose
	Inside netip.Addr     // the gateway's address on the office network

	AllowCapture bool // operators may look into tunnels

	// A second address, IPv6, to listen on at the same ports; zero: none.
	Outside6 netip.Addr

	// More TCP ports at the same addresses, for group URLs that name them. Each presents the certificate of
	// its own URL, which is how two are served side by side to phones, who name no host in TLS.
	MorePorts []uint16

	// Proxies in front of the gateway, whose connections begin with a line about the client (PROXY
	// protocol). From anybody else such a line is rubbish.
	ProxyProtocol []netip.Prefix

	Tunneled []netip.Addr // next hops there for what came out of tunnels, see RoutingConfig
	// BatchDelay is how long a packet may wait for others at most while traffic is dense; zero: not at all.
	BatchDelay time.Duration
}

// Authenticator checks a login; *login.AAA is one.
type Authenticator interface {
	Authenticate(ctx context.Context, r login.Request) (login.Result, error)
}

// Config is everything a gateway needs. All but Own, Seen, Busy, Challenge, Mistrusted, Sockets, Node, KeyLog,
// Findings, Accounting, Syslog and Log are required.
type Config struct {
	Settings
	Inventory func() *inventory.Set
	Login     Authenticator
	Store     store.Store
	OpenTUN   func(tun.Settings) (tun.Device, error)
	Route     func(RoutingConfig) (Router, error)
	// Own is this house's own authority for phones' certificates, with what it has revoked; the pointer is
	// another when something has changed. nil: there is none.
	Own func() *verify.Authority
	// Seen is told of certificates that clients have logged in with; nil: nobody wants to know.
	Seen func(ctx context.Context, leaf *x509.Certificate)
	// Busy tells whether a phone is in a call, for a gateway that drains; nil: its packets alone tell.
	Busy func(device string) bool
	// Challenge returns what to present to an authority that asks about a host by acme-tls/1, or nil; nil:
	// none ever does.
	Challenge func(host string) *tls.Certificate
	// Mistrusted is told of a client that ended its handshake when it had met the certificate, in DER: it
	// said that the certificate is why, or left without a word. nil: nobody is told.
	Mistrusted func(certificate []byte, from netip.Addr, said bool)
	// Sockets are listening TCP and bound UDP sockets to use in place of Listen and DTLS.
	Sockets    []*os.File
	Node       string         // name of this gateway among those that share a store; empty: "gateway"
	KeyLog     io.Writer      // NSS key log lines for captures; nil: none
	Findings   *finding.Board // where it says what is wrong; nil: nowhere but in the log
	Accounting Accountant     // is told of sessions; nil: nobody
	Syslog     Syslog         // hears what happens in the ASA's words; nil: nobody
	Door       Doorkeeper     // answers people with an invitation; nil: nobody is invited
	Log        *slog.Logger   // nil discards
}

// Router makes the host send the pool's packets this way and that; *Routing is one.
type Router interface {
	// AddProxy answers for a session's address on the office network; RemoveProxy ends that.
	AddProxy(addr netip.Addr) error
	RemoveProxy(addr netip.Addr) error
	Close() error
}

// Doorkeeper answers requests on paths that no group URL has: of people who hold an invitation for a phone that
// was never inside. It is false for all others, which go to the login.
type Doorkeeper interface {
	Answer(ctx context.Context, from netip.Addr, r *http.Request, body []byte) (vpnauth.Reply, bool)
}

// Gateway is a running gateway.
type Gateway struct {
	config Config
	log    *slog.Logger

	listeners []net.Listener
	udp       *socket   // nil: no DTLS
	host      *hostLink // the TUN
	lane      *lane
	single    sync.Pool // batches of one, for who has no lane
	router    Router

	identity   atomic.Pointer[identityOf]
	sessions   *registry
	legacy     *legacy
	doubters   doubters
	filters    filters
	handshakes *handshakes
	drain      *drain
	moves      *moves
	wg         sync.WaitGroup

	heardMu sync.Mutex     // guards heard
	heard   map[string]int // phones' requests before the tunnel, by user agent
}

// identityOf is an identity and what it was read from.
type identityOf struct {
	set *inventory.Set
	own *verify.Authority
	*identity
}

// New checks the configuration.
func New(config Config) (*Gateway, error) {
	switch {
	case config.Inventory == nil, config.Login == nil, config.Store == nil, config.OpenTUN == nil, config.Route == nil:
		return nil, errors.New("gateway: configuration lacks a part")
	case !config.Listen.IsValid():
		return nil, errors.New("gateway: no address to listen on")
	}
	if config.Node == "" {
		config.Node = "gateway"
	}
	g := &Gateway{config: config, heard: map[string]int{}, log: logging.Or(config.Log).With(logging.Actor, "gateway")}
	set, own := config.Inventory(), g.own()
	id, err := newIdentity(set, own, g.config.MorePorts)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	addresses, err := newPools(set)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	g.identity.Store(&identityOf{set, own, id})
	g.handshakes, g.moves, g.drain = newHandshakes(g), newMoves(), newDrain()
	g.sessions = newRegistry(g, addresses)
	g.legacy = newLegacy(g)
	return g, nil
}

// Open takes the ports, makes the TUN and reads back the sessions of before. A port that is taken is an
// error that wraps the *net.OpError.
func (g *Gateway) Open(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("gateway: %w", err), g.closeSockets(), g.closeHost())
		}
	}()
	if err := g.listen(); err != nil {
		return err
	}
	networks := g.sessions.pools.networks()
	own := netip.PrefixFrom(networks[0].Addr().Next(), networks[0].Bits())
	device, err := g.config.OpenTUN(tun.Settings{Name: g.config.TUN, Address: own, MTU: tunMTU, Queue: tunQueue, Routes: networks[1:], Segments: true})
	if err != nil {
		return err
	}
	if g.host, err = newHostLink(device); err != nil {
		return errors.Join(err, device.Close())
	}
	g.single.New = func() any { return newOutBatch(1) }
	if g.lane, err = newLane(g); err != nil {
		return err
	}
	if g.router, err = g.config.Route(RoutingConfig{
		TUN: device.Name(), Pools: g.sessions.pools.routed(g.config.Inventory()), Inside: g.config.Inside, Tunneled: g.config.Tunneled, MTU: tunMTU, Log: g.log,
	}); err != nil {
		return err
	}
	if err := g.sessions.open(ctx); err != nil {
		return err
	}
	return g.legacy.open(ctx)
}

// tunMTU is the TUN's own MTU: the most that any session may use. A client with a smaller one says so in
// its own TCP handshakes, and a larger datagram for it is fragmented on the way out.
const tunMTU = tunnel.MaxMTU

// tunQueue is how many packets may wait for the lane: a quarter of a second of 20,000 a second.
const tunQueue = 5000

// Serve runs until ctx ends and returns after everything it started has stopped. Sessions are not told
// good-bye: they may come back.
func (g *Gateway) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	start := func(group *sync.WaitGroup, what string, run func() error) {
		group.Go(func() {
			if err := run(); err != nil && ctx.Err() == nil {
				select {
				case failed <- fmt.Errorf("gateway: %s: %w", what, err):
				default:
				}
			}
			cancel()
		})
	}
	gate := newGate()
	for _, listener := range g.listeners {
		start(&g.wg, "accept", func() error { return g.accept(ctx, listener, gate) })
	}
	start(&g.wg, "sessions", func() error { return g.sessions.run(ctx) })
	start(&g.wg, "drain", func() error { return g.runDrain(ctx) })
	start(&g.wg, "loss", func() error { return g.watchLoss(ctx) })
	var lane, pump sync.WaitGroup
	start(&lane, "lane", g.lane.run)
	if g.host.far != noFD {
		start(&pump, "tun", g.host.pump)
	}
	<-ctx.Done()
	g.log.Info("gateway ends; its sessions may come back", "sessions", len(g.sessions.all()))
	err := g.lane.stop()
	lane.Wait()
	err = errors.Join(err, g.closeSockets())
	g.sessions.closeChannels()
	g.wg.Wait() // sessions that end take back what the host does for them
	g.handshakes.close()
	err = errors.Join(err, g.closeHost())
	pump.Wait()
	select {
	case first := <-failed:
		return errors.Join(first, err)
	default:
		return err
	}
}

func (g *Gateway) closeSockets() error {
	var errs []error
	for _, listener := range g.listeners {
		errs = append(errs, listener.Close())
	}
	if g.udp != nil {
		errs = append(errs, g.udp.close())
	}
	return errors.Join(errs...)
}

// closeHost gives back what the host was asked for.
func (g *Gateway) closeHost() error {
	var errs []error
	if g.router != nil {
		errs = append(errs, g.router.Close())
	}
	if g.lane != nil {
		errs = append(errs, g.lane.close())
	}
	if g.host != nil {
		errs = append(errs, g.host.close())
	}
	return errors.Join(errs...)
}

// currentIdentity is the identity of the inventory in force, read anew when that has changed. An inventory
// without a usable one leaves the one before in place: clients that have its hash still come.
func (g *Gateway) currentIdentity() *identity {
	set, own, now := g.config.Inventory(), g.own(), g.identity.Load()
	if now.set == set && now.own == own {
		return now.identity
	}
	id, err := newIdentity(set, own, g.config.MorePorts)
	if err != nil {
		g.log.Error("certificate of before stays in use", logging.Err, err)
		id = now.identity
	}
	g.identity.Store(&identityOf{set, own, id})
	return id
}

func (g *Gateway) own() *verify.Authority {
	if g.config.Own == nil {
		return nil
	}
	return g.config.Own()
}

// levelFor is info for the first words of each kind of phone, whose requests nobody has published, and debug
// for what it says later.
func (g *Gateway) levelFor(agent string) slog.Level {
	g.heardMu.Lock()
	defer g.heardMu.Unlock()
	if g.heard[agent] >= firstWords || len(g.heard) >= maxKinds {
		return slog.LevelDebug
	}
	g.heard[agent]++
	return slog.LevelInfo
}

const (
	firstWords = 4  // a whole login, and some
	maxKinds   = 64 // of phones that are remembered
)

// randomBytes returns n bytes for cookies and ids.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return b
}
