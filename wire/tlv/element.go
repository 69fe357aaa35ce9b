package tlv

import (
	"encoding/binary"
	"fmt"
)

// Tag says what an element is. Headers and records number theirs separately.
type Tag uint8

// Tags of headers (docs/wire/trust-lists.md#header, docs/wire/trust-lists.md#encrypted).
const (
	tagVersion        Tag = 1
	tagHeaderLength   Tag = 2
	tagSigner         Tag = 3 // container
	tagSignerName     Tag = 4
	tagSerial         Tag = 5
	tagIssuer         Tag = 6
	tagSignatureInfo  Tag = 7 // container
	tagDigest         Tag = 8
	tagAlgorithmInfo  Tag = 9 // container
	tagAlgorithm      Tag = 10
	tagModulus        Tag = 11
	tagSignature      Tag = 12
	tagPadding        Tag = 13 // one byte, no length
	tagFileName       Tag = 14
	tagTime           Tag = 15
	tagEncryption     Tag = 16 // container
	tagIVInfo         Tag = 17 // container
	tagCipher         Tag = 18
	tagIV             Tag = 19
	tagContentPadding Tag = 20
	tagKeyInfo        Tag = 21 // container
	tagKeyKind        Tag = 22
	tagKeyBits        Tag = 23
	tagKeyAlgorithm   Tag = 24
	tagKey            Tag = 25
	tagPlainDigest    Tag = 26
	tagPlainHash      Tag = 27
	tagSignerVersion  Tag = 28
)

// containers hold further elements.
var containers = map[Tag]bool{
	tagSigner: true, tagSignatureInfo: true, tagAlgorithmInfo: true, tagEncryption: true, tagIVInfo: true, tagKeyInfo: true,
}

const (
	elementHead = 3      // bytes of tag and length
	maxValue    = 0xffff // bytes of a value
)

// Element is one tag with its value, or, of a container, with its parts.
type Element struct {
	Tag   Tag
	Value []byte
	Parts []Element // of a container; Value is nil then
}

// element is one with a value.
func element(tag Tag, value ...byte) Element { return Element{Tag: tag, Value: value} }

func number16(tag Tag, n uint16) Element {
	return Element{Tag: tag, Value: binary.BigEndian.AppendUint16(nil, n)}
}

func text(tag Tag, s string) Element { return Element{Tag: tag, Value: append([]byte(s), 0)} }

func container(tag Tag, parts ...Element) Element { return Element{Tag: tag, Parts: parts} }

// parser cuts a header or a record into elements.
type parser struct {
	what   string // of errors
	header bool   // padding and containers are headers' alone
}

// elements reads b to its end. at is where b begins in the file.
func (p parser) elements(b []byte, at int) ([]Element, error) {
	var all []Element
	for i := 0; i < len(b); {
		tag := Tag(b[i])
		if p.header && tag == tagPadding {
			all = append(all, Element{Tag: tag})
			i++
			continue
		}
		if len(b)-i < elementHead {
			return nil, fmt.Errorf("tlv: %s at offset %d: tag %d has no length", p.what, at+i, tag)
		}
		n := int(binary.BigEndian.Uint16(b[i+1:]))
		begin := i + elementHead
		if n > len(b)-begin {
			return nil, fmt.Errorf("tlv: %s at offset %d: tag %d has length %d, %d bytes are left", p.what, at+i, tag, n, len(b)-begin)
		}
		e := Element{Tag: tag, Value: b[begin : begin+n : begin+n]}
		if p.header && containers[tag] {
			parts, err := p.elements(e.Value, at+begin)
			if err != nil {
				return nil, err
			}
			e = Element{Tag: tag, Parts: parts}
		}
		all = append(all, e)
		i = begin + n
	}
	return all, nil
}

// size is how many bytes an element takes in a header.
func (e Element) size() int {
	if e.Tag == tagPadding {
		return 1
	}
	if !containers[e.Tag] {
		return elementHead + len(e.Value)
	}
	return elementHead + sizeOf(e.Parts)
}

func sizeOf(all []Element) (n int) {
	for _, e := range all {
		n += e.size()
	}
	return n
}

// appendElements writes a header's elements.
func appendElements(b []byte, all []Element) ([]byte, error) {
	for _, e := range all {
		if e.Tag == tagPadding {
			b = append(b, byte(e.Tag))
			continue
		}
		n := e.size() - elementHead
		if n > maxValue {
			return nil, fmt.Errorf("tlv: tag %d has %d bytes, at most %d fit", e.Tag, n, maxValue)
		}
		b = binary.BigEndian.AppendUint16(append(b, byte(e.Tag)), uint16(n))
		if !containers[e.Tag] {
			b = append(b, e.Value...)
			continue
		}
		var err error
		if b, err = appendElements(b, e.Parts); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// reader takes known elements out of a parsed row, each at most once, and remembers the first complaint.
type reader struct {
	what string
	all  []Element
	err  *error // shared with the readers of its containers
}

func newReader(what string, all []Element) *reader { return &reader{what, all, new(error)} }

func (r *reader) fail(format string, args ...any) {
	if *r.err == nil {
		*r.err = fmt.Errorf("tlv: %s: %s", r.what, fmt.Sprintf(format, args...))
	}
}

// find returns the element with a tag. Two of them would let one reader see what another does not.
func (r *reader) find(tag Tag) (Element, bool) {
	var found Element
	ok := false
	for _, e := range r.all {
		if e.Tag != tag {
			continue
		}
		if ok {
			r.fail("tag %d is there twice", tag)
		}
		found, ok = e, true
	}
	return found, ok
}

// parts returns a reader of a container that must be there.
func (r *reader) parts(tag Tag) *reader {
	e, ok := r.find(tag)
	if !ok {
		r.fail("tag %d is missing", tag)
	}
	return &reader{fmt.Sprintf("%s, tag %d", r.what, tag), e.Parts, r.err}
}

// value returns what must be there, of a length in bytes; -1 is any.
func (r *reader) value(tag Tag, length int) []byte {
	e, ok := r.find(tag)
	switch {
	case !ok:
		r.fail("tag %d is missing", tag)
	case length >= 0 && len(e.Value) != length:
		r.fail("tag %d has %d bytes, want %d", tag, len(e.Value), length)
	default:
		return e.Value
	}
	return make([]byte, max(length, 0))
}

// text returns a text that may be missing.
func (r *reader) text(tag Tag) string {
	e, ok := r.find(tag)
	if !ok {
		return ""
	}
	s := e.Value
	if n := len(s); n > 0 && s[n-1] == 0 {
		s = s[:n-1]
	}
	for i, c := range s {
		if c == 0 {
			r.fail("tag %d holds a zero byte at %d", tag, i)
			return ""
		}
	}
	return string(s)
}

// magnitude returns a number without leading zeros.
func magnitude(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}
