// Package file reads and writes inventory files: YAML documents, each with its kind, its name and the
// fields of that kind in package inventory.
//
// Read reads one file with what it refers to, Parse a text; Set validates the whole of it, for a file
// that is meant to be complete. Whatever is wrong comes as Problems with file, line, excerpt and hint.
// Encode writes what Parse takes back unchanged.
package file

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
		problems = append(problems, readFiles(o, document, read)...)
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

// readFiles puts the text of files that an object names in the place of their names.
func readFiles(o inventory.Object, document *strictyaml.Document, read func(string) ([]byte, error)) Problems {
	r := fileReader{document: document, read: read}
	switch o := o.(type) {
	case *inventory.Certificate:
		r.take("certificateFile", &o.CertificateFile, &o.Certificate)
		key := o.Key.Reveal()
		r.take("keyFile", &o.KeyFile, &key)
		o.Key = secret.New(key)
	case *inventory.PhoneTemplate:
		content := o.Content.Reveal()
		r.take("file", &o.File, &content)
		o.Content = secret.New(content)
	case *inventory.CertificateAuthority:
		r.take("certificateFile", &o.CertificateFile, &o.Certificate)
		r.take("crlFile", &o.CRLFile, &o.CRL)
		o.Certificate = armoured("CERTIFICATE", o.Certificate)
		o.CRL = armoured("X509 CRL", o.CRL)
	}
	return r.problems
}

type fileReader struct {
	document *strictyaml.Document
	read     func(string) ([]byte, error)
	problems Problems
}

// take reads the file that field names into text.
func (r *fileReader) take(field string, name, text *string) {
	if *name == "" {
		return
	}
	if *text != "" {
		r.problems = append(r.problems, r.document.Problem(field, "keep one of the two", "%s stands beside the text itself", field))
	}
	content, err := r.read(*name)
	if err != nil {
		r.problems = append(r.problems, r.document.Problem(field, "", "%s: %s: %s", field, *name, reason(err)))
	}
	*name = ""
	if len(content) > 0 {
		*text = string(content)
	}
}

// armoured is what a file holds as PEM. Authorities publish much in DER: a
// sequence whose length takes two or three bytes.
func armoured(kind, content string) string {
	if !strings.HasPrefix(content, "\x30\x82") && !strings.HasPrefix(content, "\x30\x83") {
		return content
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(content)}))
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
var fileFields = map[string]string{"certificate": "certificateFile", "key": "keyFile", "crl": "crlFile", "content": "file"}

// secretFields are never quoted.
var secretFields = []string{"password", "passwordHash", "secret", "key", "ldapLoginPassword", "totpSecret", "content", "secureShellPassword", "unlockPassword"}

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
