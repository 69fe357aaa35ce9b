package phoneweb

import (
	"fmt"
	"strings"
	"time"
)

// Texts of status messages, as phones write them.
const (
	StatusNoTrustList  = "No Trust List installed"
	StatusFileNotFound = "File Not Found"
	StatusTFTPTimeout  = "TFTP timeout"
	StatusTFTPError    = "TFTP error"
	StatusTFTPAccess   = "TFTP access error"
	StatusChecksum     = "Checksum Error"
	StatusRestart      = "Restart requested by CUCM"
)

// MaxStatus is how many status messages a phone keeps.
const MaxStatus = 30

// Status is a status message.
type Status struct {
	Time string // on the phone's clock, such as 9:54:34p
	Text string // empty: File was loaded
	File string // empty: the message is about none
}

// StatusTime writes a time as status messages have it.
func StatusTime(at time.Time) string { return strings.TrimSuffix(at.Format("3:04:05pm"), "m") }

// String writes the message.
func (s Status) String() string {
	switch {
	case s.File == "":
		return s.Time + " " + s.Text
	case s.Text == "":
		return s.Time + " " + s.File
	}
	return s.Time + " " + s.Text + " : " + s.File
}

// ParseStatus reads a message; ok is false when text does not begin with a time.
func ParseStatus(text string) (s Status, ok bool) {
	at, rest, found := strings.Cut(strings.TrimSpace(text), " ")
	var hour, minute, second int
	var half string
	if n, err := fmt.Sscanf(at, "%d:%d:%d%1s", &hour, &minute, &second, &half); n != 4 || err != nil || !found || half != "a" && half != "p" {
		return s, false
	}
	s.Time = at
	rest = strings.TrimSpace(rest)
	if what, file, about := strings.Cut(rest, " : "); about {
		s.Text, s.File = strings.TrimSpace(what), strings.TrimSpace(file)
	} else if strings.ContainsRune(rest, '.') && !strings.ContainsRune(rest, ' ') {
		s.File = rest
	} else {
		s.Text = rest
	}
	return s, rest != ""
}

// Line is a line of the console log.
type Line struct {
	Sequence int
	Severity string // DEB, INF, NOT, WRN, ERR
	Time     time.Time
	Task     string // VPNC, SECD, dgetfile…
	Text     string
}

// Console writes a line of the console log in a series' grammar.
func (s Style) Console(l Line) string {
	if s.Old {
		return fmt.Sprintf("%d: %s %s %s: %s", l.Sequence, l.Severity, l.Time.Format("15:04:05.000000"), l.Task, l.Text)
	}
	return fmt.Sprintf("%04d %s %s [%s] %s-%s", l.Sequence, l.Severity, l.Time.Format("Jan 02 15:04:05.000000"), "1:1", l.Task, l.Text)
}
