package cstp

import (
	"fmt"
	"strconv"
	"strings"
)

// Refusal is a gateway's reply to a CONNECT that it does not grant. It is also the error that a client
// gets from ParseAnswer.
type Refusal struct {
	Status int    // 401: the cookie is no good, log in again; 503: not now
	Phrase string // behind the number on the first line
	Reason string // X-Reason; clients show it with a 503
}

// Refusals that a gateway gives.
var (
	CookieRefused = Refusal{Status: 401, Phrase: "Cookie is not acceptable"}
	NoAddress     = Refusal{Status: 503, Phrase: "Service Unavailable", Reason: "No address available"}
)

// Error says what the gateway said.
func (r *Refusal) Error() string {
	s := fmt.Sprintf("cstp: gateway answers %d %s", r.Status, r.Phrase)
	if r.Reason != "" {
		s += fmt.Sprintf(": %q", r.Reason)
	}
	return s
}

// AppendBinary appends the refusal as it stands on the wire. It refuses values that hold a line break.
func (r Refusal) AppendBinary(dst []byte) ([]byte, error) {
	if strings.ContainsAny(r.Phrase, "\r\n\x00") {
		return nil, fmt.Errorf("cstp: %q is not a reason phrase", r.Phrase)
	}
	dst = fmt.Appendf(dst, "HTTP/1.1 %03d %s\r\n", r.Status, r.Phrase)
	headers := []Header{{"Content-Length", "0"}}
	if r.Reason != "" {
		headers = append(headers, Header{"X-Reason", r.Reason})
	}
	return write(dst, &r, nil, headers)
}

func parseStatus(first string) (Refusal, error) {
	version, rest, _ := strings.Cut(first, " ")
	number, phrase, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(number)
	if !strings.HasPrefix(version, "HTTP/1.") || err != nil || len(number) != 3 || status < 100 {
		return Refusal{}, fmt.Errorf("cstp: status line %q, want HTTP/1.1 200 CONNECTED", first)
	}
	return Refusal{Status: status, Phrase: phrase}, nil
}

func refusalOf(r Refusal, headers []Header) *Refusal {
	for _, h := range headers {
		if strings.EqualFold(h.Name, "X-Reason") {
			r.Reason = h.Value
		}
	}
	return &r
}
