package read

import (
	"regexp"
	"strings"
	"time"
)

// escapes are what terminals draw with: colours, cursor, title.
var escapes = regexp.MustCompile("\x1b(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\-_])")

// prefix is what a syslog daemon puts before a message: priority, time, host, program.
var prefix = regexp.MustCompile(`^(?:<\d{1,3}>)?(?:1 )?` +
	`(?:([A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)[ :]+` +
	`(?:([A-Za-z0-9][\w.:-]*) +(?:: )?)??(?:([\w./-]+)(?:\[\d+\])?: +)?)`)

// normalise takes away what is not of the message.
func normalise(raw []byte, number int, now time.Time) Line {
	s := strings.TrimRight(string(raw), "\r\n")
	if strings.ContainsRune(s, 0x1b) {
		s = escapes.ReplaceAllString(s, "")
	}
	if i := strings.LastIndexByte(s, '\r'); i >= 0 { // a progress line that was written over
		s = s[i+1:]
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	s = strings.TrimPrefix(s, "\ufeff")
	line := Line{Number: number, Text: s, Raw: s}
	if m := prefix.FindStringSubmatch(s); m != nil && m[1] != "" {
		line.Time, line.Host, line.Program = stamp(m[1], now), m[2], m[3]
		line.Text = s[len(m[0]):]
	}
	return line
}

// stamp reads the time of a prefix. Without a year it is the last such day before now.
func stamp(text string, now time.Time) time.Time {
	text = strings.Replace(text, ",", ".", 1)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z0700", "Jan _2 2006 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	t, err := time.Parse("Jan _2 15:04:05", text)
	if err != nil || now.IsZero() {
		return time.Time{}
	}
	t = t.AddDate(now.Year(), 0, 0)
	if t.After(now.Add(24 * time.Hour)) {
		t = t.AddDate(-1, 0, 0)
	}
	return t
}
