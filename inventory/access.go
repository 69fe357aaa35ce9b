package inventory

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// icmpTypes are the ASA's words for types of ICMP, and for those of ICMPv6.
var icmpTypes = map[string]map[string]uint8{
	"icmp": {
		"echo-reply": 0, "unreachable": 3, "redirect": 5, "echo": 8, "time-exceeded": 11, "parameter-problem": 12,
		"timestamp-request": 13, "timestamp-reply": 14,
	},
	"icmp6": {
		"unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo": 128, "echo-reply": 129,
	},
}

// Equal reports whether two entries say the same.
func (e AccessEntry) Equal(other AccessEntry) bool {
	same := slices.Equal(e.Users, other.Users) && slices.Equal(e.Devices, other.Devices)
	return same && e.Action == other.Action && e.Protocol == other.Protocol && e.Source == other.Source &&
		e.Destination == other.Destination && e.Ports == other.Ports && e.ICMPType == other.ICMPType
}

// TypeOfICMP returns the number of the entry's ICMPType.
func (e AccessEntry) TypeOfICMP() (uint8, error) {
	if t, ok := icmpTypes[e.Protocol][e.ICMPType]; ok {
		return t, nil
	}
	t, err := strconv.ParseUint(e.ICMPType, 10, 8)
	if err != nil || icmpTypes[e.Protocol] == nil {
		return 0, fmt.Errorf("%q is no type of %s", e.ICMPType, e.Protocol)
	}
	return uint8(t), nil
}

// PortRange returns the first and last port of the entry; 0 and 65535 when it names none.
func (e AccessEntry) PortRange() (first, last uint16, err error) {
	if e.Ports == "" {
		return 0, 65535, nil
	}
	from, to, isRange := strings.Cut(e.Ports, "-")
	if !isRange {
		to = from
	}
	lower, err1 := strconv.ParseUint(from, 10, 16)
	upper, err2 := strconv.ParseUint(to, 10, 16)
	if err1 != nil || err2 != nil || lower > upper {
		return 0, 0, fmt.Errorf("%q is no port or range of ports", e.Ports)
	}
	return uint16(lower), uint16(upper), nil
}

func (v *validation) accessList(o *AccessList) {
	if len(o.Entries) == 0 {
		v.refuse("entries", "an access list without entries denies everything; say so with an entry", "is empty")
	}
	for _, entry := range o.Entries {
		oneOf(v, "entries", entry.Action, "permit", "deny")
		if entry.Protocol != "" {
			oneOf(v, "entries", entry.Protocol, "ip", "tcp", "udp", "icmp", "icmp6")
		}
		v.accessNetworks(entry)
		v.accessPorts(entry)
		v.accessType(entry)
		for _, device := range entry.Devices {
			refers(v, "entries", device, v.set.Devices, KindDevice)
		}
	}
}

func (v *validation) accessNetworks(entry AccessEntry) {
	var source, destination netip.Prefix
	if entry.Source != "" && entry.Source != "any" {
		source, _ = v.network("entries", entry.Source)
	}
	if entry.Destination != "any" {
		destination, _ = v.network("entries", entry.Destination)
	}
	if source.IsValid() && destination.IsValid() && source.Addr().Is4() != destination.Addr().Is4() {
		v.refuse("entries", "write an entry for each family", "source %s and destination %s are not of one family", source, destination)
	}
	for _, network := range []netip.Prefix{source, destination} {
		if network.IsValid() && (entry.Protocol == "icmp" && network.Addr().Is6() || entry.Protocol == "icmp6" && network.Addr().Is4()) {
			v.refuse("entries", "icmp goes with IPv4, icmp6 with IPv6", "%s never goes to %s", entry.Protocol, network)
		}
	}
}

func (v *validation) accessPorts(entry AccessEntry) {
	if entry.Ports == "" {
		return
	}
	if entry.Protocol != "tcp" && entry.Protocol != "udp" {
		v.refuse("entries", "write protocol: tcp or protocol: udp", "ports %q belong to tcp or udp only", entry.Ports)
	}
	if _, _, err := entry.PortRange(); err != nil {
		v.refuse("entries", `write "5060" or "16384-32767"`, "%v", err)
	}
}

func (v *validation) accessType(entry AccessEntry) {
	if entry.ICMPType == "" {
		return
	}
	words := icmpTypes[entry.Protocol]
	if words == nil {
		v.refuse("entries", "write protocol: icmp or protocol: icmp6", "icmpType %q belongs to icmp or icmp6 only", entry.ICMPType)
	} else if _, err := entry.TypeOfICMP(); err != nil {
		v.refuse("entries", "write a number or one of: "+strings.Join(slices.Sorted(maps.Keys(words)), ", "), "%v", err)
	}
}
