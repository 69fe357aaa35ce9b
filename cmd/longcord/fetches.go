package main

import (
	"net/netip"
	"slices"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/trust"
)

// Whether a file that was fetched is taken for the phone's own says provision.Witness; what it asks is fitted here.

// counting returns what says of a delivery whether it counts as the phone's own, by where phones are registered now.
func (s *system) counting() func(provisioner.Delivery) bool {
	set, registered := s.catalog.Current(), map[string]netip.Addr{}
	if s.callmanager != nil {
		for _, b := range s.callmanager.Registrations() {
			if _, ok := registered[b.Device]; !ok {
				registered[b.Device] = b.Flow.Peer.Addr().Unmap()
			}
		}
	}
	return func(d provisioner.Delivery) bool {
		w := s.witness(d)
		device := set.Devices[d.Device]
		w.Registered, w.Registers = registered[d.Device], device != nil && !s.registersElsewhere(set, device)
		return w.Counts()
	}
}

// witness is what a delivery proves by itself.
func (s *system) witness(d provisioner.Delivery) provision.Witness {
	return provision.Witness{Fetcher: d.By, From: d.Peer.Addr().Unmap(), Routed: s.settings.Provisioner.CountRouted}
}

// registersElsewhere reports whether a device registers where nobody here sees it: then a file that arrived
// is all the proof there can be.
func (s *system) registersElsewhere(set *inventory.Set, device *inventory.Device) bool {
	if s.callmanager == nil || s.settings.Calls.Mode == config.Aside {
		return true
	}
	site := set.Sites[device.Site]
	return site != nil && len(site.CallManagers) > 0 && !slices.ContainsFunc(site.CallManagers, s.isHere)
}

// newestFile returns the newest of the deliveries that a phone's own file came by. Trust lists have stamps, too.
func newestFile(newestFirst []provisioner.Delivery, counts func(provisioner.Delivery) bool) (provisioner.Delivery, bool) {
	for _, d := range newestFirst {
		if d.VersionStamp != "" && provision.HoldsConfig(d.File) && counts(d) {
			return d, true
		}
	}
	return provisioner.Delivery{}, false
}

// lastAt returns where a phone fetched a file last, in the office. A fetch that does not prove to be the phone's
// leads to somebody else, who is not to be shown passwords.
func (s *system) lastAt(newestFirst []provisioner.Delivery) (netip.Addr, bool) {
	set := s.catalog.Current()
	for _, d := range newestFirst {
		w := s.witness(d)
		if w.Counts() && !set.InPool(w.From) {
			return w.From, true
		}
	}
	return netip.Addr{}, false
}

// withoutCAPF reports whether a phone holds the list of a way back, which names the signers alone: of those that are
// given none any more, every one that has fetched lists holds that one last.
func (s *system) withoutCAPF(name string) bool {
	set := s.catalog.Current()
	device := set.Devices[name]
	if s.provisioner == nil || device == nil {
		return false
	}
	security := set.SecurityFor(device)
	if security.ITL && !security.Rollback {
		return false
	}
	last, ok := lastList(s.provisioner.Deliveries()[name], provision.ITLFile(name), s.counting())
	if !ok || !security.ITL {
		return ok
	}
	now, err := s.provisioner.TrustList(trust.ITL, name)
	return err == nil && provisioner.ListStamp(now) == last.VersionStamp
}

// lastList returns the last delivery of a trust list that counts as the phone's own.
func lastList(newestFirst []provisioner.Delivery, list string, counts func(provisioner.Delivery) bool) (provisioner.Delivery, bool) {
	i := slices.IndexFunc(newestFirst, func(d provisioner.Delivery) bool { return d.File == list && counts(d) })
	if i < 0 {
		return provisioner.Delivery{}, false
	}
	return newestFirst[i], true
}
