package gateway

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
)

// The defaults of a group policy, the ASA's.
const (
	defaultDPD       = 30
	defaultKeepalive = 20
)

func timersOf(p *inventory.GroupPolicy) tunnel.Timers {
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	or := func(n *int, otherwise int) int {
		if n == nil {
			return otherwise
		}
		return *n
	}
	return tunnel.Timers{
		DPD:                 seconds(or(p.DPDInterval, defaultDPD)),
		Keepalive:           seconds(or(p.KeepAlive, defaultKeepalive)),
		IdleTimeout:         seconds(p.IdleTimeout),
		SessionTimeout:      seconds(p.SessionTimeout),
		DisconnectedTimeout: seconds(p.DisconnectedTimeout),
	}
}

// policyOf is what the inventory grants a session of a tunnel group now.
func (s *session) policyOf(set *inventory.Set, group *inventory.TunnelGroup) (tunnel.Policy, *filter, error) {
	policy := set.GroupPolicies[group.DefaultGroupPolicy]
	if policy == nil {
		return tunnel.Policy{}, nil, fmt.Errorf("group policy %q is gone", group.DefaultGroupPolicy)
	}
	p := tunnel.Policy{
		Timers: timersOf(policy), Domain: policy.DefaultDomain, Banner: policy.Banner, MTU: policy.MTU,
		Phones: group.Phones, Legacy: group.LegacyPhones,
		DTLS: s.g.udp != nil && (policy.DTLS == nil || *policy.DTLS),
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
	if policy.Filter == "" {
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
