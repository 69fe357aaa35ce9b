package rtp

import (
	"math"
	"time"
)

// Codec is what the E-model knows of a narrow-band codec: ITU-T G.113 appendix I.
type Codec struct {
	Name      string
	Ie        float64       // equipment impairment without loss
	Bpl       float64       // robustness against loss
	Lookahead time.Duration // what the encoder waits for beyond the packet
}

// Codecs. Wide-band ones (G.722, Opus) have another scale, ITU-T G.107.1, and are not here on purpose: a
// narrow-band score for them would look comparable and is not.
var (
	G711          = Codec{Name: "G.711", Ie: 0, Bpl: 4.3}            // lost packets stay silent
	G711Concealed = Codec{Name: "G.711 concealed", Ie: 0, Bpl: 25.1} // lost packets are filled in, as desk phones do
	G729A         = Codec{Name: "G.729A", Ie: 11, Bpl: 19, Lookahead: 5 * time.Millisecond}
	G7231         = Codec{Name: "G.723.1 6.3k", Ie: 15, Bpl: 16.1, Lookahead: 7500 * time.Microsecond}
	GSMEFR        = Codec{Name: "GSM EFR", Ie: 5, Bpl: 10}
)

// EModel estimates how one direction of a call sounds, by ITU-T G.107 with its default values for all
// that a network does not measure.
type EModel struct {
	Codec      Codec
	Loss       float64       // 0 to 1: lost in the network or thrown away by the jitter buffer
	BurstRatio float64       // 1 for random loss, more for bursts; 0 means 1
	Delay      time.Duration // one way, mouth to ear; see MouthToEar
}

// R is the transmission rating: 93.2 undisturbed, below 60 bad, possibly negative.
func (m EModel) R() float64 {
	return 93.2 - m.delayImpairment() - m.equipmentImpairment()
}

func (m EModel) equipmentImpairment() float64 {
	burst := m.BurstRatio
	if burst == 0 {
		burst = 1
	}
	percent := 100 * m.Loss
	return m.Codec.Ie + (95-m.Codec.Ie)*percent/(percent/burst+m.Codec.Bpl)
}

func (m EModel) delayImpairment() float64 {
	const free = 100 * time.Millisecond
	if m.Delay <= free {
		return 0
	}
	x := math.Log2(float64(m.Delay) / float64(free))
	root := func(x float64) float64 { return math.Pow(1+math.Pow(x, 6), 1.0/6) }
	return 25 * (root(x) - 3*root(x/3) + 2)
}

// MOS is the mean opinion score, 1 (bad) to 4.5; 4.41 undisturbed.
func (m EModel) MOS() float64 {
	r := m.R()
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+7e-6*r*(r-60)*(100-r)) // the cubic dips below 1 for small r
}

// MouthToEar estimates the one-way delay that a listener notices from what can be measured: half of the
// round trip, the time a packet takes to fill, the codec's look-ahead and the playout delay.
func MouthToEar(roundTrip, packet, playout time.Duration, codec Codec) time.Duration {
	return roundTrip/2 + packet + codec.Lookahead + playout
}
