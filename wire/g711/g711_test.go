package g711_test

import (
	"math"
	"testing"

	"github.com/longcord/longcord/wire/g711"
)

// Values of ITU-T G.711 tables 1a and 2a, brought to 16 bits: the ends of the scale, the steps around
// zero and the borders of segments.
func TestKnownCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		law    g711.Law
		code   byte
		sample int16
	}{
		{g711.MuLaw, 0xff, 0}, {g711.MuLaw, 0xfe, 8}, {g711.MuLaw, 0xf0, 120}, {g711.MuLaw, 0xef, 132},
		{g711.MuLaw, 0x80, 32124}, {g711.MuLaw, 0x00, -32124}, {g711.MuLaw, 0x7e, -8},
		{g711.ALaw, 0xd5, 8}, {g711.ALaw, 0x55, -8}, {g711.ALaw, 0xd4, 24}, {g711.ALaw, 0xc5, 264},
		{g711.ALaw, 0xaa, 32256}, {g711.ALaw, 0x2a, -32256},
	} {
		if got := c.law.Decode(c.code); got != c.sample {
			t.Errorf("%v code %02x is %d, want %d", c.law, c.code, got, c.sample)
		}
		if got := c.law.Encode(c.sample); got != c.code {
			t.Errorf("%v sample %d is code %02x, want %02x", c.law, c.sample, got, c.code)
		}
	}
	if got := g711.MuLaw.Decode(0x7f); got != 0 {
		t.Errorf("negative zero is %d, want 0", got)
	}
}

func TestEveryCodeComesBack(t *testing.T) {
	t.Parallel()
	for _, law := range []g711.Law{g711.MuLaw, g711.ALaw} {
		for code := range 256 {
			want := byte(code)
			if law == g711.MuLaw && code == 0x7f {
				want = 0xff // the two zeros of µ-law
			}
			if got := law.Encode(law.Decode(byte(code))); got != want {
				t.Errorf("%v code %02x came back as %02x", law, code, got)
			}
		}
	}
}

// Between the two codes on either side of a sample, Encode takes the nearer one; where a segment begins,
// the standard's border lies a quarter of the wider step nearer to the lower code. Samples are cut to 14
// and 13 bits, which adds less than one such unit.
func TestEncodeIsNearest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		law  g711.Law
		unit int
	}{{g711.MuLaw, 4}, {g711.ALaw, 16}} {
		for sample := math.MinInt16; sample <= math.MaxInt16; sample++ {
			chosen := int(c.law.Decode(c.law.Encode(int16(sample))))
			if sample > 0 && chosen < 0 || sample < -c.unit && chosen > 0 {
				t.Fatalf("%v sample %d became %d: the sign is lost", c.law, sample, chosen)
			}
			best := nearest(c.law, sample)
			step := abs(chosen - best)
			if excess := abs(chosen-sample) - abs(best-sample); excess > step/3+c.unit {
				t.Fatalf("%v sample %d became %d, nearest is %d", c.law, sample, chosen, best)
			}
		}
	}
}

func nearest(law g711.Law, sample int) int {
	best := math.MaxInt32
	for code := range 256 {
		if got := int(law.Decode(byte(code))); abs(got-sample) < abs(best-sample) {
			best = got
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

func TestEncodeNeverDecreases(t *testing.T) {
	t.Parallel()
	for _, law := range []g711.Law{g711.MuLaw, g711.ALaw} {
		last := int16(math.MinInt16)
		for sample := math.MinInt16; sample <= math.MaxInt16; sample++ {
			got := law.Decode(law.Encode(int16(sample)))
			if got < last {
				t.Fatalf("%v sample %d became %d, its predecessor %d", law, sample, got, last)
			}
			last = got
		}
	}
}

func TestLawOf(t *testing.T) {
	t.Parallel()
	for payloadType, want := range map[uint8]bool{0: true, 8: true, 9: false, 101: false} {
		if law, ok := g711.LawOf(payloadType); ok != want || uint8(law) != payloadType {
			t.Errorf("payload type %d: got %v, %v, want %v", payloadType, law, ok, want)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	codes := g711.ALaw.AppendEncode([]byte{1}, []int16{8, -8})
	samples := g711.ALaw.AppendDecode([]int16{1}, codes[1:])
	if string(codes) != "\x01\xd5\x55" || len(samples) != 3 || samples[0] != 1 || samples[1] != 8 || samples[2] != -8 {
		t.Errorf("got %x and %v, want 01d555 and [1 8 -8]", codes, samples)
	}
}

func BenchmarkEncode(b *testing.B) {
	samples, codes := make([]int16, 160), make([]byte, 0, 160)
	b.ReportAllocs()
	for b.Loop() {
		g711.MuLaw.AppendEncode(codes, samples)
	}
}
