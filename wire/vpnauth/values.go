package vpnauth

import (
	"bytes"
	"fmt"

	"github.com/longcord/longcord/internal/secret"
)

// Value is one thing that a client filled in.
type Value struct {
	Name string
	Text secret.String // any field may be a password, so all are held like one
}

// Values are what a client filled in, in its order.
type Values []Value

// Get returns the first value of that name. ok tells an empty value from a missing one.
func (v Values) Get(name string) (text secret.String, ok bool) {
	for _, value := range v {
		if value.Name == name {
			return value.Text, true
		}
	}
	return secret.String{}, false
}

const maxValues = 64

// ParseForm reads a urlencoded body. "+" and raw spaces are spaces; a percent sign that begins no
// escape stands for itself, because not every client escapes one in a password.
func ParseForm(body []byte) (Values, error) {
	if len(body) > MaxBody {
		return nil, fmt.Errorf("vpnauth: form body of %d bytes exceeds %d", len(body), MaxBody)
	}
	var values Values
	for field := range bytes.SplitSeq(bytes.TrimRight(body, "\r\n\x00"), []byte("&")) {
		if len(field) == 0 {
			continue
		}
		if len(values) == maxValues {
			return nil, fmt.Errorf("vpnauth: form body has more than %d fields", maxValues)
		}
		name, text, _ := bytes.Cut(field, []byte("="))
		values = append(values, Value{Name: unescape(name), Text: secret.New(unescape(text))})
	}
	return values, nil
}

// AppendForm adds the values to b as a urlencoded body. Everything but letters, digits and "-._~" is
// escaped, spaces as %20, which every known gateway reads.
func (v Values) AppendForm(b []byte) []byte {
	for i, value := range v {
		if i > 0 {
			b = append(b, '&')
		}
		b = appendEscaped(b, value.Name)
		b = append(b, '=')
		b = appendEscaped(b, value.Text.Reveal())
	}
	return b
}

func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

func unescape(s []byte) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}
