package judge

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// asaEither is a command with what it was called before some release, as remedies have them: `new` (before 8.4: `old`).
var asaEither = regexp.MustCompile("`([^`]+)` \\(before (\\d+)\\.(\\d+): (`[^)]*`)\\)")

// asaWords leaves of commands that changed their names those that the ASA in evidence takes. Where its release is not
// known and its configuration does not show it, both stand.
func (c *Case) asaWords(fixes []string) []string {
	if len(fixes) == 0 {
		return fixes
	}
	var boxes []*asaBox
	for i, fix := range fixes {
		if !strings.Contains(fix, " (before ") {
			continue
		}
		if boxes == nil {
			if boxes = c.asas(); len(boxes) != 1 {
				return fixes
			}
		}
		fixes[i] = asaEither.ReplaceAllStringFunc(fix, func(text string) string {
			m := asaEither.FindStringSubmatch(text)
			major, _ := strconv.Atoi(m[2])
			minor, _ := strconv.Atoi(m[3])
			switch boxes[0].since(major, minor) {
			case 1:
				return "`" + m[1] + "`"
			case -1:
				return m[4]
			}
			return text
		})
	}
	return fixes
}

// since says whether an ASA is of this release or a later one (1), of an earlier one (-1), or not known (0).
func (b *asaBox) since(major, minor int) int {
	if v, ok := b.version(); ok {
		if v.before(major, minor, 0) {
			return -1
		}
		return 1
	}
	earliest, latest := 0, 99*100 // release as major and minor, by the words of its configuration
	for _, k := range []fact.Kind{fact.ASAPolicy, fact.ASAWebVPN, fact.ASAGlobal} {
		for _, f := range b.facts[k] {
			switch words := strings.Fields(f.Text + " - -"); {
			case words[0] == "svc":
				latest = min(latest, 8*100+3)
			case words[0] == "anyconnect" && words[1] != "-":
				earliest = max(earliest, 8*100+4)
			case words[0] == "ssl" && words[1] == "cipher":
				earliest = max(earliest, 9*100+3)
			case words[0] == "ssl" && words[1] == "encryption":
				latest = min(latest, 9*100+2)
			}
		}
	}
	switch wanted := major*100 + minor; {
	case earliest >= wanted:
		return 1
	case latest < wanted:
		return -1
	}
	return 0
}
