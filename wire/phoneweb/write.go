package phoneweb

import (
	"encoding/xml"
	"fmt"
	"html"
	"path"
	"strings"
)

// Style is how a series writes its pages.
type Style struct {
	Old bool // 79xx: labels in capitals, "Cisco Unified IP Phone"
}

// Head is what stands above every page.
type Head struct {
	Model string // such as CP-8861
	Name  string // device name
}

// Content is what a page shows: rows, or for logs lines of text and the paths of files.
type Content struct {
	Rows  Rows
	Text  []string
	Files []string
}

// AppendHTML appends a page with its menu, as a phone's Serviceability form has it.
func (s Style) AppendHTML(b []byte, page Page, head Head, c Content) []byte {
	title, phone := page.title(s), "Cisco IP Phone"
	if s.Old {
		phone = "Cisco Unified IP Phone"
	}
	e := html.EscapeString
	b = fmt.Appendf(b, `<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"><title>Cisco Systems, Inc.</title></head>`+"\n"+
		`<body><table border="1"><tr><td></td><td><p><b>%s</b></p><p><b>%s %s ( %s )</b></p></td></tr>`+"\n<tr><td><table>",
		e(title), phone, e(head.Model), e(head.Name))
	for _, p := range Pages() {
		b = fmt.Appendf(b, `<tr><td><a href="%s">%s</a></td></tr>`+"\n", e(p.Path(Serviceability)), e(p.title(s)))
	}
	b = append(b, "</table></td>\n<td><div><table>"...)
	for _, row := range c.Rows {
		b = fmt.Appendf(b, `<tr><td><b> %s</b></td><td width="20"></td><td><b>%s</b></td></tr>`+"\n", e(row.Label), e(row.Value))
	}
	for _, line := range c.Text {
		b = fmt.Appendf(b, "<tr><td>%s</td></tr>\n", e(line))
	}
	for _, file := range c.Files {
		b = fmt.Appendf(b, `<tr><td><a href="%s">%s</a></td></tr>`+"\n", e(file), e(path.Base(file)))
	}
	return append(b, "</table></div></td></tr></table></body></html>\n"...)
}

func (p Page) title(s Style) string {
	if s.Old {
		return p.addresses().title[0]
	}
	return p.addresses().title[1]
}

// AppendXML appends a page in its XML form. The labels of the rows are element names.
func AppendXML(b []byte, page Page, rows Rows) ([]byte, error) {
	root := page.addresses().root
	if root == "" {
		return b, fmt.Errorf("phoneweb: %s has no XML form", page)
	}
	b = append(b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<"+root+">\n"...)
	for _, row := range rows {
		if row.Label == "" || plain(row.Label) != strings.ToLower(row.Label) || row.Label[0] < 'A' {
			return b, fmt.Errorf("phoneweb: %q is no element name", row.Label)
		}
		var value strings.Builder
		_ = xml.EscapeText(&value, []byte(row.Value)) // a Builder does not fail
		b = append(b, "<"+row.Label+">"+value.String()+"</"+row.Label+">\n"...)
	}
	return append(b, "</"+root+">\n"...), nil
}
