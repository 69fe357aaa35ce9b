package gateway

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/cstp"
)

// tcp is a TCP segment from port to port.
func tcp(src, dst string, from, to uint16, seq, ack uint32, payload int) []byte {
	b := packet(src, dst, protoTCP, to, 16+payload)
	binary.BigEndian.PutUint16(b[20:], from)
	binary.BigEndian.PutUint32(b[24:], seq)
	binary.BigEndian.PutUint32(b[28:], ack)
	b[32], b[33] = 5<<4, 0x10
	return b
}

// TestNarrowWay: a large segment that a phone never acknowledges, while it is heard, is spoken of, until one arrives or
// the phone leaves.
func TestNarrowWay(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withPhone, with)
	phone := w.tunnel(staffURL, "anna")
	ch := phone.dtls(w.socket())
	inner := phone.answer.Address.String()
	const server = "10.20.0.9"
	toPhone := func(seq uint32) {
		t.Helper()
		w.fromHost(tcp(server, inner, 6970, 49152, seq, 7, 1100))
		ch.message(cstp.Data)
	}
	for range sentInVain {
		toPhone(1000)
		ch.send(cstp.DPDRequest, nil)
		ch.message(cstp.DPDResponse)
	}
	w.until("stuck", func() bool {
		f := standing(board, finding.MTU)
		return f != nil && f.Subject == aPhone && f.Certainty == finding.Likely && strings.Contains(f.Says, "1140 bytes") &&
			strings.Contains(f.Fix[0], "group policy staff")
	})
	ch.send(cstp.Data, tcp(inner, server, 49152, 6970, 7, 1000, 0)) // it waits for it still
	w.toHost()
	if standing(board, finding.MTU) == nil {
		t.Error("the phone says that it has not arrived, and it is taken for arrived")
	}
	toPhone(1000)
	ch.send(cstp.Data, tcp(inner, server, 49152, 6970, 7, 2100, 0))
	w.until("arrived", func() bool { return standing(board, finding.MTU) == nil })
}

// TestNarrow: what is no sign of a narrow way.
func TestNarrow(t *testing.T) {
	t.Parallel()
	const server, inner = "10.20.0.9", "10.99.0.2"
	large, other, small := tcp(server, inner, 6970, 49152, 1000, 7, 1100), tcp(server, inner, 6970, 49152, 2100, 7, 1100), tcp(server, inner, 6970, 49152, 1000, 7, 300)
	options := tcp(server, inner, 6970, 49152, 1, 1, 600)
	options[32] = 15 << 4
	voice := packet(server, inner, protoUDP, 6970, 1100)
	begin := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	repeat := func(packets ...[]byte) (all [][]byte) {
		for range 3 * sentInVain {
			all = append(all, packets...)
		}
		return all
	}
	for name, c := range map[string]struct {
		packets [][]byte
		silent  bool // the phone is not heard
		want    bool
	}{
		"again and again":    {packets: repeat(large), want: true},
		"a dead line":        {packets: repeat(large), silent: true},
		"all go on":          {packets: repeat(large, other)},
		"small ones":         {packets: repeat(small)},
		"no TCP":             {packets: repeat(voice)},
		"a few times":        {packets: repeat(large)[:sentInVain-1]},
		"cut":                {packets: repeat(large[:700])},
		"options":            {packets: repeat(options), want: true},
		"IPv6, only its end": {packets: repeat(append(packet6("fd00::9", "fd00::2", protoTCP, []byte{0, 1, 0, 2}), make([]byte, 600)...))},
	} {
		var n narrow
		now, stuck := begin, false
		for _, p := range c.packets {
			now = now.Add(time.Second)
			heard := now
			if c.silent {
				heard = begin
			}
			stuck = n.sends(now, heard, p) || stuck
		}
		if stuck != c.want {
			t.Errorf("%s: stuck is %v", name, stuck)
		}
	}
}

// TestNarrowAcknowledged: what counts as the arrival of a segment that was stuck.
func TestNarrowAcknowledged(t *testing.T) {
	t.Parallel()
	const server, inner = "10.20.0.9", "10.99.0.2"
	begin := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		packet []byte
		want   bool
	}{
		"all of it":       {tcp(inner, server, 49152, 6970, 7, 2100, 0), true},
		"more":            {tcp(inner, server, 49152, 6970, 7, 9000, 10), true},
		"nothing new":     {tcp(inner, server, 49152, 6970, 7, 1000, 0), false},
		"a part":          {tcp(inner, server, 49152, 6970, 7, 2099, 0), false},
		"another port":    {tcp(inner, server, 49153, 6970, 7, 2100, 0), false},
		"another service": {tcp(inner, server, 49152, 6971, 7, 2100, 0), false},
		"another host":    {tcp(inner, "10.20.0.8", 49152, 6970, 7, 2100, 0), false},
		"no TCP":          {packet(inner, server, protoUDP, 6970, 30), false},
	} {
		var n narrow
		for i := range sentInVain {
			now := begin.Add(time.Duration(i) * time.Second)
			n.sends(now, now, tcp(server, inner, 6970, 49152, 1000, 7, 1100))
		}
		if n.stuck() != 1140 {
			t.Fatalf("stuck is %d", n.stuck())
		}
		for cut := range c.packet { // no beginning of it is more than it
			var h header
			if parseHeader(c.packet[:cut], &h) && n.acknowledges(c.packet[:cut], &h) {
				t.Errorf("%s: %d bytes of it acknowledge", name, cut)
			}
		}
		var h header
		if !parseHeader(c.packet, &h) || n.acknowledges(c.packet, &h) != c.want || (n.stuck() == 0) != c.want {
			t.Errorf("%s: want arrived %v, stuck is %d", name, c.want, n.stuck())
		}
	}
}

// FuzzNarrow: no packet of anybody reads beyond itself, or counts as more payload than it has.
func FuzzNarrow(f *testing.F) {
	f.Add(tcp("10.20.0.9", "10.99.0.2", 6970, 49152, 1000, 7, 1100))
	f.Add(packet6("fd00::9", "fd00::2", protoTCP, make([]byte, 700)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h header
		if parseHeader(b, &h) {
			if header, payload := tcpOf(b, &h); payload < 0 || payload+20 > len(b) || header == nil && payload != 0 {
				t.Errorf("%d bytes have a payload of %d", len(b), payload)
			}
			new(narrow).acknowledges(b, &h)
		}
		new(narrow).sends(time.Time{}, time.Time{}, b)
	})
}
