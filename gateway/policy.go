package gateway

import (
	"cmp"
	"fmt"
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
)

// groupPolicy is what the inventory grants sessions of a login to a tunnel group now.
func (r sessionRecord) groupPolicy(set *inventory.Set, group *inventory.TunnelGroup) *inventory.GroupPolicy {
	return set.PolicyFor(group, r.User, r.GroupPolicy)
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

// policyOf is what the inventory grants a session of a tunnel group now.
func (s *session) policyOf(set *inventory.Set, group *inventory.TunnelGroup) (tunnel.Policy, *filter, error) {
	policy := s.record.groupPolicy(set, group)
	if group.LegacyPhones && !policy.Filters() {
		return tunnel.Policy{}, nil, fmt.Errorf("group policy %q has no filter that fences old phones", policy.Name)
	}
	p := tunnel.Policy{
		Timers: s.record.timers(set, group), Domain: policy.DefaultDomain, MTU: policy.MTU,
		Phones: group.Phones, Legacy: group.LegacyPhones,
		DTLS: s.g.udp != nil && or(policy.DTLS, true),
	}
	if policy.Banner != inventory.None {
		p.Banner = policy.Banner
	}
	if s.g.udp != nil {
		p.DTLSPort = int(s.g.config.DTLS.Port())
	}
	for _, server := range policy.DNSServers {
		addr, err := netip.ParseAddr(server)
		if err != nil {
			return p, nil, fmt.Errorf("group policy %q: DNS server: %w", policy.Name, err)
		}
		p.DNS = append(p.DNS, addr)
	}
	if err := splitOf(&p, policy, group.Phones); err != nil {
		return p, nil, err
	}
	if !policy.Filters() {
		return p, nil, nil
	}
	list := set.AccessLists[policy.Filter]
	if list == nil {
		return p, nil, fmt.Errorf("access list %q is gone", policy.Filter)
	}
	f, err := compileFilter(list)
	return p, f, err
}

// splitOf reads the split-tunnel policy. Phones get everything through the tunnel whatever is written.
func splitOf(p *tunnel.Policy, policy *inventory.GroupPolicy, phones bool) error {
	if phones {
		return nil
	}
	var networks []netip.Prefix
	for _, text := range policy.SplitTunnelNetworks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("group policy %q: split tunnel network: %w", policy.Name, err)
		}
		networks = append(networks, network)
	}
	switch policy.SplitTunnelPolicy {
	case inventory.TunnelSpecified:
		p.SplitInclude = networks
	case inventory.ExcludeSpecified:
		p.SplitExclude = networks
	}
	return nil
}
