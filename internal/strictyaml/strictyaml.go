// Package strictyaml reads YAML files that people write, and tells them exactly where and how they
// erred: every problem comes with file, line, the line's text, and a hint. A key that the Go type does
// not have is refused, never passed over.
//
// Parse cuts a text into documents; Document.Decode fills a struct by its json tags. Plain values keep
// the text they were written with, so 0101 read into a string stays 0101. Anchors, tags and merge keys
// are refused. Encode writes documents that Parse reads back.
package strictyaml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// source is the text being read, for excerpts.
type source struct {
	name  string
	lines []string
}

func (s *source) problem(line int, hint, says string, args ...any) Problem {
	p := Problem{File: s.name, Line: line, Says: fmt.Sprintf(says, args...), Hint: hint}
	if line > 0 && line <= len(s.lines) {
		p.Excerpt = strings.TrimRight(s.lines[line-1], " \r")
	}
	return p
}

// Document is one YAML document: a mapping at its top.
type Document struct {
	source *source
	line   int
	fields []field
}

// field is one key of a mapping.
type field struct {
	key   string
	line  int
	value ast.Node
}

// Parse cuts text into its documents; empty ones are passed over. name is what problems call the file.
func Parse(name string, text []byte) ([]*Document, error) {
	src := &source{name: name, lines: strings.Split(string(text), "\n")}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, Problems{src.syntax(err)}
	}
	var documents []*Document
	var problems Problems
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if _, null := doc.Body.(*ast.NullNode); null {
			continue
		}
		fields, found := src.mapping(doc.Body)
		problems = append(problems, found...)
		documents = append(documents, &Document{source: src, line: lineOf(doc.Body), fields: fields})
	}
	return documents, problems.OrNil()
}

func (s *source) syntax(err error) Problem {
	var positioned yaml.Error
	if !errors.As(err, &positioned) || positioned.GetToken() == nil {
		return s.problem(0, "", "is no YAML: %v", err)
	}
	return s.problem(positioned.GetToken().Position.Line, "check indentation (spaces only), colons and quotes",
		"is no YAML: %s", positioned.GetMessage())
}

func lineOf(node ast.Node) int {
	if pairs, ok := node.(*ast.MappingNode); ok && len(pairs.Values) > 0 {
		node = pairs.Values[0].Key
	}
	if pair, ok := node.(*ast.MappingValueNode); ok {
		node = pair.Key
	}
	if token := node.GetToken(); token != nil {
		return token.Position.Line
	}
	return 0
}

// mapping returns the fields of a node that must be a mapping.
func (s *source) mapping(node ast.Node) ([]field, Problems) {
	pairs, ok := node.(ast.MapNode)
	if !ok {
		return nil, Problems{s.problem(lineOf(node), `write one "key: value" a line`, "has %s where keys and values are expected", describe(node))}
	}
	var fields []field
	var problems Problems
	seen := map[string]int{}
	for each := pairs.MapRange(); each.Next(); {
		key, ok := scalar(each.Key())
		line := lineOf(each.Key())
		if first, twice := seen[key]; twice {
			problems = append(problems, s.problem(line, "keep one of the two", "%q stands already in line %d", key, first))
		}
		if !ok {
			problems = append(problems, s.problem(line, "", "has a key that is no plain text"))
			continue
		}
		seen[key] = line
		fields = append(fields, field{key: key, line: line, value: each.Value()})
	}
	return fields, problems
}

// scalar returns a plain value as it was written, without quotes.
func scalar(node ast.Node) (string, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.LiteralNode:
		return node.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

func describe(node ast.Node) string {
	switch node.(type) {
	case ast.MapNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias, which are not supported,"
	case *ast.TagNode:
		return "a tag, which is not supported,"
	case *ast.NullNode:
		return "nothing"
	}
	return "a plain value"
}

// Text returns the plain value under a top-level key, or false.
func (d *Document) Text(key string) (string, bool) {
	for _, f := range d.fields {
		if f.key == key {
			return scalar(f.value)
		}
	}
	return "", false
}

// Line returns the line of a top-level key, or that of the document when it has no such key.
func (d *Document) Line(key string) int {
	for _, f := range d.fields {
		if f.key == key {
			return f.line
		}
	}
	return d.line
}

// Has reports whether a top-level key is there.
func (d *Document) Has(key string) bool {
	for _, f := range d.fields {
		if f.key == key {
			return true
		}
	}
	return false
}

// Problem addresses something wrong with a top-level key's value, or with the document when it has no
// such key.
func (d *Document) Problem(key, hint, says string, args ...any) Problem {
	return d.source.problem(d.Line(key), hint, says, args...)
}
