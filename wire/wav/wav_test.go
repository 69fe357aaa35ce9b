package wav_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/wire/wav"
)

// file builds a WAV file in hex: format tag, channels, rate and bits as the format chunk has them, then
// the data chunk.
func file(format, data string) string {
	return "52494646" + "00000000" + "57415645" + "666d7420" + "10000000" + format + data
}

const (
	pcm    = "0100" + "0100" + "401f0000" + "803e0000" + "0200" + "1000"
	stereo = "0100" + "0200" + "401f0000" + "007d0000" + "0400" + "1000"
	muLaw  = "0700" + "0100" + "401f0000" + "401f0000" + "0100" + "0800"
	aLaw   = "0600" + "0100" + "401f0000" + "401f0000" + "0100" + "0800"
)

var files = []struct {
	name    string
	hex     string
	samples []int16
}{
	{"16 bits", file(pcm, "64617461"+"04000000"+"0100ffff"), []int16{1, -1}},
	{"stereo is averaged", file(stereo, "64617461"+"08000000"+"0a001400"+"ff7fff7f"), []int16{15, 32767}},
	{"µ-law", file(muLaw, "64617461"+"02000000"+"ff80"), []int16{0, 32124}},
	{"A-law", file(aLaw, "64617461"+"02000000"+"d52a"), []int16{8, -32256}},
	{"other chunks, one of odd size", file(pcm, "4c495354"+"03000000"+"aaaaaa00"+"64617461"+"02000000"+"0500"), []int16{5}},
	{"size unknown", file(pcm, "64617461"+"ffffffff"+"05000600"), []int16{5, 6}},
	{"size too large", file(pcm, "64617461"+"00100000"+"05000600"), []int16{5, 6}},
	{"half a sample at the end", file(pcm, "64617461"+"ffffffff"+"050006"), []int16{5}},
	{"extensible", "52494646" + "00000000" + "57415645" + "666d7420" + "28000000" +
		"feff" + "0100" + "401f0000" + "803e0000" + "0200" + "1000" + "1600" + "1000" + "04000000" +
		"0100000000001000800000aa00389b71" + "64617461" + "02000000" + "0700", []int16{7}},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range files {
		got, err := wav.Parse(unhex(t, c.hex))
		if err != nil || !slices.Equal(got, c.samples) {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.samples)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, hex, want string }{
		{"another rate", file("0100"+"0100"+"44ac0000"+"88580100"+"0200"+"1000", "64617461"+"00000000"), "44100 samples a second at offset 20, phones play 8000: convert it with `sox IN.wav -r 8000 -c 1 OUT.wav`"},
		{"24 bits", file("0100"+"0100"+"401f0000"+"c05d0000"+"0300"+"1800", "64617461"+"00000000"), "format 1 with 24 bits"},
		{"floating point", file("0300"+"0100"+"401f0000"+"007d0000"+"0400"+"2000", "64617461"+"00000000"), "format 3 with 32 bits"},
		{"three channels", file("0100"+"0300"+"401f0000"+"80bb0000"+"0600"+"1000", "64617461"+"00000000"), "3 channels"},
		{"no data", file(pcm, "4c495354"+"02000000"+"aaaa"), "no samples"},
		{"data before format", "52494646" + "00000000" + "57415645" + "64617461" + "02000000" + "0500", "before their format"},
		{"short format", "52494646" + "00000000" + "57415645" + "666d7420" + "0e000000" + pcm[:28], "format of 14 bytes"},
		{"not a WAV file", "89504e470d0a1a0a0000000d49484452", "not a RIFF WAVE file"},
	} {
		if got, err := wav.Parse(unhex(t, c.hex)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want an error with %q", c.name, got, err, c.want)
		}
	}
}

// A file cut anywhere gives the samples that are left, or an error while its header is not complete.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	samples := []int16{1, 2, 3, 4}
	whole := wav.AppendBinary(nil, samples)
	for n := range whole {
		got, err := wav.Parse(whole[:n])
		if n < 44 {
			if err == nil {
				t.Errorf("%d bytes: got %v, want it refused", n, got)
			}
		} else if want := samples[:(n-44)/2]; err != nil || !slices.Equal(got, want) {
			t.Errorf("%d bytes: got %v, %v, want %v", n, got, err, want)
		}
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "call.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, samples := range [][]int16{{1, 2}, {3}} {
		if err := w.Write(samples); err != nil {
			t.Fatal(err)
		}
	}
	stopped, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wav.Parse(stopped); err != nil || !slices.Equal(got, []int16{1, 2, 3}) {
		t.Errorf("without Close: got %v, %v, want [1 2 3]", got, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	closed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := wav.AppendBinary(nil, []int16{1, 2, 3}); !slices.Equal(closed, want) {
		t.Errorf("closed: got %x, want %x", closed, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range files {
		f.Add(unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		samples, err := wav.Parse(file)
		if err != nil {
			return
		}
		again, err := wav.Parse(wav.AppendBinary(nil, samples))
		if err != nil || !slices.Equal(again, samples) {
			t.Errorf("%v came back as %v, %v", samples, again, err)
		}
	})
}
