package config

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write example.yaml anew from the comments of Config")

// exampleValues are what the example shows where there is no default.
var exampleValues = map[string]string{
	"state": "/var/lib/longcord", "socket": "/run/longcord/longcord.sock", "inventory": "inventory.yaml",
	"inside": "10.1.0.5", "outside": "192.0.2.10", "outside6": "2001:db8::10", "files": "files", "address": "10.47.11.5", "officeNetworks": "[10.1.0.0/24]", "servers": "[]", "server": `""`,
}

func TestExampleIsCurrent(t *testing.T) {
	t.Parallel()
	want := example(t)
	if *update {
		if err := os.WriteFile("example.yaml", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if Example != want {
		t.Errorf("example.yaml does not fit the comments of Config; run: go test ./config -update\ngot:\n%s\nwant:\n%s", Example, want)
	}
}

func TestExampleLoads(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), DefaultName)
	if err := os.WriteFile(path, []byte(Example), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := defaults(); c.LogLevel != want.LogLevel || !reflect.DeepEqual(c.Gateway, want.Gateway) || c.Calls.Mode != want.Calls.Mode {
		t.Errorf("the example sets %+v, which are not the defaults %+v", c, want)
	}
}

// example writes the configuration file out of the Go source.
func example(t *testing.T) string {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.TypeSpec{}
	docs := map[string]string{}
	for _, decl := range source.Decls {
		if types, ok := decl.(*ast.GenDecl); ok && types.Tok == token.TYPE {
			spec := types.Specs[0].(*ast.TypeSpec)
			structs[spec.Name.Name], docs[spec.Name.Name] = spec, types.Doc.Text()
		}
	}
	var out bytes.Buffer
	out.WriteString("# Longcord's configuration. Paths are relative to this file. Made by: longcord config example\n")
	writeStruct(&out, "", "Config", structs, docs, reflect.ValueOf(defaults()))
	return out.String()
}

func writeStruct(out *bytes.Buffer, indent, name string, structs map[string]*ast.TypeSpec, docs map[string]string, values reflect.Value) {
	for i, field := range structs[name].Type.(*ast.StructType).Fields.List {
		key, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
		value := values.Field(i)
		if value.Kind() == reflect.Struct && field.Doc == nil {
			kind := field.Type.(*ast.Ident).Name
			comment(out, indent, docs[kind])
			fmt.Fprintf(out, "%s%s:\n", indent, key)
			writeStruct(out, indent+"  ", kind, structs, docs, value)
			continue
		}
		comment(out, indent, field.Doc.Text())
		text, ok := exampleValues[key]
		if !ok {
			text = fmt.Sprint(value.Interface())
		}
		fmt.Fprintf(out, "%s%s: %s\n", indent, key, text)
	}
}

func comment(out *bytes.Buffer, indent, text string) {
	if !bytes.HasSuffix(out.Bytes(), []byte(":\n")) {
		out.WriteString("\n")
	}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		fmt.Fprintf(out, "%s# %s\n", indent, strings.TrimSpace(line))
	}
}
