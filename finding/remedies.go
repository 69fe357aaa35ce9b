package finding

import (
	"slices"
	"strings"
)

// places are the platforms as a remedy names them, in the order in which remedies stand.
var places = []struct {
	platform Platform
	name     string
}{
	{Longcord, "with Longcord"}, {ASA, "on an ASA"}, {CUCM, "on CUCM"}, {Ocserv, "with ocserv"},
	{IOS, "on IOS with CME"}, {Asterisk, "with Asterisk"}, {Kamailio, "with Kamailio"}, {Phone, "on the phone"},
}

// On returns the finding with the remedies for equipment of these platforms, which was seen in the evidence.
//
// Where remedies for the servers seen are known, those alone count. Otherwise nobody knows whose the servers are: then
// what holds for any stands first, and after it what holds for one, each behind its name. What a person does on the phone
// itself is right in either case, and stands last.
func (f Finding) On(seen ...Platform) Finding {
	d, ok := register[f.Code]
	if !ok || f.told {
		return f
	}
	if fixes := d.remedies(seen); len(fixes) > 0 {
		f.Fix = nil
		for _, fix := range fixes {
			if fix = format(fix, d.toType(f.args)); !slices.Contains(f.Fix, fix) {
				f.Fix = append(f.Fix, fix)
			}
		}
	}
	return f
}

func (d Declaration) remedies(seen []Platform) []string {
	remedies := map[Platform][]string{}
	for p, sentences := range d.Elsewhere {
		remedies[p] = sentences
	}
	var general []string
	for _, fix := range d.Fix {
		if ours(fix) {
			remedies[Longcord] = append(slices.Clone(remedies[Longcord]), fix)
		} else {
			general = append(general, fix)
		}
	}
	servers := slices.DeleteFunc(slices.Clone(seen), func(p Platform) bool {
		return p == Phone || len(d.Elsewhere[p]) == 0 && p != Longcord
	})
	var fixes []string
	switch {
	case slices.Equal(servers, []Platform{Longcord}):
		fixes = slices.Clone(d.Fix)
	case len(servers) > 0:
		fixes = inPlaces(remedies, servers, len(servers) > 1)
	default:
		fixes = append(fixes, general...)
		others := []Platform{ASA, CUCM, Ocserv, IOS, Asterisk, Kamailio}
		if !slices.ContainsFunc(seen, func(p Platform) bool { return p != Phone }) || len(fixes) == 0 {
			others = append(others, Longcord)
		}
		fixes = append(fixes, inPlaces(remedies, others, true)...)
	}
	return append(fixes, inPlaces(remedies, []Platform{Phone}, len(fixes) > 0)...)
}

// inPlaces returns the remedies for these platforms, behind their names if asked for.
func inPlaces(remedies map[Platform][]string, platforms []Platform, named bool) []string {
	var fixes []string
	for _, at := range places {
		if !slices.Contains(platforms, at.platform) {
			continue
		}
		for _, fix := range remedies[at.platform] {
			if named {
				fix = at.name + ": " + fix
			}
			fixes = append(fixes, fix)
		}
	}
	return fixes
}

// ours reports whether a remedy speaks of our own system only.
func ours(fix string) bool {
	return strings.Contains(fix, "`longcord ") || strings.Contains(fix, "longcord.yaml")
}
