package read

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
)

// TestSieves reads everything that the tests of the doctor have, and each message alone, with marks and without. Both must
// tell the same; otherwise a recogniser lacks a mark.
func TestSieves(t *testing.T) {
	t.Parallel()
	inputs := map[string][]byte{}
	for _, d := range finding.All() {
		for _, m := range d.Messages {
			inputs["message "+m] = []byte(m + "\n")
		}
	}
	for _, root := range []string{"testdata", "../testdata"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			inputs[path], err = os.ReadFile(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range inputs {
		whole := difference(t, data)
		if whole == "" {
			continue
		}
		t.Errorf("%s: %s", name, whole)
	}
	// Lines alone, as people paste them.
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		for line := range bytes.Lines(inputs[name]) {
			if text := string(line); len(text) > 20 && len(seen) < 250 && !seen[text] {
				seen[text] = true
				if diff := difference(t, line); diff != "" {
					t.Errorf("the line %q alone: %s", text, diff)
				}
			}
		}
	}
}

// difference says what is told without marks and not with them, or the other way round.
func difference(t *testing.T, data []byte) string {
	t.Helper()
	with, without := allTold(t, data, false), allTold(t, data, true)
	for _, each := range without {
		if !slices.Contains(with, each) {
			return "the marks keep back " + each
		}
	}
	if len(with) != len(without) {
		return strings.Join(with, "\n") + "\nis more than\n" + strings.Join(without, "\n")
	}
	return ""
}

func allTold(t *testing.T, data []byte, unsieved bool) []string {
	t.Helper()
	var all []string
	f := readAll(t, "x", bytes.NewReader(data), Options{unsieved: unsieved})
	for _, each := range f.Facts {
		all = append(all, describe(t, each))
	}
	for _, each := range f.Sources {
		each.Known = 0 // who goes on in a block is a matter of who is asked
		all = append(all, describe(t, each))
	}
	return all
}

func describe(t *testing.T, what any) string {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
