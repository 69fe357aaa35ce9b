package cstp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxHead is the most that ReadHead takes in: first line and headers of a CONNECT exchange.
const MaxHead = 16 << 10

// Header is one header line that has no field of its own. Name is spelled as it arrived.
type Header struct {
	Name, Value string
}

// field ties one header to its place in T: how it is spelled, what to write and how to read it. The
// order of a table of fields is the order in which the headers are written.
type field[T any] struct {
	name string
	get  func(*T) []string // one line each; none: the header is left out
	set  func(*T, string) error
}

// errOther is what set returns to have the line kept among the unknown headers.
var errOther = errors.New("cstp: no field for this value")

// ReadHead reads from r up to and including the empty line that ends a head, and nothing beyond it.
func ReadHead(r *bufio.Reader) ([]byte, error) {
	var head []byte
	for {
		line, err := r.ReadSlice('\n')
		head = append(head, line...)
		if len(head) > MaxHead {
			return nil, fmt.Errorf("cstp: head exceeds %d bytes", MaxHead)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(head) > 0:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 && endsLine(head[:len(head)-len(line)]) {
			return head, nil
		}
	}
}

// endsLine reports whether what follows head begins a line.
func endsLine(head []byte) bool { return len(head) == 0 || head[len(head)-1] == '\n' }

// splitHead takes a head apart. It accepts bare line feeds and folded lines.
func splitHead(head []byte) (first string, headers []Header, err error) {
	text := strings.ReplaceAll(string(head), "\r\n", "\n")
	text, _, ended := strings.Cut(text, "\n\n")
	if !ended {
		return "", nil, fmt.Errorf("cstp: head of %d bytes has no empty line at its end", len(head))
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines[1:] {
		if line != "" && (line[0] == ' ' || line[0] == '\t') && len(headers) > 0 {
			last := &headers[len(headers)-1]
			last.Value = strings.TrimSpace(last.Value + " " + strings.TrimSpace(line))
			continue
		}
		name, value, found := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		if !found || name == "" {
			return "", nil, fmt.Errorf("cstp: header line %d is %q, want name: value", i+1, line)
		}
		headers = append(headers, Header{name, strings.TrimSpace(value)})
	}
	return lines[0], headers, nil
}

// read gives each header to its field and returns the X- headers that have none.
func read[T any](to *T, fields []field[T], headers []Header) (other []Header, err error) {
	for _, h := range headers {
		f := find(fields, h.Name)
		if f != nil {
			err = f.set(to, h.Value)
		}
		switch {
		case f == nil || err == errOther:
			if len(h.Name) > 2 && strings.EqualFold(h.Name[:2], "X-") {
				other = append(other, h)
			}
		case err != nil:
			return nil, fmt.Errorf("cstp: %s: %w", f.name, err)
		}
		err = nil
	}
	return other, nil
}

func find[T any](fields []field[T], name string) *field[T] {
	for i := range fields {
		if strings.EqualFold(fields[i].name, name) {
			return &fields[i]
		}
	}
	return nil
}

// write appends the lines of all fields, then the others, then the empty line.
func write[T any](dst []byte, from *T, fields []field[T], other []Header) ([]byte, error) {
	var err error
	for _, f := range fields {
		for _, value := range f.get(from) {
			if dst, err = appendHeader(dst, Header{f.name, value}); err != nil {
				return nil, err
			}
		}
	}
	for _, h := range other {
		if dst, err = appendHeader(dst, h); err != nil {
			return nil, err
		}
	}
	return append(dst, "\r\n"...), nil
}

func appendHeader(dst []byte, h Header) ([]byte, error) {
	if strings.ContainsAny(h.Name, "\r\n\x00: ") || h.Name == "" {
		return nil, fmt.Errorf("cstp: %q is not a header name", h.Name)
	}
	if strings.ContainsAny(h.Value, "\r\n\x00") {
		return nil, fmt.Errorf("cstp: %s: value holds a line break", h.Name)
	}
	dst = append(dst, h.Name...)
	dst = append(dst, ": "...)
	dst = append(dst, h.Value...)
	return append(dst, "\r\n"...), nil
}
