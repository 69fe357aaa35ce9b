// Package asterisk reads Asterisk's configuration files: sip.conf, pjsip.conf, sccp.conf and their like.
//
//	[name](template,template)   a section; (!) makes it a template, (+) adds to one that is there
//	key = value                 or key => value
//	; comment                   also behind a value; ;-- to --; over several lines
//	#include "file"             #tryinclude likewise; #exec is not run
//
// Read follows includes through a function that it is given, and writes templates out: a section that takes
// after one begins with its lines. What a section means is for others to know. Sources:
// docs/wire/foreign-settings.md#asterisk.
package asterisk

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Limits of what is read.
const (
	MaxSize     = 16 << 20 // bytes of one file
	maxLine     = 16 << 10
	maxDepth    = 8       // of includes
	maxIncludes = 200     // in all
	maxSettings = 400_000 // of all sections, with templates written out
)

// Setting is one line of a section.
type Setting struct {
	File       string
	Line       int // 1-based
	Key, Value string
}

// Section is one section with its settings in their order, those of its templates first.
type Section struct {
	File     string
	Line     int
	Name     string
	Template bool // (!): it is only there for others to take after
	Settings []Setting
}

// Get returns the last value of a key, and whether there is one.
func (s *Section) Get(key string) (value string, found bool) {
	for _, each := range s.Settings {
		if strings.EqualFold(each.Key, key) {
			value, found = each.Value, true
		}
	}
	return value, found
}

// Remark is a line that was not followed, with the reason.
type Remark struct {
	File string
	Line int
	Text string
	Says string
}

// File is what was read.
type File struct {
	Sections []*Section
	Remarks  []Remark
}

// Read reads a file. Include returns the text of a file that it includes, or false when it is not there,
// which is remarked on.
func Read(name string, text []byte, include func(name string) (string, []byte, bool)) (*File, error) {
	r := &reader{file: new(File), include: include}
	if err := r.read(name, text, 0); err != nil {
		return nil, err
	}
	return r.file, nil
}

type reader struct {
	file     *File
	include  func(string) (string, []byte, bool)
	current  *Section
	comment  bool
	settings int
	included int
}

func (r *reader) read(name string, text []byte, depth int) error {
	switch {
	case len(text) > MaxSize:
		return fmt.Errorf("%s: asterisk: has %d bytes; at most %d are read", name, len(text), MaxSize)
	case bytes.IndexByte(text, 0) >= 0:
		return fmt.Errorf("%s: %w", name, errNotText)
	}
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		if len(raw) > maxLine {
			return fmt.Errorf("%s:%d: asterisk: has %d bytes; at most %d are read", name, number, len(raw), maxLine)
		}
		if err := r.line(name, number, r.withoutComment(string(raw)), depth); err != nil {
			return err
		}
	}
	return nil
}

var errNotText = errors.New("asterisk: is not text")

// withoutComment takes comments away. A semicolon behind a backslash is one of the value's own.
func (r *reader) withoutComment(line string) string {
	var kept strings.Builder
	for i := 0; i < len(line); i++ {
		switch rest := line[i:]; {
		case r.comment && strings.HasPrefix(rest, "--;"):
			r.comment = false
			i += 2
		case r.comment:
		case strings.HasPrefix(rest, `\;`):
			kept.WriteByte(';')
			i++
		case strings.HasPrefix(rest, ";--") && !strings.HasPrefix(rest, ";---"):
			r.comment = true
			i += 2
		case rest[0] == ';':
			return strings.TrimSpace(kept.String())
		default:
			kept.WriteByte(rest[0])
		}
	}
	return strings.TrimSpace(kept.String())
}

func (r *reader) line(name string, number int, text string, depth int) error {
	switch {
	case text == "":
	case text[0] == '#':
		return r.directive(name, number, text, depth)
	case text[0] == '[':
		return r.section(name, number, text)
	default:
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			r.remark(name, number, text, "is neither a section nor key = value")
			return nil
		}
		return r.setting(Setting{File: name, Line: number, Key: strings.TrimSpace(key), Value: strings.TrimSpace(strings.TrimPrefix(value, ">"))})
	}
	return nil
}

func (r *reader) remark(name string, number int, text, says string) {
	r.file.Remarks = append(r.file.Remarks, Remark{name, number, text, says})
}

func (r *reader) setting(s Setting) error {
	if r.current == nil {
		r.remark(s.File, s.Line, s.Key, "stands before any section")
		return nil
	}
	r.current.Settings = append(r.current.Settings, s)
	return r.count(1)
}

func (r *reader) count(n int) error {
	if r.settings += n; r.settings > maxSettings {
		return fmt.Errorf("asterisk: has more than %d settings", maxSettings)
	}
	return nil
}

func (r *reader) directive(name string, number int, text string, depth int) error {
	word, rest, _ := strings.Cut(text[1:], " ")
	wanted := strings.Trim(strings.TrimSpace(rest), `"<>`)
	if word != "include" && word != "tryinclude" {
		r.remark(name, number, text, "is not followed: only files that are given are read")
		return nil
	}
	found, content, ok := r.include(wanted)
	switch {
	case !ok && word == "include":
		r.remark(name, number, text, "the file is not among those that were given")
	case ok && (depth == maxDepth || r.included == maxIncludes):
		r.remark(name, number, text, "includes too deep, or too often")
	case ok:
		r.included++
		return r.read(found, content, depth+1)
	}
	return nil
}

// section opens [name](templates).
func (r *reader) section(name string, number int, text string) error {
	title, rest, ok := strings.Cut(text[1:], "]")
	if !ok {
		r.remark(name, number, text, "is a section without its end")
		r.current = nil
		return nil
	}
	s := &Section{File: name, Line: number, Name: title}
	r.current = s
	options := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(rest), "("), ")")
	for option := range strings.SplitSeq(options, ",") {
		switch option = strings.TrimSpace(option); {
		case option == "":
		case option == "!":
			s.Template = true
		case option == "+":
			if there := r.last(title); there != nil {
				r.current = there
				return nil
			}
			r.remark(name, number, text, "adds to a section that is not there")
		default:
			template := r.last(option)
			if template == nil {
				r.remark(name, number, text, "takes after "+option+", which does not stand above it")
				continue
			}
			s.Settings = append(s.Settings, template.Settings...)
			if err := r.count(len(template.Settings)); err != nil {
				return err
			}
		}
	}
	r.file.Sections = append(r.file.Sections, s)
	return nil
}

func (r *reader) last(name string) *Section {
	for i := len(r.file.Sections) - 1; i >= 0; i-- {
		if r.file.Sections[i].Name == name {
			return r.file.Sections[i]
		}
	}
	return nil
}
