package gateway

import (
	"encoding/binary"
	"net/netip"
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
	f, err := compileFilter(list)
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
		"later fragment":                   {fragment(udp("10.0.1.1", 20000), 10, false), false}, // no ports, so no rule with ports fits
		"later fragment where all is free": {fragment(udp("10.7.1.1", 1), 10, true), true},
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
	if (&filter{}).permits(&h) {
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
	} {
		if _, err := compileFilter(&inventory.AccessList{Name: "x", Entries: []inventory.AccessEntry{entry}}); err == nil {
			t.Errorf("%+v is taken", entry)
		}
	}
}

func TestParseHeader(t *testing.T) {
	t.Parallel()
	whole := packet("10.1.0.2", "10.0.1.1", protoUDP, 5060, 8)
	var h header
	for n := range whole {
		if parseHeader(whole[:n], &h) {
			t.Errorf("cut to %d of %d bytes it is read", n, len(whole))
		}
	}
	if !parseHeader(append(whole, "behind"...), &h) {
		t.Error("bytes behind the packet spoil it")
	}
	want := header{src: netip.MustParseAddr("10.1.0.2"), dst: netip.MustParseAddr("10.0.1.1"), protocol: protoUDP, hasPorts: true, dstPort: 5060}
	if h != want {
		t.Errorf("got %+v want %+v", h, want)
	}
	for name, spoil := range map[string]func([]byte){
		"version 6":              func(b []byte) { b[0] = 0x65 },
		"header of 16 bytes":     func(b []byte) { b[0] = 0x44 },
		"header beyond the end":  func(b []byte) { b[0] = 0x4f },
		"length below header":    func(b []byte) { b[3] = 19 },
		"length zero":            func(b []byte) { b[3] = 0 },
		"length beyond the end":  func(b []byte) { b[3]++ },
		"ports behind its end":   func(b []byte) { b[3] = 22 },
		"ports in part":          func(b []byte) { b[3] = 23 },
		"first fragment, no L4":  func(b []byte) { b[3], b[6] = 20, 0x20 },
		"options take the ports": func(b []byte) { b[0] = 0x48 },
	} {
		b := packet("10.1.0.2", "10.0.1.1", protoUDP, 5060, 8)
		spoil(b)
		if parseHeader(b, &h) {
			t.Errorf("%s: it is read", name)
		}
	}
	options := append([]byte{0x46}, whole[1:20]...)
	options = append(append(options, 1, 1, 1, 1), whole[20:]...)
	options[3] += 4
	if !parseHeader(options, &h) || h.dstPort != 5060 {
		t.Errorf("with options: port %d", h.dstPort)
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(packet("10.1.0.2", "10.0.1.1", protoUDP, 5060, 8))
	f.Add(fragment(packet("10.1.0.2", "10.0.1.1", protoTCP, 80, 20), 7, true))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h header
		if !parseHeader(b, &h) {
			return
		}
		if total := int(binary.BigEndian.Uint16(b[2:])); total > len(b) || total < 20 || !parseHeader(b[:total], &h) {
			t.Errorf("read from %d bytes, says %d", len(b), total)
		}
		if !h.src.Is4() || !h.dst.Is4() || h.dstPort != 0 && !h.hasPorts {
			t.Errorf("%+v", h)
		}
		(&filter{rules: []rule{{dst: netip.MustParsePrefix("0.0.0.0/0"), low: 1, high: 2}}}).permits(&h)
	})
}
