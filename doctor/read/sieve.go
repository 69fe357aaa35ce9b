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

// maybeRecord reports whether a line may hold a record of a phone's log, of either grammar.
func maybeRecord(line string) bool { return maybe79(line) || maybe88(line) }

// maybe79 looks for a severity between a sequence's colon and a time: "1: NOT 10:".
func maybe79(line string) bool {
	for i := 2; i+7 < len(line); i++ {
		if line[i] == ' ' && line[i-1] == ':' && line[i+4] == ' ' && line[i+7] == ':' && severity(line[i+1:i+4]) {
			return true
		}
	}
	return false
}

// maybe88 looks for a severity between a sequence and a day: "1 NOT Nov 2".
func maybe88(line string) bool {
	for i := 1; i+8 < len(line); i++ {
		if line[i] == ' ' && line[i+4] == ' ' && line[i+8] == ' ' && line[i-1] >= '0' && line[i-1] <= '9' && severity(line[i+1:i+4]) {
			return true
		}
	}
	return false
}

func severity(s string) bool { return capital(s[0]) && capital(s[1]) && capital(s[2]) }

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
