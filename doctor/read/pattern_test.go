package read

import (
	"bytes"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/longcord/longcord/finding"
)

// TestPattern holds what is compiled with a quick look against the same expression without.
func TestPattern(t *testing.T) {
	t.Parallel()
	texts := []string{"", "a", "abc", "xabcx", "ABC", "xaBc", "task", "ta\u017fk", "tas\u212a", "key 1", "key 12", "no", "yes", "one two", "two", "[1]:two", "bbb", "\u00e4"}
	for _, expression := range []string{
		"abc", "^abc", "abc$", "(?i)abc", "(?i)^abc", "(?i)task", "(?i)tas(?:k|x)", "^(?:abc|task)", "^(?:abc)?two", `^(?:\[(\d+)\]:)?two`, "a|b|c|k|y",
		"abc|", "(?:abc)*", "(?:abc)+", "b{2,}", "key (?:1|2)", "[kK]ey", "[ab]bc", "^a|two$", "(?i)abc|TASK", "one.*two", `\bno\b`, "[^a]", "ä", "(?i)Ä",
	} {
		quick, plain := compile(expression), regexp.MustCompile(expression)
		list := patternsOf(quick)
		for _, text := range texts {
			want := plain.MatchString(text)
			if got := quick.MatchString(text); got != want {
				t.Errorf("%q in %q: %t, want %t", expression, text, got, want)
			}
			if want && list.may(text) == 0 {
				t.Errorf("%q in %q: a list does not find it", expression, text)
			}
		}
	}
	for expression, text := range map[string]string{"abc": "ab", "(?i)abc.": "xyz", "^(?:abc|task)": "xabc", "one|two|three|four": "five"} {
		if compile(expression).may(text) {
			t.Errorf("%q in %q: no quick look sees that it cannot be", expression, text)
		}
	}
}

// TestPhrases gives each line that tests have, and each message, to all lists of phrases: the quick look must let through
// what matches.
func TestPhrases(t *testing.T) {
	t.Parallel()
	lists := []phrases{anyConnectPhrases, vpnWords, trustWords, listWords, ocservPhrases, openConnectPhrases}
	check := func(text string) {
		for _, list := range lists {
			may := list.quick.may(text)
			for i, p := range list.all {
				if may&(1<<i) == 0 && p.is.Regexp.MatchString(text) {
					t.Errorf("%s is not looked for in %q", p.is, text)
				}
			}
		}
		for i, s := range statuses {
			if quickStatuses.may(text)&(1<<i) == 0 && s.is.Regexp.MatchString(text) {
				t.Errorf("%s is not looked for in %q", s.is, text)
			}
		}
	}
	for _, d := range finding.All() {
		for _, m := range d.Messages {
			check(m)
		}
	}
	files, err := filepath.Glob("testdata/*/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			if len(line) < 4096 {
				check(string(bytes.TrimSpace(line)))
			}
		}
	}
	if n := bits.OnesCount64(ocservPhrases.quick.always); n > 0 {
		t.Errorf("%d of ocserv's phrases have no text that can be looked for", n)
	}
}
