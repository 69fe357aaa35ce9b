package rollover_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/rollover"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// world is an office whose clock is ours: an inventory, phones that hold files, and a Keeper.
type world struct {
	t        *testing.T
	now      time.Time
	set      *inventory.Set
	store    store.Store
	board    *finding.Board
	keeper   *rollover.Keeper
	settings rollover.Settings
	aside    bool
	phones   map[string]*phone
	arrived  map[string][]rollover.File
	said     map[string]rollover.Registration
	issued   func() (trust.Pair, error) // nil: certificates are made here
	create   func(host string, now time.Time, lifetime time.Duration) (trust.Pair, error)
}

// phone is a phone as it is, whatever is known of it.
type phone struct {
	hashes []string // of the file that it holds; nil: none
	stamp  string
}

func newWorld(t *testing.T, phones int) *world {
	t.Helper()
	w := &world{
		t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), store: memory.New(), board: finding.NewBoard(),
		settings: rollover.Settings{Before: 90 * day, Grace: 30 * day},
		create:   create,
		phones:   map[string]*phone{}, arrived: map[string][]rollover.File{}, said: map[string]rollover.Registration{},
	}
	t.Cleanup(func() { _ = w.store.Close() })
	objects := []inventory.Object{
		w.certificate("gateway", 10*year), w.certificate("gateway-spare", 20*year),
		&inventory.AddressPool{Name: "phones", Network: "10.99.0.0/24"},
		&inventory.TunnelGroup{Name: "phones", GroupURLs: []string{"https://vpn.example.net/phones"}, AddressPool: "phones", Phones: true},
		&inventory.VPNGateway{Name: "gateway", URL: "https://vpn.example.net/phones", Certificates: []string{"gateway", "gateway-spare"}},
		&inventory.VPNGroup{Name: "phones", Gateways: []string{"gateway"}},
		&inventory.CommonPhoneProfile{Name: "home", VPNGroup: "phones"},
	}
	for i := range phones {
		name := fmt.Sprintf("SEP0200000010%02d", i)
		objects = append(objects, &inventory.Device{Name: name, Model: "CP-8861", CommonPhoneProfile: "home"})
		w.phones[name] = &phone{}
	}
	w.set = inventory.NewSet()
	for _, o := range objects {
		must(t, w.set.Add(o))
	}
	w.restart()
	return w
}

// restart opens the Keeper anew out of the store.
func (w *world) restart() {
	w.t.Helper()
	k, err := rollover.Open(w.t.Context(), rollover.Config{
		Settings: w.settings, Store: w.store, Inventory: func() *inventory.Set { return w.set }, Apply: w.apply,
		Arrived:    func() map[string][]rollover.File { return w.arrived },
		Registered: func() []rollover.Registration { return slices.Collect(maps.Values(w.said)) },
		Elsewhere:  func(*inventory.Set, *inventory.Device) bool { return w.aside },
		Findings:   w.board, Now: func() time.Time { return w.now },
		Create: w.create,
		Issued: func(string) bool { return w.issued != nil },
		Issue:  func(context.Context, string) (trust.Pair, error) { return w.issued() },
	})
	must(w.t, err)
	w.keeper = k
}

func (w *world) apply(_ context.Context, objects []inventory.Object) error {
	after := inventory.NewSet()
	changed := map[string]bool{}
	for _, o := range objects {
		changed[string(o.Kind())+o.ObjectName()] = true
		must(w.t, after.Add(o))
	}
	for _, o := range w.set.Objects() {
		if !changed[string(o.Kind())+o.ObjectName()] {
			must(w.t, after.Add(o))
		}
	}
	if problems := after.Validate(); len(problems) > 0 {
		return problems[0]
	}
	w.set = after
	return nil
}

func (w *world) certificate(name string, lifetime time.Duration) *inventory.Certificate {
	w.t.Helper()
	pair, err := create("vpn.example.net", w.now, lifetime)
	must(w.t, err)
	return &inventory.Certificate{Name: name, Certificate: pair.Certificate, Key: pair.Key}
}

// create is trust.CreateCertificate with a key that takes no time to make.
func create(host string, now time.Time, lifetime time.Duration) (trust.Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return trust.Pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), DNSNames: []string{host}, NotBefore: now.Add(-day), NotAfter: now.Add(lifetime),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return trust.Pair{}, err
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	return trust.Pair{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Key:         secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))),
	}, err
}

// file is the file of a phone as the inventory has it now.
func (w *world) file(device string) rollover.File {
	vpn, _ := w.set.VPNSettingsFor(w.set.Devices[device])
	f := rollover.File{At: w.now}
	for _, c := range vpn.Certificates {
		leaf, err := c.Leaf()
		must(w.t, err)
		f.Hashes = append(f.Hashes, verify.HashOf(leaf.Raw).String())
	}
	f.Stamp = fmt.Sprint(f.Hashes)
	return f
}

// fetch has a phone fetch its file. One that it throws away again it does not hold.
func (w *world) fetch(device string, takes bool) {
	w.tick()
	f := w.file(device)
	f.Counts = w.aside
	w.arrived[device] = append(w.arrived[device], f)
	if n := len(w.arrived[device]); n > 8 {
		w.arrived[device] = w.arrived[device][n-8:]
	}
	if p := w.phones[device]; takes {
		p.hashes, p.stamp = f.Hashes, f.Stamp
	}
}

// register has a phone register; it tells the stamp of the file that it holds.
func (w *world) register(device string) {
	w.tick()
	w.said[device] = rollover.Registration{Device: device, Began: w.now, Stamp: w.phones[device].stamp}
}

// come has a phone start: it meets the gateway, fetches its file and registers.
func (w *world) come(device string) {
	w.t.Helper()
	w.meet(device)
	w.fetch(device, true)
	w.register(device)
}

func (w *world) tick() { w.now = w.now.Add(time.Second) }

// meet checks that a phone believes the certificate that is presented now.
func (w *world) meet(device string) {
	w.t.Helper()
	if !w.believes(device) {
		w.t.Fatalf("%s: %s is locked out: it holds %v, and the gateway presents %s", w.now.Format(time.DateTime), device, w.phones[device].hashes, w.presented())
	}
}

func (w *world) believes(device string) bool {
	p := w.phones[device]
	return p.hashes == nil || slices.Contains(p.hashes, w.hash(w.presented()))
}

func (w *world) presented() string { return w.set.VPNGateways["gateway"].Certificates[0] }

func (w *world) hash(name string) string {
	leaf, err := w.set.Certificates[name].Leaf()
	must(w.t, err)
	return verify.HashOf(leaf.Raw).String()
}

func (w *world) advance() {
	w.t.Helper()
	must(w.t, w.keeper.Advance(w.t.Context()))
}

func (w *world) status() rollover.Progress {
	w.t.Helper()
	all, err := w.keeper.Status(w.t.Context(), "gateway")
	must(w.t, err)
	return all[0]
}

func (w *world) found(code string) bool {
	return slices.ContainsFunc(w.board.Findings(), func(f finding.Standing) bool { return f.Code == code })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
