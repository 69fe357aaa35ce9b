package fact_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// TestRotated reads logs in the order of their names, and judges them in that of their age.
func TestRotated(t *testing.T) {
	t.Parallel()
	c := fact.NewCollector("test", "x")
	for _, name := range []string{"other.log", "log/messages", "log/messages.1", "last", "log/messages.10.gz", "log/messages.2.gz"} {
		c.Open(name).Add("test.kind", 1, name, time.Time{})
	}
	var got []string
	for _, f := range c.File().Facts {
		got = append(got, f.Text)
	}
	if want := "[other.log log/messages.10.gz log/messages.2.gz log/messages.1 log/messages last]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if s := c.File().Sources; s[1].Name != "log/messages.10.gz" || s[5].Name != "last" {
		t.Errorf("got sources %v, want them in the same order", s)
	}
}

// TestBounds counts what is said again, and stops at so many facts of one kind.
func TestBounds(t *testing.T) {
	t.Parallel()
	c := fact.NewCollector("test", "x")
	in := c.Open("x")
	for i := range 100_000 {
		in.Add("test.kind", i, fmt.Sprint(i), time.Time{})
		in.Add("test.same", i, "same", time.Time{})
	}
	values := c.Open("values")
	for i := range 6000 {
		values.Add("test.value", i, fmt.Sprint(i), time.Time{}, "n", fmt.Sprint(i%600))
	}
	f := c.File()
	if n := len(f.Facts); n != 1001 || f.Facts[501].Count != 9 || f.Facts[n-1].Get("n") != "499" || f.Facts[n-1].Count != 9 {
		t.Errorf("got %d facts, the last %+v, want 1001, and each that is kept said 9 times more", n, f.Facts[n-1])
	}
	f.Facts = f.Facts[:501]
	if len(f.Facts) != 501 || f.Facts[1].Count != 99_999 || f.Facts[1].Line != 0 {
		t.Errorf("got %d facts, the second %+v, want 501 and one that was said 99999 times more", len(f.Facts), f.Facts[1])
	}
}

// TestCut keeps what steers a terminal out of facts.
func TestCut(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\x1b[31mb":      "a [31mb",
		"a\u202eb\u200bc": "a b c",
		"a\xffb\u0085c":   "a b c",
		" Müller… ":       "Müller…",
	} {
		if got := fact.Cut(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
