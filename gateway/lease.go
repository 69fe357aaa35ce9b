package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/store"
)

// The records of sessions hang on one lease of this gateway, so that they die with a gateway that does
// not come back.
const (
	leaseTime  = time.Hour       // how long a gateway may be away and still find its sessions when it returns
	renewEvery = leaseTime / 4   //
	renewAgain = 5 * time.Second // after the store failed
)

func (r *registry) leaseID() store.LeaseID { return store.LeaseID(r.lease.Load()) }

// takeLease finds this node's lease of before, or makes one.
func (r *registry) takeLease(ctx context.Context) error {
	entry, err := nodeTable(r.g.config.Store).Get(ctx, r.g.config.Node)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && entry.Value.Lease != 0 {
		lease, err := r.g.config.Store.Grant(ctx, entry.Value.Lease, leaseTime)
		if err == nil {
			r.lease.Store(int64(lease))
		}
		if err == nil || !errors.Is(err, store.ErrNoLease) {
			return err
		}
	}
	lease, err := r.newLease(ctx)
	r.lease.Store(int64(lease))
	return err
}

func (r *registry) newLease(ctx context.Context) (store.LeaseID, error) {
	lease, err := r.g.config.Store.Grant(ctx, 0, leaseTime)
	if err != nil {
		return 0, err
	}
	_, err = nodeTable(r.g.config.Store).Put(ctx, r.g.config.Node, nodeRecord{Lease: lease}, store.Any)
	return lease, err
}

// renew keeps the lease alive and returns when to do so again. A store that fails ends nothing: sessions
// live in memory, and only a restart needs their records.
func (r *registry) renew(ctx context.Context) time.Duration {
	err := r.g.config.Store.KeepAlive(ctx, r.leaseID())
	if errors.Is(err, store.ErrNoLease) {
		err = r.moveLease(ctx)
	}
	if err := r.written(err); err != nil {
		r.g.log.Debug("lease not renewed", logging.Err, err)
		return renewAgain
	}
	return renewEvery
}

// moveLease writes every session again under a new lease: this machine slept, or the store was away, for
// longer than the old one lived.
func (r *registry) moveLease(ctx context.Context) error {
	lease, err := r.newLease(ctx)
	if err != nil {
		return err
	}
	for _, s := range r.all() {
		if err := r.rewrite(ctx, s, lease); err != nil {
			return err
		}
	}
	r.lease.Store(int64(lease))
	r.g.log.Warn("sessions written again under a new lease", "count", len(r.all()))
	return nil
}

func (r *registry) rewrite(ctx context.Context, s *session, lease store.LeaseID) error {
	s.settling.Lock()
	defer s.settling.Unlock()
	if s.gone {
		return nil
	}
	record := s.record
	record.Address = s.innerAddress()
	return r.put(ctx, s, record, lease)
}
