package gateway

import (
	"context"
	"net/netip"

	"github.com/longcord/longcord/store"
)

// Holder is who has an inner address: whose login opened the session, and the device that the session
// belongs to. What a client merely claims to be is in neither.
type Holder struct {
	User   string
	Device string // empty: none
}

// Holder returns who has an inner address now, or false when no session of this gateway has it.
func (g *Gateway) Holder(inner netip.Addr) (Holder, bool) {
	s := g.sessions.inner.get(inner)
	if s == nil {
		return Holder{}, false
	}
	return s.record.holder(), true
}

func (r sessionRecord) holder() Holder { return Holder{User: r.User, Device: r.Device} }

// Holders returns who has which inner address as gateways have stored it, for parts that run in other
// processes.
func Holders(ctx context.Context, s store.Store) (map[netip.Addr]Holder, error) {
	entries, _, err := sessionTable(s).List(ctx)
	if err != nil {
		return nil, err
	}
	all := map[netip.Addr]Holder{}
	for _, e := range entries {
		if e.Value.Address.IsValid() {
			all[e.Value.Address] = e.Value.holder()
		}
	}
	return all, nil
}
