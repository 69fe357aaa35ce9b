package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/longcord/longcord/inventory"
)

// packet makes an inner packet. Its payload begins with the ports.
func packet(src, dst string, protocol byte, dstPort uint16, payload int) []byte {
	b := make([]byte, 24+payload)
	b[0], b[8], b[9] = 0x45, 64, protocol
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[12:], netip.MustParseAddr(src).AsSlice())
	copy(b[16:], netip.MustParseAddr(dst).AsSlice())
	binary.BigEndian.PutUint16(b[20:], 1000)
	binary.BigEndian.PutUint16(b[22:], dstPort)
	return b
}

// fragment marks a packet as the part of a larger one that begins at offset, in units of 8 bytes.
func fragment(b []byte, offset uint16, more bool) []byte {
	if more {
		offset |= 0x2000
	}
	binary.BigEndian.PutUint16(b[6:], offset)
	return b
}

func TestFilter(t *testing.T) {
	t.Parallel()
	list := &inventory.AccessList{Name: "phones", Entries: []inventory.AccessEntry{
		{Action: "deny", Protocol: "ip", Destination: "10.0.9.0/24"},
		{Action: "permit", Protocol: "udp", Destination: "10.0.0.0/16", Ports: "16384-32767"},
		{Action: "permit", Protocol: "tcp", Destination: "10.0.0.5/32", Ports: "6970"},
		{Action: "permit", Protocol: "icmp", Destination: "any"},
		{Action: "permit", Destination: "10.7.0.0/16"},
	}}
	f, err := compileFilter(list, member{}, make(hits, len(list.Entries)+1))
	if err != nil {
		t.Fatal(err)
	}
	udp := func(dst string, port uint16) []byte { return packet("10.1.0.2", dst, protoUDP, port, 8) }
	tcp := func(dst string, port uint16) []byte { return packet("10.1.0.2", dst, protoTCP, port, 20) }
	for name, c := range map[string]struct {
		packet []byte
		want   bool
	}{
		"voice":                            {udp("10.0.1.1", 20000), true},
		"first port":                       {udp("10.0.1.1", 16384), true},
		"last port":                        {udp("10.0.1.1", 32767), true},
		"below":                            {udp("10.0.1.1", 16383), false},
		"above":                            {udp("10.0.1.1", 32768), false},
		"other network":                    {udp("10.2.1.1", 20000), false},
		"denied before":                    {udp("10.0.9.1", 20000), false},
		"files":                            {tcp("10.0.0.5", 6970), true},
		"files elsewhere":                  {tcp("10.0.0.6", 6970), false},
		"voice by TCP":                     {tcp("10.0.1.1", 20000), false},
		"ping":                             {packet("10.1.0.2", "192.0.2.1", protoICMP, 0, 8), true},
		"ping denied":                      {packet("10.1.0.2", "10.0.9.1", protoICMP, 0, 8), false},
		"any protocol":                     {packet("10.1.0.2", "10.7.0.1", 47, 0, 8), true},
		"another":                          {packet("10.1.0.2", "10.0.1.1", 47, 0, 8), false},
		"first fragment":                   {fragment(udp("10.0.1.1", 20000), 0, true), true},
		"first fragment, wrong port":       {fragment(udp("10.0.1.1", 53), 0, true), false},
		"later fragment":                   {fragment(udp("10.0.1.1", 20000), 10, false), true}, // worth nothing without its first
		"later fragment of what is denied": {fragment(udp("10.0.9.1", 20000), 10, false), false},
		"later fragment to where nothing is permitted": {fragment(udp("10.2.1.1", 20000), 10, false), false},
		"later fragment where all is free":             {fragment(udp("10.7.1.1", 1), 10, true), true},
	} {
		var h header
		if !parseHeader(c.packet, &h) {
			t.Errorf("%s: not read", name)
		} else if got := f.permits(&h); got != c.want {
			t.Errorf("%s: permitted %v want %v", name, got, c.want)
		}
	}
	var h header
	parseHeader(udp("192.0.2.1", 1), &h)
	if !(*filter)(nil).permits(&h) {
		t.Error("no filter denies")
	}
	if nothing.permits(&h) {
		t.Error("an empty filter permits")
	}
}

// TestFilterRefusesWhatItCannotRead: an entry that is not understood must not become a hole.
func TestFilterRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, entry := range []inventory.AccessEntry{
		{Action: "allow", Destination: "any"},
		{Action: "permit", Destination: "any", Protocol: "sctp"},
		{Action: "permit", Destination: "10.0.0.0"},
		{Action: "permit", Destination: ""},
		{Action: "permit", Destination: "any", Protocol: "udp", Ports: "5-4"},
		{Action: "permit", Destination: "any", Protocol: "udp", Ports: "65536"},
		{Action: "permit", Destination: "any", Protocol: "udp", Ports: "-"},
		{Action: "permit", Destination: "any", Protocol: "icmp", ICMPType: "256"},
		{Action: "permit", Destination: "any", Protocol: "udp", ICMPType: "8"},
		{Action: "permit", Destination: "any", Source: "here"},
	} {
		if _, err := compileFilter(&inventory.AccessList{Name: "x", Entries: []inventory.AccessEntry{entry}}, member{}, make(hits, 2)); err == nil {
			t.Errorf("%+v is taken", entry)
		}
	}
}

// decisions says what a filter makes of packets: permit, deny, or not read.
func decisions(t *testing.T, entries []inventory.AccessEntry, m member, packets map[string][]byte) map[string]string {
	t.Helper()
	f, err := compileFilter(&inventory.AccessList{Name: "x", Entries: entries}, m, make(hits, len(entries)+1))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, b := range packets {
		var h header
		switch {
		case !parseHeader(b, &h):
			got[name] = "not read"
		case f.permits(&h):
			got[name] = "permit"
		default:
			got[name] = "deny"
		}
	}
	return got
}

func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s: %s: %s want %s", what, name, got[name], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d decisions want %d", what, len(got), len(want))
	}
}

func TestFilterOfICMP(t *testing.T) {
	t.Parallel()
	entries := []inventory.AccessEntry{
		{Action: "permit", Protocol: "icmp", Destination: "10.0.0.0/8", ICMPType: "echo"},
		{Action: "permit", Protocol: "icmp6", Destination: "any", ICMPType: "128"},
		{Action: "deny", Protocol: "icmp", Destination: "any"},
		{Action: "permit", Protocol: "icmp6", Destination: "fd00::/16", ICMPType: "packet-too-big"},
	}
	ping := func(dst string, proto, kind byte) []byte {
		if netip.MustParseAddr(dst).Is6() {
			return packet6("fd00::2", dst, proto, []byte{kind, 0, 0, 0})
		}
		b := packet("10.1.0.2", dst, proto, 0, 8)
		b[20] = kind
		return b
	}
	same(t, "icmp", decisions(t, entries, member{}, map[string][]byte{
		"echo": ping("10.0.0.1", protoICMP, 8), "echo elsewhere": ping("192.0.2.1", protoICMP, 8), "redirect": ping("10.0.0.1", protoICMP, 5),
		"echo 6": ping("2001:db8::1", protoICMPv6, 128), "reply 6": ping("2001:db8::1", protoICMPv6, 129),
		"too big": ping("fd00::1", protoICMPv6, 2), "too big elsewhere": ping("2001:db8::1", protoICMPv6, 2),
		"icmp in the wrong family": ping("fd00::1", protoICMP, 8), "cut": packet6("fd00::2", "fd00::1", protoICMPv6, []byte{128}),
	}), map[string]string{
		"echo": "permit", "echo elsewhere": "deny", "redirect": "deny", "echo 6": "permit", "reply 6": "deny", "too big": "permit",
		"too big elsewhere": "deny", "icmp in the wrong family": "deny", "cut": "not read",
	})
}

// TestFilterOfMembers: entries that name users, devices or addresses are those of the session or no entries.
func TestFilterOfMembers(t *testing.T) {
	t.Parallel()
	entries := []inventory.AccessEntry{
		{Action: "deny", Users: []string{"anna"}, Destination: "10.0.9.0/24"},
		{Action: "permit", Devices: []string{"SEP1"}, Users: []string{"carl"}, Destination: "10.0.8.0/24"},
		{Action: "permit", Source: "10.1.0.0/24", Destination: "10.0.9.0/24"},
		{Action: "permit", Source: "fd00::/64", Destination: "any"},
	}
	packets := map[string][]byte{
		"nine": packet("10.1.0.2", "10.0.9.1", protoUDP, 1, 0), "eight": packet("10.1.0.2", "10.0.8.1", protoUDP, 1, 0),
		"six": packet6("fd00::2", "fd00::1", protoUDP, make([]byte, 8)),
	}
	addrs := func(texts ...string) []netip.Addr { a, _ := addressesOf(texts); return a }
	for _, c := range []struct {
		m    member
		want map[string]string
	}{
		{member{user: "anna", addresses: addrs("10.1.0.2", "fd00::2")}, map[string]string{"nine": "deny", "eight": "deny", "six": "permit"}},
		{member{user: "boris", device: "SEP1", addresses: addrs("10.1.0.2")}, map[string]string{"nine": "permit", "eight": "permit", "six": "deny"}},
		{member{user: "carl", addresses: addrs("10.2.0.2")}, map[string]string{"nine": "deny", "eight": "permit", "six": "deny"}},
		{member{}, map[string]string{"nine": "deny", "eight": "deny", "six": "deny"}},
	} {
		same(t, c.m.user, decisions(t, entries, c.m, packets), c.want)
	}
}

// TestFilterOfBothFamilies: any is any of both, and a network of one leaves the other alone.
func TestFilterOfBothFamilies(t *testing.T) {
	t.Parallel()
	udp4, udp6 := packet("10.1.0.2", "10.0.9.1", protoUDP, 53, 4), packet6("fd00::2", "2001:db8:1::1", protoUDP, udpHeader(53))
	packets := map[string][]byte{
		"4": udp4, "6": udp6, "6 elsewhere": packet6("fd00::2", "2001:db9::1", protoUDP, udpHeader(53)),
		"6 port": packet6("fd00::2", "2001:db8:1::1", protoUDP, udpHeader(54)),
	}
	for name, c := range map[string]struct {
		entry inventory.AccessEntry
		want  map[string]string
	}{
		"any": {inventory.AccessEntry{Action: "permit", Destination: "any"},
			map[string]string{"4": "permit", "6": "permit", "6 elsewhere": "permit", "6 port": "permit"}},
		"four": {inventory.AccessEntry{Action: "permit", Destination: "0.0.0.0/0"},
			map[string]string{"4": "permit", "6": "deny", "6 elsewhere": "deny", "6 port": "deny"}},
		"six": {inventory.AccessEntry{Action: "permit", Destination: "2001:db8::/32", Protocol: "udp", Ports: "53"},
			map[string]string{"4": "deny", "6": "permit", "6 elsewhere": "deny", "6 port": "deny"}},
		"host": {inventory.AccessEntry{Action: "permit", Destination: "2001:db8:1::1/128"},
			map[string]string{"4": "deny", "6": "permit", "6 elsewhere": "deny", "6 port": "permit"}},
		"beyond 64 bits": {inventory.AccessEntry{Action: "permit", Destination: "2001:db8:1::/96"},
			map[string]string{"4": "deny", "6": "permit", "6 elsewhere": "deny", "6 port": "permit"}},
	} {
		same(t, name, decisions(t, []inventory.AccessEntry{c.entry}, member{}, packets), c.want)
	}
}

// TestHits: each entry counts what it decided, over all sessions and until the entries change.
func TestHits(t *testing.T) {
	t.Parallel()
	g := &Gateway{}
	list := &inventory.AccessList{Name: "x", Entries: []inventory.AccessEntry{
		{Action: "permit", Destination: "10.0.0.0/24"}, {Action: "deny", Destination: "10.0.0.0/16"}, {Action: "permit", Users: []string{"anna"}, Destination: "10.1.0.0/16"},
	}}
	set := inventory.NewSet()
	for _, user := range []string{"anna", "boris"} {
		f, err := g.filters.of(set, list, member{user: user})
		if err != nil {
			t.Fatal(err)
		}
		for _, dst := range []string{"10.0.0.1", "10.0.0.2", "10.0.1.1", "10.1.0.1", "10.2.0.1"} {
			var h header
			parseHeader(packet("10.9.0.2", dst, protoUDP, 1, 0), &h)
			f.permits(&h)
		}
	}
	all := g.AccessLists()
	if len(all) != 1 || !slices.Equal(all[0].Hits, []uint64{4, 2, 1}) || all[0].Denied != 3 {
		t.Errorf("got %+v", all)
	}
	other := *list
	if _, err := g.filters.of(inventory.NewSet(), &other, member{}); err != nil || g.AccessLists()[0].Denied != 3 {
		t.Errorf("the same entries declared again: %+v, %v", g.AccessLists(), err)
	}
	other.Entries = other.Entries[:2]
	if _, err := g.filters.of(inventory.NewSet(), &other, member{}); err != nil || g.AccessLists()[0].Denied != 0 {
		t.Errorf("other entries: %+v, %v", g.AccessLists(), err)
	}
}

// TestSharedFilters: a thousand idle sessions keep one filter, unless it speaks of them apart.
func TestSharedFilters(t *testing.T) {
	t.Parallel()
	fs := &filters{}
	set, list := inventory.NewSet(), &inventory.AccessList{Name: "x", Entries: []inventory.AccessEntry{{Action: "permit", Destination: "any"}}}
	of := func() *filter {
		f, err := fs.of(set, list, member{})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first := of()
	if of() != first {
		t.Error("two sessions have a filter each")
	}
	set = inventory.NewSet()
	if of() == first {
		t.Error("another inventory has the filter of the one before")
	}
	list = &inventory.AccessList{Name: "y", Entries: []inventory.AccessEntry{{Action: "permit", Users: []string{"anna"}, Destination: "any"}}}
	if one, other := of(), of(); one == other {
		t.Error("two users share a filter that tells them apart")
	}
}

func benchmarkFilter(b *testing.B, p []byte, entries int) {
	list := &inventory.AccessList{Name: "x"}
	for i := range entries - 1 {
		list.Entries = append(list.Entries,
			inventory.AccessEntry{Action: "permit", Protocol: "udp", Destination: fmt.Sprintf("10.200.%d.0/24", i%256), Ports: "5060"})
	}
	list.Entries = append(list.Entries, inventory.AccessEntry{Action: "permit", Destination: "any"})
	f, err := compileFilter(list, member{}, make(hits, entries+1))
	if err != nil {
		b.Fatal(err)
	}
	var h header
	b.ReportAllocs()
	for b.Loop() {
		if !parseHeader(p, &h) || !f.permits(&h) {
			b.Fatal("denied")
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	four, six := packet("10.1.0.2", "10.0.1.1", protoUDP, 16384, 172), packet6("fd00::2", "fd00::1", protoUDP, udpHeader(16384))
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("IPv4 %d entries", n), func(b *testing.B) { benchmarkFilter(b, four, n) })
	}
	b.Run("IPv6 1 entries", func(b *testing.B) { benchmarkFilter(b, six, 1) })
}
