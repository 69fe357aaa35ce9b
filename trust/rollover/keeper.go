package rollover

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/trust"
)

// Settings are what an operator sets.
type Settings struct {
	// Before is how long before its end a certificate is replaced; of a short one, at most a third of its
	// life. Zero: never by itself.
	Before time.Duration
	Grace  time.Duration // how long the certificate of before stays in phones' files after a change
}

// Registration is a registration of a device that is in force.
type Registration struct {
	Device string
	Began  time.Time
	Stamp  string     // version stamp that the phone told, if it did
	From   netip.Addr // where the phone is; zero: not known
}

// Config is what a Keeper needs. The functions from Arrived on, Findings and Log may be nil.
type Config struct {
	Settings
	Store     store.Store
	Inventory func() *inventory.Set
	// Apply changes objects of the inventory, all or nothing. The Keeper has judged what it does to phones.
	Apply func(context.Context, []inventory.Object) error
	// Arrived are the files that arrived at each device lately, in any order.
	Arrived func() map[string][]File
	// Registered are the registrations in force.
	Registered func() []Registration
	// Tunnels are the devices that have a tunnel now.
	Tunnels func() []string
	// Elsewhere reports whether a device registers where we cannot see it.
	Elsewhere func(*inventory.Set, *inventory.Device) bool

	// Issued reports whether a gateway gets its certificates from Issue, which obtains one for a host from
	// an authority, and may take minutes; nil: none does.
	Issued func(gateway string) bool
	Issue  func(ctx context.Context, host string) (trust.Pair, error)

	Findings *finding.Board
	Log      *slog.Logger
	Now      func() time.Time
	// Create makes certificates; nil: trust.CreateCertificate.
	Create func(host string, now time.Time, lifetime time.Duration) (trust.Pair, error)
}

// Keeper carries roll-overs out in a running system. Its methods may be called from several goroutines.
type Keeper struct {
	config Config
	tables tables
	log    *slog.Logger

	stepping sync.Mutex // one step at a time; taken before mu

	mu        sync.Mutex // not held while the inventory changes: who changes it may ask Guard
	phones    Phones
	rollovers map[string]Rollover
	refusals  map[string]*refusals // by gateway, since the last change
	tried     map[string]time.Time // when an authority was asked last, by gateway

	hearing sync.Mutex
	heard   []Registration // that have begun, and were not taken in yet
	some    chan struct{}  // there are some
}

// Open takes up what the store has.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	if c.Store == nil || c.Inventory == nil || c.Apply == nil {
		return nil, errors.New("rollover: store, inventory and apply are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Create == nil {
		c.Create = trust.CreateCertificate
	}
	k := &Keeper{
		config: c, tables: tablesIn(c.Store), log: logging.Or(c.Log).With(logging.Actor, "rollover"),
		phones: Phones{}, rollovers: map[string]Rollover{}, refusals: map[string]*refusals{}, tried: map[string]time.Time{},
		some: make(chan struct{}, 1),
	}
	phones, _, err := k.tables.phones.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range phones {
		k.phones[e.Name] = &e.Value
	}
	rollovers, _, err := k.tables.rollovers.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range rollovers {
		k.rollovers[e.Name] = e.Value
	}
	return k, nil
}

// every is how often the Keeper looks by itself.
const every = 15 * time.Second

// Run takes in what phones do, and begins and ends roll-overs by itself, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := k.Advance(ctx); err != nil && ctx.Err() == nil {
			k.log.Error("certificates not looked after", logging.Err, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-k.some:
		}
	}
}

// Heard takes in that a registration began: one may be over before anybody asks which are in force. It
// does not wait for anything.
func (k *Keeper) Heard(r Registration) {
	k.hearing.Lock()
	defer k.hearing.Unlock()
	k.heard = append(k.heard, r)
	select {
	case k.some <- struct{}{}:
	default:
	}
}

// registrations are those in force and those that have begun since it was asked last.
func (k *Keeper) registrations() []Registration {
	k.hearing.Lock()
	all := k.heard
	k.heard = nil
	k.hearing.Unlock()
	if k.config.Registered != nil {
		all = append(all, k.config.Registered()...)
	}
	return all
}

// Advance takes in what phones have done, does what is due, and says what is wrong.
func (k *Keeper) Advance(ctx context.Context) error {
	k.stepping.Lock()
	defer k.stepping.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	err := errors.Join(k.learn(ctx), k.due(ctx))
	k.judge()
	return err
}

// learn takes in files, registrations and tunnels. mu is held.
func (k *Keeper) learn(ctx context.Context) error {
	set, now := k.config.Inventory(), k.config.Now()
	changed := map[string]bool{}
	held := func(device string) *Held {
		if k.phones[device] == nil {
			k.phones[device] = &Held{}
		}
		return k.phones[device]
	}
	seen := func(device string) {
		h := held(device)
		changed[device] = changed[device] || now.Sub(h.Seen) > stale
		if changed[device] {
			h.SeenAt(now)
		}
	}
	if k.config.Arrived != nil {
		for device, files := range k.config.Arrived() {
			if set.Devices[device] != nil && held(device).arrived(files) {
				changed[device] = true
			}
		}
	}
	for _, r := range k.registrations() {
		if set.Devices[r.Device] != nil {
			changed[r.Device] = held(r.Device).Registered(r) || changed[r.Device]
			seen(r.Device)
		}
	}
	if k.config.Tunnels != nil {
		for _, device := range k.config.Tunnels() {
			if set.Devices[device] != nil {
				seen(device)
			}
		}
	}
	for name, h := range k.phones {
		device := set.Devices[name]
		h.elsewhere = device != nil && k.config.Elsewhere != nil && k.config.Elsewhere(set, device)
		if h.elsewhere && h.Took() {
			changed[name] = true
		}
	}
	return k.keep(ctx, set, changed)
}

// stale is how old the stored time of a phone that is there may become: it keeps the store from being
// written with every look.
const stale = 10 * time.Minute

func (h *Held) arrived(files []File) (changed bool) {
	files = slices.SortedFunc(slices.Values(files), func(a, b File) int { return a.At.Compare(b.At) })
	for _, f := range files {
		changed = h.Delivered(f) || changed
	}
	return changed
}

// keep writes what changed, and forgets devices that are gone. mu is held.
func (k *Keeper) keep(ctx context.Context, set *inventory.Set, changed map[string]bool) error {
	var ops []store.Op
	for device := range k.phones {
		if set.Devices[device] == nil {
			delete(k.phones, device)
			ops = append(ops, k.tables.phones.DeleteOp(device, store.Any))
			continue
		}
		if !changed[device] {
			continue
		}
		op, err := k.tables.phones.PutOp(device, *k.phones[device], store.Any, 0)
		if err != nil {
			return err
		}
		ops = append(ops, op)
	}
	for batch := range slices.Chunk(ops, store.MaxOps/2) { // half: a record may be some thousand bytes
		if _, err := k.config.Store.Commit(ctx, batch...); err != nil {
			return err
		}
	}
	return nil
}

// ours are the gateways whose certificate we present, in order.
func ours(set *inventory.Set) []*inventory.VPNGateway {
	var all []*inventory.VPNGateway
	for _, name := range slices.Sorted(maps.Keys(set.VPNGateways)) {
		if g := set.VPNGateways[name]; Ours(set, g) {
			all = append(all, g)
		}
	}
	return all
}

// due begins and ends what is time. mu is held.
func (k *Keeper) due(ctx context.Context) error {
	set, now := k.config.Inventory(), k.config.Now()
	var errs []error
	for _, g := range ours(set) {
		r := k.rollovers[g.Name]
		switch r.state() {
		case None:
			if k.issued(g.Name) && !k.endsSoon(set, g.Certificates[0]) {
				continue // Renew does it
			}
			if begins := k.begins(set, g); !begins.IsZero() && !now.Before(begins) && len(PhonesOf(set, g.Name)) > 0 {
				errs = append(errs, k.by(ctx, set, g.Name, k.start))
			}
		case Staged:
			if r.By == "" {
				errs = append(errs, k.dueStaged(ctx, set, g, r))
			}
		case Swapped:
			if r.By == "" && len(r.Forced) == 0 && !now.Before(k.retires(set, g, r)) {
				errs = append(errs, k.by(ctx, set, g.Name, k.retire))
			}
		}
		set = k.config.Inventory()
	}
	return errors.Join(append(errs, k.forget(ctx, set))...)
}

// lastDays is how long before its end a certificate that not every phone can leave is left all the same,
// for the spare, if that is known to all; a twelfth of its life where that is less.
const lastDays = 2 * 24 * time.Hour

func (k *Keeper) endsSoon(set *inventory.Set, name string) bool {
	l := leaf(set, name)
	return l != nil && k.config.Now().After(l.NotAfter.Add(-min(lastDays, l.NotAfter.Sub(l.NotBefore)/12)))
}

// dueStaged presents the next certificate when every phone is ready; when the old one ends before that,
// the spare, for which every phone has been ready all along.
func (k *Keeper) dueStaged(ctx context.Context, set *inventory.Set, g *inventory.VPNGateway, r Rollover) error {
	if k.endsSoon(set, r.To) {
		return k.by(ctx, set, g.Name, func(set *inventory.Set, o Order) (change, error) { // it has waited for its whole life
			c, err := k.abort(set, o)
			c.r.Aborted = time.Time{}
			return c, err
		})
	}
	if len(k.losses(set, g, r.To)) == 0 {
		return k.by(ctx, set, g.Name, k.commit)
	}
	if !k.endsSoon(set, r.From) {
		return nil
	}
	for _, spare := range Spares(set, g, k.config.Now()) {
		if spare != r.To && len(k.losses(set, g, spare)) == 0 {
			k.log.Warn("the certificate ends before every phone is ready for the next; the spare takes its place",
				"gateway", g.Name, "not_ready", len(k.losses(set, g, r.To)))
			return k.toSpare(ctx, set, g, r, spare)
		}
	}
	return nil
}

// toSpare presents the spare in the place of the next certificate, and lets the hash of a new spare go out.
func (k *Keeper) toSpare(ctx context.Context, set *inventory.Set, g *inventory.VPNGateway, r Rollover, spare string) error {
	made, err := k.spareAfter(set, g, spare)
	if err != nil {
		return err
	}
	r.To = spare
	r, changed, err := r.Commit(set, k.config.Now())
	if err != nil {
		return err
	}
	objects := []inventory.Object{changed}
	if made != nil {
		changed.Certificates, r.Added = append(changed.Certificates, made.Name), append(r.Added, made.Name)
		objects = append(objects, made)
	}
	return k.take(ctx, Order{Gateway: g.Name}, change{r, objects, "certificate changed"})
}

// by takes a step that nobody ordered. mu is held.
func (k *Keeper) by(ctx context.Context, set *inventory.Set, gateway string, plan func(*inventory.Set, Order) (change, error)) error {
	o := Order{Gateway: gateway}
	c, err := plan(set, o)
	if err != nil {
		return err
	}
	return k.take(ctx, o, c)
}

// retires is when the certificate of before goes out of phones' files by itself: after the time of grace, or
// a quarter of what is left of the new one's life if that is shorter, so that the next change can begin in
// time.
func (k *Keeper) retires(set *inventory.Set, g *inventory.VPNGateway, r Rollover) time.Time {
	grace := k.config.Grace
	if l := leaf(set, g.Certificates[0]); l != nil {
		grace = min(grace, l.NotAfter.Sub(r.Swapped)/4)
	}
	return r.Swapped.Add(grace)
}

// forget ends the roll-overs of gateways that are gone. mu is held.
func (k *Keeper) forget(ctx context.Context, set *inventory.Set) error {
	for name := range k.rollovers {
		if set.VPNGateways[name] == nil {
			delete(k.rollovers, name)
			if err := k.tables.rollovers.Delete(ctx, name, store.Any); err != nil {
				return err
			}
		}
	}
	return nil
}

// begins is when a roll-over of a gateway begins by itself; zero: never.
func (k *Keeper) begins(set *inventory.Set, g *inventory.VPNGateway) time.Time {
	l := leaf(set, g.Certificates[0])
	if k.config.Before == 0 || l == nil {
		return time.Time{}
	}
	begins := l.NotAfter.Add(-min(k.config.Before, l.NotAfter.Sub(l.NotBefore)/3))
	if k.issued(g.Name) && selfSigned(l) {
		begins = l.NotBefore // made here: the authority's takes its place as soon as phones know it
	}
	if r := k.rollovers[g.Name]; !r.Aborted.IsZero() && begins.Before(r.Aborted.Add(k.config.Grace)) {
		return r.Aborted.Add(k.config.Grace) // somebody wanted it back
	}
	return begins
}

// losses are the phones that a gateway would keep out if it presented another of its certificates.
// mu is held.
func (k *Keeper) losses(set *inventory.Set, g *inventory.VPNGateway, to string) []Loss {
	next := *g
	next.Certificates = append([]string{to}, g.Certificates...)
	if next.LegacyCertificate == g.Certificates[0] {
		next.LegacyCertificate = to
	}
	return lostAt(set, with(set, []inventory.Object{&next}), g.Name, k.phones)
}

// lifetime of a spare that is made: it has to outlive the certificate that is in use meanwhile.
const lifetime = 20 * 365 * 24 * time.Hour

// make returns a new certificate for the host of a gateway.
func (k *Keeper) make(set *inventory.Set, g *inventory.VPNGateway, until time.Time) (*inventory.Certificate, error) {
	now := k.config.Now()
	pair, err := k.config.Create(hostOf(g.URL), now, max(lifetime, until.Sub(now)+lifetime/20))
	if err != nil {
		return nil, err
	}
	return &inventory.Certificate{Name: freeName(set, g.Name, now), Certificate: pair.Certificate, Key: pair.Key}, nil
}
