package pcap

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// recorded is a capture that tshark made: 20 packets of DHCP, ARP, DNS and TFTP on Ethernet.
const recorded = "../../doctor/testdata/net/provisioning.pcap"

// all reads a capture to its end.
func all(t testing.TB, b []byte) ([]Packet, *Reader, error) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, nil, err
	}
	var packets []Packet
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return packets, r, nil
		}
		if err != nil {
			return packets, r, err
		}
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, p)
	}
}

func file(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// classic writes pcap.
func classic(order binary.AppendByteOrder, nano bool, packets []Packet) []byte {
	magic, unit := uint32(0xa1b2c3d4), 1000
	if nano {
		magic, unit = 0xa1b23c4d, 1
	}
	b := order.AppendUint32(nil, magic)
	b = append(b, make([]byte, 12)...)
	b = order.AppendUint32(b, 65535)
	b = order.AppendUint32(b, uint32(Ethernet))
	for _, p := range packets {
		b = order.AppendUint32(b, uint32(p.Time.Unix()))
		b = order.AppendUint32(b, uint32(p.Time.Nanosecond()/unit))
		b = order.AppendUint32(b, uint32(len(p.Data)))
		b = order.AppendUint32(b, uint32(p.Length))
		b = append(b, p.Data...)
	}
	return b
}

// block writes a block of pcapng.
func block(order binary.AppendByteOrder, b []byte, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	b = order.AppendUint32(b, kind)
	b = order.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return order.AppendUint32(b, uint32(len(body)+12))
}

// modern writes pcapng with clocks of nanoseconds, an unknown block and keys.
func modern(order binary.AppendByteOrder, packets []Packet) []byte {
	section := order.AppendUint32(nil, orderMagic)
	section = append(section, make([]byte, 12)...)
	b := block(order, nil, blockSection, section)
	on := order.AppendUint16(nil, uint16(Ethernet))
	on = order.AppendUint32(append(on, 0, 0), 0)
	on = order.AppendUint16(on, optionResolution)
	on = append(order.AppendUint16(on, 1), 9, 0, 0, 0)
	b = block(order, b, blockInterface, on)
	b = block(order, b, 0x0bad, []byte("skipped!"))
	keys := order.AppendUint32(nil, secretsTLS)
	keys = append(order.AppendUint32(keys, 5), "KEYS\n"...)
	b = block(order, b, blockSecrets, keys)
	for _, p := range packets {
		ticks := uint64(p.Time.UnixNano())
		body := order.AppendUint32(nil, 0)
		body = order.AppendUint32(body, uint32(ticks>>32))
		body = order.AppendUint32(body, uint32(ticks))
		body = order.AppendUint32(body, uint32(len(p.Data)))
		body = order.AppendUint32(body, uint32(p.Length))
		b = block(order, b, blockPacket, append(body, p.Data...))
	}
	return b
}

// TestForms writes the packets of a recording in each form, and reads them again.
func TestForms(t *testing.T) {
	t.Parallel()
	want, _, err := all(t, file(t))
	if err != nil || len(want) != 20 || want[0].Number != 1 || want[19].Number != 20 {
		t.Fatalf("%d packets, %v", len(want), err)
	}
	if at := want[0].Time; at.Year() != 2026 {
		t.Errorf("the first packet is of %s", at)
	}
	for name, b := range map[string][]byte{
		"little endian": classic(binary.LittleEndian, false, want), "big endian": classic(binary.BigEndian, false, want),
		"nanoseconds": classic(binary.LittleEndian, true, want), "big nanoseconds": classic(binary.BigEndian, true, want),
		"pcapng": modern(binary.LittleEndian, want), "big pcapng": modern(binary.BigEndian, want),
		"two sections": append(modern(binary.BigEndian, want[:7]), modern(binary.LittleEndian, want[7:])...),
	} {
		if !Is(b) {
			t.Errorf("%s is not known by its beginning", name)
		}
		got, r, err := all(t, b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d packets, %v", name, len(got), err)
		}
		if strings.Contains(name, "pcapng") && !strings.Contains(string(r.Secrets()), "KEYS") {
			t.Errorf("%s: keys %q", name, r.Secrets())
		}
	}
}

// TestTruncated cuts captures at every byte: what came before is read, and no packet is made up.
func TestTruncated(t *testing.T) {
	t.Parallel()
	want, _, err := all(t, file(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{classic(binary.LittleEndian, false, want), modern(binary.BigEndian, want)} {
		for n := range b {
			got, _, err := all(t, b[:n])
			if len(got) >= len(want) {
				t.Fatalf("cut at %d all %d packets are there", n, len(got))
			}
			for i := range got {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("cut at %d packet %d is another", n, i+1)
				}
			}
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("cut at %d: %v", n, err)
			}
		}
	}
}

// TestRefused: what is not a capture, or says that it is larger than any.
func TestRefused(t *testing.T) {
	t.Parallel()
	huge := classic(binary.BigEndian, false, nil)
	huge = append(huge, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1)
	noInterface := block(binary.LittleEndian, block(binary.LittleEndian, nil, blockSection, append(binary.LittleEndian.AppendUint32(nil, orderMagic), make([]byte, 12)...)), blockPacket, make([]byte, 20))
	for name, b := range map[string][]byte{"text": []byte("tcpdump: listening on eth0"), "huge packet": huge, "no interface": noInterface} {
		if _, _, err := all(t, b); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResolution(t *testing.T) {
	t.Parallel()
	for b, want := range map[byte]time.Duration{6: time.Microsecond, 9: time.Nanosecond, 3: time.Millisecond, 0x80 | 1: 500 * time.Millisecond, 0: time.Second} {
		if got, _ := resolution(b); got != want {
			t.Errorf("resolution %#x is %s, not %s", b, got, want)
		}
	}
	if unit, finer := resolution(12); unit != 0 || finer != 1000 {
		t.Errorf("picoseconds are %s, %d", unit, finer)
	}
}

// Parts of packets: UDP from 10.0.0.1:5060 to 10.0.0.2:69 with "hi".
const (
	udpHex  = "13c4 0045 000a 0000 6869"
	ipHex   = "4500 001e 0001 0000 4011 0000 0a000001 0a000002"
	ip6Hex  = "6000 0000 000a 11 40 fd000000000000000000000000000001 fd000000000000000000000000000002"
	hardHex = "020000000002 020000000001"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFrames(t *testing.T) {
	t.Parallel()
	v4 := "10.0.0.1:5060 10.0.0.2:69"
	for name, test := range map[string]struct {
		link Link
		hex  string
		want string
	}{
		"Ethernet":             {Ethernet, hardHex + "0800" + ipHex + udpHex, v4},
		"padded":               {Ethernet, hardHex + "0800" + ipHex + udpHex + "0000000000", v4},
		"VLAN":                 {Ethernet, hardHex + "8100 0064 0800" + ipHex + udpHex, v4},
		"two tags":             {Ethernet, hardHex + "88a8 0064 8100 0065 0800" + ipHex + udpHex, v4},
		"PPPoE":                {Ethernet, hardHex + "8864 1100 0001 0020 0021" + ipHex + udpHex, v4},
		"raw":                  {Raw, ipHex + udpHex, v4},
		"Linux cooked":         {SLL, "0000 0001 0006 0200000000010000 0800" + ipHex + udpHex, v4},
		"Linux cooked, second": {SLL2, "0800 0000 00000002 0001 00 06 0200000000010000" + ipHex + udpHex, v4},
		"loopback":             {Null, "02000000" + ipHex + udpHex, v4},
		"IPv6":                 {Ethernet, hardHex + "86dd" + ip6Hex + udpHex, "[fd00::1]:5060 [fd00::2]:69"},
		"IPv6 with an option":  {IPv6, "6000 0000 0012 00 40 fd000000000000000000000000000001 fd000000000000000000000000000002 11 00 0104 00000000" + udpHex, "[fd00::1]:5060 [fd00::2]:69"},
	} {
		raw := unhex(t, test.hex)
		f, ok := Packet{Link: test.link, Data: raw, Length: len(raw)}.Parse()
		if got := f.Src.String() + " " + f.Dst.String(); !ok || got != test.want || string(f.Payload) != "hi" || f.Length != 2 || f.Protocol != UDP {
			t.Errorf("%s: %s, payload %q of %d, %v", name, got, f.Payload, f.Length, ok)
		}
		for n := range raw {
			cut, ok := Packet{Link: test.link, Data: raw[:n], Length: len(raw)}.Parse()
			if ok && len(cut.Payload) > 2 {
				t.Errorf("%s cut at %d has payload %q", name, n, cut.Payload)
			}
		}
	}
	arp, ok := Packet{Link: Ethernet, Data: unhex(t, "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000009")}.Parse()
	if !ok || arp.ARP != 1 || arp.Sender != netip.MustParseAddr("10.0.0.1") || arp.Target != netip.MustParseAddr("10.0.0.9") {
		t.Errorf("ARP is %+v, %v", arp, ok)
	}
	icmp, ok := Packet{Link: Raw, Data: unhex(t, "4500 003a 0001 0000 4001 0000 0a0000fe 0a000001"+"0304 0000 0000 04b0"+ipHex+udpHex), Length: 58}.Parse()
	if !ok || icmp.Type != Unreachable || icmp.Code != FragmentationNeeded || icmp.MTU != 1200 || icmp.About == nil || icmp.About.Dst.String() != "10.0.0.2:69" {
		t.Errorf("ICMP is %+v, %v", icmp, ok)
	}
	tcp, ok := Packet{Link: Raw, Data: unhex(t, "4500 0028 0001 4000 4006 0000 0a000001 0a000002"+"c350 01bb 00000007 00000000 5002 ffff 0000 0000"), Length: 40}.Parse()
	if !ok || tcp.Flags != SYN || tcp.Seq != 7 || tcp.Dst.Port() != 443 || tcp.Length != 0 {
		t.Errorf("TCP is %+v, %v", tcp, ok)
	}
	part, ok := Packet{Link: Raw, Data: unhex(t, "4500 001e 0001 0010 4011 0000 0a000001 0a000002"+udpHex), Length: 30}.Parse()
	if !ok || !part.Fragment || part.Dst.Port() != 0 {
		t.Errorf("a fragment is %+v, %v", part, ok)
	}
}

// FuzzCapture reads anything as a capture, and takes its packets apart.
func FuzzCapture(f *testing.F) {
	b := file(f)
	packets, _, err := all(f, b)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(modern(binary.BigEndian, packets[:3]))
	for _, link := range []Link{Ethernet, SLL, SLL2, Null, Raw} {
		f.Add(classic(binary.LittleEndian, true, []Packet{{Link: link, Data: unhex(f, ip6Hex+udpHex)}}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		packets, _, _ := all(t, b)
		for _, p := range packets {
			if f, ok := p.Parse(); ok && len(f.Payload) > len(p.Data) {
				t.Errorf("a payload of %d bytes in a packet of %d", len(f.Payload), len(p.Data))
			}
		}
	})
}
