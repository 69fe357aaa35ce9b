//go:build interop

// Package sox_test lets SoX judge our G.711 and our sound files, and our reading of its own.
package sox_test

import (
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/wire/g711"
	"github.com/longcord/longcord/wire/wav"
)

// sox runs SoX in a folder; where it is missing the test is skipped, in CI it fails.
func sox(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(office.Peer(t, "sox"), args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sox %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func little(samples []int16) (b []byte) {
	for _, sample := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(sample))
	}
	return b
}

func fromLittle(b []byte) (samples []int16) {
	for ; len(b) >= 2; b = b[2:] {
		samples = append(samples, int16(binary.LittleEndian.Uint16(b)))
	}
	return samples
}

var raw = map[g711.Law][]string{
	g711.MuLaw: {"-t", "ul", "-r", "8000", "-c", "1"},
	g711.ALaw:  {"-t", "al", "-r", "8000", "-c", "1"},
}

var linear = []string{"-t", "s16", "-L", "-r", "8000", "-c", "1"}

func TestEveryCodeDecodesAlike(t *testing.T) {
	t.Parallel()
	for law, format := range raw {
		dir := t.TempDir()
		var codes []byte
		for code := range 256 {
			codes = append(codes, byte(code))
		}
		write(t, dir, "codes", codes)
		sox(t, dir, slices.Concat([]string{"-D"}, format, []string{"codes"}, linear, []string{"samples"})...)
		theirs, ours := fromLittle(read(t, dir, "samples")), law.AppendDecode(nil, codes)
		if !slices.Equal(theirs, ours) {
			t.Errorf("%v: sox decodes to %v, we to %v", law, theirs, ours)
		}
	}
}

// SoX rounds a sample to the law's width before it looks for the code, where the standard's reference
// software cuts; and in µ-law a negative sample on the very border of two codes goes to the larger
// magnitude, where the reference software takes the smaller. In all else the codes are the same.
func TestEverySampleEncodesAlike(t *testing.T) {
	t.Parallel()
	for law, width := range map[g711.Law]int{g711.MuLaw: 4, g711.ALaw: 8} {
		dir := t.TempDir()
		var all []int16
		for sample := math.MinInt16; sample <= math.MaxInt16; sample++ {
			all = append(all, int16(sample))
		}
		write(t, dir, "samples", little(all))
		sox(t, dir, slices.Concat([]string{"-D"}, linear, []string{"samples"}, raw[law], []string{"codes"})...)
		theirs := read(t, dir, "codes")
		for i, sample := range all {
			ours := law.Encode(asSoxRounds(law, sample, width))
			if theirs[i] != ours {
				t.Fatalf("%v: sox encodes %d as %02x, we its rounded value as %02x", law, sample, theirs[i], ours)
			}
		}
	}
}

func asSoxRounds(law g711.Law, sample int16, width int) int16 {
	rounded := (int(sample) + width/2) &^ (width - 1)
	if law == g711.MuLaw && rounded < 0 {
		rounded--
	}
	return int16(max(math.MinInt16, min(math.MaxInt16, rounded)))
}

func TestSoxReadsOurFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	samples := tone.Generate(tone.Home, 1e9)
	write(t, dir, "ours.wav", wav.AppendBinary(nil, samples))
	sox(t, dir, slices.Concat([]string{"-D", "ours.wav"}, linear, []string{"samples"})...)
	if got := fromLittle(read(t, dir, "samples")); !slices.Equal(got, samples) {
		t.Errorf("sox reads %d samples that differ from the %d written", len(got), len(samples))
	}
}

// A recording whose program was killed has no sizes in its header.
func TestSoxReadsAnUnfinishedRecording(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "cut.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	samples := tone.Generate(tone.Desk, 1e9)
	if err := w.Write(samples); err != nil {
		t.Fatal(err)
	}
	sox(t, dir, slices.Concat([]string{"-D", "cut.wav"}, linear, []string{"samples"})...)
	if got := fromLittle(read(t, dir, "samples")); !slices.Equal(got, samples) {
		t.Errorf("sox reads %d samples, want the %d written", len(got), len(samples))
	}
}

func TestWeReadTheirFiles(t *testing.T) {
	t.Parallel()
	for name, format := range map[string][]string{
		"16 bits": {"-b", "16", "-e", "signed-integer"},
		"µ-law":   {"-e", "mu-law"},
		"A-law":   {"-e", "a-law"},
		"stereo":  {"-b", "16", "-c", "2"},
	} {
		dir := t.TempDir()
		sox(t, dir, slices.Concat([]string{"-n", "-r", "8000", "-c", "1"}, format, []string{"theirs.wav", "synth", "1", "sine", "440", "sine", "1030", "gain", "-6"})...)
		samples, err := wav.Parse(read(t, dir, "theirs.wav"))
		if err != nil || len(samples) != 8000 {
			t.Errorf("%s: got %d samples, %v, want 8000", name, len(samples), err)
		}
	}
}

// SoX makes the sound, we find it; and the command that our refusal prints makes a file that we read.
func TestTheAdviceWorks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sox(t, dir, "-n", "-r", "44100", "-c", "2", "-b", "24", "IN.wav", "synth", "1", "sine", "440", "remix", "1")
	_, err := wav.Parse(read(t, dir, "IN.wav"))
	if err == nil {
		t.Fatal("24 bits at 44100 are accepted")
	}
	_, advice, _ := strings.Cut(err.Error(), "`sox ")
	advice, _, found := strings.Cut(advice, "`")
	if !found {
		t.Fatalf("%v: no command in it", err)
	}
	sox(t, dir, strings.Fields(advice)...)
	samples, err := wav.Parse(read(t, dir, "OUT.wav"))
	if err != nil {
		t.Fatal(err)
	}
	if got := tone.Heard(samples, tone.Tone{Hz: 440}); got < 0.9 {
		t.Errorf("440 Hz is heard for %.2f of it, want all", got)
	}
}
