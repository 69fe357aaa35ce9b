package phoneweb

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// Limits of a page. The largest that is known has 11 KB.
const (
	MaxPage = 128 << 10 // bytes
	maxRows = 2000
)

// Row is one line of a page: a label and its value, both without spaces around them.
type Row struct{ Label, Value string }

// Rows are a page's rows in their order. A label may come several times.
type Rows []Row

// Value returns the value of the first row that has one of these labels, however it is spelt: letter case,
// spaces and punctuation do not count. ok is false when there is no such row.
func (r Rows) Value(labels ...string) (value string, ok bool) {
	for _, label := range labels {
		for _, row := range r {
			if plain(row.Label) == plain(label) {
				return row.Value, true
			}
		}
	}
	return "", false
}

// plain reduces a label to its letters and digits.
func plain(label string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, label)
}

// ErrNoRows is returned for a page that holds none: it is no page of a phone, or was cut before the first.
var ErrNoRows = errors.New("phoneweb: no rows")

// Parse reads a page in either form. A page that was cut gives the rows that had come whole.
func Parse(page []byte) (Rows, error) {
	if len(page) > MaxPage {
		return nil, fmt.Errorf("phoneweb: page of %d bytes exceeds %d", len(page), MaxPage)
	}
	text := bytes.TrimSpace(page)
	if bytes.HasPrefix(text, []byte("<?xml")) || xmlRoot.Match(text) {
		return parseXML(text)
	}
	return parseHTML(text)
}

// xmlRoot knows documents without a declaration.
var xmlRoot = regexp.MustCompile(`^<(DeviceInformation|NetworkConfiguration|EthernetInformation|PortInformation|DeviceLog|StreamingStatistics)\b`)

// parseHTML takes the cells of each row of a table: the first that says something is the label, the next one
// the value. Phones leave rows and cells unclosed, and nest the table in that of the page; menus, whose rows
// hold one cell, are passed over, and so is the page's head, which is no bold label.
func parseHTML(page []byte) (Rows, error) {
	var rows Rows
	var cells []string
	var cell strings.Builder
	inCell := false
	endCell := func() {
		if inCell {
			cells = append(cells, clean(cell.String()))
		}
		inCell = false
		cell.Reset()
	}
	endRow := func() {
		endCell()
		if row, ok := rowOf(cells); ok {
			rows = append(rows, row)
		}
		cells = nil
	}
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for len(rows) < maxRows {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break
		}
		name, _ := tokens.TagName()
		switch tag := string(name); {
		case kind == html.TextToken && inCell:
			cell.Write(tokens.Text())
		case kind == html.StartTagToken && tag == "td":
			endCell()
			inCell = true
		case kind == html.EndTagToken && tag == "td":
			endCell()
		case tag == "tr" && kind == html.EndTagToken:
			endRow()
		case tag == "tr", tag == "table": // an unclosed row does not count: it may have been cut
			endCell()
			cells = nil
		}
	}
	if len(rows) == 0 {
		return nil, ErrNoRows
	}
	return rows, nil
}

// rowOf makes a row of a table's cells. Between label and value phones put an empty cell.
func rowOf(cells []string) (Row, bool) {
	if len(cells) < 2 || cells[0] == "" {
		return Row{}, false
	}
	return Row{cells[0], cells[len(cells)-1]}, true
}

func clean(text string) string {
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

// FilesFolder is where phones keep the files that their pages of logs lead to.
const FilesFolder = "/FS/"

var fileLink = regexp.MustCompile(`(?i)<a[^>]*href="?(?:https?://[^/"]*)?(/FS/[^"> ]+)`)

// Files returns the paths of the files that a page of logs leads to.
func Files(page []byte) []string {
	var files []string
	for _, match := range fileLink.FindAllSubmatch(page, maxRows) {
		files = append(files, html.UnescapeString(string(match[1])))
	}
	return files
}

// Text returns the lines of a page that shows text, such as status messages: rows of one cell that are no
// link of the menu.
func Text(page []byte) []string {
	var lines []string
	var cell strings.Builder
	cells, inCell, linked := 0, false, false
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for len(lines) < maxRows {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break
		}
		name, _ := tokens.TagName()
		switch tag := string(name); {
		case kind == html.TextToken && inCell:
			cell.Write(tokens.Text())
		case kind == html.StartTagToken && tag == "td":
			cells, inCell, linked = cells+1, true, false
			cell.Reset()
		case kind == html.EndTagToken && tag == "td":
			inCell = false
		case tag == "a":
			linked = true
		case kind == html.EndTagToken && tag == "tr":
			if text := clean(cell.String()); cells == 1 && !linked && text != "" {
				lines = append(lines, text)
			}
			fallthrough
		case tag == "tr", tag == "table":
			cells, inCell = 0, false
			cell.Reset()
		}
	}
	return lines
}

// declaration is what some loads write in the middle of a document, too.
var declaration = regexp.MustCompile(`<\?xml[^>]*\?>`)

// parseXML takes each element that holds text alone as a row.
func parseXML(page []byte) (Rows, error) {
	var rows Rows
	decoder := xml.NewDecoder(bytes.NewReader(declaration.ReplaceAll(page, nil)))
	decoder.Strict = false
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	label, text := "", ""
	for len(rows) < maxRows {
		token, err := decoder.Token()
		if err != nil {
			break // the end, or a cut: what came whole counts
		}
		switch t := token.(type) {
		case xml.StartElement:
			label, text = t.Name.Local, ""
		case xml.CharData:
			text += string(t)
		case xml.EndElement:
			if t.Name.Local == label {
				rows = append(rows, Row{label, strings.Join(strings.Fields(text), " ")})
			}
			label = ""
		}
	}
	if len(rows) == 0 {
		return nil, ErrNoRows
	}
	return rows, nil
}
