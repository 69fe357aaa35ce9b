package gateway

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/longcord/longcord/inventory"
)

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
	want := header{src: netip.MustParseAddr("10.1.0.2"), dst: netip.MustParseAddr("10.0.1.1"), protocol: protoUDP, port: 5060}
	if h != want {
		t.Errorf("got %+v want %+v", h, want)
	}
	for name, spoil := range map[string]func([]byte){
		"version 6":              func(b []byte) { b[0] = 0x65 },
		"version 5":              func(b []byte) { b[0] = 0x55 },
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
	if !parseHeader(options, &h) || h.port != 5060 {
		t.Errorf("with options: port %d", h.port)
	}
}

// packet6 makes an inner IPv6 packet: headers are those after the first, each beginning with the number of
// the next.
func packet6(src, dst string, protocol byte, payload []byte, headers ...[]byte) []byte {
	b := make([]byte, 40)
	b[0], b[7] = 0x60, 64
	copy(b[8:], netip.MustParseAddr(src).AsSlice())
	copy(b[24:], netip.MustParseAddr(dst).AsSlice())
	next := &b[6]
	for _, h := range headers {
		*next = h[0]
		b = append(b, h[1:]...)
		next = &b[len(b)-len(h)+1]
	}
	*next = protocol
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
	return b
}

// extension makes an extension header of n further 8 bytes: its own number first, for packet6.
func extension(kind byte, n int) []byte {
	h := make([]byte, 1+8+8*n)
	h[0], h[2] = kind, byte(n)
	return h
}

func fragment6(offset uint16, more bool) []byte {
	h := extension(fragmentHeader, 0)
	h[2] = 0
	binary.BigEndian.PutUint16(h[3:], offset<<3)
	if more {
		h[4] |= 1
	}
	return h
}

func udpHeader(port uint16) []byte { return binary.BigEndian.AppendUint16([]byte{0, 1}, port) }

func TestParseHeader6(t *testing.T) {
	t.Parallel()
	whole := packet6("fd00::2", "2001:db8::1", protoUDP, append(udpHeader(5060), 0, 8, 0, 0), extension(hopByHop, 0), extension(destinationOptions, 2))
	var h header
	for n := range whole {
		if parseHeader(whole[:n], &h) {
			t.Errorf("cut to %d of %d bytes it is read", n, len(whole))
		}
	}
	want := header{src: netip.MustParseAddr("fd00::2"), dst: netip.MustParseAddr("2001:db8::1"), protocol: protoUDP, port: 5060}
	if !parseHeader(append(whole, "behind"...), &h) || h != want {
		t.Errorf("got %+v want %+v", h, want)
	}
	routed := extension(routing, 2)
	routed[4] = 1
	authenticated := append([]byte{authentication, 0, 4, 0, 0}, make([]byte, 20)...)
	many := slices.Repeat([][]byte{extension(destinationOptions, 0)}, mostExtensions)
	payload := udpHeader(53)
	for name, c := range map[string]struct {
		packet []byte
		read   bool
		want   header // protocol, later and port
	}{
		"bare":                          {packet6("fd00::2", "fd00::1", protoUDP, payload), true, header{protocol: protoUDP, port: 53}},
		"of another protocol":           {packet6("fd00::2", "fd00::1", 89, nil), true, header{protocol: 89}},
		"nothing follows":               {packet6("fd00::2", "fd00::1", 59, nil), true, header{protocol: 59}},
		"authenticated":                 {packet6("fd00::2", "fd00::1", protoUDP, payload, authenticated), true, header{protocol: protoUDP, port: 53}},
		"first fragment":                {packet6("fd00::2", "fd00::1", protoUDP, payload, fragment6(0, true)), true, header{protocol: protoUDP, port: 53}},
		"first fragment without ports":  {packet6("fd00::2", "fd00::1", protoUDP, nil, fragment6(0, true)), false, header{}},
		"later fragment":                {packet6("fd00::2", "fd00::1", protoUDP, payload, fragment6(5, true)), true, header{protocol: protoUDP, later: true}},
		"later fragment that overlaps":  {packet6("fd00::2", "fd00::1", protoTCP, payload, fragment6(1, false)), false, header{}},
		"routed and there":              {packet6("fd00::2", "fd00::1", protoUDP, payload, extension(routing, 2)), true, header{protocol: protoUDP, port: 53}},
		"routed, and goes on":           {packet6("fd00::2", "fd00::1", protoUDP, payload, routed), false, header{}},
		"header longer than the packet": {packet6("fd00::2", "fd00::1", protoUDP, payload, []byte{destinationOptions, 0, 9, 0, 0, 0, 0, 0, 0}), false, header{}},
		"as many headers as there may":  {packet6("fd00::2", "fd00::1", protoUDP, payload, many[1:]...), true, header{protocol: protoUDP, port: 53}},
		"too many headers":              {packet6("fd00::2", "fd00::1", protoUDP, payload, many...), false, header{}},
		"IPv4 in disguise":              {packet6("::ffff:10.1.0.2", "fd00::1", protoUDP, payload), false, header{}},
		"to IPv4 in disguise":           {packet6("fd00::2", "::ffff:10.0.0.1", protoUDP, payload), false, header{}},
	} {
		var h header
		read := parseHeader(c.packet, &h)
		got := header{protocol: h.protocol, later: h.later, port: h.port}
		if read != c.read || read && got != c.want {
			t.Errorf("%s: read %v, %+v want %v, %+v", name, read, got, c.read, c.want)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(packet("10.1.0.2", "10.0.1.1", protoUDP, 5060, 8))
	f.Add(fragment(packet("10.1.0.2", "10.0.1.1", protoTCP, 80, 20), 7, true))
	f.Add(packet6("fd00::2", "2001:db8::1", protoUDP, udpHeader(5060), extension(hopByHop, 0), fragment6(0, true)))
	f.Add(packet6("fd00::2", "2001:db8::1", protoICMPv6, []byte{128, 0, 0, 0}, extension(routing, 1)))
	everything, err := compileFilter(&inventory.AccessList{Name: "x", Entries: []inventory.AccessEntry{
		{Action: "permit", Destination: "any", Protocol: "udp", Ports: "1-2"}, {Action: "deny", Destination: "fd00::/16", Protocol: "icmp6", ICMPType: "echo"},
		{Action: "permit", Destination: "0.0.0.0/1"}, {Action: "permit", Destination: "2000::/3"},
	}}, member{}, make(hits, 5))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h, again header
		if !parseHeader(b, &h) {
			return
		}
		total := int(binary.BigEndian.Uint16(b[2:]))
		if b[0]>>4 == 6 {
			total = 40 + int(binary.BigEndian.Uint16(b[4:]))
		}
		if total > len(b) || !parseHeader(b[:total], &again) || again != h {
			t.Errorf("read %+v from %d bytes, %+v from the %d it says", h, len(b), again, total)
		}
		if h.src.Is4() != h.dst.Is4() || h.src.Is4() != (b[0]>>4 == 4) || h.later && h.port != 0 || h.src.Is4In6() || h.dst.Is4In6() {
			t.Errorf("%+v", h)
		}
		everything.permits(&h)
	})
}
