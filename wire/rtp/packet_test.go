package rtp_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"

	pion "github.com/pion/rtp"

	"github.com/longcord/longcord/wire/rtp"
)

var packets = []struct {
	name  string
	hex   string
	value rtp.Packet
}{
	{
		"voice", "80000001000000a0deadbeefd5d5",
		rtp.Packet{Sequence: 1, Timestamp: 160, SSRC: 0xdeadbeef, Payload: []byte{0xd5, 0xd5}},
	},
	{
		"first of a talk spurt", "8088fffffffffff000000001",
		rtp.Packet{Marker: true, PayloadType: rtp.PCMA, Sequence: 65535, Timestamp: 0xfffffff0, SSRC: 1, Payload: []byte{}},
	},
	{
		"key press", "80e5000200000140000000010b8a0320",
		rtp.Packet{Marker: true, PayloadType: rtp.TelephoneEvent, Sequence: 2, Timestamp: 320, SSRC: 1, Payload: []byte{0x0b, 0x8a, 0x03, 0x20}},
	},
	{
		"everything", "b200000300000000000000010000000a0000000bbede000110aa0000ff000003",
		rtp.Packet{
			Sequence: 3, SSRC: 1, Contributors: []byte{0, 0, 0, 10, 0, 0, 0, 11},
			Extension: []byte{0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0}, Payload: []byte{0xff}, Padding: []byte{0, 0, 3},
		},
	},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPacketBothWays(t *testing.T) {
	t.Parallel()
	for _, c := range packets {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			datagram := unhex(t, c.hex)
			got, err := rtp.Parse(datagram)
			if err != nil || !reflect.DeepEqual(got, c.value) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.value)
			}
			back, err := c.value.AppendBinary(nil)
			if err != nil || !bytes.Equal(back, datagram) {
				t.Errorf("wrote %x, %v, want %x", back, err, datagram)
			}
		})
	}
}

func TestPacketAgreesWithPion(t *testing.T) {
	t.Parallel()
	for _, c := range packets {
		var theirs pion.Packet
		if err := theirs.Unmarshal(unhex(t, c.hex)); err != nil {
			t.Fatalf("%s: pion refuses it: %v", c.name, err)
		}
		if theirs.SequenceNumber != c.value.Sequence || theirs.Timestamp != c.value.Timestamp || theirs.SSRC != c.value.SSRC ||
			theirs.PayloadType != c.value.PayloadType || theirs.Marker != c.value.Marker || !bytes.Equal(theirs.Payload, c.value.Payload) {
			t.Errorf("%s: got %+v, pion reads %+v", c.name, c.value, theirs)
		}
	}
}

func TestPacketCutAnywhere(t *testing.T) {
	t.Parallel()
	whole := unhex(t, packets[3].hex)
	for n := range whole {
		// What is cut off the end takes the padding's own length with it; any other cut within the header
		// must be refused.
		if p, err := rtp.Parse(whole[:n]); err == nil && n < 28 {
			t.Errorf("%d bytes: got %v, want it refused", n, p)
		}
	}
}

func TestPacketRefused(t *testing.T) {
	t.Parallel()
	for name, datagram := range map[string]string{
		"version 1":                        "40000001000000a0deadbeef",
		"contributors beyond the end":      "81000001000000a0deadbeef000000",
		"extension beyond the end":         "90000001000000a0deadbeefbede0002aaaaaaaa",
		"padding without length":           "a0000001000000a0deadbeef00",
		"padding longer than the payload":  "a0000001000000a0deadbeef02",
		"padding without any payload bits": "a0000001000000a0deadbe02",
	} {
		if p, err := rtp.Parse(unhex(t, datagram)); err == nil {
			t.Errorf("%s: got %v, want it refused", name, p)
		}
	}
	for name, p := range map[string]rtp.Packet{
		"payload type":      {PayloadType: 128},
		"odd contributors":  {Contributors: []byte{1}},
		"many contributors": {Contributors: make([]byte, 64)},
		"extension":         {Extension: []byte{0, 0, 0, 1}},
		"padding":           {Padding: []byte{2}},
		"empty padding":     {Padding: []byte{}},
	} {
		if b, err := p.AppendBinary(nil); err == nil {
			t.Errorf("%s: wrote %x, want it refused", name, b)
		}
	}
}

func TestPacketAllocatesNothing(t *testing.T) {
	datagram := unhex(t, packets[3].hex)
	buffer := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		p, err := rtp.Parse(datagram)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.AppendBinary(buffer); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a packet, want none", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range packets {
		f.Add(unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		p, err := rtp.Parse(datagram)
		if err != nil {
			return
		}
		back, err := p.AppendBinary(nil)
		if err != nil || !bytes.Equal(back, datagram) {
			t.Errorf("%x came back as %x, %v", datagram, back, err)
		}
		_ = p.String()
	})
}
