package sip

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// URI is a SIP address. Of other schemes (tel, urn) only Scheme and Opaque are set.
type URI struct {
	Scheme string // sip or sips; anything else with Opaque
	User   string // as written, escapes included
	Host   string // name or address; IPv6 without brackets
	Port   uint16 // 0: not written
	Params Params
	Opaque string // what follows the scheme of a URI that is not SIP
}

// ParseURI reads a URI. Headers after "?" are dropped: nothing of ours follows them.
func ParseURI(text string) (URI, error) {
	if text == "*" {
		return URI{Host: "*"}, nil
	}
	scheme, rest, ok := strings.Cut(text, ":")
	u := URI{Scheme: strings.ToLower(scheme)}
	if !ok || u.Scheme == "" || strings.ContainsAny(text, " <>\"\r\n") {
		return u, fmt.Errorf("%q is not a URI", text)
	}
	if u.Scheme != "sip" && u.Scheme != "sips" {
		u.Opaque = rest
		return u, nil
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		u.User, rest = rest[:i], rest[i+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	host, params, _ := strings.Cut(rest, ";")
	var err error
	if u.Params, err = parseParams(params); err != nil {
		return u, err
	}
	u.Host, u.Port, err = splitHostPort(host)
	return u, err
}

func splitHostPort(text string) (string, uint16, error) {
	host, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		host, port = text[:i], text[i+1:]
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	if host == "" || strings.ContainsAny(host, "[]@") {
		return "", 0, fmt.Errorf("%q is not a host and port", text)
	}
	if port == "" {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is not between 0 and 65535", port)
	}
	return host, uint16(n), nil
}

// String writes the URI.
func (u URI) String() string {
	if u.Host == "*" && u.Scheme == "" {
		return "*"
	}
	if u.Opaque != "" {
		return u.Scheme + ":" + u.Opaque
	}
	s := u.Scheme + ":"
	if u.User != "" {
		s += u.User + "@"
	}
	if strings.Contains(u.Host, ":") {
		s += "[" + u.Host + "]"
	} else {
		s += u.Host
	}
	if u.Port != 0 {
		s += ":" + strconv.Itoa(int(u.Port))
	}
	return s + u.Params.String()
}

// Address is a name and a URI, as in From, To and Contact.
type Address struct {
	Name   string // display name, without quotes
	URI    URI
	Params Params // the field's own parameters, such as tag and expires
}

// ParseAddress reads one address. Without angle brackets all parameters belong to the field.
func ParseAddress(text string) (Address, error) {
	var a Address
	text = strings.TrimSpace(text)
	rest := text
	if strings.HasPrefix(text, `"`) {
		name, n, err := unquote(text)
		if err != nil {
			return a, err
		}
		a.Name, rest = name, strings.TrimSpace(text[n:])
	}
	uri, params, bracketed := rest, "", false
	if i := strings.IndexByte(rest, '<'); i >= 0 {
		j := strings.IndexByte(rest[i:], '>')
		if j < 0 {
			return a, fmt.Errorf("%q lacks a closing bracket", text)
		}
		if a.Name == "" {
			a.Name = strings.TrimSpace(rest[:i])
		}
		uri, params, bracketed = rest[i+1:i+j], strings.TrimSpace(rest[i+j+1:]), true
	}
	if !bracketed {
		uri, params, _ = strings.Cut(rest, ";")
	}
	var err error
	if a.URI, err = ParseURI(strings.TrimSpace(uri)); err != nil {
		return a, err
	}
	a.Params, err = parseParams(strings.TrimPrefix(params, ";"))
	return a, err
}

// String writes the address, always with angle brackets.
func (a Address) String() string {
	if a.URI.Host == "*" && a.URI.Scheme == "" {
		return "*"
	}
	s := "<" + a.URI.String() + ">" + a.Params.String()
	if a.Name != "" {
		s = quote(a.Name) + " " + s
	}
	return s
}

// Param is one parameter. Quoted keeps whether the value stood in quotes.
type Param struct {
	Name   string
	Value  string
	Quoted bool
}

// Params are parameters in their order. Names are compared without regard to case.
type Params []Param

// Get returns the value under name, or nothing.
func (p Params) Get(name string) string {
	for _, param := range p {
		if strings.EqualFold(param.Name, name) {
			return param.Value
		}
	}
	return ""
}

// Has reports whether there is a parameter called name, with or without a value.
func (p Params) Has(name string) bool {
	for _, param := range p {
		if strings.EqualFold(param.Name, name) {
			return true
		}
	}
	return false
}

// With returns p with name set to value, unquoted; p itself is not changed.
func (p Params) With(name, value string) Params {
	return append(p.Without(name), Param{Name: name, Value: value})
}

// Without returns p without name; p itself is not changed.
func (p Params) Without(name string) Params {
	out := make(Params, 0, len(p)+1)
	for _, param := range p {
		if !strings.EqualFold(param.Name, name) {
			out = append(out, param)
		}
	}
	return out
}

// String writes each parameter with a semicolon before it.
func (p Params) String() string {
	var b strings.Builder
	for _, param := range p {
		b.WriteString(";" + param.Name)
		switch {
		case param.Quoted:
			b.WriteString("=" + quote(param.Value))
		case param.Value != "":
			b.WriteString("=" + param.Value)
		}
	}
	return b.String()
}

// parseParams reads "a=b;c;d="e"", without the semicolon that stands before the first.
func parseParams(text string) (Params, error) {
	var out Params
	for _, part := range split(text, ';') {
		name, value, _ := strings.Cut(part, "=")
		p := Param{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)}
		if p.Name == "" {
			if p.Value != "" {
				return nil, fmt.Errorf("parameter %q has no name", part)
			}
			continue
		}
		if strings.HasPrefix(p.Value, `"`) {
			value, n, err := unquote(p.Value)
			if err != nil {
				return nil, err
			}
			if n != len(p.Value) {
				return nil, fmt.Errorf("parameter %q goes on after its quotes", part)
			}
			p.Value, p.Quoted = value, true
		}
		out = append(out, p)
	}
	return out, nil
}

// splitList cuts a field with several values at its commas.
func splitList(text string) []string { return split(text, ',') }

// split cuts text at every separator that stands outside quotes and angle brackets; empty parts are left out.
func split(text string, separator byte) []string {
	var parts []string
	quoted, bracket, start := false, false, 0
	add := func(part string) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			bracket = true
		case c == '>':
			bracket = false
		case c == separator && !bracket:
			add(text[start:i])
			start = i + 1
		}
	}
	add(text[start:])
	return parts
}

// unquote reads a quoted string at the start of text and returns it with the bytes it took.
func unquote(text string) (string, int, error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), i + 1, nil
		case '\\':
			if i++; i < len(text) {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return "", 0, fmt.Errorf("quoted text %q does not end", text)
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// Transport is how messages travel.
type Transport string

// The transports, as they stand in Via.
const (
	UDP Transport = "UDP"
	TCP Transport = "TCP"
	TLS Transport = "TLS"
)

// Flow is one way to a peer: its transport and address. Over TCP and TLS it is one connection, which only the
// peer can bring back once it is gone.
type Flow struct {
	Transport Transport      `json:"transport"`
	Peer      netip.AddrPort `json:"peer"`
}

// String returns the flow as "TCP 192.0.2.9:50057".
func (f Flow) String() string { return string(f.Transport) + " " + f.Peer.String() }

// Via is one hop of a message: who sent it and where answers go.
type Via struct {
	Transport Transport
	Host      string
	Port      uint16 // 0: not written
	Params    Params
}

// ParseVia reads one Via value.
func ParseVia(text string) (Via, error) {
	head, params, _ := strings.Cut(text, ";")
	protocol, sentBy, _ := strings.Cut(strings.TrimSpace(head), " ")
	transport, ok := strings.CutPrefix(protocol, "SIP/2.0/")
	if !ok {
		return Via{}, fmt.Errorf("sip: Via %q is not SIP/2.0", text)
	}
	v := Via{Transport: Transport(strings.ToUpper(transport))}
	var err error
	if v.Host, v.Port, err = splitHostPort(strings.TrimSpace(sentBy)); err != nil {
		return v, fmt.Errorf("sip: Via: %w", err)
	}
	if v.Params, err = parseParams(params); err != nil {
		return v, fmt.Errorf("sip: Via: %w", err)
	}
	return v, nil
}

// Stamp returns v with where the message really came from, and with the port if v asks for it (RFC 3581).
func (v Via) Stamp(peer netip.AddrPort) Via {
	if v.Params.Has("rport") {
		v.Params = v.Params.With("rport", strconv.Itoa(int(peer.Port())))
	}
	v.Params = v.Params.With("received", peer.Addr().String())
	return v
}

// String writes the value.
func (v Via) String() string {
	sentBy := URI{Scheme: "sip", Host: v.Host, Port: v.Port}
	return "SIP/2.0/" + string(v.Transport) + " " + strings.TrimPrefix(sentBy.String(), "sip:") + v.Params.String()
}
