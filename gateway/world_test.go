package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/tun/tuntest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is for whatever happens at once on a machine with nothing else to do.
const patience = 30 * time.Second

// What the inventory of these tests declares.
const (
	host     = "vpn.example.com"
	phoneURL = "https://" + host + "/phone" // for phones, old ones too
	staffURL = "https://" + host + "/staff" // for people
	files    = "10.20.0.5"                  // what the phones' filter permits, by UDP 5000 to 5999
)

func declared() *inventory.Set {
	set := inventory.NewSet()
	set.Certificates["c"] = certificateFor(host)
	set.AddressPools["pool"] = &inventory.AddressPool{Name: "pool", Network: "10.99.0.0/29"}
	set.AccessLists["fence"] = &inventory.AccessList{Name: "fence", Entries: []inventory.AccessEntry{
		{Action: "permit", Protocol: "udp", Destination: files + "/32", Ports: "5000-5999"},
	}}
	for name, group := range map[string]*inventory.TunnelGroup{
		phoneURL: {Name: "phones", Phones: true, LegacyPhones: true},
		staffURL: {Name: "staff"},
	} {
		set.VPNGateways[group.Name] = &inventory.VPNGateway{Name: group.Name, URL: name, Certificates: []string{"c"}}
		group.GroupURLs, group.AddressPool, group.DefaultGroupPolicy = []string{name}, "pool", group.Name
		set.TunnelGroups[group.Name] = group
		set.GroupPolicies[group.Name] = &inventory.GroupPolicy{Name: group.Name}
	}
	set.GroupPolicies["phones"].Filter = "fence"
	return set
}

func certificateFor(name string) *inventory.Certificate {
	certificate, key := testcert.PEM(testcert.RSA(name))
	return &inventory.Certificate{Name: "c", Certificate: certificate, Key: secret.New(key)}
}

// world is a gateway on loopback and everything around it.
type world struct {
	t         testing.TB
	g         *Gateway
	inventory atomic.Pointer[inventory.Set]
	store     store.Store
	users     users
	router    *router
	log       *servertest.Log
	host      tun.Device // the host's end of the TUN
	stop      func() error

	tcp, udp int // ports of a gateway in another process
}

// open starts a gateway. The changes are made to its configuration first.
func open(t testing.TB, changes ...func(*world, *Config)) *world {
	t.Helper()
	w := &world{t: t, store: memory.New(), users: users{}, log: &servertest.Log{}}
	t.Cleanup(func() { w.store.Close() })
	w.inventory.Store(declared())
	w.start(changes...)
	t.Cleanup(func() { w.stop() })
	return w
}

// start starts the gateway, once more if it was stopped.
func (w *world) start(changes ...func(*world, *Config)) {
	w.t.Helper()
	var device tun.Device
	device, w.host = tuntest.Pipe("test0")
	w.router = &router{held: map[netip.Addr]bool{}}
	config := Config{
		Settings:  Settings{Listen: netip.MustParseAddrPort("127.0.0.1:0"), DTLS: netip.MustParseAddrPort("127.0.0.1:0")},
		Inventory: w.inventory.Load, Login: w.users, Store: w.store,
		OpenTUN: func(tun.Settings) (tun.Device, error) { return device, nil },
		Route:   func(RoutingConfig) (Router, error) { return w.router, nil },
		Log:     slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, change := range changes {
		change(w, &config)
	}
	var err error
	if w.g, err = New(config); err != nil {
		w.t.Fatal(err)
	}
	if err := w.g.Open(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.g.Serve(ctx) }()
	w.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			w.t.Error("the gateway does not stop")
			return nil
		}
	})
}

// only returns the gateway's only session.
func (w *world) only() *session {
	w.t.Helper()
	all := w.g.sessions.all()
	if len(all) != 1 {
		w.t.Fatalf("there are %d sessions want 1", len(all))
	}
	return all[0]
}

// until waits for something that has no event of its own.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("not so: %s", what)
		}
	}
}

func (w *world) records() []store.Record {
	w.t.Helper()
	records, _, err := w.store.List(context.Background(), "gateway/session/")
	if err != nil {
		w.t.Fatal(err)
	}
	return records
}

// fromHost has the host send a packet into the tunnel.
func (w *world) fromHost(packet []byte) {
	w.t.Helper()
	if _, err := w.host.Write(packet); err != nil {
		w.t.Fatal(err)
	}
}

// toHost returns the next packet that the host gets.
func (w *world) toHost() string {
	w.t.Helper()
	got := make(chan string, 1)
	go func() {
		buf := make([]byte, 2000)
		n, _ := w.host.Read(buf) // nothing when the gateway has stopped
		got <- string(buf[:n])
	}()
	select {
	case p := <-got:
		return p
	case <-time.After(patience):
		w.t.Fatal("the host gets no packet")
		return ""
	}
}

// users are who may log in: password, and device if any, by name.
type users map[string]struct{ password, device string }

func (u users) Authenticate(_ context.Context, r login.Request) (login.Result, error) {
	if r.User == "busy" {
		return login.Result{}, login.ErrBusy
	}
	if r.User == "panic" {
		panic("a user that nobody can look up")
	}
	user, ok := u[r.User]
	if !ok || user.password != r.Password.Reveal() {
		return login.Result{}, fmt.Errorf("test: %w", login.ErrRefused)
	}
	return login.Result{User: r.User, Device: user.device}, nil
}

// router remembers which addresses the host answers for.
type router struct {
	mu     sync.Mutex
	held   map[netip.Addr]bool
	closed bool
}

func (r *router) AddProxy(addr netip.Addr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[addr] = true
	return nil
}

func (r *router) RemoveProxy(addr netip.Addr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || !r.held[addr] {
		return errors.New("test: not held")
	}
	delete(r.held, addr)
	return nil
}

func (r *router) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

func (r *router) holds() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(maps.Clone(r.held))
}

func noTUN(tun.Settings) (tun.Device, error) { return nil, errors.New("test: no TUN") }

func noRoute(RoutingConfig) (Router, error) { return nil, errors.New("test: no routes") }
