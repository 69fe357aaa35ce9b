package vpnauth

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Field is one header line.
type Field struct {
	Name  string // in the spelling that goes on the wire
	Value string
}

// Headers are header lines in the order in which they are sent. Some clients read names case-sensitively
// and phones look for cookies line by line, so order and spelling are kept.
type Headers []Field

// Get returns the first value of name, compared without regard to case, or "".
func (h Headers) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Values returns all values of name, compared without regard to case, in order.
func (h Headers) Values(name string) []string {
	var values []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

func (h Headers) append(b []byte) []byte {
	for _, f := range h {
		b = append(b, oneLine(f.Name)...)
		b = append(b, ": "...)
		b = append(b, oneLine(f.Value)...)
		b = append(b, "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// oneLine keeps a value from ending its line early: what came from outside must not become a header.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// Reply is a gateway's answer before the tunnel.
type Reply struct {
	Minor  int // HTTP/1.Minor; a gateway echoes the request's
	Status int
	Reason string // words after the status; empty means the usual ones
	Header Headers
	Body   []byte // sent as it is; Content-Length is in Header, where its place matters
}

// Append adds the reply's bytes to b.
func (r Reply) Append(b []byte) []byte {
	reason := r.Reason
	if reason == "" {
		reason = http.StatusText(r.Status)
	}
	b = fmt.Appendf(b, "HTTP/1.%d %03d %s\r\n", r.Minor, r.Status, oneLine(reason))
	return append(r.Header.append(b), r.Body...)
}

// String prints the status line. Headers and body may hold secrets and stay out.
func (r Reply) String() string {
	line, _, _ := strings.Cut(string(Reply{Minor: r.Minor, Status: r.Status, Reason: r.Reason}.Append(nil)), "\r\n")
	return line
}

// Length returns the Content-Length field of a body with n bytes. Every reply has one: clients cannot
// end an answer without it.
func Length(n int) Field { return Field{"Content-Length", strconv.Itoa(n)} }

// Request is what a client sends before the tunnel.
type Request struct {
	Method string
	Target string // path and query as they stand in the URL
	Header Headers
	Body   []byte
}

// Append adds the request's bytes to b, as HTTP/1.1.
func (r Request) Append(b []byte) []byte {
	b = append(b, oneLine(r.Method)...)
	b = append(b, ' ')
	b = append(b, strings.ReplaceAll(oneLine(r.Target), " ", "%20")...)
	b = append(b, " HTTP/1.1\r\n"...)
	return append(r.Header.append(b), r.Body...)
}

// String prints the request line.
func (r Request) String() string { return r.Method + " " + r.Target }
