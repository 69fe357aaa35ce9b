package vpnauth

import (
	"fmt"
	"strings"

	"github.com/longcord/longcord/internal/secret"
)

// Names of cookies (docs/wire/vpn-login.md#cookies).
const (
	SessionCookie = "webvpn"      // the session; all that CONNECT needs
	LoginCookie   = "webvpnlogin" // "please send user name and password"
	HintsCookie   = "webvpnc"     // what AnyConnect may download after the login
)

// Attributes in the spellings that phones and other clients are known to accept.
const (
	Expired     = "expires=Thu, 01 Jan 1970 22:00:00 GMT" // in the past: forget this cookie
	RootPath    = "path=/"
	PhoneSecure = "secure" // phones
	Secure      = "Secure" // everyone else
	HTTPOnly    = "HttpOnly"
)

// Cookie is one Set-Cookie line.
type Cookie struct {
	Name       string
	Value      secret.String
	Attributes []string // as spelled, without the "; " between them
}

// String returns the line with the value redacted.
func (c Cookie) String() string { return c.line(c.Value.String()) }

// Line returns the value of the Set-Cookie header, the secret in clear.
func (c Cookie) Line() string { return c.line(c.Value.Reveal()) }

func (c Cookie) line(value string) string {
	return strings.Join(append([]string{c.Name + "=" + value}, c.Attributes...), "; ")
}

// Has reports whether the cookie has an attribute of this name, whatever its value and case.
func (c Cookie) Has(name string) bool {
	for _, a := range c.Attributes {
		key, _, _ := strings.Cut(a, "=")
		if strings.EqualFold(key, name) {
			return true
		}
	}
	return false
}

// ParseCookie reads the value of one Set-Cookie header.
func ParseCookie(line string) (Cookie, error) {
	parts := strings.Split(line, ";")
	name, value, ok := strings.Cut(strings.TrimSpace(parts[0]), "=")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return Cookie{}, fmt.Errorf("vpnauth: cookie line has no name and value before its first semicolon")
	}
	c := Cookie{Name: name, Value: secret.New(strings.TrimSpace(value))}
	for _, a := range parts[1:] {
		if a = strings.TrimSpace(a); a != "" {
			c.Attributes = append(c.Attributes, a)
		}
	}
	return c, nil
}

// ParseCookies reads the values of Cookie headers into names and values, in order. Separators may be
// semicolons or commas, spaces are free, values may be quoted, and parts without "=" are passed over:
// nothing that a client can write here is worth refusing its login for.
func ParseCookies(lines ...string) Values {
	var all Values
	for _, line := range lines {
		for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ';' || r == ',' }) {
			name, value, ok := strings.Cut(part, "=")
			if name = strings.TrimSpace(name); !ok || name == "" {
				continue
			}
			value = strings.Trim(strings.TrimSpace(value), `"`)
			all = append(all, Value{Name: name, Text: secret.New(value)})
		}
	}
	return all
}
