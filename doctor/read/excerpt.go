package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// What an excerpt keeps: lines around each that told something, up to a bound, and the last ones, where what nobody
// knows yet may stand.
const (
	excerptAround = 3
	excerptLast   = 60
	excerptMost   = 600
)

// excerpt gathers an excerpt while lines go by.
type excerpt struct {
	kept   []fact.ExcerptLine
	recent []fact.ExcerptLine // the last lines that are not in kept
	after  int                // lines still to keep after one that told something
	key    bool               // within a private key, or what else holds one
}

func (e *excerpt) take(line Line, told bool) {
	text := line.Raw
	switch {
	case strings.Contains(text, "PRIVATE KEY-----"), strings.Contains(text, "PKCS12-----"):
		e.key = strings.Contains(text, "-----BEGIN")
	case e.key:
		return
	}
	at := fact.ExcerptLine{Line: line.Number, Text: fact.Cut(text)}
	if told && len(e.kept) < excerptMost {
		e.kept = append(e.kept, e.recent[max(0, len(e.recent)-excerptAround):]...)
		e.kept = append(e.kept, at)
		e.recent, e.after = e.recent[:0], excerptAround
		return
	}
	if e.after > 0 && len(e.kept) < excerptMost {
		e.after--
		e.kept = append(e.kept, at)
		return
	}
	if len(e.recent) == 2*excerptLast {
		e.recent = append(e.recent[:0], e.recent[excerptLast:]...)
	}
	e.recent = append(e.recent, at)
}

func (e *excerpt) lines() []fact.ExcerptLine {
	return append(e.kept, e.recent[max(0, len(e.recent)-excerptLast):]...)
}
