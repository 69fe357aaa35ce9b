package door

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store"
)

// desk is the keeper as its server sees it.
type desk Keeper

// asked decides on a request by the door of the address that it comes from.
func (d *desk) asked(now time.Time, from netip.AddrPort, by provision.Transport, name string) (provision.DoorAnswer, provision.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	open := d.doors.At(now, from.Addr())
	if open == nil {
		return provision.Silence, provision.File{}
	}
	if device, known := d.config.Inventory().Devices[open.Device]; !known || device.Blocked {
		return provision.Silence, provision.File{} // since its door was opened
	}
	signed := open.WantsSigned()
	answer := open.Asked(now, name)
	log := d.log.With(logging.Phone, open.Device, logging.Peer, from.String(), "file", name, "transport", string(by))
	if open.WantsSigned() && !signed {
		log.Warn("phone asks for a signed file: it holds another system's trust list, and will take none of ours until that list is erased on the phone")
	}
	if answer != provision.SendFile {
		log.Debug("request at a door", "answered", answer == provision.NoSuchFile)
		return answer, provision.File{}
	}
	file, err := d.config.Renderer.Starter(d.config.Inventory(), open.Device)
	if err != nil {
		log.Warn("starter file cannot be made", logging.Err, err)
		return provision.Silence, provision.File{}
	}
	return answer, file
}

// arrived notes that a starter file has arrived, and lets its door shut soon.
func (d *desk) arrived(now time.Time, from netip.AddrPort, by provision.Transport, file provision.File) {
	k := (*Keeper)(d)
	d.mu.Lock()
	ctx := d.ctx
	if open := d.doors.At(now, from.Addr()); open != nil && open.Device == file.Device {
		open.Arrived(now)
	}
	d.mu.Unlock()
	d.log.Info("starter file delivered", logging.Phone, file.Device, logging.Peer, from.String(), "transport", string(by), "bytes", len(file.Content))
	if ctx != nil {
		k.note(ctx, file.Device, from.Addr(), now)
	}
	k.wake()
}

// note writes into the invitation of an open door that its file has arrived.
func (k *Keeper) note(ctx context.Context, device string, from netip.Addr, now time.Time) {
	entries, _, err := k.table.List(ctx)
	for _, e := range entries {
		r := e.Value
		if r.Device != device || r.From != from || r.Carried || !r.Delivered.IsZero() || !now.Before(r.Until) {
			continue
		}
		r.Delivered = now
		if soon := now.Add(provision.DoorLinger); soon.Before(r.Until) {
			r.Until = soon
		}
		if _, err = k.table.Put(ctx, e.Name, r, e.Revision); errors.Is(err, store.ErrConflict) {
			err = nil // revoked at this moment
		}
	}
	if err != nil && ctx.Err() == nil {
		k.log.Warn("delivery cannot be noted", logging.Phone, device, logging.Err, err)
	}
}

func sortByTime(all []Invitation) {
	slices.SortFunc(all, func(a, b Invitation) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
}
