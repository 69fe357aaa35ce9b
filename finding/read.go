package finding

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Read makes the finding that says this, as With once made it; ok is false when the declaration says something else.
// Arguments that the sentence does not have are named in capitals, as on the finding's page.
func (d Declaration) Read(says string) (f Finding, ok bool) {
	var pattern strings.Builder
	var order []int // which argument each group is
	rest := d.Says
	for {
		at := verb.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		pattern.WriteString(regexp.QuoteMeta(rest[:at[0]]) + "(.+?)")
		order = append(order, int(rest[at[2]]-'1'))
		rest = rest[at[1]:]
	}
	m := regexp.MustCompile("^" + pattern.String() + regexp.QuoteMeta(rest) + "$").FindStringSubmatch(says)
	if m == nil {
		return f, false
	}
	args := make([]any, len(d.Args))
	for i, name := range d.Args {
		args[i] = strings.ToUpper(name)
	}
	for group, i := range order {
		args[i] = m[group+1]
		if n, err := strconv.Atoi(m[group+1]); err == nil && strings.Contains(d.Says, fmt.Sprintf("%%[%d]d", i+1)) {
			args[i] = n
		}
	}
	return d.With(args...), true
}

// verb is where an argument stands in a sentence.
var verb = regexp.MustCompile(`%\[(\d)\][a-z]`)
