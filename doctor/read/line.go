package read

import (
	"strings"
	"time"
	"unicode/utf8"
)

// escapes are what terminals draw with: colours, cursor, title.
var escapes = compile("\x1b(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\-_])")

// normalise takes away what is not of the message.
func normalise(s string, number int, now time.Time) Line {
	s = strings.TrimRight(s, "\r\n")
	if strings.IndexByte(s, 0x1b) >= 0 {
		s = escapes.ReplaceAllString(s, "")
	}
	if strings.IndexByte(s, '\b') >= 0 {
		s = rubbedOut(s)
	}
	if i := strings.LastIndexByte(s, '\r'); i >= 0 { // a progress line that was written over
		s = s[i+1:]
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	s = strings.TrimPrefix(s, "\ufeff")
	line := Line{Number: number, Latin: !utf8.ValidString(s)}
	s = latin1(s)
	line.Text, line.Raw = s, s
	line.prefix(now)
	return line
}

// rubbedOut takes back what backspaces take back. Pagers write over their own prompt so.
func rubbedOut(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		switch {
		case s[i] != '\b':
			out = append(out, s[i])
		case len(out) > 0:
			out = out[:len(out)-1]
		}
	}
	return string(out)
}

// prefix takes off what a syslog daemon puts before a message: priority, time, host, program. It is written out,
// because as a regular expression it takes longer than all the rest.
func (l *Line) prefix(now time.Time) {
	s := l.Raw
	if n := priority(s); n > 0 {
		s = s[n:]
	}
	rest, new5424 := strings.CutPrefix(s, "1 ")
	if new5424 {
		s = rest
	}
	when, n := timestamp(s, now)
	if n == 0 {
		return
	}
	s = s[n:]
	trimmed := strings.TrimLeft(s, " :")
	if len(trimmed) == len(s) {
		return
	}
	s = trimmed
	l.Time = when
	if new5424 && l.structured(s) {
		return
	}
	if program, rest, ok := programOf(s); ok && strings.HasPrefix(s[len(program):], "[") {
		l.Program, l.Text = program, rest
		return
	}
	if host, rest, ok := strings.Cut(s, " "); ok && isWord(host) {
		rest = strings.TrimLeft(rest, " ")
		if program, after, ok := programOf(rest); ok {
			l.Host, l.Program, l.Text = host, program, after
			return
		}
		after := strings.TrimLeft(rest, ": ")
		if strings.HasPrefix(after, "%") {
			l.Host, l.Text = host, after
			return
		}
	}
	l.Text = s
}

// structured reads what follows the time in RFC 5424: host, program, process, message, data.
func (l *Line) structured(s string) bool {
	parts := strings.SplitN(s, " ", 5)
	if len(parts) < 5 {
		return false
	}
	text := parts[4]
	switch {
	case strings.HasPrefix(text, "- "):
		text = text[2:]
	case strings.HasPrefix(text, "["):
		if _, after, ok := strings.Cut(text, "] "); ok {
			text = after
		}
	}
	l.Host, l.Program, l.Text = parts[0], parts[1], strings.TrimPrefix(text, "\ufeff")
	return true
}

// programOf reads "program[12]: " or "program: ". Tasks of phones, which are in capitals, are no programs.
func programOf(s string) (program, rest string, ok bool) {
	colon := strings.Index(s, ": ")
	if colon <= 0 || colon > 64 {
		return "", "", false
	}
	program = s[:colon]
	if open := strings.IndexByte(program, '['); open > 0 && strings.HasSuffix(program, "]") && digits(program[open+1:len(program)-1]) {
		program = program[:open]
	}
	if !isWord(program) || len(program) == colon && (program[0] < 'a' || program[0] > 'z') {
		return "", "", false
	}
	return program, strings.TrimLeft(s[colon+2:], " "), true
}

func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || i > 0 && c == ':' || c == '.' || c == '_' || c == '-' || c == '/') {
			return false
		}
	}
	return s != ""
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// priority returns the length of "<134>" at the beginning, or 0.
func priority(s string) int {
	if s == "" || s[0] != '<' {
		return 0
	}
	if end := strings.IndexByte(s, '>'); end > 1 && end < 5 && digits(s[1:end]) {
		return end + 1
	}
	return 0
}

// timestamp reads a time at the beginning, and returns how long it is, or 0. Without a year it is the last such day
// before now.
func timestamp(s string, now time.Time) (time.Time, int) {
	if len(s) < 15 {
		return time.Time{}, 0
	}
	if s[0] >= '0' && s[0] <= '9' {
		return isoTime(s)
	}
	if s[3] != ' ' || s[6] != ' ' || s[0] < 'A' || s[0] > 'Z' {
		return time.Time{}, 0
	}
	layout, length := "Jan _2 15:04:05", 15
	if len(s) >= 20 && digits(s[7:11]) && s[11] == ' ' {
		layout, length = "Jan _2 2006 15:04:05", 20
	}
	t, err := time.Parse(layout, s[:length])
	if err != nil {
		return time.Time{}, 0
	}
	fraction, n := fractionOf(s[length:])
	if length == 20 {
		return t.Add(fraction), length + n
	}
	if now.IsZero() {
		return time.Time{}, length + n
	}
	t = time.Date(now.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	if t.After(now.Add(24 * time.Hour)) {
		t = t.AddDate(-1, 0, 0)
	}
	return t.Add(fraction), length + n
}

// isoTime reads 2026-11-25T10:00:00.123+01:00 and its relatives.
func isoTime(s string) (time.Time, int) {
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' || s[13] != ':' {
		return time.Time{}, 0
	}
	t, err := time.Parse("2006-01-02 15:04:05", s[:10]+" "+s[11:19])
	if err != nil {
		return time.Time{}, 0
	}
	fraction, n := fractionOf(s[19:])
	t, n = t.Add(fraction), 19+n
	zone := s[n:]
	if strings.HasPrefix(zone, "Z") {
		return t, n + 1
	}
	if zone == "" || zone[0] != '+' && zone[0] != '-' {
		return t, n
	}
	for _, layout := range []string{"-07:00", "-0700"} {
		if len(zone) >= len(layout) {
			if at, err := time.Parse(layout, zone[:len(layout)]); err == nil {
				_, offset := at.Zone()
				return t.Add(-time.Duration(offset) * time.Second), n + len(layout)
			}
		}
	}
	return t, n
}

// fractionOf reads ".123" or ",123", and returns how long it is, or 0.
func fractionOf(s string) (time.Duration, int) {
	if s == "" || s[0] != '.' && s[0] != ',' {
		return 0, 0
	}
	var nanos, scale int64 = 0, int64(time.Second)
	n := 1
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		if scale > 1 {
			scale /= 10
			nanos += int64(s[n]-'0') * scale
		}
		n++
	}
	if n == 1 {
		return 0, 0
	}
	return time.Duration(nanos), n
}
