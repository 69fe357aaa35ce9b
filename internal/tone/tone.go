// Package tone makes sounds that can be told apart by their pitch, and finds them again in a recording.
//
// A test plays one tone in each direction of a call and asks of each recording that it holds the
// other side's tone and not its own. Finding is by the Goertzel algorithm over short blocks, so it
// survives G.711 and lost packets, and says for how much of the recording the tone was there. All
// samples are 16-bit, 8000 a second, one channel.
package tone

import (
	"math"
	"time"
)

// SampleRate is in samples a second.
const SampleRate = 8000

// Tone is one sine, or two at once, which speech and noise are least likely to imitate.
type Tone struct {
	Name   string
	Hz     float64
	Second float64 // Hz of the second sine; 0: none
}

// Two tones for the two ends of a call. No frequency of one is near one of the other, or near a
// harmonic of it.
var (
	Home = Tone{Name: "home", Hz: 440, Second: 1030}
	Desk = Tone{Name: "desk", Hz: 620, Second: 1490}
)

const amplitude = 12000 // of all sines together; about 9 dB below the loudest

// Generate returns t for this long.
func Generate(t Tone, length time.Duration) []int16 {
	samples := make([]int16, int(length*SampleRate/time.Second))
	frequencies := t.frequencies()
	for i := range samples {
		var sum float64
		for _, hz := range frequencies {
			sum += math.Sin(2 * math.Pi * hz * float64(i) / SampleRate)
		}
		samples[i] = int16(math.Round(amplitude / float64(len(frequencies)) * sum))
	}
	return samples
}

func (t Tone) frequencies() []float64 {
	if t.Second == 0 {
		return []float64{t.Hz}
	}
	return []float64{t.Hz, t.Second}
}

const (
	block = SampleRate / 25 // 40 ms: 25 Hz apart is far enough

	// quiet is the mean power below which a block holds no tone, whatever its shape: about −50 dB of
	// full scale.
	quiet = 100 * 100

	// purity is the part of a block's power that the tone must make up. A block half of which was lost
	// still has half of its power at the tone.
	purity = 0.45

	// balance is the part that each of two sines must make up on its own.
	balance = 0.1
)

// Heard returns for which part of the recording, 0 to 1, the tone is there and dominates. Silence at
// either end counts as not heard.
func Heard(samples []int16, t Tone) float64 {
	blocks, heard := 0, 0
	for ; len(samples) >= block; samples = samples[block:] {
		blocks++
		if t.in(samples[:block]) {
			heard++
		}
	}
	if blocks == 0 {
		return 0
	}
	return float64(heard) / float64(blocks)
}

func (t Tone) in(samples []int16) bool {
	power := meanPower(samples)
	if power < quiet {
		return false
	}
	var total float64
	for _, hz := range t.frequencies() {
		part := goertzel(samples, hz) / power
		if part < balance {
			return false
		}
		total += part
	}
	return total >= purity
}

func meanPower(samples []int16) float64 {
	var sum float64
	for _, sample := range samples {
		sum += float64(sample) * float64(sample)
	}
	return sum / float64(len(samples))
}

// goertzel returns the mean power of the sine of this frequency in the samples.
func goertzel(samples []int16, hz float64) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*hz/SampleRate)
	var last, previous float64
	for _, sample := range samples {
		last, previous = float64(sample)+coefficient*last-previous, last
	}
	n := float64(len(samples))
	return 2 * (last*last + previous*previous - coefficient*last*previous) / (n * n)
}

const (
	enough = 0.5  // of a recording: call set-up and a few lost packets leave at least this
	trace  = 0.05 // of a recording: more of another tone means crossed or echoed audio
)

// Identify says which of the known tones a recording holds: the one that is heard for at least half of
// it while none of the others is heard for more than a twentieth. Share is how much of the recording the
// likeliest tone fills, also when ok is false; the zero Tone means that none was heard.
func Identify(samples []int16, known ...Tone) (t Tone, share float64, ok bool) {
	var others float64
	for _, candidate := range known {
		switch heard := Heard(samples, candidate); {
		case heard > share:
			others, t, share = max(others, share), candidate, heard
		default:
			others = max(others, heard)
		}
	}
	return t, share, share >= enough && others <= trace
}
