package callmanager

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/wire/sip"
)

// Registration is the record of one place where a line can be reached. The table is
// "callmanager/registration/", the name "<line>/<hash of the place>". A refresh does not write it: Until
// lies hours ahead.
type Registration struct {
	Line      string         `json:"line"`
	Device    string         `json:"device,omitempty"`
	Model     int            `json:"model,omitempty"`
	Contact   string         `json:"contact"`
	Transport sip.Transport  `json:"transport"`
	Peer      netip.AddrPort `json:"peer"`
	CallID    string         `json:"callId"`
	CSeq      uint32         `json:"cseq"`
	UserAgent string         `json:"userAgent,omitempty"`
	Load      string         `json:"load,omitempty"`
	Stamp     string         `json:"stamp,omitempty"`
	Restart   string         `json:"restart,omitempty"`
	Since     time.Time      `json:"since"`
	Lifetime  time.Duration  `json:"lifetime"` // nanoseconds between refreshes
	Until     time.Time      `json:"until"`    // after this the record says nothing any more
	Follows   bool           `json:"follows,omitempty"`
}

func record(b register.Binding) Registration {
	return Registration{
		Line: b.Line, Device: b.Device, Model: b.Model, Contact: b.Contact,
		Transport: b.Flow.Transport, Peer: b.Flow.Peer, CallID: b.CallID, CSeq: b.CSeq,
		UserAgent: b.UserAgent, Load: b.Load, Stamp: b.Stamp, Restart: b.Restart,
		Since: b.Since, Lifetime: b.Lifetime, Until: b.Written, Follows: b.Follows,
	}
}

func (r Registration) binding() register.Binding {
	return register.Binding{
		Line: r.Line, Device: r.Device, Model: r.Model, Contact: r.Contact,
		Flow: sip.Flow{Transport: r.Transport, Peer: r.Peer}, CallID: r.CallID, CSeq: r.CSeq,
		UserAgent: r.UserAgent, Load: r.Load, Stamp: r.Stamp, Restart: r.Restart,
		Since: r.Since, Lifetime: r.Lifetime, Written: r.Until, Follows: r.Follows,
	}
}

// name is short whatever a phone calls itself.
func name(b register.Binding) string {
	place := sha256.Sum256([]byte(b.Key()))
	return url.PathEscape(b.Line) + "/" + hex.EncodeToString(place[:12])
}

// retry is how long the keeper waits after the store has refused a commit.
const retry = time.Second

// keeper writes registrations behind the manager's back, so that a slow disk holds up no other phone. Of
// several changes to one record only the last is written. A phone is answered when its change has been, so
// what was acknowledged survives a kill; but a store that is broken keeps nobody from calling.
type keeper struct {
	table *store.Table[Registration]
	store store.Store
	log   *slog.Logger
	some  chan struct{}

	mu      sync.Mutex
	pending map[string]*Registration // nil: delete
	waiting []func()                 // for what is pending to be written
}

func newKeeper(s store.Store, log *slog.Logger) *keeper {
	return &keeper{
		table: store.NewTable[Registration](s, "callmanager/registration/", 1, nil), store: s, log: log,
		some: make(chan struct{}, 1), pending: map[string]*Registration{},
	}
}

func (k *keeper) load(ctx context.Context) ([]register.Binding, error) {
	entries, _, err := k.table.List(ctx)
	if err != nil {
		return nil, err
	}
	var all []register.Binding
	for _, e := range entries {
		all = append(all, e.Value.binding())
	}
	return all, nil
}

func (k *keeper) keep(b register.Binding) {
	r := record(b)
	k.change(name(b), &r)
}

func (k *keeper) forget(b register.Binding) { k.change(name(b), nil) }

// then calls done when all that was changed before has been written, or the store has refused it.
func (k *keeper) then(done func()) {
	k.mu.Lock()
	k.waiting = append(k.waiting, done)
	k.mu.Unlock()
	k.signal()
}

func (k *keeper) change(name string, r *Registration) {
	k.mu.Lock()
	k.pending[name] = r
	k.mu.Unlock()
	k.signal()
}

func (k *keeper) signal() {
	select {
	case k.some <- struct{}{}:
	default:
	}
}

// run writes until the context ends, and then what is left.
func (k *keeper) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
		case <-k.some:
		}
		if ctx.Err() != nil { // also when both were ready
			k.finish(context.WithoutCancel(ctx))
			return
		}
		if err := k.flush(ctx); err != nil && ctx.Err() == nil {
			k.log.Error("registrations not kept", logging.Err, err)
			select {
			case <-ctx.Done():
			case <-time.After(retry):
			}
		}
	}
}

// finish writes what is left, for as long as a stop may take.
func (k *keeper) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := k.flush(ctx); err != nil {
		k.log.Error("registrations not kept", logging.Err, err)
	}
}

// flush commits what is pending, and tells those who wait for it.
func (k *keeper) flush(ctx context.Context) error {
	k.mu.Lock()
	waiting := k.waiting
	k.waiting = nil
	k.mu.Unlock()
	err := k.write(ctx)
	for _, done := range waiting {
		done()
	}
	return err
}

// write commits what is pending, a commit's worth at a time. What could not be written stays pending.
func (k *keeper) write(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := k.take()
		if len(batch) == 0 {
			return nil
		}
		if err := k.commit(ctx, batch); err != nil {
			k.giveBack(batch)
			return err
		}
	}
}

func (k *keeper) take() map[string]*Registration {
	k.mu.Lock()
	defer k.mu.Unlock()
	batch := map[string]*Registration{}
	for name, r := range k.pending {
		if len(batch) == store.MaxOps {
			break
		}
		batch[name] = r
		delete(k.pending, name)
	}
	return batch
}

func (k *keeper) giveBack(batch map[string]*Registration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, r := range batch {
		if _, newer := k.pending[name]; !newer {
			k.pending[name] = r
		}
	}
	k.signal()
}

func (k *keeper) commit(ctx context.Context, batch map[string]*Registration) error {
	var ops []store.Op
	var errs []error
	for name, r := range batch {
		if r == nil {
			ops = append(ops, k.table.DeleteOp(name, store.Any))
			continue
		}
		op, err := k.table.PutOp(name, *r, store.Any, 0)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ops = append(ops, op)
	}
	if err := errors.Join(errs...); err != nil {
		k.log.Error("registration cannot be kept", logging.Err, err)
	}
	if len(ops) == 0 {
		return nil
	}
	_, err := k.store.Commit(ctx, ops...)
	return err
}
