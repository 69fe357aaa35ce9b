package read

import (
	"bytes"
	stdbinary "encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// FuzzInput gives anything at all. It must end and keep to its bounds; and what stands in facts must not steer
// a terminal.
func FuzzInput(f *testing.F) {
	for _, d := range finding.All() {
		if len(d.Messages) > 0 {
			f.Add([]byte(strings.Join(d.Messages, "\n")))
		}
	}
	f.Add(gzipped(f, tarred(f, "a", said, "b.gz", string(gzipped(f, []byte(said))))))
	f.Add(zipped(f, "a", said))
	f.Add(inUTF16(stdbinary.LittleEndian, true, said))
	f.Add([]byte("<html><pre>" + said))
	f.Add(bzipped)
	seeds, err := filepath.Glob("testdata/*/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		if data, err := os.ReadFile(name); err == nil && len(data) < 8<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		saved := readAll(t, "x", bytes.NewReader(data), Options{Limit: 4 << 20, Excerpts: true})
		for _, each := range saved.Facts {
			if each.Text != fact.Cut(each.Text) {
				t.Errorf("a fact's text was not cut: %q", each.Text)
			}
		}
		saved.Anonymous()
	})
}

// TestCutAnywhere cuts inputs of each kind at every length.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"text": []byte("first\n" + said), "UTF-16": inUTF16(stdbinary.BigEndian, true, said), "page": []byte("<html><pre class=\"a\">a &amp; b<br>" + said),
		"tar.gz": gzipped(t, tarred(t, "a", said)), "zip": zipped(t, "a", said), "bzip2": bzipped,
	} {
		for n := range data {
			if f := readAll(t, name, bytes.NewReader(data[:n]), Options{Excerpts: true}); len(f.Sources) == 0 && n > 0 {
				t.Errorf("%s, cut at %d: nothing is said of it", name, n)
			}
		}
	}
}
