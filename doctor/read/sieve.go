package read

import (
	"strings"
	"sync"
)

// How many lines after one with a mark, and after one that was known, are offered whatever they hold: formats have blocks.
const (
	afterMark  = 8
	afterKnown = 64
)

// maybeRecord reports whether a line may hold a record of a phone's log: a severity in three capitals, and the time or the
// day after it.
func maybeRecord(line string) bool {
	for i := 2; i+6 < len(line); i++ {
		if line[i] != ' ' || line[i+4] != ' ' {
			continue
		}
		if before := line[i-1]; before != ':' && (before < '0' || before > '9') {
			continue
		}
		if capital(line[i+1]) && capital(line[i+2]) && capital(line[i+3]) && (line[i+5] >= '0' && line[i+5] <= '9' || capital(line[i+5])) {
			return true
		}
	}
	return false
}

func capital(c byte) bool { return c >= 'A' && c <= 'Z' }

// maybeColumns reports whether a line may be of a table of messages, as ASDM saves it: a severity and a column's end.
func maybeColumns(line string) bool {
	return len(line) > 2 && (line[0] == '"' || line[0] >= '0' && line[0] <= '7' && strings.IndexByte(",;|\t\"", line[1]) >= 0)
}

// allMarks finds the marks of all recognisers at once.
var allMarks = sync.OnceValue(func() *marks {
	m := newMarks()
	for i, rec := range recognisers() {
		for _, mark := range rec.Marks {
			m.add(mark, 1<<(i%64))
		}
	}
	m.finish()
	return m
})
