package fitness

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// release is the number of a load: major, minor, maintenance, and service release.
type release [4]int

func (r release) before(other release) bool {
	for i := range r {
		if c := cmp.Compare(r[i], other[i]); c != 0 {
			return c < 0
		}
	}
	return false
}

var numbers = regexp.MustCompile(`^(\d{1,4})[-.](\d{1,4})[-.(](\d{1,4})\)?(?:SR(\d{1,4}))?`)

// parseRelease reads a release as Cisco writes it, 9.0(2)SR1S, or as it stands in a load's name, 9-0-2SR1S.
func parseRelease(text string) (r release, ok bool) {
	found := numbers.FindStringSubmatch(text)
	if found == nil {
		return r, false
	}
	for i := range r {
		r[i], _ = strconv.Atoi(found[i+1]) // digits, or nothing where there is no service release
	}
	return r, true
}

// releaseOf reads the release in a load's name, such as SIP42.9-4-2SR3-1S.
func releaseOf(load string) (release, bool) {
	_, text, _ := strings.Cut(load, ".")
	return parseRelease(text)
}
