package sip

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/longcord/longcord/internal/secret"
)

// Digest login is RFC 2617 with MD5 and qop auth, the only form that Cisco phones know.

// Challenge is what a server asks in WWW-Authenticate.
type Challenge struct {
	Realm  string
	Nonce  string
	Opaque string
	Stale  bool // the last answer was right but its nonce is too old: answer again without asking a person
	QOP    bool // the server takes qop auth; false means the form of RFC 2069
}

// String writes the value of a WWW-Authenticate field.
func (c Challenge) String() string {
	s := `Digest realm=` + quote(c.Realm) + `,nonce=` + quote(c.Nonce)
	if c.QOP {
		s += `,qop="auth"`
	}
	if c.Opaque != "" {
		s += `,opaque=` + quote(c.Opaque)
	}
	if c.Stale {
		s += `,stale=true`
	}
	return s + `,algorithm=MD5`
}

// ParseChallenge reads a WWW-Authenticate or Proxy-Authenticate field.
func ParseChallenge(text string) (Challenge, error) {
	p, err := digestParams(text)
	if err != nil {
		return Challenge{}, err
	}
	c := Challenge{
		Realm: p.Get("realm"), Nonce: p.Get("nonce"), Opaque: p.Get("opaque"),
		Stale: strings.EqualFold(p.Get("stale"), "true"),
	}
	for _, word := range splitList(p.Get("qop")) {
		c.QOP = c.QOP || strings.EqualFold(word, "auth")
	}
	if a := p.Get("algorithm"); a != "" && !strings.EqualFold(a, "MD5") {
		return c, fmt.Errorf("sip: digest algorithm %q is not MD5", a)
	}
	if p.Has("qop") && !c.QOP {
		return c, fmt.Errorf("sip: digest qop %q does not offer auth", p.Get("qop"))
	}
	if c.Nonce == "" {
		return c, fmt.Errorf("sip: digest challenge without nonce")
	}
	return c, nil
}

// Credentials are a client's answer in Authorization.
type Credentials struct {
	Username string
	Realm    string
	Nonce    string
	URI      string
	Response string // 32 hex digits
	CNonce   string // empty: answered in the form of RFC 2069
	Count    uint32 // how often the client has used the nonce, from 1
	Opaque   string
}

// Answer makes the credentials for a challenge.
func (c Challenge) Answer(username string, password secret.String, method, uri, cnonce string, count uint32) Credentials {
	a := Credentials{Username: username, Realm: c.Realm, Nonce: c.Nonce, URI: uri, Opaque: c.Opaque}
	if c.QOP {
		a.CNonce, a.Count = cnonce, count
	}
	a.Response = a.expected(password, method)
	return a
}

// Right reports whether the credentials prove knowledge of password for a request of this method. Nonce
// and realm are the caller's to check.
func (a Credentials) Right(password secret.String, method string) bool {
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(a.Response)), []byte(a.expected(password, method))) == 1
}

func (a Credentials) expected(password secret.String, method string) string {
	who := md5hex(a.Username + ":" + a.Realm + ":" + password.Reveal())
	what := md5hex(method + ":" + a.URI)
	if a.CNonce == "" {
		return md5hex(who + ":" + a.Nonce + ":" + what)
	}
	return md5hex(fmt.Sprintf("%s:%s:%08x:%s:auth:%s", who, a.Nonce, a.Count, a.CNonce, what))
}

func md5hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// String writes the value of an Authorization field.
func (a Credentials) String() string {
	s := `Digest username=` + quote(a.Username) + `,realm=` + quote(a.Realm) + `,nonce=` + quote(a.Nonce) +
		`,uri=` + quote(a.URI) + `,response="` + a.Response + `"`
	if a.CNonce != "" {
		s += fmt.Sprintf(`,qop=auth,nc=%08x,cnonce=%s`, a.Count, quote(a.CNonce))
	}
	if a.Opaque != "" {
		s += `,opaque=` + quote(a.Opaque)
	}
	return s + `,algorithm=MD5`
}

// ParseCredentials reads an Authorization or Proxy-Authorization field.
func ParseCredentials(text string) (Credentials, error) {
	p, err := digestParams(text)
	if err != nil {
		return Credentials{}, err
	}
	a := Credentials{
		Username: p.Get("username"), Realm: p.Get("realm"), Nonce: p.Get("nonce"), URI: p.Get("uri"),
		Response: p.Get("response"), Opaque: p.Get("opaque"),
	}
	if p.Has("qop") {
		count, err := strconv.ParseUint(p.Get("nc"), 16, 32)
		if err != nil || count == 0 || p.Get("cnonce") == "" || !strings.EqualFold(p.Get("qop"), "auth") {
			return a, fmt.Errorf("sip: digest answer with qop %q, nc %q, cnonce %q", p.Get("qop"), p.Get("nc"), p.Get("cnonce"))
		}
		a.Count, a.CNonce = uint32(count), p.Get("cnonce")
	}
	if a.Username == "" || a.Nonce == "" || len(a.Response) != 2*md5.Size {
		return a, fmt.Errorf("sip: digest answer lacks username, nonce or response")
	}
	return a, nil
}

func digestParams(text string) (Params, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil, fmt.Errorf("sip: login scheme %q is not Digest", scheme)
	}
	var all Params
	for _, part := range splitList(rest) {
		p, err := parseParams(part)
		if err != nil {
			return nil, fmt.Errorf("sip: digest: %w", err)
		}
		all = append(all, p...)
	}
	return all, nil
}
