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

// DetectionSince is the release from which on the VPN client finds out by itself where it is: 9.0(2) is reported not to,
// 9.2(1) to do so. Of 88xx phones nothing else is known.
const DetectionSince = "9.2(1)"

// Older reports whether a load, by its name or its bare release, comes before a release; known is false when one of
// them cannot be read.
func Older(load, since string) (older, known bool) {
	mine, ok := releaseOf(load)
	if !ok {
		mine, ok = parseRelease(load)
	}
	first, bounded := parseRelease(since)
	return ok && bounded && mine.before(first), ok && bounded
}
