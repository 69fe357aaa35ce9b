// Package g711 is the telephone network's own codec: one byte a sample, 8000 samples a second, in the
// µ-law of North America and Japan and the A-law of everywhere else.
//
// It converts between codes and 16-bit linear samples by the decision values of ITU-T G.711, aligned as
// in the reference software of ITU-T G.191: µ-law in the upper 14 bits of a sample, A-law in the upper
// 13. It does not resample or conceal losses.
//
// The package is offered to others; docs/wire/g711.md says where each rule comes from.
package g711

import "math/bits"

// Law is one of the two codings; its value is the RTP payload type of RFC 3551.
type Law uint8

// The two laws.
const (
	MuLaw Law = 0
	ALaw  Law = 8
)

// SampleRate is the number of samples a second of both laws.
const SampleRate = 8000

// String is the law's name in session descriptions.
func (l Law) String() string {
	if l == ALaw {
		return "PCMA"
	}
	return "PCMU"
}

// LawOf returns the law with this RTP payload type, and whether there is one.
func LawOf(payloadType uint8) (Law, bool) {
	law := Law(payloadType)
	return law, law == MuLaw || law == ALaw
}

// Silence is the code of the sample 0.
func (l Law) Silence() byte { return l.Encode(0) }

// Encode returns the code of one sample.
func (l Law) Encode(sample int16) byte {
	if l == ALaw {
		return encodeA(sample)
	}
	return encodeMu(sample)
}

// Decode returns the sample of one code. µ-law has two codes for 0; Encode gives the positive one.
func (l Law) Decode(code byte) int16 {
	if l == ALaw {
		return samplesA[code]
	}
	return samplesMu[code]
}

// AppendEncode appends the codes of samples.
func (l Law) AppendEncode(codes []byte, samples []int16) []byte {
	for _, sample := range samples {
		codes = append(codes, l.Encode(sample))
	}
	return codes
}

// AppendDecode appends the samples of codes.
func (l Law) AppendDecode(samples []int16, codes []byte) []int16 {
	for _, code := range codes {
		samples = append(samples, l.Decode(code))
	}
	return samples
}

var samplesMu, samplesA = table(decodeMu), table(decodeA)

func table(decode func(byte) int16) (samples [256]int16) {
	for code := range samples {
		samples[code] = decode(byte(code))
	}
	return samples
}

const (
	biasMu = 33   // makes every µ-law segment begin at a power of two, in 14 bits
	clipMu = 8191 // the largest magnitude in 14 bits once the bias is added
)

// split gives a sample's sign and its magnitude without the lower bits. Negative samples are
// complemented, not negated, so that both signs have the same decision values.
func split(sample int16, drop int) (negative bool, magnitude int) {
	if sample < 0 {
		return true, int(^sample) >> drop
	}
	return false, int(sample) >> drop
}

func encodeMu(sample int16) byte {
	negative, magnitude := split(sample, 2)
	magnitude = min(magnitude+biasMu, clipMu)
	segment := bits.Len(uint(magnitude)) - 6
	code := byte(segment<<4 | magnitude>>(segment+1)&0x0f)
	if !negative {
		code |= 0x80
	}
	return code ^ 0x7f
}

func decodeMu(code byte) int16 {
	code = ^code
	segment, step := int(code>>4&7), int(code&0x0f)
	magnitude := (2*step+33)<<segment - biasMu
	if code&0x80 != 0 {
		return int16(-4 * magnitude)
	}
	return int16(4 * magnitude)
}

func encodeA(sample int16) byte {
	negative, magnitude := split(sample, 4)
	segment := max(0, bits.Len(uint(magnitude))-4)
	code := byte(segment<<4 | magnitude>>max(0, segment-1)&0x0f)
	if !negative {
		code |= 0x80
	}
	return code ^ 0x55
}

func decodeA(code byte) int16 {
	code ^= 0x55
	segment, step := int(code>>4&7), int(code&0x0f)
	magnitude := 2*step + 1
	if segment > 0 {
		magnitude = (magnitude + 32) << (segment - 1)
	}
	if code&0x80 == 0 {
		return int16(-8 * magnitude)
	}
	return int16(8 * magnitude)
}
