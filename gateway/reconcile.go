package gateway

import (
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
)

// What an operator changes reaches sessions that live. At once: who may be here, and what may be reached;
// that is security. At the next CONNECT: everything that a client has to be told.

// reconcile holds the sessions to the inventory in force, if that has changed since it last did. Only one
// goroutine calls it at a time.
func (r *registry) reconcile() {
	set := r.g.config.Inventory()
	if r.reconciled == set {
		return
	}
	r.reconciled = set
	r.pools.reserve(set)
	for _, s := range r.all() {
		s.reconcile(set)
	}
}

func (s *session) reconcile(set *inventory.Set) {
	switch why := s.record.unwelcome(set); why {
	case "":
		s.refilter(set)
	case inventory.WhyBlocked:
		s.log.Warn("session ends", "why", why)
		s.finish(tunnel.Administrator, true) // a phone hears it too: it is to stay away
	default:
		s.log.Warn("session ends", "why", why)
		s.end(tunnel.Administrator)
	}
}

// unwelcome says why there may be no such session, or nothing.
func (r sessionRecord) unwelcome(set *inventory.Set) (why string) {
	return set.Unwelcome(inventory.Member{
		User: r.User, Device: r.Device, TunnelGroup: r.TunnelGroup, UserDeclared: r.UserDeclared, DeviceDeclared: r.DeviceDeclared,
	})
}

// refilter has the session's filter follow the inventory. What it may reach cannot be told while the
// inventory lacks something; then it reaches nothing.
func (s *session) refilter(set *inventory.Set) {
	if s.address.Load() == nil {
		return // its CONNECT brings the filter
	}
	f := nothing
	if group := set.TunnelGroups[s.record.TunnelGroup]; group != nil {
		var err error
		if f, err = s.filterOf(set, group); err != nil {
			s.log.Error("session reaches nothing", logging.Err, err)
			f = nothing
		}
	}
	s.filter.Store(f)
}

// nothing is a filter that denies everything.
var nothing = &filter{hits: make(hits, 1)}
