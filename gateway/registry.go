package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/store"
)

// leaseTime is how long a gateway may be away and still find its sessions when it returns.
const leaseTime = time.Hour

// defaultSimultaneousLogins is the ASA's.
const defaultSimultaneousLogins = 3

var (
	// errSessionLimit: the user has as many sessions as the policy allows, all of them alive.
	errSessionLimit = errors.New("gateway: the user has too many sessions")
	errPool         = errors.New("gateway: the address pool is exhausted")
)

// registry holds the sessions of this gateway, in memory and in the store.
type registry struct {
	g     *Gateway
	table *store.Table[sessionRecord]
	lease store.LeaseID
	pool  *pool
	inner *table[netip.Addr, *session] // by inner address, for the packet path

	mu     sync.Mutex
	byName map[string]*session
	lastID uint64
}

// newRegistry takes up the lease of before, if it still lives, and the sessions that hang on it.
func newRegistry(ctx context.Context, g *Gateway, addresses *pool) (*registry, error) {
	r := &registry{
		g: g, pool: addresses, table: sessionTable(g.config.Store), byName: map[string]*session{},
		inner: newTable[netip.Addr, *session](func(a netip.Addr) uint8 { b := a.As16(); return b[15] }),
	}
	if err := r.takeLease(ctx); err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	entries, _, err := r.table.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	set, now := g.config.Inventory(), time.Now()
	for _, entry := range entries {
		s := newSession(g, entry.Name, entry.Value, set, now)
		r.lastID = max(r.lastID, entry.Value.ID)
		if addr := entry.Value.Address; addr.IsValid() {
			if err := addresses.claim(addr, owner(s)); err != nil {
				s.log.Warn("session not taken up", logging.Err, err)
				continue
			}
			r.give(s, addr)
		}
		r.byName[entry.Name] = s
	}
	if len(r.byName) > 0 {
		g.log.Info("sessions taken up", "count", len(r.byName))
	}
	return r, nil
}

// takeLease finds this node's lease of before, or makes one.
func (r *registry) takeLease(ctx context.Context) error {
	nodes := nodeTable(r.g.config.Store)
	entry, err := nodes.Get(ctx, r.g.config.Node)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && entry.Value.Lease != 0 {
		r.lease, err = r.g.config.Store.Grant(ctx, entry.Value.Lease, leaseTime)
		if err == nil || !errors.Is(err, store.ErrNoLease) {
			return err
		}
	}
	if r.lease, err = r.g.config.Store.Grant(ctx, 0, leaseTime); err != nil {
		return err
	}
	_, err = nodes.Put(ctx, r.g.config.Node, nodeRecord{Lease: r.lease}, store.Any)
	return err
}

// run lets time pass for every session until ctx ends.
func (r *registry) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	renew := time.NewTicker(leaseTime / 4)
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			for _, s := range r.all() {
				s.advance(ctx, now)
			}
		case <-renew.C:
			if err := r.g.config.Store.KeepAlive(ctx, r.lease); err != nil {
				return fmt.Errorf("keep lease: %w", err)
			}
		}
	}
}

func (r *registry) all() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*session, 0, len(r.byName))
	for _, s := range r.byName {
		all = append(all, s)
	}
	return all
}

// create makes the session that a login opened. A session of the same phone is replaced.
func (r *registry) create(ctx context.Context, cookie secret.String, record sessionRecord) error {
	set := r.g.config.Inventory()
	if err := r.makeRoom(ctx, record, set); err != nil {
		return err
	}
	r.mu.Lock()
	r.lastID++
	record.ID = r.lastID
	name := cookieName(cookie)
	s := newSession(r.g, name, record, set, time.Now())
	r.byName[name] = s
	r.mu.Unlock()
	if err := r.save(ctx, s, record); err != nil {
		r.mu.Lock()
		delete(r.byName, name)
		r.mu.Unlock()
		return err
	}
	s.log.Info("logged in", "tunnel_group", record.TunnelGroup, "agent", record.UserAgent)
	return nil
}

// makeRoom ends the session that a new login takes the place of: the one of the same phone, or, at the
// user's limit, the oldest that has no channel.
func (r *registry) makeRoom(ctx context.Context, record sessionRecord, set *inventory.Set) error {
	limit := defaultSimultaneousLogins
	if group := set.TunnelGroups[record.TunnelGroup]; group != nil {
		if p := set.GroupPolicies[group.DefaultGroupPolicy]; p != nil && p.SimultaneousLogins > 0 {
			limit = p.SimultaneousLogins
		}
	}
	var same, oldestDead *session
	count := 0
	for _, s := range r.all() {
		if s.record.User != record.User {
			continue
		}
		count++
		if record.Device != "" && s.record.Device == record.Device && s.record.UserAgent == record.UserAgent {
			same = s
		}
		if s.dead() && (oldestDead == nil || s.record.Began.Before(oldestDead.record.Began)) {
			oldestDead = s
		}
	}
	switch {
	case same != nil:
		same.end(ctx, tunnel.Administrator)
	case count < limit:
	case oldestDead != nil:
		oldestDead.end(ctx, tunnel.Administrator)
	default:
		return errSessionLimit
	}
	return nil
}

func (s *session) dead() bool { return s.cstp.Load() == nil && s.dtls.Load() == nil }

func (r *registry) save(ctx context.Context, s *session, record sessionRecord) error {
	op, err := r.table.PutOp(s.name, record, store.Any, r.lease)
	if err != nil {
		return err
	}
	_, err = r.g.config.Store.Commit(ctx, op)
	return err
}

// find returns the session of a cookie, or nil.
func (r *registry) find(ctx context.Context, cookie secret.String) (*session, error) {
	if cookie.IsZero() {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byName[cookieName(cookie)], ctx.Err()
}

// forget ends the session of a cookie whose user logged out.
func (r *registry) forget(ctx context.Context, cookie secret.String, _ string) {
	if s, err := r.find(ctx, cookie); err == nil && s != nil {
		s.end(ctx, tunnel.UserLogout)
	}
}

// addressOf returns a session's inner address; at its first CONNECT it gets one.
func (r *registry) addressOf(ctx context.Context, s *session) (netip.Addr, error) {
	if addr := s.address.Load(); addr != nil {
		return *addr, nil
	}
	addr, ok := r.pool.take(owner(s))
	if !ok {
		return netip.Addr{}, errPool
	}
	s.mu.Lock()
	s.record.Address = addr
	record := s.record
	s.mu.Unlock()
	if err := r.save(ctx, s, record); err != nil {
		r.pool.release(addr)
		return netip.Addr{}, err
	}
	r.give(s, addr)
	return addr, nil
}

// owner is who an address belongs to, so that a phone gets its address again after a new login.
func owner(s *session) string {
	if s.record.Device != "" {
		return s.record.Device + " " + s.record.UserAgent
	}
	return s.record.User + " " + s.name
}

// give enters the address for the packet path and has the host answer for it.
func (r *registry) give(s *session, addr netip.Addr) {
	s.address.Store(&addr)
	r.inner.put(addr, s)
	if err := r.g.router.AddProxy(addr); err != nil {
		s.log.Warn("proxy address", "address", addr.String(), logging.Err, err)
	}
}

// remove takes an ended session out of memory and store.
func (r *registry) remove(ctx context.Context, s *session) {
	r.mu.Lock()
	delete(r.byName, s.name)
	r.mu.Unlock()
	r.g.handshakes.forget(s)
	if addr := s.address.Load(); addr != nil {
		r.inner.remove(*addr, func(other *session) bool { return other == s })
		if err := r.g.router.RemoveProxy(*addr); err != nil {
			s.log.Debug("proxy address", "address", addr.String(), logging.Err, err)
		}
		r.pool.release(*addr)
	}
	if err := r.table.Delete(context.WithoutCancel(ctx), s.name, store.Any); err != nil {
		s.log.Error("session not deleted", logging.Err, err)
	}
}

func (r *registry) closeChannels() {
	for _, s := range r.all() {
		s.closeChannels()
	}
}
