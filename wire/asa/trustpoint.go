package asa

import (
	"encoding/hex"
	"strings"
)

// Trustpoint is a certificate of the ASA's own with its issuers, or an issuer whose clients it trusts.
type Trustpoint struct {
	Line         int
	Name         string
	Attributes   []Attribute
	Certificates []TrustpointCertificate
}

// TrustpointCertificate is one certificate of a trustpoint's chain.
type TrustpointCertificate struct {
	Line   int
	Serial string // hex, as it is named
	Issuer bool   // a certificate `ca`; else the ASA's own
	DER    []byte
}

func (t *Trustpoint) declare(c *Command) {
	t.Line = c.Line
	t.Attributes = append(t.Attributes, attributes(c, "")...)
}

// Get returns the words that follow a setting.
func (t *Trustpoint) Get(words ...string) (rest []string, found bool) {
	return get(t.Attributes, "", words)
}

// Trustpoint returns a trustpoint by name, or nil.
func (s *Settings) Trustpoint(name string) *Trustpoint {
	for _, t := range s.Trustpoints {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func (r *settingsReader) trustpoint(name string) *Trustpoint {
	if t := r.s.Trustpoint(name); t != nil {
		return t
	}
	t := &Trustpoint{Name: name}
	r.s.Trustpoints = append(r.s.Trustpoints, t)
	return t
}

// chain reads the certificates of a trustpoint, which stand as hexadecimal digits, each with a line quit at
// the end.
func (r *settingsReader) chain(c *Command) {
	t := r.trustpoint(c.Words[4])
	if t.Line == 0 {
		t.Line = c.Line
	}
	for _, below := range c.Below {
		if below.Words[0] != "certificate" || len(below.Words) < 2 {
			continue
		}
		der, err := certificateDigits(below.Below)
		if err != "" {
			r.refuse(below.Line, "certificate %s of trustpoint %s: %s", below.Words[len(below.Words)-1], t.Name, err)
			continue
		}
		t.Certificates = append(t.Certificates, TrustpointCertificate{
			Line: below.Line, Serial: below.Words[len(below.Words)-1], Issuer: len(below.Words) > 2 && below.Words[1] == "ca", DER: der,
		})
	}
}

func certificateDigits(lines []*Command) (der []byte, problem string) {
	var digits strings.Builder
	whole := false
	for _, line := range lines {
		if line.Text == "quit" {
			whole = true
			break
		}
		digits.WriteString(strings.Join(line.Words, ""))
	}
	der, err := hex.DecodeString(digits.String())
	switch {
	case err != nil:
		return nil, "has something else than hexadecimal digits"
	case !whole:
		return der, cutShort
	}
	return der, ""
}

const cutShort = "is cut short: the line quit is missing"
