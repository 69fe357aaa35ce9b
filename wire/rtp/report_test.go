package rtp_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/rtp"
)

var reports = []struct {
	name  string
	hex   string
	value rtp.Report
}{
	{
		"sender", "81c8000c" + "00000001" + "ee00000080000000" + "00000140" + "00000032" + "00001f40" +
			"00000002" + "40fffffe" + "00010005" + "00000010" + "00008000" + "00010000" +
			"81ca0003" + "00000001" + "0103535045000000",
		rtp.Report{
			SSRC: 1, CNAME: "SPE",
			Sender: &rtp.SenderInfo{NTP: 0xee00000080000000, RTPTime: 320, Packets: 50, Octets: 8000},
			Blocks: []rtp.Block{{SSRC: 2, FractionLost: 64, Lost: -2, HighestSequence: 1<<16 + 5, Jitter: 16, LastReport: 0x8000, Delay: 65536}},
		},
	},
	{
		"receiver leaving", "80c90001" + "00000001" + "81ca0003" + "00000001" + "0103535045000000" + "81cb0001" + "00000001",
		rtp.Report{SSRC: 1, CNAME: "SPE", Bye: true},
	},
}

func TestReportBothWays(t *testing.T) {
	t.Parallel()
	for _, c := range reports {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			datagram := unhex(t, c.hex)
			got, err := rtp.ParseRTCP(datagram)
			if err != nil || !reflect.DeepEqual(got, c.value) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.value)
			}
			back, err := c.value.AppendBinary(nil)
			if err != nil || !bytes.Equal(back, datagram) {
				t.Errorf("wrote %x, %v, want %x", back, err, datagram)
			}
			if !rtp.IsRTCP(datagram) {
				t.Error("not told from media")
			}
		})
	}
}

func TestReportCutAnywhere(t *testing.T) {
	t.Parallel()
	whole := unhex(t, reports[1].hex)
	between := map[int]bool{8: true, 24: true} // between two packets of the compound, what is left is whole
	for n := range whole {
		if r, err := rtp.ParseRTCP(whole[:n]); err == nil && !between[n] {
			t.Errorf("%d bytes: got %v, want it refused", n, r)
		}
	}
}

func TestReportRefused(t *testing.T) {
	t.Parallel()
	if r, err := rtp.ParseRTCP(unhex(t, "81cb000100000001")); err == nil {
		t.Errorf("goodbye without a report: got %v, want it refused", r)
	}
	if b, err := (rtp.Report{SSRC: 1}).AppendBinary(nil); err == nil {
		t.Errorf("no CNAME: wrote %x, want it refused", b)
	}
}

// A report sent at 0 s reaches the far end, which answers 2 s after hearing it; the answer is back 2.150 s
// after the report went out.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 1, 2, 3, 4, 5, 500e6, time.UTC)
	far := rtp.Statistics{ClockRate: 8000}
	far.Received(sent, rtp.Packet{})
	far.HeardSender(sent.Add(time.Hour), rtp.SenderInfo{NTP: rtp.NTPTime(sent)}) // its clock is an hour ahead
	block := far.Block(sent.Add(time.Hour + 2*time.Second))

	got, ok := block.RoundTrip(sent.Add(2150 * time.Millisecond))
	if off := got - 150*time.Millisecond; !ok || off.Abs() > 50*time.Microsecond {
		t.Errorf("got %v, %v, want 150ms", got, ok)
	}
	if got, ok := block.RoundTrip(sent); ok {
		t.Errorf("before it was sent: got %v, want none", got)
	}
	if got, ok := (rtp.Block{}).RoundTrip(sent); ok {
		t.Errorf("no report heard: got %v, want none", got)
	}
}

func TestNTPTime(t *testing.T) {
	t.Parallel()
	// RFC 3550 section 6.4.1 names the moment of its example: 10 Nov 1995 11:33:25.125 UTC is
	// 0xb44db705 20000000.
	at := time.Date(1995, 11, 10, 11, 33, 25, 125e6, time.UTC)
	if got := rtp.NTPTime(at); got != 0xb44db70520000000 {
		t.Errorf("got %x, want b44db70520000000", got)
	}
}

func FuzzParseRTCP(f *testing.F) {
	for _, c := range reports {
		f.Add(unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		r, err := rtp.ParseRTCP(datagram)
		if err != nil || r.CNAME == "" {
			return
		}
		back, err := r.AppendBinary(nil)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", r, err)
		}
		again, err := rtp.ParseRTCP(back)
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%+v came back as %+v, %v", r, again, err)
		}
	})
}
