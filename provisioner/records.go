package provisioner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store"
)

// Delivery is one file of a device that arrived at it: by TFTP its last byte was acknowledged, by HTTP the
// answer was written to its end.
type Delivery struct {
	Device       string              `json:"device"`
	File         string              `json:"file"` // as phones spell it
	VersionStamp string              `json:"version_stamp,omitempty"`
	Hashes       []string            `json:"certificate_hashes,omitempty"` // of the gateways' certificates, that are in the file
	Peer         netip.AddrPort      `json:"peer"`
	By           provision.Fetcher   `json:"by,omitempty"`
	Transport    provision.Transport `json:"transport"`
	Bytes        int64               `json:"bytes"`
	Complete     time.Time           `json:"complete"`
}

// deliveryRecord is what the store keeps of a device under its name. That a phone has a file is proof for
// others, so it survives a restart; there is one record for each device of the inventory.
type deliveryRecord struct {
	Recent []Delivery `json:"recent"` // newest first; at least the last of each file
}

// Of the deliveries of one device this many are kept beside the last of each file.
const recentDeliveries = 8

// sameDelivery is how long a file that comes again to the same address says nothing new. It keeps who asks
// without a pause from writing to the store without a pause.
const sameDelivery = time.Minute

func deliveryTable(s store.Store) *store.Table[deliveryRecord] {
	return store.NewTable(s, "provisioner/delivery/", 2, deliveriesBefore)
}

// deliveriesBefore decodes records of version 1, in which own said that a fetch was the phone's, and nothing said that
// it was not.
func deliveriesBefore(_ int, record []byte) (deliveryRecord, error) {
	var before struct {
		Recent []struct {
			Delivery
			Own bool `json:"own"`
		} `json:"recent"`
	}
	if err := json.Unmarshal(record, &before); err != nil {
		return deliveryRecord{}, fmt.Errorf("provisioner: deliveries: %w", err)
	}
	var now deliveryRecord
	for _, d := range before.Recent {
		if d.Own {
			d.By = provision.ThePhone
		}
		now.Recent = append(now.Recent, d.Delivery)
	}
	return now, nil
}

// Deliveries returns by device what arrived at it, newest first, as a provisioner has stored it. Where one
// runs in this process, its own method of this name knows as much, and a moment earlier.
func Deliveries(ctx context.Context, s store.Store) (map[string][]Delivery, error) {
	entries, _, err := deliveryTable(s).List(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string][]Delivery{}
	for _, e := range entries {
		all[e.Name] = e.Value.Recent
	}
	return all, nil
}

// with returns recent with d in front, and without what that makes superfluous.
func with(recent []Delivery, d Delivery) []Delivery {
	recent = slices.Insert(slices.Clone(recent), 0, d)
	for i := len(recent) - 1; i > 0 && len(recent) > recentDeliveries; i-- {
		sameFile := func(other Delivery) bool { return other.File == recent[i].File }
		if slices.ContainsFunc(recent[:i], sameFile) {
			recent = slices.Delete(recent, i, i+1)
		}
	}
	return recent
}

// recorder remembers deliveries, and writes them behind the transfers' backs. A store that fails keeps
// nobody from fetching files.
type recorder struct {
	table *store.Table[deliveryRecord] // nil: nothing is kept
	log   *slog.Logger
	some  chan struct{}

	mu        sync.Mutex
	known     map[string][]Delivery // by device; the slices are not changed in place
	unwritten map[string]bool
}

func newRecorder(s store.Store, log *slog.Logger) *recorder {
	r := &recorder{log: log, some: make(chan struct{}, 1), known: map[string][]Delivery{}, unwritten: map[string]bool{}}
	if s != nil {
		r.table = deliveryTable(s)
	}
	return r
}

// load takes up what was kept, and forgets devices that the inventory does not have any more.
func (r *recorder) load(ctx context.Context, set *inventory.Set) error {
	if r.table == nil {
		return nil
	}
	entries, _, err := r.table.List(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		if set.Devices[e.Name] == nil {
			r.unwritten[e.Name] = true
			r.signal()
			continue
		}
		r.known[e.Name] = e.Value.Recent
	}
	return nil
}

func (r *recorder) signal() {
	select {
	case r.some <- struct{}{}:
	default:
	}
}

// note remembers a delivery.
func (r *recorder) note(d Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	recent := r.known[d.Device]
	last := slices.IndexFunc(recent, func(other Delivery) bool { return other.File == d.File })
	if last >= 0 && recent[last].VersionStamp == d.VersionStamp && recent[last].Peer.Addr() == d.Peer.Addr() && recent[last].By == d.By &&
		d.Complete.Sub(recent[last].Complete) < sameDelivery {
		return
	}
	r.known[d.Device] = with(recent, d)
	r.unwritten[d.Device] = true
	r.signal()
}

func (r *recorder) all() map[string][]Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string][]Delivery, len(r.known))
	for device, recent := range r.known {
		all[device] = recent
	}
	return all
}

// Times of writing.
const (
	rewriteAfter = time.Second     // when the store failed
	finishWithin = 5 * time.Second // what is left when the server stops
)

// run writes until the context ends, and then what is left.
func (r *recorder) run(ctx context.Context) {
	if r.table == nil {
		return
	}
	failing := false
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-r.some:
		}
		err := r.write(ctx)
		if err == nil {
			failing = false
			continue
		}
		if !failing && ctx.Err() == nil {
			r.log.Warn("deliveries are not stored", logging.Err, err)
		}
		failing = true
		r.signal()
		select {
		case <-ctx.Done():
		case <-time.After(rewriteAfter):
		}
	}
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	if err := r.write(finish); err != nil {
		r.log.Warn("deliveries are not stored", logging.Err, err)
	}
}

// write stores what is new, one device after the other. What could not be written stays unwritten.
func (r *recorder) write(ctx context.Context) error {
	r.mu.Lock()
	devices := make([]string, 0, len(r.unwritten))
	for device := range r.unwritten {
		devices = append(devices, device)
	}
	r.mu.Unlock()
	var errs []error
	for _, device := range devices {
		errs = append(errs, r.writeOne(ctx, device))
	}
	return errors.Join(errs...)
}

func (r *recorder) writeOne(ctx context.Context, device string) error {
	r.mu.Lock()
	recent, known := r.known[device]
	delete(r.unwritten, device)
	r.mu.Unlock()
	var err error
	if known {
		_, err = r.table.Put(ctx, device, deliveryRecord{recent}, store.Any)
	} else {
		err = r.table.Delete(ctx, device, store.Any)
	}
	if err != nil {
		r.mu.Lock()
		r.unwritten[device] = true
		r.mu.Unlock()
	}
	return err
}
