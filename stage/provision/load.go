package provision

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/inventory"
)

// LoadFile returns the name of the file that phones ask for when they are told to run a load.
func LoadFile(load string) string { return load + ".loads" }

// Loads returns the loads that phones are told to run, each with the names of its phones.
func Loads(set *inventory.Set) map[string][]string {
	loads := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(set.Devices)) {
		if load := set.LoadFor(set.Devices[name]); load != "" {
			loads[load] = append(loads[load], name)
		}
	}
	return loads
}

// partOfLoad finds the names of the images that a .loads file lists. What stands between them has not been
// published, so they are known by how they end (docs/wire/phone-files.md#firmware).
var partOfLoad = regexp.MustCompile(`(?i)[a-z0-9][a-z0-9._-]{2,120}\.(?:sbn|sgn|bin|zz|rom)\b`)

// PartsOfLoad returns the files that a .loads file names. The content may be anything.
func PartsOfLoad(content []byte) []string {
	var parts []string
	for _, part := range partOfLoad.FindAllString(string(content), maxParts) {
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

const maxParts = 64

// HasPart reports whether one of names, in any letter case, is a part of a load. A length before a name may
// look like the name's first letters, so up to two of those may be missing.
func HasPart(names []string, part string) bool {
	for cut := range min(3, len(part)) {
		if slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, part[cut:]) }) {
			return true
		}
	}
	return false
}
