package read

import (
	"bufio"
	"bytes"
	stdbinary "encoding/binary"
	"html"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Order returns the byte order of text in UTF-16, or nil. PowerShell and Windows' editor write it, most with a mark.
func utf16Order(head []byte) stdbinary.ByteOrder {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return stdbinary.LittleEndian
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return stdbinary.BigEndian
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	half := len(head) / 2
	switch {
	case half >= 4 && zeros[1]*10 >= half*9 && zeros[0] == 0:
		return stdbinary.LittleEndian
	case half >= 4 && zeros[0]*10 >= half*9 && zeros[1] == 0:
		return stdbinary.BigEndian
	}
	return nil
}

// utf16Reader turns UTF-16 into UTF-8.
type utf16Reader struct {
	r     *bufio.Reader
	order stdbinary.ByteOrder
	out   []byte // decoded and not yet read
	high  rune   // the first half of a pair, or 0
	err   error
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 && u.err == nil {
		u.fill()
	}
	if len(u.out) == 0 {
		return 0, u.err
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

func (u *utf16Reader) fill() {
	var raw [4096]byte
	n, err := io.ReadFull(u.r, raw[:])
	if err != nil {
		u.err = err
		if err == io.ErrUnexpectedEOF {
			u.err = io.EOF
		}
	}
	u.out = u.out[:0]
	for i := 0; i+1 < n; i += 2 {
		c := rune(u.order.Uint16(raw[i:]))
		switch {
		case u.high != 0:
			u.out = utf8.AppendRune(u.out, utf16.DecodeRune(u.high, c))
			u.high = 0
		case utf16.IsSurrogate(c):
			u.high = c
		case c != 0xfeff:
			u.out = utf8.AppendRune(u.out, c)
		}
	}
}

// latin1 reads bytes that are no UTF-8 as ISO 8859-1.
func latin1(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			r = rune(s[0])
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// isHTML reports whether text is a page that somebody saved, such as a phone's own. Files of phones are XML and stay.
func isHTML(head []byte) bool {
	head = bytes.ToLower(bytes.TrimLeft(head, "\ufeff \t\r\n"))
	return bytes.HasPrefix(head, []byte("<")) &&
		(bytes.Contains(head, []byte("<html")) || bytes.HasPrefix(head, []byte("<!doctype html")))
}

// page takes the tags out of a page, line by line.
type page struct {
	inTag  bool
	hidden string // the element whose text nobody sees: script or style
}

// Tags that end a line of text, and those that part cells of a row.
var (
	breaks = map[string]bool{"br": true, "p": true, "/p": true, "/tr": true, "tr": true, "/div": true, "div": true, "/li": true, "li": true, "/h1": true, "/h2": true, "/h3": true, "/title": true, "/pre": true, "pre": true, "/table": true}
	cells  = map[string]bool{"/td": true, "/th": true, "td": true, "th": true}
)

// lines returns what a line of the page shows, which may be several lines of text.
func (p *page) lines(line string) []string {
	var out []string
	var text strings.Builder
	for line != "" {
		if p.inTag {
			_, after, closed := strings.Cut(line, ">")
			p.inTag = !closed
			line = after
			continue
		}
		before, after, opens := strings.Cut(line, "<")
		if p.hidden == "" {
			text.WriteString(before)
		}
		if !opens {
			break
		}
		name := tagName(after)
		switch {
		case p.hidden != "" && name == "/"+p.hidden:
			p.hidden = ""
		case p.hidden != "" || name == "": // no tag at all
			if p.hidden == "" {
				text.WriteByte('<')
			}
			line = after
			continue
		case name == "script" || name == "style":
			p.hidden = name
		case breaks[name]:
			out = append(out, text.String())
			text.Reset()
		case cells[name]:
			text.WriteByte(' ')
		}
		p.inTag, line = true, after
	}
	out = append(out, text.String())
	for i := range out {
		out[i] = strings.TrimSpace(strings.ReplaceAll(html.UnescapeString(out[i]), "\u00a0", " "))
	}
	return out
}

// tagName returns the name of the tag that begins here, with its slash, in lower case.
func tagName(s string) string {
	end := 0
	for end < len(s) && end < 12 && (s[end] >= 'a' && s[end] <= 'z' || s[end] >= 'A' && s[end] <= 'Z' || end > 0 && s[end] >= '0' && s[end] <= '9' || end == 0 && (s[end] == '/' || s[end] == '!' || s[end] == '?')) {
		end++
	}
	return strings.ToLower(s[:end])
}
