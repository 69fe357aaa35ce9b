package read

import (
	"strings"
	"testing"
)

// TestMarks finds texts that overlap, contain and follow each other, as searching for each alone does.
func TestMarks(t *testing.T) {
	t.Parallel()
	words := []string{"abab", "ba", "b", "abc", "cab", "%ASA-", "ASA"}
	m := newMarks()
	for i, w := range words {
		m.add(w, 1<<i)
	}
	m.finish()
	for _, line := range []string{"", "x", "ababc", "aababab", "cabab", "%ASA-6", "ASA", "bcab", "%AS", "ab", "%ASA", "\x00\xffab", "%asa-", "CAB", "aBAb"} {
		got := m.in(line)
		for i, w := range words {
			if want := strings.Contains(strings.ToLower(line), strings.ToLower(w)); want != (got&(1<<i) != 0) {
				t.Errorf("%q in %q: got %v, want %v", w, line, !want, want)
			}
		}
	}
}
