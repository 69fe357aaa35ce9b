// Package file reads and writes inventory files: YAML documents, each with its kind, its name and the
// fields of that kind in package inventory.
//
// Read reads one file with what it refers to, Parse a text; Set validates the whole of it, for a file
// that is meant to be complete. Whatever is wrong comes as Problems with file, line, excerpt and hint.
// Encode writes what Parse takes back unchanged.
package file

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/longcord/longcord/internal/nearest"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/strictyaml"
	"github.com/longcord/longcord/inventory"
)

// Problem is one thing wrong in a file, with its line.
type Problem = strictyaml.Problem

// Problems is every thing wrong in a file; errors of this package are of this type.
type Problems = strictyaml.Problems

// File is an inventory file that has been read.
type File struct {
	Name    string
	Objects []inventory.Object // in the file's order

	documents []*strictyaml.Document // of the objects, at the same index
}

// Read reads the file at path. Certificate and key files named in it are read too, relative to its
// folder, and their text stands in the objects instead of their names.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, Problems{{File: path, Says: reason(err), Hint: "name an inventory file"}}
	}
	return Parse(path, text, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return os.ReadFile(name)
	})
}

// NoFiles is for texts that came without a folder: a certificateFile or keyFile in them is refused.
func NoFiles(string) ([]byte, error) {
	return nil, errors.New("files cannot be read from here; give the PEM text itself")
}

// Parse reads a text, which problems call name; read returns what certificateFile and keyFile name.
func Parse(name string, text []byte, read func(string) ([]byte, error)) (*File, error) {
	documents, err := strictyaml.Parse(name, text)
	if err != nil {
		return nil, err
	}
	f := &File{Name: name}
	var problems Problems
	for _, document := range documents {
		o, found := object(document)
		problems = append(problems, found...)
		if o == nil {
			continue
		}
		if certificate, ok := o.(*inventory.Certificate); ok {
			problems = append(problems, readCertificate(certificate, document, read)...)
		}
		f.Objects = append(f.Objects, o)
		f.documents = append(f.documents, document)
	}
	return f, problems.OrNil()
}

// object makes the object that a document declares, or none when its kind is unknown.
func object(document *strictyaml.Document) (inventory.Object, Problems) {
	kind, ok := document.Text("kind")
	if !ok {
		return nil, Problems{document.Problem("kind", "begin each document with its kind, such as kind: Device", "has no kind")}
	}
	o, ok := inventory.New(inventory.Kind(kind))
	if !ok {
		return nil, Problems{document.Problem("kind", kindHint(kind), "%q is not a kind", kind)}
	}
	var problems Problems
	errors.As(document.Decode(o, "kind"), &problems)
	return o, problems
}

func kindHint(kind string) string {
	var kinds []string
	for _, k := range inventory.Kinds() {
		kinds = append(kinds, string(k))
	}
	if near := nearest.Word(kind, kinds); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Sprintf("the kinds are: %v", inventory.Kinds())
}

// readCertificate puts the text of named files in the place of their names.
func readCertificate(o *inventory.Certificate, document *strictyaml.Document, read func(string) ([]byte, error)) Problems {
	var problems Problems
	take := func(field string, name *string, both bool) (text string) {
		if *name == "" {
			return ""
		}
		if both {
			problems = append(problems, document.Problem(field, "keep one of the two", "%s stands beside the text itself", field))
		}
		content, err := read(*name)
		if err != nil {
			problems = append(problems, document.Problem(field, "", "%s: %s: %s", field, *name, reason(err)))
		}
		*name = ""
		return string(content)
	}
	if text := take("certificateFile", &o.CertificateFile, o.Certificate != ""); text != "" {
		o.Certificate = text
	}
	if text := take("keyFile", &o.KeyFile, !o.Key.IsZero()); text != "" {
		o.Key = secret.New(text)
	}
	return problems
}

// reason is an error without the path, which the reader has seen already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// Set returns the file's objects as a whole inventory, or everything wrong with it.
func (f *File) Set() (*inventory.Set, error) {
	set := inventory.NewSet()
	var problems Problems
	for i, o := range f.Objects {
		var problem inventory.Problem
		if errors.As(set.Add(o), &problem) {
			problems = append(problems, f.address(problem, i))
		}
	}
	problems = append(problems, f.Locate(set.Validate())...)
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return set, problems.OrNil()
}

// Locate gives problems their lines in the file. One with an object that the file does not hold stands
// for the file as a whole.
func (f *File) Locate(problems []inventory.Problem) Problems {
	located := make(Problems, len(problems))
	for i, p := range problems {
		index := slices.IndexFunc(f.Objects, func(o inventory.Object) bool { return o.Kind() == p.Kind && o.ObjectName() == p.Name })
		located[i] = f.address(p, index)
	}
	return located
}

// fileFields are the fields that stand in files for fields of objects.
var fileFields = map[string]string{"certificate": "certificateFile", "key": "keyFile"}

// secretFields are never quoted.
var secretFields = []string{"password", "passwordHash", "secret", "key", "ldapLoginPassword", "totpSecret"}

func (f *File) address(p inventory.Problem, index int) Problem {
	if index < 0 {
		return Problem{File: f.Name, Says: p.Error(), Hint: p.Hint}
	}
	document, field := f.documents[index], p.Field
	if !document.Has(field) && document.Has(fileFields[field]) {
		field = fileFields[field]
	}
	if !document.Has(field) {
		field = "name"
	}
	problem := document.Problem(field, p.Hint, "%s", p.Error())
	if slices.Contains(secretFields, field) {
		problem.Excerpt = ""
	}
	return problem
}

// Encode writes objects as an inventory file, in the order given. Secrets are left out unless asked for;
// apply then keeps those it has.
func Encode(objects []inventory.Object, secrets bool) ([]byte, error) {
	var out bytes.Buffer
	for i, o := range objects {
		if i > 0 {
			out.WriteString("---\n")
		}
		text, err := strictyaml.Encoding{Secrets: secrets}.Encode(o, strictyaml.Pair{Key: "kind", Value: string(o.Kind())})
		if err != nil {
			return nil, err
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}
