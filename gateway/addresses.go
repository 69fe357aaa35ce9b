package gateway

import (
	"cmp"
	"context"
	"net/netip"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/wire/cstp"
)

// recall reads who had which address when this gateway last ran, and forgets what is in no pool any more.
func (r *registry) recall(ctx context.Context) error {
	entries, _, err := r.addresses.List(ctx)
	if err != nil {
		return err
	}
	var foreign []store.Op
	for _, entry := range entries {
		addr, err := netip.ParseAddr(entry.Name)
		pool := r.pools.with(addr)
		if err != nil || pool == nil || !pool.usable(addr) {
			foreign = append(foreign, r.addresses.DeleteOp(entry.Name, entry.Revision))
			continue
		}
		pool.remember(addr, entry.Value.Owner)
	}
	if len(foreign) == 0 {
		return nil
	}
	_, err = r.g.config.Store.Commit(ctx, foreign...)
	return err
}

// addressOf returns a session's inner address; at its first CONNECT it gets one out of the pools of its
// policy. The session's settling is held.
func (r *registry) addressOf(ctx context.Context, s *session, set *inventory.Set, group *inventory.TunnelGroup) (netip.Addr, error) {
	if addr := s.innerAddress(); addr.IsValid() {
		return addr, nil
	}
	addr, ok := r.fixed(s, set)
	if !ok {
		before := r.pools.last(owner(s))
		var err error
		if addr, err = r.pools.take(owner(s), set.PoolsFor(group, s.record.groupPolicy(set, group))); err != nil {
			return addr, err
		}
		s.judgeAddress(before, addr)
		r.room(addr)
	}
	record := s.record
	record.Address = addr
	remember, err := r.addresses.PutOp(addr.String(), addressRecord{owner(s)}, store.Any, 0)
	if err == nil {
		err = r.put(context.WithoutCancel(ctx), s, record, r.leaseID(), remember)
	}
	if err != nil {
		r.pools.release(addr)
		return netip.Addr{}, err
	}
	r.give(s, addr)
	return addr, nil
}

// address6Of gives a session an IPv6 address beside its IPv4 one, or takes it back, as the client and its
// policy have it. The session's settling is held, and it has an IPv4 address.
func (r *registry) address6Of(s *session, set *inventory.Set, group *inventory.TunnelGroup, request cstp.Request) netip.Prefix {
	network := set.Pool6For(group, s.record.groupPolicy(set, group))
	if !network.IsValid() || !request.FullIPv6 {
		r.take6(s)
		return netip.Prefix{}
	}
	if !r.pools.serves6(network) {
		s.log.Warn("no IPv6: the pool was declared while the gateway ran", "pool", network.String())
		r.take6(s)
		return netip.Prefix{}
	}
	addr := address6(network, s.innerAddress())
	if held := s.address6.Load(); held == nil || *held != addr {
		r.take6(s)
		s.address6.Store(&addr)
		r.answerFor(s, addr)
	}
	return netip.PrefixFrom(addr, network.Bits())
}

// take6 takes a session's IPv6 address back, if it has one.
func (r *registry) take6(s *session) {
	if addr := s.address6.Swap(nil); addr != nil {
		r.answerNoMore(s, *addr)
	}
}

// answerFor enters an address for the packet path and has the host answer for it.
func (r *registry) answerFor(s *session, addr netip.Addr) {
	r.inner.put(addr, s)
	if err := r.g.router.AddProxy(addr); err != nil {
		s.log.Warn("proxy address", "address", addr.String(), logging.Err, err)
	}
}

// answerNoMore is the inverse of answerFor.
func (r *registry) answerNoMore(s *session, addr netip.Addr) {
	r.inner.remove(addr, func(other *session) bool { return other == s })
	if err := r.g.router.RemoveProxy(addr); err != nil {
		s.log.Debug("proxy address", "address", addr.String(), logging.Err, err)
	}
}

// fixed takes the address that belongs to a session's login: by the server of users, or by the inventory. A
// session of the same user or device that has it and no channel ends for it. Who cannot have it, because
// somebody else got it before it was given away or a second phone of the user has it, gets one of the pool.
func (r *registry) fixed(s *session, set *inventory.Set) (netip.Addr, bool) {
	addr := s.record.FramedAddress
	if !addr.IsValid() {
		var ok bool
		if addr, ok = set.FixedAddress(s.record.Device, s.record.User); !ok {
			return addr, false
		}
	}
	// Two sessions never wait for each other here: the one that ends has an address, the one that waits none.
	if other := r.inner.get(addr); other != nil && other.dead() && sameOwner(other, s) {
		other.end(tunnel.Administrator)
	}
	if err := r.pools.claim(addr, owner(s)); err != nil {
		s.log.Warn("fixed address not given", "address", addr.String(), logging.Err, err)
		return addr, false
	}
	return addr, true
}

func sameOwner(a, b *session) bool {
	return a.record.User == b.record.User || a.record.Device != "" && a.record.Device == b.record.Device
}

// owner is who an address belongs to, so that a phone gets its address again after a new login.
func owner(s *session) string {
	return cmp.Or(s.record.Device, s.record.User) + " " + s.record.UserAgent
}

// release gives an address back to its pool, which has room by it.
func (r *registry) release(addr netip.Addr) {
	r.pools.release(addr)
	r.room(addr)
}

// room says that the pool of an address is not exhausted.
func (r *registry) room(addr netip.Addr) {
	if pool := r.pools.with(addr); pool != nil {
		r.g.config.Findings.Clear(finding.AddressPoolExhausted, pool.network.String())
	}
}

// lackOf says that a session got no address, and of which pools.
func (r *registry) lackOf(s *session, none *exhausted) {
	s.log.Error("connect refused", logging.Err, none)
	for _, network := range none.networks {
		why := "no address for " + s.record.User
		if pool := r.pools.with(network.Addr()); pool == nil || pool.network != network {
			why = "it was declared or changed while the gateway ran; the gateway serves it from its next start on"
		}
		f := finding.AddressPoolExhausted.With(network.String()).Because("gateway", 0, why)
		r.g.config.Findings.Raise(f)
		s.log.Error("no free address", logging.Finding, f.Code, "says", f.Says, "why", why)
	}
}
