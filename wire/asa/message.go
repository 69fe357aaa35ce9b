package asa

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Severity is syslog's, 0 to 7, the worst first.
type Severity int

// The severities that messages here have.
const (
	Errors        Severity = 3
	Warnings      Severity = 4
	Notifications Severity = 5
	Informational Severity = 6
	Debugging     Severity = 7
)

// Message is one syslog message of an ASA, without what a collector puts before it:
//
//	%ASA-6-113039: Group <staff> User <anna> IP <192.0.2.7> AnyConnect parent session started.
//	     │ └ ID      └ Text
//	     └ Severity
type Message struct {
	Severity Severity
	ID       int // six digits
	Text     string
}

// MaxText is the longest text that AppendText writes; a longer one is cut. Collectors may cut datagrams
// over a kilobyte.
const MaxText = 900

// AppendText appends the message. Bytes that would end a line or drive a terminal become question marks:
// names in the text are what strangers typed.
func (m Message) AppendText(b []byte) ([]byte, error) {
	if m.Severity < 0 || m.Severity > 7 || m.ID < 0 || m.ID > 999999 {
		return b, fmt.Errorf("asa: severity %d or message %d does not exist", m.Severity, m.ID)
	}
	b = fmt.Appendf(b, "%%ASA-%d-%06d: ", m.Severity, m.ID)
	for i := 0; i < min(len(m.Text), MaxText); i++ {
		if c := m.Text[i]; c < ' ' || c == 0x7f {
			b = append(b, '?')
		} else {
			b = append(b, c)
		}
	}
	return b, nil
}

// String returns the message as AppendText writes it.
func (m Message) String() string {
	b, err := m.AppendText(nil)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// ParseMessage reads the message in a line of a log. What stands before it, such as priority, time and
// host, is skipped; the newer products' FTD and the older PIX are read as ASA.
func ParseMessage(line string) (Message, error) {
	for from := 0; ; {
		at := strings.IndexByte(line[from:], '%')
		if at < 0 {
			return Message{}, fmt.Errorf("asa: no %%ASA-N-NNNNNN: in %q", line)
		}
		from += at + 1
		if m, ok := parseAfterPercent(line[from:]); ok {
			return m, nil
		}
	}
}

func parseAfterPercent(s string) (m Message, ok bool) {
	tag, text, found := strings.Cut(s, ":")
	parts := strings.Split(tag, "-")
	if len(parts) == 4 { // the class of the message may stand between, as in ASA-auth-6-113012
		parts = slices.Delete(parts, 1, 2)
	}
	if !found || len(parts) != 3 || parts[0] != "ASA" && parts[0] != "FTD" && parts[0] != "PIX" {
		return m, false
	}
	severity, id := parts[1], parts[2]
	if len(severity) != 1 || severity[0] < '0' || severity[0] > '7' || len(id) != 6 {
		return m, false
	}
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return m, false
	}
	return Message{Severity(severity[0] - '0'), int(n), strings.TrimPrefix(strings.TrimRight(text, "\r\n"), " ")}, true
}
