package gateway

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
)

// The defaults of a group policy, the ASA's.
const (
	defaultDPD                = 30
	defaultKeepalive          = 20
	defaultIdleTimeout        = 30 * 60 // of people: a phone that is cut off while nobody calls stays off
	defaultSimultaneousLogins = 3
	defaultRekey              = 24 * 60 * 60 // the ASA's is never; but some clients fail when rekeying is off
)

// groupPolicy is what the inventory grants sessions of a login to a tunnel group now.
func (r sessionRecord) groupPolicy(set *inventory.Set, group *inventory.TunnelGroup) *inventory.GroupPolicy {
	return set.PolicyFor(group, r.User, r.GroupPolicy)
}

// policy is the group policy that holds for the session now. Of a tunnel group that is gone it has no name.
func (s *session) policy() *inventory.GroupPolicy {
	set := s.g.config.Inventory()
	if group := set.TunnelGroups[s.record.TunnelGroup]; group != nil {
		return s.record.groupPolicy(set, group)
	}
	return &inventory.GroupPolicy{}
}

// timers are the times of a session of this login now.
func (r sessionRecord) timers(set *inventory.Set, group *inventory.TunnelGroup) tunnel.Timers {
	p := r.groupPolicy(set, group)
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	idle := defaultIdleTimeout
	if group.Phones {
		idle = 0
	}
	return tunnel.Timers{
		DPD:                 seconds(or(p.DPDGateway, defaultDPD)),
		DPDClient:           seconds(or(p.DPDClient, defaultDPD)),
		Keepalive:           seconds(or(p.KeepAlive, defaultKeepalive)),
		IdleTimeout:         cmp.Or(r.IdleTimeout, seconds(or(p.IdleTimeout, idle))),
		SessionTimeout:      cmp.Or(r.SessionTimeout, seconds(or(p.SessionTimeout, 0))),
		DisconnectedTimeout: seconds(p.DisconnectedTimeout),
	}
}

func or[T any](said *T, otherwise T) T {
	if said == nil {
		return otherwise
	}
	return *said
}

// policyOf is what the inventory grants a session of a tunnel group now, but for addresses.
func (s *session) policyOf(set *inventory.Set, group *inventory.TunnelGroup) (tunnel.Policy, error) {
	policy := s.record.groupPolicy(set, group)
	p := tunnel.Policy{
		Timers: s.record.timers(set, group), Domain: policy.DefaultDomain, MTU: policy.MTU,
		SplitDNS: policy.SplitDNS, TunnelAllDNS: or(policy.SplitTunnelAllDNS, false), Bypass: or(policy.ClientBypassProtocol, false),
		CardRemoval: or(policy.SmartcardRemovalDisconnect, true),
		Phones:      group.Phones, Legacy: group.LegacyPhones,
		DTLS: s.g.udp != nil && or(policy.DTLS, true),
	}
	if policy.Banner != inventory.None {
		p.Banner = policy.Banner
	}
	if policy.RekeyMethod != inventory.None {
		p.Rekey = time.Duration(or(policy.RekeyTime, defaultRekey)) * time.Second
	}
	if s.g.udp != nil {
		p.DTLSPort = int(s.g.config.DTLS.Port())
	}
	var err error
	if p.DNS, err = addressesOf(policy.DNSServers); err != nil {
		return p, fmt.Errorf("group policy %q: DNS server: %w", policy.Name, err)
	}
	if p.WINS, err = addressesOf(policy.WINSServers); err != nil {
		return p, fmt.Errorf("group policy %q: WINS server: %w", policy.Name, err)
	}
	if group.Phones { // they get everything through the tunnel, whatever is written
		p.SplitDNS, p.TunnelAllDNS, p.Bypass = nil, false, false
		return p, nil
	}
	if err := splitOf(&p, set, policy); err != nil {
		return p, fmt.Errorf("group policy %q: %w", policy.Name, err)
	}
	return p, nil
}

func addressesOf(texts []string) (addrs []netip.Addr, err error) {
	for _, text := range texts {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// splitOf reads the split-tunnel policy.
func splitOf(p *tunnel.Policy, set *inventory.Set, policy *inventory.GroupPolicy) error {
	networks, err := splitNetworks(set, policy)
	if err != nil {
		return err
	}
	switch policy.SplitTunnelPolicy {
	case inventory.TunnelSpecified:
		p.SplitInclude = networks
	case inventory.ExcludeSpecified:
		p.SplitExclude = networks
	}
	return nil
}

// splitNetworks are the networks that a split-tunnel policy lists, or that the access list it names permits.
func splitNetworks(set *inventory.Set, policy *inventory.GroupPolicy) (networks []netip.Prefix, err error) {
	texts := policy.SplitTunnelNetworks
	if policy.SplitTunnelNetworkList != "" {
		list := set.AccessLists[policy.SplitTunnelNetworkList]
		if list == nil {
			return nil, fmt.Errorf("access list %q is gone", policy.SplitTunnelNetworkList)
		}
		texts = nil
		for _, entry := range list.Entries {
			if entry.Action == "permit" {
				texts = append(texts, entry.Destination)
			}
		}
	}
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("split tunnel network: %w", err)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// filterOf is what a session of a tunnel group may reach now; nil: everything.
func (s *session) filterOf(set *inventory.Set, group *inventory.TunnelGroup) (*filter, error) {
	policy := s.record.groupPolicy(set, group)
	f, err := s.policyFilter(set, group, policy)
	if err != nil || !s.record.Enrolment {
		return f, err
	}
	dns, err := addressesOf(policy.DNSServers)
	return enrolmentOnly(f, s.g.config.Inside, dns), err
}

func (s *session) policyFilter(set *inventory.Set, group *inventory.TunnelGroup, policy *inventory.GroupPolicy) (*filter, error) {
	switch {
	case policy.Filters():
	case group.LegacyPhones:
		return nil, fmt.Errorf("group policy %q has no filter that fences old phones", policy.Name)
	default:
		return nil, nil
	}
	list := set.AccessLists[policy.Filter]
	if list == nil {
		return nil, fmt.Errorf("access list %q is gone", policy.Filter)
	}
	return s.g.filters.of(set, list, member{s.record.User, s.record.Device, s.innerAddresses()})
}

// spread shortens a time by up to a tenth, by chance: clients that come at once, after a restart say, shall
// not all come for new keys at once.
func spread(d time.Duration) time.Duration {
	return (d - rand.N(d/10+1)).Round(time.Second)
}
