package tone_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/wire/g711"
)

// The other side's packets are lost, the codes are G.711, the call has silence before and after, or it is
// not the tone at all.
func TestIdentify(t *testing.T) {
	t.Parallel()
	home := tone.Generate(tone.Home, 4*time.Second)
	for _, c := range []struct {
		name     string
		samples  []int16
		want     string
		ok       bool
		from, to float64
	}{
		{"as made", home, "home", true, 1, 1},
		{"the other", tone.Generate(tone.Desk, time.Second), "desk", true, 1, 1},
		{"through µ-law", through(g711.MuLaw, home), "home", true, 1, 1},
		{"through A-law", through(g711.ALaw, home), "home", true, 1, 1},
		{"5% of packets lost", dropped(home, 0.05), "home", true, 0.9, 1},
		{"quiet", scaled(home, 0.05), "home", true, 1, 1},
		{"with noise", noisy(home, 3000), "home", true, 0.95, 1},
		{"silence around it", append(make([]int16, 8000), home...), "home", true, 0.78, 0.82},
		{"a short burst", append(make([]int16, 32000), home[:3200]...), "home", false, 0.08, 0.1},
		{"both in turn", append(through(g711.MuLaw, home), tone.Generate(tone.Desk, 2*time.Second)...), "home", false, 0.6, 0.7},
		{"both at once", mixed(home, tone.Generate(tone.Desk, 4*time.Second)), "", false, 0, 1},
		{"silence", make([]int16, 8000), "", false, 0, 0},
		{"noise", noisy(make([]int16, 8000), 20000), "", false, 0, 0},
		{"one of its two sines", tone.Generate(tone.Tone{Hz: tone.Home.Hz}, time.Second), "", false, 0, 0},
		{"nothing", nil, "", false, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, share, ok := tone.Identify(c.samples, tone.Home, tone.Desk)
			if ok != c.ok || c.want != "" && got.Name != c.want || share < c.from || share > c.to {
				t.Errorf("got %q, %.2f, %v, want %q, %.2f to %.2f, %v", got.Name, share, ok, c.want, c.from, c.to, c.ok)
			}
		})
	}
}

// However the losses fall and wherever the blocks begin, one tone is never taken for the other.
func TestNeverTheOther(t *testing.T) {
	t.Parallel()
	desk := tone.Generate(tone.Desk, 2*time.Second)
	for offset := 0; offset < 320; offset += 16 {
		if got := tone.Heard(dropped(through(g711.MuLaw, desk[offset:]), 0.2), tone.Home); got != 0 {
			t.Errorf("from sample %d: the home tone is heard for %.2f of the desk's", offset, got)
		}
	}
}

func through(law g711.Law, samples []int16) []int16 {
	return law.AppendDecode(nil, law.AppendEncode(nil, samples))
}

func dropped(samples []int16, part float64) []int16 {
	random := rand.New(rand.NewPCG(1, 2))
	out := append([]int16(nil), samples...)
	for at := 0; at+160 <= len(out); at += 160 {
		if random.Float64() < part {
			clear(out[at : at+160])
		}
	}
	return out
}

func scaled(samples []int16, by float64) []int16 {
	out := make([]int16, len(samples))
	for i, sample := range samples {
		out[i] = int16(by * float64(sample))
	}
	return out
}

func noisy(samples []int16, loud int) []int16 {
	random := rand.New(rand.NewPCG(3, 4))
	out := make([]int16, len(samples))
	for i, sample := range samples {
		out[i] = sample + int16(random.IntN(2*loud)-loud)
	}
	return out
}

func mixed(a, b []int16) []int16 {
	out := make([]int16, len(a))
	for i := range out {
		out[i] = a[i]/2 + b[i]/2
	}
	return out
}
