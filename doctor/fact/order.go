package fact

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
)

// rotated is how logs are named that were put aside: messages.2, messages.1.gz. The larger the number, the older.
var rotated = regexp.MustCompile(`^(.+?)\.(\d{1,3})(?:\.(?:gz|bz2))?$`)

// order puts rotated logs in the order in which they were written, oldest first, where the first of them stands, and
// the facts after them: many rules go by what was said last.
func (f *File) order() {
	type place struct{ first, age int }
	firsts, places := map[string]int{}, map[string]place{}
	for i, s := range f.Sources {
		base, age := s.Name, -1
		if m := rotated.FindStringSubmatch(s.Name); m != nil {
			base = m[1]
			age, _ = strconv.Atoi(m[2]) // three digits
		}
		if _, ok := firsts[base]; !ok {
			firsts[base] = i
		}
		if _, ok := places[s.Name]; !ok {
			places[s.Name] = place{firsts[base], age}
		}
	}
	compare := func(a, b string) int {
		x, y := places[a], places[b]
		return cmp.Or(cmp.Compare(x.first, y.first), cmp.Compare(y.age, x.age))
	}
	slices.SortStableFunc(f.Sources, func(a, b Source) int { return compare(a.Name, b.Name) })
	slices.SortStableFunc(f.Facts, func(a, b Fact) int { return compare(a.Source, b.Source) })
}
