package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/store"
)

var (
	// errSessionLimit: the user has as many sessions as the policy allows, all of them alive.
	errSessionLimit = errors.New("gateway: the user has too many sessions")
	// errUnwelcome: the user or the device is blocked.
	errUnwelcome = errors.New("gateway: there may be no such session")
)

// registry holds the sessions of this gateway, in memory and in the store.
//
// Locks are taken in this order: a session's settling, a session's mu, then any of the others, which
// are held for no call that takes another. Nothing waits for the store under a session's mu, so that the
// packet path may take it.
type registry struct {
	g         *Gateway
	table     *store.Table[sessionRecord]
	addresses *store.Table[addressRecord]
	pools     *pools
	inner     *table[netip.Addr, *session] // by inner address, for the packet path

	lease     atomic.Int64 // a store.LeaseID
	leaseLost atomic.Bool  // a write found the lease ended
	unwritten atomic.Bool  // the last write failed

	wheel *wheel

	reconciled *inventory.Set // that sessions were held to last

	mu      sync.Mutex
	byName  map[string]*session
	undying []*session // ended ones whose record could not be deleted yet
	lastID  uint64
	begun   uint64 // sessions since the start
	most    int    // sessions at a time

	channels [2]tally // by tunnel.Channel
}

func newRegistry(g *Gateway, addresses *pools) *registry {
	return &registry{
		g: g, pools: addresses, table: sessionTable(g.config.Store), addresses: addressTable(g.config.Store, g.config.Node), byName: map[string]*session{},
		wheel: newWheel(time.Now()),
		inner: newTable[netip.Addr, *session](keyOf),
	}
}

// open takes up the lease of before, if it still lives, and the sessions that hang on it.
func (r *registry) open(ctx context.Context) error {
	if err := r.takeLease(ctx); err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	if err := r.recall(ctx); err != nil {
		return fmt.Errorf("addresses: %w", err)
	}
	entries, _, err := r.table.List(ctx)
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e store.Entry[sessionRecord]) bool { return e.Lease != r.leaseID() }) // of other gateways
	slices.SortFunc(entries, func(a, b store.Entry[sessionRecord]) int { return cmp.Compare(b.Value.ID, a.Value.ID) })
	for _, entry := range entries { // newest first: of two with one address it is the one that counts
		r.takeUp(entry)
	}
	r.reconcile()
	if len(entries) > 0 {
		r.g.log.Info("sessions taken up", "count", len(r.all()))
	}
	return nil
}

func (r *registry) takeUp(entry store.Entry[sessionRecord]) {
	s := newSession(r.g, entry.Name, entry.Value, r.g.config.Inventory(), time.Now())
	r.mu.Lock()
	r.lastID = max(r.lastID, entry.Value.ID)
	r.enter(entry.Name, s)
	r.mu.Unlock()
	s.rearm()
	addr := entry.Value.Address
	if !addr.IsValid() {
		return
	}
	s.accounted = true // its beginning was told before the restart
	if err := r.pools.claim(addr, owner(s)); err != nil {
		s.log.Warn("session not taken up", logging.Err, err)
		r.remove(s)
		return
	}
	r.give(s, addr)
}

// run lets time pass for every session until ctx ends.
func (r *registry) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	renewAt := time.Now().Add(renewEvery)
	lookAt := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			r.reconcile()
			for _, s := range r.wheel.due(now) {
				s.advance()
			}
			r.eraseAgain()
			if r.unwritten.Load() && now.Add(renewAgain).Before(renewAt) {
				renewAt = now.Add(renewAgain) // by which it will be seen whether the store takes something again
			}
			if now.After(renewAt) || r.leaseLost.Swap(false) {
				renewAt = now.Add(r.renew(ctx))
			}
			if now.After(lookAt) {
				lookAt = now.Add(legacyLook)
				r.g.legacy.forget(now)
				r.g.legacy.raise(now)
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

// create makes the session that a login opened, and ends the one that it takes the place of.
func (r *registry) create(ctx context.Context, cookie secret.String, record sessionRecord) error {
	s, err := r.admit(cookieName(cookie), record)
	if err != nil {
		return err
	}
	if err := r.confirm(ctx, s); err != nil {
		return err
	}
	s.log.Info("logged in", logging.Peer, record.Peer.String(), "tunnel_group", record.TunnelGroup, "agent", record.UserAgent)
	return nil
}

// confirm records a session that was admitted, and only then ends the one that it takes the place of. That
// one stays if there is no record, unless a later login has taken the place meanwhile.
func (r *registry) confirm(ctx context.Context, s *session) error {
	if err := r.record(ctx, s); err != nil {
		r.withdraw(s)
		return err
	}
	for _, before := range r.settled(s) {
		before.log.Info("session gives way to a new login", logging.Stage, stage.Verify.String())
		before.end(tunnel.Administrator)
	}
	return nil
}

// settled returns whom a session that has its record takes the place of: the one before, and who that one was to take the
// place of, when their logins came at once.
func (r *registry) settled(s *session) (all []*session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s.before != nil {
		s, s.before = s.before, nil
		all = append(all, s)
	}
	return all
}

// withdraw takes back that a session was admitted which has no record. The one before comes back, unless a later login has
// taken the place: then that one decides.
func (r *registry) withdraw(s *session) {
	r.mu.Lock()
	s.vain = true
	before := s.before
	there := r.byName[s.name] == s
	if there {
		delete(r.byName, s.name)
	}
	r.mu.Unlock()
	for there && before != nil {
		before = r.keep(before)
	}
}

// admit makes room for a login and enters its session, in one step, so that logins at the same time count
// each other. The room is that of the same phone's session, which is over when the phone logs in anew,
// or, at the user's limit, of the oldest that has no channel.
func (r *registry) admit(name string, record sessionRecord) (*session, error) {
	set := r.g.config.Inventory()
	record.UserDeclared, record.DeviceDeclared = set.Users[record.User] != nil, set.Devices[record.Device] != nil
	if why := record.unwelcome(set); why != "" {
		return nil, fmt.Errorf("%w: %s", errUnwelcome, why)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	count := 0
	var replaced, oldestDead *session
	for _, other := range r.byName {
		if other.record.User != record.User {
			continue
		}
		count++
		if other.samePhone(record) {
			replaced = other
		}
		if other.dead() && (oldestDead == nil || other.record.ID < oldestDead.record.ID) {
			oldestDead = other
		}
	}
	if replaced == nil && count >= loginsOf(set, record) {
		if replaced = oldestDead; replaced == nil {
			return nil, errSessionLimit
		}
	}
	if replaced != nil {
		delete(r.byName, replaced.name)
	}
	r.lastID++
	record.ID = r.lastID
	s := newSession(r.g, name, record, set, time.Now())
	s.before = replaced
	r.enter(name, s)
	s.rearm()
	return s, nil
}

// enter makes a session one of this gateway's. mu is held.
func (r *registry) enter(name string, s *session) {
	r.byName[name] = s
	r.begun++
	r.most = max(r.most, len(r.byName))
}

// loginsOf is how many sessions the policy of a login allows its user.
func loginsOf(set *inventory.Set, login sessionRecord) int {
	if group := set.TunnelGroups[login.TunnelGroup]; group != nil {
		return or(login.groupPolicy(set, group).SimultaneousLogins, defaultSimultaneousLogins)
	}
	return 0
}

// record writes a new session's record. The write is not cut short: afterwards it is known whether it
// happened.
func (r *registry) record(ctx context.Context, s *session) error {
	s.settling.Lock()
	defer s.settling.Unlock()
	if s.gone {
		return errGone
	}
	return r.put(context.WithoutCancel(ctx), s, s.record, r.leaseID())
}

var errGone = errors.New("gateway: the session has ended")

// put writes a session's record, and what else is to be written with it or not at all.
func (r *registry) put(ctx context.Context, s *session, record sessionRecord, lease store.LeaseID, with ...store.Op) error {
	op, err := r.table.PutOp(s.name, record, store.Any, lease)
	if err != nil {
		return err
	}
	_, err = r.g.config.Store.Commit(ctx, append(with, op)...)
	if errors.Is(err, store.ErrNoLease) {
		r.leaseLost.Store(true)
		return err
	}
	return r.written(err)
}

// written hears how a write went, and says while none succeeds.
func (r *registry) written(err error) error {
	if err == nil {
		if r.unwritten.Swap(false) {
			r.g.log.Info("sessions are stored again")
			r.g.config.Findings.Clear(finding.StoreWriteFailed, "")
		}
		return nil
	}
	f := finding.StoreWriteFailed.With().Because("gateway", 0, err.Error())
	r.g.config.Findings.Raise(f)
	if !r.unwritten.Swap(true) {
		r.g.log.Error("sessions are not stored", logging.Finding, f.Code, "says", f.Says, logging.Err, err)
	}
	return err
}

// find returns the session of a cookie, or nil.
func (r *registry) find(cookie secret.String) *session {
	if cookie.IsZero() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byName[cookieName(cookie)]
}

// give makes an IPv4 address the session's.
func (r *registry) give(s *session, addr netip.Addr) {
	s.address.Store(&addr)
	r.answerFor(s, addr)
}

// remove takes an ended session out of memory, host and store. It returns when that is done, whoever
// began it. No lock is held.
func (r *registry) remove(s *session) {
	s.settling.Lock()
	defer s.settling.Unlock()
	if s.gone {
		return
	}
	s.gone = true
	s.capture.Load().end()
	r.wheel.forget(s)
	s.ends()
	r.drop(s)
	r.g.handshakes.forget(s)
	r.take6(s)
	if addr := s.innerAddress(); addr.IsValid() {
		r.answerNoMore(s, addr)
	}
	if err := r.erase(s); err != nil {
		s.log.Error("session not deleted; its cookie would be good again after a restart", logging.Err, err)
		r.mu.Lock()
		r.undying = append(r.undying, s)
		r.mu.Unlock()
	}
}

// keep takes back that a session gives way to another. Of one that never was it returns the one before.
func (r *registry) keep(s *session) (before *session) {
	s.settling.Lock()
	defer s.settling.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case s.vain:
		return s.before
	case !s.gone:
		r.byName[s.name] = s
	}
	return nil
}

// drop takes a session out of memory, and reports whether it was there.
func (r *registry) drop(s *session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName[s.name] != s {
		return false
	}
	delete(r.byName, s.name)
	return true
}

// erase deletes an ended session's record. Only then is its address free: after a restart the sessions of
// the store hold theirs.
func (r *registry) erase(s *session) error {
	if err := r.written(r.table.Delete(context.Background(), s.name, store.Any)); err != nil {
		return err
	}
	if addr := s.address.Swap(nil); addr != nil { // from here on the packet path lets nothing of the session through
		r.release(*addr)
	}
	return nil
}

// eraseAgain deletes what could not be deleted before.
func (r *registry) eraseAgain() {
	r.mu.Lock()
	undying := r.undying
	r.undying = nil
	r.mu.Unlock()
	for i, s := range undying {
		if err := r.erase(s); err != nil {
			s.log.Debug("session still not deleted", logging.Err, err)
			r.mu.Lock()
			r.undying = append(r.undying, undying[i:]...)
			r.mu.Unlock()
			return
		}
	}
}

func (r *registry) closeChannels() {
	for _, s := range r.all() {
		s.closeChannels()
	}
}
