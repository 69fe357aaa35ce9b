package rtp_test

import (
	"math"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/rtp"
)

func TestEModel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		model  rtp.EModel
		r, mos float64
	}{
		{"undisturbed", rtp.EModel{Codec: rtp.G711Concealed}, 93.2, 4.41},
		{"100 ms is free", rtp.EModel{Codec: rtp.G711, Delay: 100 * time.Millisecond}, 93.2, 4.41},
		// 95 × 5/(5+25.1) = 15.78
		{"5% lost, concealed", rtp.EModel{Codec: rtp.G711Concealed, Loss: 0.05}, 77.42, 3.92},
		// 95 × 5/(5+4.3) = 51.08
		{"5% lost, silent", rtp.EModel{Codec: rtp.G711, Loss: 0.05}, 42.12, 2.17},
		// 95 × 5/(5/2+4.3) = 69.85
		{"5% lost in bursts", rtp.EModel{Codec: rtp.G711, Loss: 0.05, BurstRatio: 2}, 23.35, 1.36},
		{"G.729A", rtp.EModel{Codec: rtp.G729A}, 82.2, 4.11},
		// X = 2: 25 × (65^(1/6) − 3 × (1+64/729)^(1/6) + 2) = 25 × (2.00516 − 3.04233 + 2) = 24.07
		{"400 ms", rtp.EModel{Codec: rtp.G711, Delay: 400 * time.Millisecond}, 69.13, 3.56},
		{"all lost", rtp.EModel{Codec: rtp.G711, Loss: 1}, 2.12, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.model.R(); math.Abs(got-c.r) > 0.01 {
				t.Errorf("R is %.2f, want %.2f", got, c.r)
			}
			if got := c.model.MOS(); math.Abs(got-c.mos) > 0.006 {
				t.Errorf("MOS is %.3f, want %.2f", got, c.mos)
			}
		})
	}
}

func TestMOSStaysInRange(t *testing.T) {
	t.Parallel()
	last := 5.0
	for loss := 0.0; loss <= 1; loss += 0.01 {
		got := rtp.EModel{Codec: rtp.G711, Loss: loss, Delay: 150 * time.Millisecond}.MOS()
		if got > last || got < 1 || got > 4.5 {
			t.Errorf("loss %.2f: MOS %.3f after %.3f, want it to fall between 4.5 and 1", loss, got, last)
		}
		last = got
	}
}

func TestMouthToEar(t *testing.T) {
	t.Parallel()
	got := rtp.MouthToEar(80*time.Millisecond, 20*time.Millisecond, 40*time.Millisecond, rtp.G729A)
	if want := 105 * time.Millisecond; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
