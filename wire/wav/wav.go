// Package wav is the sound file that phones play and record: RIFF WAVE with one or two channels at 8000
// samples a second, as 16-bit linear samples or as G.711.
//
// Parse reads a whole file; Writer writes one while a call lasts, so that a file cut off at any point
// still plays. Other rates are refused with the command that converts them: a resampler good enough for
// voice is not worth having here.
//
//	"RIFF" size "WAVE"   then chunks: 4 bytes name, 4 bytes size (little-endian), contents, padded to even
//	"fmt "               format tag, channels, rate, bytes a second, block size, bits a sample
//	"data"               the samples, channels interleaved
//
// The package is offered to others; docs/wire/wav.md says where each rule comes from.
package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/longcord/longcord/wire/g711"
)

// SampleRate is the only rate, in samples a second.
const SampleRate = g711.SampleRate

// Format tags of the format chunk.
const (
	formatPCM        = 1
	formatALaw       = 6
	formatMuLaw      = 7
	formatExtensible = 0xfffe // the tag proper is the first two bytes of the subformat
)

type format struct {
	tag      uint16
	channels uint16
	rate     uint32
	bits     uint16
}

// Parse returns the samples of a WAV file as one channel: of a stereo file, the mean of both. A size that
// points beyond the end of the file, as in one whose writer was stopped, means up to the end.
func Parse(file []byte) ([]int16, error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return nil, errors.New("wav: not a RIFF WAVE file")
	}
	var f *format
	for at := 12; at+8 <= len(file); {
		name, size := string(file[at:at+4]), int64(binary.LittleEndian.Uint32(file[at+4:]))
		at += 8
		contents := file[at:min(int64(at)+size, int64(len(file)))]
		switch name {
		case "fmt ":
			parsed, err := parseFormat(contents, at)
			if err != nil {
				return nil, err
			}
			f = &parsed
		case "data":
			if f == nil {
				return nil, fmt.Errorf("wav: samples at offset %d before their format", at)
			}
			return f.samples(contents), nil
		}
		if size += size & 1; int64(len(file)-at) < size {
			break
		}
		at += int(size)
	}
	return nil, errors.New("wav: no samples in the file")
}

func parseFormat(b []byte, offset int) (format, error) {
	if len(b) < 16 {
		return format{}, fmt.Errorf("wav: format of %d bytes at offset %d, expected at least 16", len(b), offset)
	}
	f := format{
		tag: binary.LittleEndian.Uint16(b), channels: binary.LittleEndian.Uint16(b[2:]),
		rate: binary.LittleEndian.Uint32(b[4:]), bits: binary.LittleEndian.Uint16(b[14:]),
	}
	if f.tag == formatExtensible && len(b) >= 26 {
		f.tag = binary.LittleEndian.Uint16(b[24:])
	}
	bits, known := map[uint16]uint16{formatPCM: 16, formatALaw: 8, formatMuLaw: 8}[f.tag]
	switch {
	case !known || f.bits != bits:
		return format{}, fmt.Errorf("wav: format %d with %d bits a sample at offset %d, expected 16-bit PCM or G.711: convert it with `sox IN.wav -r 8000 -c 1 -b 16 -e signed-integer OUT.wav`", f.tag, f.bits, offset)
	case f.rate != SampleRate:
		return format{}, fmt.Errorf("wav: %d samples a second at offset %d, phones play %d: convert it with `sox IN.wav -r 8000 -c 1 OUT.wav`", f.rate, offset, SampleRate)
	case f.channels != 1 && f.channels != 2:
		return format{}, fmt.Errorf("wav: %d channels at offset %d, expected 1 or 2", f.channels, offset)
	}
	return f, nil
}

func (f format) samples(data []byte) []int16 {
	var samples []int16
	switch f.tag {
	case formatALaw:
		samples = g711.ALaw.AppendDecode(nil, data)
	case formatMuLaw:
		samples = g711.MuLaw.AppendDecode(nil, data)
	default:
		for ; len(data) >= 2; data = data[2:] {
			samples = append(samples, int16(binary.LittleEndian.Uint16(data)))
		}
	}
	if f.channels == 2 {
		samples = mean(samples)
	}
	return samples
}

func mean(stereo []int16) []int16 {
	mono := stereo[:0]
	for ; len(stereo) >= 2; stereo = stereo[2:] {
		mono = append(mono, int16((int(stereo[0])+int(stereo[1]))/2))
	}
	return mono
}

const headerSize = 44

// unknownSize stands in the header until Close: readers take it for "up to the end of the file".
const unknownSize = math.MaxUint32

func header(dataSize uint32) []byte {
	riff := uint32(unknownSize)
	if dataSize != unknownSize {
		riff = dataSize + headerSize - 8
	}
	b := make([]byte, 0, headerSize)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, riff)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, formatPCM)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, SampleRate)
	b = binary.LittleEndian.AppendUint32(b, 2*SampleRate)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, dataSize)
}

// AppendBinary appends a whole file with these samples: 8000 a second, one channel, 16 bits.
func AppendBinary(b []byte, samples []int16) []byte {
	return appendSamples(append(b, header(uint32(2*len(samples)))...), samples)
}

func appendSamples(b []byte, samples []int16) []byte {
	for _, sample := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(sample))
	}
	return b
}

// Writer writes a file piece by piece, and its sizes at the end. It is not for concurrent use.
type Writer struct {
	to      io.WriteSeeker
	size    int64 // of the samples, in bytes
	scratch []byte
}

// NewWriter writes the header and returns a Writer for what follows it.
func NewWriter(to io.WriteSeeker) (*Writer, error) {
	if _, err := to.Write(header(unknownSize)); err != nil {
		return nil, fmt.Errorf("wav: header: %w", err)
	}
	return &Writer{to: to}, nil
}

// Write adds samples. What it has written stays readable if the program ends without Close.
func (w *Writer) Write(samples []int16) error {
	w.scratch = appendSamples(w.scratch[:0], samples)
	n, err := w.to.Write(w.scratch)
	w.size += int64(n)
	if err != nil {
		return fmt.Errorf("wav: samples: %w", err)
	}
	return nil
}

// Close writes the sizes into the header. It does not close what the Writer writes to. A file above
// 4 GB (three days) keeps the header without sizes.
func (w *Writer) Close() error {
	if w.size > unknownSize-headerSize {
		return nil
	}
	if _, err := w.to.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("wav: sizes: %w", err)
	}
	if _, err := w.to.Write(header(uint32(w.size))); err != nil {
		return fmt.Errorf("wav: sizes: %w", err)
	}
	return nil
}
