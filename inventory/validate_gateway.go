package inventory

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Rules for the kinds that the ASA has.

// RekeyNewTunnel is the GroupPolicy.RekeyMethod by which a client opens a new connection.
const RekeyNewTunnel = "new-tunnel"

// Values of GroupPolicy.SplitTunnelPolicy.
const (
	TunnelAll        = "tunnelall" // also what an empty field means
	TunnelSpecified  = "tunnelspecified"
	ExcludeSpecified = "excludespecified"
)

// ReservedPath begins paths on the gateway that no group URL may have: links of invitations.
const ReservedPath = "/.longcord/"

// Filters reports whether sessions of the policy are held to an access list.
func (p *GroupPolicy) Filters() bool { return p.Filter != "" && p.Filter != None }

func (p *GroupPolicy) splits() bool {
	return p.SplitTunnelPolicy == TunnelSpecified || p.SplitTunnelPolicy == ExcludeSpecified
}

func (v *validation) tunnelGroup(o *TunnelGroup) {
	for _, u := range o.GroupURLs {
		v.phoneURL("groupURLs", u)
		if parsed, err := url.Parse(u); err == nil && strings.HasPrefix(parsed.EscapedPath(), ReservedPath) {
			v.refuse("groupURLs", "write another path", "%s begins with %s, which belongs to invitations of phones", u, ReservedPath)
		}
	}
	if o.Authentication != "" {
		oneOf(v, "authentication", o.Authentication, AuthenticateAAA, AuthenticateCertificate, AuthenticateBoth)
	}
	v.groupAuthorities(o)
	v.userServers(o)
	v.groupPools(o)
	if o.DefaultGroupPolicy != DefaultPolicy {
		refers(v, "defaultGroupPolicy", o.DefaultGroupPolicy, v.set.GroupPolicies, KindGroupPolicy)
	}
	policy := v.set.PolicyFor(o, "", "")
	if o.Phones {
		v.phoneGroup(o, policy)
	}
	if o.LegacyPhones {
		v.fence(policy)
	}
}

// fence refuses old phones whose policy does not fence them in.
func (v *validation) fence(policy *GroupPolicy) {
	if !policy.Filters() {
		v.refuse("legacyPhones", fmt.Sprintf("name an AccessList as filter of group policy %q", policy.Name),
			"lets phones in with old cryptography, and group policy %q has no filter that fences them", policy.Name)
		return
	}
	list, ok := v.set.AccessLists[policy.Filter]
	if ok && slices.ContainsFunc(list.Entries, AccessEntry.permitsAll) {
		v.refuse("legacyPhones", fmt.Sprintf("permit in %q what phones need: files, call managers, media, name and time servers", policy.Filter),
			"lets phones in with old cryptography, and access list %q of their group policy permits everything", policy.Filter)
	}
}

// permitsAll reports whether an entry lets everything out of a tunnel.
func (e AccessEntry) permitsAll() bool {
	return e.Action == "permit" && e.Destination == "any" && (e.Protocol == "" || e.Protocol == "ip") &&
		(e.Source == "" || e.Source == "any") && len(e.Users)+len(e.Devices) == 0 && e.Ports == ""
}

func (v *validation) phoneGroup(o *TunnelGroup, policy *GroupPolicy) {
	if o.Name == DefaultTunnelGroup {
		v.refuse("phones", "make a tunnel group of its own for phones", "the default tunnel group is not for phones: they cannot choose from a menu")
	}
	if len(o.GroupURLs) == 0 {
		v.refuse("groupURLs", "give it the URL that stands in the phones' files", "is empty, and phones reach a tunnel group by its URL only")
	}
	if policy.splits() {
		v.refuse("defaultGroupPolicy", fmt.Sprintf("set splitTunnelPolicy of %q to %s", policy.Name, TunnelAll),
			"group policy %q splits the tunnel, and phones can only tunnel everything", policy.Name)
	}
}

func (v *validation) required(field, value string) {
	if value == "" {
		v.refuse(field, "", "is missing")
	}
}

// sharedGroupURLs refuses a URL, or a second default, that two tunnel groups claim.
func (v *validation) sharedGroupURLs() {
	owner := map[string]string{}
	for _, o := range sorted(v.set.TunnelGroups) {
		v.object = o
		group := o.(*TunnelGroup)
		v.twice("groupURLs", group.GroupURLs)
		for _, u := range group.GroupURLs {
			if other, taken := owner[u]; taken && other != group.Name {
				v.refuse("groupURLs", "give each tunnel group a URL of its own", "%s belongs to tunnel group %q already", u, other)
			}
			owner[u] = group.Name
		}
	}
}

func (v *validation) groupPolicy(o *GroupPolicy) {
	v.servers("dnsServers", o.DNSServers)
	v.servers("winsServers", o.WINSServers)
	v.pools("addressPools", o.AddressPools)
	v.pool6(o.IPv6AddressPool)
	v.splitPolicy(o)
	v.policyNumbers(o)
	if o.RekeyMethod != "" {
		oneOf(v, "rekeyMethod", o.RekeyMethod, RekeyNewTunnel, None)
	}
	if o.Filter != None {
		refers(v, "filter", o.Filter, v.set.AccessLists, KindAccessList)
	}
}

func (v *validation) servers(field string, servers []string) {
	if n := len(servers); n > MaxDNSServers {
		v.refuse(field, "", "names %d servers; at most %d are allowed", n, MaxDNSServers)
	}
	for _, server := range servers {
		if !isAddress(server) {
			v.refuse(field, "write an address such as 10.0.0.53", "%q is no address", server)
		}
	}
}

func (v *validation) splitPolicy(o *GroupPolicy) {
	if o.SplitTunnelPolicy != "" {
		oneOf(v, "splitTunnelPolicy", o.SplitTunnelPolicy, TunnelAll, TunnelSpecified, ExcludeSpecified)
	}
	for _, network := range o.SplitTunnelNetworks {
		v.network("splitTunnelNetworks", network)
	}
	refers(v, "splitTunnelNetworkList", o.SplitTunnelNetworkList, v.set.AccessLists, KindAccessList)
	switch {
	case len(o.SplitTunnelNetworks) > 0 && o.SplitTunnelNetworkList != "":
		v.refuse("splitTunnelNetworkList", "keep one of the two", "stands beside splitTunnelNetworks")
	case o.splits() && len(o.SplitTunnelNetworks) == 0 && o.SplitTunnelNetworkList == "":
		v.refuse("splitTunnelNetworks", "list the networks that the policy speaks of", "is empty, and splitTunnelPolicy is %s", o.SplitTunnelPolicy)
	}
}

func (v *validation) policyNumbers(o *GroupPolicy) {
	const day, year = 24 * 3600, 366 * 24 * 3600
	for _, n := range []struct {
		field, unit string
		value       *int
		highest     int
	}{
		{"idleTimeout", "seconds", o.IdleTimeout, year},
		{"sessionTimeout", "seconds", o.SessionTimeout, year},
		{"disconnectedTimeout", "seconds", &o.DisconnectedTimeout, year},
		{"dpdClient", "seconds", o.DPDClient, 3600},
		{"dpdGateway", "seconds", o.DPDGateway, 3600},
		{"keepAlive", "seconds", o.KeepAlive, 600},
		{"rekeyTime", "seconds", o.RekeyTime, 7 * day},
		{"simultaneousLogins", "sessions", o.SimultaneousLogins, 1<<31 - 1},
	} {
		if n.value != nil {
			between(v, n.field, n.unit, *n.value, 0, n.highest)
		}
	}
	if o.MTU != 0 {
		between(v, "mtu", "bytes", o.MTU, MinMTU, MaxMTU)
	}
}

// network refuses what is not a network in CIDR form with the host bits clear, and returns it else.
func (v *validation) network(field, text string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		v.refuse(field, "write a network such as 10.99.0.0/24", "%q is no network", text)
		return prefix, false
	}
	if prefix.Masked() != prefix {
		v.refuse(field, "write "+prefix.Masked().String(), "%s has bits set beyond its length", text)
		return prefix, false
	}
	return prefix, true
}

// hashForms are how the hashes begin that package login verifies.
var hashForms = []string{"$argon2id$", "$1$", "$5$", "$6$", "$sha512$"}

func (v *validation) user(o *User) {
	v.totp(o)
	v.fixedAddress(o.VPNAddress)
	v.twice("devices", o.Devices)
	for _, name := range o.Devices {
		refers(v, "devices", name, v.set.Devices, KindDevice)
	}
	refers(v, "groupLock", o.GroupLock, v.set.TunnelGroups, KindTunnelGroup)
	refers(v, "vpnGroupPolicy", o.VPNGroupPolicy, v.set.GroupPolicies, KindGroupPolicy)
	if !o.Password.IsZero() && !o.PasswordHash.IsZero() {
		v.refuse("passwordHash", "keep one of the two", "stands beside password")
	}
	if hash := o.PasswordHash.Reveal(); hash != "" && !slices.ContainsFunc(hashForms, func(form string) bool { return strings.HasPrefix(hash, form) }) {
		v.refuse("passwordHash", "write the password itself as password, or use longcord users import", "is no hash that a login can be checked against: argon2id, crypt $1$, $5$, $6$ or ASA pbkdf2")
	}
	if !v.set.usesPhone(o) {
		return
	}
	const noSpace = "phones cannot send a space at login; leave it out"
	if strings.Contains(o.Name, " ") {
		v.refuse("name", noSpace, "%q holds a space, and this user logs in on a phone", o.Name)
	}
	if strings.Contains(o.Password.Reveal(), " ") {
		v.refuse("password", noSpace, "holds a space, and this user logs in on a phone")
	}
}

// usesPhone reports whether a user logs in on a phone: named for a device, or locked to a group of phones.
func (s *Set) usesPhone(u *User) bool {
	if group, ok := s.TunnelGroups[u.GroupLock]; ok && group.Phones {
		return true
	}
	return len(u.Devices) > 0 || deviceInName.MatchString(u.Name)
}
