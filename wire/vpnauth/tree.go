package vpnauth

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What a login document may cost before anyone has logged in. Real ones have under fifty elements, six
// deep.
const (
	maxDepth    = 16
	maxElements = 1024
)

// element is one XML element with the bytes it was read from.
type element struct {
	name     string
	attrs    []xml.Attr
	text     string // character data directly inside
	children []*element
	raw      []byte
	start    int64
}

func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e *element) trimmed() string { return strings.TrimSpace(e.text) }

func (e *element) first(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (e *element) all(name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// parseTree reads one XML document.
func parseTree(body []byte) (*element, error) {
	if len(body) > MaxBody {
		return nil, fmt.Errorf("vpnauth: document of %d bytes exceeds %d", len(body), MaxBody)
	}
	b := builder{body: body, decoder: xml.NewDecoder(bytes.NewReader(body))}
	for {
		start := b.decoder.InputOffset()
		token, err := b.decoder.Token()
		if errors.Is(err, io.EOF) && b.root != nil && len(b.open) == 0 {
			return b.root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("vpnauth: document at offset %d: %w", start, err)
		}
		if err := b.take(token, start); err != nil {
			return nil, err
		}
	}
}

type builder struct {
	body    []byte
	decoder *xml.Decoder
	root    *element
	open    []*element
	count   int
}

func (b *builder) take(token xml.Token, start int64) error {
	switch t := token.(type) {
	case xml.StartElement:
		return b.begin(t, start)
	case xml.EndElement:
		e := b.open[len(b.open)-1]
		e.raw = b.body[e.start:b.decoder.InputOffset()]
		b.open = b.open[:len(b.open)-1]
	case xml.CharData:
		if len(b.open) > 0 {
			b.open[len(b.open)-1].text += string(t)
		}
	}
	return nil
}

func (b *builder) begin(t xml.StartElement, start int64) error {
	if b.count++; b.count > maxElements {
		return fmt.Errorf("vpnauth: document at offset %d has more than %d elements", start, maxElements)
	}
	if len(b.open) == maxDepth {
		return fmt.Errorf("vpnauth: document at offset %d is nested deeper than %d", start, maxDepth)
	}
	e := &element{name: t.Name.Local, attrs: t.Copy().Attr, start: start}
	switch {
	case len(b.open) > 0:
		parent := b.open[len(b.open)-1]
		parent.children = append(parent.children, e)
	case b.root != nil:
		return fmt.Errorf("vpnauth: document at offset %d has a second root element", start)
	default:
		b.root = e
	}
	b.open = append(b.open, e)
	return nil
}
