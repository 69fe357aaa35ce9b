package sip

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
)

// MaxMessage is the largest message, in bytes, that is read or written.
const MaxMessage = 65535

// Methods, as they stand in start lines.
const (
	Register  = "REGISTER"
	Invite    = "INVITE"
	Ack       = "ACK"
	Bye       = "BYE"
	Cancel    = "CANCEL"
	Options   = "OPTIONS"
	Refer     = "REFER"
	Notify    = "NOTIFY"
	Subscribe = "SUBSCRIBE"
	Publish   = "PUBLISH"
	Update    = "UPDATE"
	Info      = "INFO"
)

// Message is a request, or a response when Status is not zero.
type Message struct {
	Method string // of a request; for a response that of its CSeq
	URI    URI    // a request's target
	Status int    // 100 to 699; 0 for a request
	Reason string // a response's phrase
	Fields Fields
	Body   []byte
}

// Field is one header field. Name is in its long form with the usual capitals.
type Field struct {
	Name  string
	Value string
}

// Fields are header fields in their order. Names are compared without regard to case.
type Fields []Field

// Get returns the first value under name, or nothing.
func (f Fields) Get(name string) string {
	for _, field := range f {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

// All returns the values of every field called name.
func (f Fields) All(name string) []string {
	var values []string
	for _, field := range f {
		if strings.EqualFold(field.Name, name) {
			values = append(values, field.Value)
		}
	}
	return values
}

// Add puts a field at the end.
func (f *Fields) Add(name, value string) { *f = append(*f, Field{name, value}) }

// Set replaces the first field called name, or adds it.
func (f *Fields) Set(name, value string) {
	for i := range *f {
		if strings.EqualFold((*f)[i].Name, name) {
			(*f)[i].Value = value
			return
		}
	}
	f.Add(name, value)
}

// Parser returns a parser that understands no more than it needs to cut messages, and leaves all other
// fields as they came. (What it understands it writes back differently: quotes in Via are doubled.)
func Parser() *gosip.Parser {
	all, few := gosip.DefaultHeadersParser(), gosip.HeadersParser{}
	for _, name := range []string{"content-length", "l"} {
		few[name] = all[name]
	}
	return gosip.NewParser(gosip.WithHeadersParsers(few))
}

var parser = Parser()

// Parse reads one whole message: a datagram, or what a stream reader has cut out.
func Parse(data []byte) (*Message, error) {
	if len(data) > MaxMessage {
		return nil, fmt.Errorf("sip: message of %d bytes exceeds %d", len(data), MaxMessage)
	}
	m, err := parser.ParseSIP(data)
	if err != nil {
		return nil, fmt.Errorf("sip: %v", err)
	}
	return Convert(m)
}

// Convert takes over a message that sipgo has read. It refuses one of another version, and one
// without the fields that every message must have (Via, From, To, Call-ID and CSeq) or with two of them
// that contradict each other.
func Convert(m gosip.Message) (*Message, error) {
	out := &Message{Body: m.Body()}
	var fields []gosip.Header
	var version string
	switch m := m.(type) {
	case *gosip.Request:
		uri, err := ParseURI(m.Recipient.String())
		if err != nil {
			return nil, fmt.Errorf("sip: request line: %w", err)
		}
		out.Method, out.URI, fields, version = string(m.Method), uri, m.Headers(), m.SipVersion
	case *gosip.Response:
		if m.StatusCode < 100 || m.StatusCode > 699 {
			return nil, fmt.Errorf("sip: status %d is not between 100 and 699", m.StatusCode)
		}
		out.Status, out.Reason, fields, version = m.StatusCode, m.Reason, m.Headers(), m.SipVersion
	}
	if version != "SIP/2.0" {
		return nil, fmt.Errorf("sip: version %q is not SIP/2.0", version)
	}
	for _, field := range fields {
		name := longName(field.Name())
		if !strings.EqualFold(name, "Via") {
			out.Fields.Add(name, field.Value())
			continue
		}
		for _, hop := range splitList(field.Value()) {
			out.Fields.Add("Via", hop)
		}
	}
	return out, out.complete()
}

// complete checks the fields without which nothing can be done with a message, and that none says two
// things at once.
func (m *Message) complete() error {
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		if m.Fields.Get(name) == "" {
			return fmt.Errorf("sip: message without %s", name)
		}
	}
	for _, name := range []string{"From", "To", "Call-ID", "CSeq", "Content-Length"} {
		if n := len(m.Fields.All(name)); n > 1 {
			return fmt.Errorf("sip: message with %d fields %s", n, name)
		}
	}
	_, method, err := m.CSeq()
	switch {
	case err != nil:
		return err
	case m.Status != 0:
		m.Method = method
	case method != m.Method:
		return fmt.Errorf("sip: CSeq says %q, the request line %q", method, m.Method)
	}
	if _, err := m.From(); err != nil {
		return err
	}
	_, err = m.To()
	return err
}

// short holds the one-letter names of RFC 3261 section 7.3.3 and of the extensions phones use.
var short = map[string]string{
	"b": "Referred-By", "c": "Content-Type", "e": "Content-Encoding", "f": "From", "i": "Call-ID",
	"k": "Supported", "l": "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To",
	"s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires",
}

func longName(name string) string {
	if long, ok := short[strings.ToLower(name)]; ok {
		return long
	}
	return name
}

// IsRequest reports whether m is a request.
func (m *Message) IsRequest() bool { return m.Status == 0 }

// Final reports whether m is a response that ends its transaction.
func (m *Message) Final() bool { return m.Status >= 200 }

// OK reports whether m is a response of success.
func (m *Message) OK() bool { return m.Status >= 200 && m.Status < 300 }

// From returns who sent the request of this transaction.
func (m *Message) From() (Address, error) { return m.address("From") }

// To returns whom the request of this transaction was sent to.
func (m *Message) To() (Address, error) { return m.address("To") }

func (m *Message) address(name string) (Address, error) {
	a, err := ParseAddress(m.Fields.Get(name))
	if err != nil {
		return a, fmt.Errorf("sip: %s: %w", name, err)
	}
	return a, nil
}

// FromTag returns the tag of the From field, or nothing.
func (m *Message) FromTag() string {
	a, _ := m.From()
	return a.Params.Get("tag")
}

// ToTag returns the tag of the To field; a request outside a dialog has none.
func (m *Message) ToTag() string {
	a, _ := m.To()
	return a.Params.Get("tag")
}

// CallID returns the Call-ID.
func (m *Message) CallID() string { return m.Fields.Get("Call-ID") }

// CSeq returns the sequence number and the method beside it.
func (m *Message) CSeq() (uint32, string, error) {
	number, method, ok := strings.Cut(strings.TrimSpace(m.Fields.Get("CSeq")), " ")
	n, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil {
		return 0, "", fmt.Errorf("sip: CSeq %q is not a number and a method", m.Fields.Get("CSeq"))
	}
	return uint32(n), strings.TrimSpace(method), nil
}

// Contacts returns all addresses of all Contact fields. A lone "*" gives an Address with URI.Host "*".
func (m *Message) Contacts() ([]Address, error) {
	var all []Address
	for _, value := range m.Fields.All("Contact") {
		for _, text := range splitList(value) {
			a, err := ParseAddress(text)
			if err != nil {
				return nil, fmt.Errorf("sip: Contact: %w", err)
			}
			all = append(all, a)
		}
	}
	return all, nil
}

// Expires returns the seconds of the Expires field, and whether there is a valid one.
func (m *Message) Expires() (int, bool) {
	n, err := strconv.ParseUint(m.Fields.Get("Expires"), 10, 31)
	return int(n), err == nil
}

// String returns the message on one line: what it is, whom it concerns, no body.
func (m *Message) String() string {
	from, _ := m.From()
	to, _ := m.To()
	line := fmt.Sprintf("%s %s > %s (%s) %s", m.Method, from.URI.User, to.URI.User, m.Fields.Get("CSeq"), m.CallID())
	if m.IsRequest() {
		return line
	}
	return fmt.Sprintf("%d %s to %s", m.Status, m.Reason, line)
}

var errLineBreak = errors.New("line break inside a field")

// AppendBinary appends the message in its wire form. Content-Length is written from Body, whatever
// Fields say. A line break in any part is refused, so no field can smuggle in another.
func (m *Message) AppendBinary(b []byte) ([]byte, error) {
	first := "SIP/2.0 " + strconv.Itoa(m.Status) + " " + m.Reason
	if m.IsRequest() {
		first = m.Method + " " + m.URI.String() + " SIP/2.0"
	}
	if strings.ContainsAny(first, "\r\n") {
		return b, fmt.Errorf("sip: start line: %w", errLineBreak)
	}
	b = append(append(b, first...), "\r\n"...)
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, "Content-Length") {
			continue
		}
		if strings.ContainsAny(f.Name, "\r\n:") || strings.ContainsAny(f.Value, "\r\n") {
			return b, fmt.Errorf("sip: %q: %w", f.Name, errLineBreak)
		}
		b = append(append(append(append(b, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	b = fmt.Appendf(b, "Content-Length: %d\r\n\r\n", len(m.Body))
	return append(b, m.Body...), nil
}

// NewResponse starts the answer to a request: status, phrase, and the fields that an answer repeats
// (RFC 3261 section 8.2.6). A tag is added to To when the request had none; empty leaves it out, which
// only status 100 may.
func NewResponse(request *Message, status int, tag string) *Message {
	r := &Message{Method: request.Method, Status: status, Reason: Phrase(status)}
	for _, name := range []string{"Via", "Record-Route"} {
		for _, value := range request.Fields.All(name) {
			r.Fields.Add(name, value)
		}
	}
	to := request.Fields.Get("To")
	if tag != "" && request.ToTag() == "" {
		to += ";tag=" + tag
	}
	r.Fields.Add("From", request.Fields.Get("From"))
	r.Fields.Add("To", to)
	r.Fields.Add("Call-ID", request.CallID())
	r.Fields.Add("CSeq", request.Fields.Get("CSeq"))
	return r
}

var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	408: "Request Timeout", 415: "Unsupported Media Type", 420: "Bad Extension", 423: "Interval Too Brief",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	483: "Too Many Hops", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
	489: "Bad Event", 491: "Request Pending", 500: "Server Internal Error", 503: "Service Unavailable",
	603: "Decline",
}

// Phrase returns the usual words for a status; for one we never send, "Unknown".
func Phrase(status int) string {
	if p, ok := phrases[status]; ok {
		return p
	}
	return "Unknown"
}
